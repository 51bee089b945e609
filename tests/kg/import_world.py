"""A folder of towns that is imported."""

import json
from pathlib import Path

from PIL import Image

from kg.backends.memory import MemoryStore
from kg.images import ImageFolder
from kg.importing import ImportReport, import_mapping
from kg.ledger import Ledger

ROOT = Path(__file__).parents[2]

MAPPING = """
[[entities]]
file = "towns.csv"
label = "Town"
key = "town:{id}"
name = "{name}"
image = "seals/{id}.png"
attributes = { people = { path = "people", type = "int" } }

[[entities]]
file = "towns.csv"
label = "Land"
key = "land:{land}"
name = "{land}"
once = true

[[edges]]
file = "towns.csv"
head = "town:{id}"
relation = "lies_in"
tail = "land:{land}"

[[edges]]
file = "roads.jsonl"
head = "town:{from}"
relation = "road_to"
tail = "town:{to}"
attributes = { km = { path = "km", type = "float" } }
"""


class World:
    """A folder with a mapping of some towns, and everything that an import needs."""

    def __init__(self, folder: Path, towns: int = 12) -> None:
        self.folder = folder
        self.store = MemoryStore()
        self.ledger = Ledger(folder / "work" / "ledger.sqlite")
        self.images = ImageFolder(folder / "work" / "images")
        self.rejects = folder / "work" / "rejects.jsonl"
        self.mapping = folder / "graph.toml"
        self.mapping.write_text(MAPPING)
        lines = [f"{n},Town {n},{100 * n},{'NS'[n % 2]}\n" for n in range(towns)]
        (folder / "towns.csv").write_text("id,name,people,land\n" + "".join(lines))
        roads = [{"from": n, "to": (n + 1) % towns, "km": 1.5} for n in range(towns)]
        (folder / "roads.jsonl").write_text("".join(json.dumps(road) + "\n" for road in roads))
        (folder / "seals").mkdir()
        for n in range(towns):
            Image.new("RGB", (2, 2), (n, 0, 0)).save(folder / "seals" / f"{n}.png")

    def run(self, **options) -> ImportReport:
        return import_mapping(
            self.store,
            self.mapping,
            ledger=self.ledger,
            images=self.images,
            rejects=self.rejects,
            **options,
        )

    def content(self, store=None):
        store = store or self.store
        return list(store.entities()), list(store.edges())

    def rejected(self) -> list[tuple[str, int, str | None, str]]:
        rows = map(json.loads, self.rejects.read_text().splitlines())
        return [(row["file"], row["line"], row["column"], row["reason"]) for row in rows]
