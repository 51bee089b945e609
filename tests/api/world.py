"""A corner of the world, small enough to be drawn: countries, languages, flags with crescents.

Turkey's border with Georgia stands in one sentence only and was linked with 0.7, and Azerbaijan's
crescent was seen with 0.8: what rests on them is likely, not known.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from api.engine import AnswererName, Engine
from api.settings import Settings
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.images import ImageFolder
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance
from kg.snapshot import build_snapshot, save_snapshot
from kg.store import Store
from reasoning.exact import ExactAnswerer
from reasoning.predictors import NoPredictor
from reasoning.protocols import Answerer
from reasoning.symbolic.answerer import SymbolicAnswerer
from scenes.masks import encode_rle

__all__ = ["CRESCENTS", "NAMES", "WorldEngine", "fill", "make_world", "open_world"]

NAMES = {
    "TR": "Turkey", "GR": "Greece", "BG": "Bulgaria", "GE": "Georgia", "AM": "Armenia",
    "AZ": "Azerbaijan", "SY": "Syria", "IQ": "Iraq", "RU": "Russia", "TN": "Tunisia",
    "DZ": "Algeria", "ML": "Mali", "<b>&": "<img src=x onerror=document.title='broken'>",
}  # fmt: skip
BORDERS = ("TR GR", "TR BG", "TR SY", "TR IQ", "AZ AM", "AZ RU", "TN DZ", "DZ ML", "GR BG")
ARABIC = ("SY", "IQ", "TN", "DZ")
CRESCENTS = {"TR": 0.97, "AZ": 0.8, "TN": 0.95, "DZ": 0.96}
SIZE = (60, 40)
MOON = (14.0, 8.0, 38.0, 32.0)


def country(code: str) -> EntityKey:
    return EntityKey(f"country:{code}")


def flag(code: str) -> bytes:
    """Return a red flag, with a crescent where the country has one."""
    image = Image.new("RGB", SIZE, (170 + len(code), 20, 20 + ord(code[0])))
    if code in CRESCENTS:
        draw = ImageDraw.Draw(image)
        draw.ellipse(MOON, fill="white")
        draw.ellipse((20, 11, 40, 29), fill=(170 + len(code), 20, 20 + ord(code[0])))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def mask(code: str) -> str:
    """Return where a flag is white."""
    with Image.open(io.BytesIO(flag(code))) as image:
        return encode_rle(np.asarray(image).min(axis=2) == 255)


def asserted(row: int) -> tuple[Provenance, ...]:
    return (Provenance(kind="asserted", source="countries.jsonl", locator=f"row {row}"),)


def entities(images: ImageFolder) -> Iterator[Entity]:
    for row, (code, name) in enumerate(NAMES.items(), 1):
        picture: ImageRef = images.add(flag(code), source=f"flags/{code}.png")
        yield Entity(
            key=country(code), label="Country", name=name, aliases=(f"Republic of {name}",),
            attributes={"population": 1_000_000 * row}, images=(picture,),
            provenance=asserted(row),
        )  # fmt: skip
        if code in CRESCENTS:
            part = ImagePart(
                parent=country(code), image=picture.sha256, box_xyxy=MOON,
                confidence=CRESCENTS[code], area_share=0.1, colour="white",
                mask_rle=mask(code) if code == "TR" else None,
            )  # fmt: skip
            yield Entity(
                key=part_of(code), label="Part", name="white crescent", part=part,
                provenance=seen(code),
            )  # fmt: skip
    yield Entity(key=EntityKey("language:ara"), label="Language", name="Arabic")
    yield Entity(key=EntityKey("shape:crescent"), label="Shape", name="crescent")


def part_of(code: str) -> EntityKey:
    return EntityKey(f"part:country:{code}/0")


def seen(code: str) -> tuple[Provenance, ...]:
    return (
        Provenance(
            kind="generated", source=sha256(flag(code)).hexdigest(), locator="box 14,8,38,32",
            job="scenes-1", model="scenes 1", probability=CRESCENTS[code],
        ),
    )  # fmt: skip


def edges() -> Iterator[Edge]:
    for row, pair in enumerate(BORDERS, 1):
        one, other = map(country, pair.split())
        for head, tail in ((one, other), (other, one)):
            yield Edge(head=head, relation="borders", tail=tail, provenance=asserted(row))
    doubtful = Provenance(
        kind="linked", source="factbook/georgia", locator="chars 30-36", job="link-1",
        text="Land boundaries: … Turkey <273 km>", probability=0.7,
    )  # fmt: skip
    yield Edge(head=country("GE"), relation="borders", tail=country("TR"), provenance=(doubtful,))
    for code in ARABIC:
        yield Edge(
            head=country(code), relation="speaks", tail=EntityKey("language:ara"),
            provenance=asserted(1),
        )  # fmt: skip
    for code in CRESCENTS:
        yield Edge(
            head=country(code), relation="has_part", tail=part_of(code), provenance=seen(code)
        )
        yield Edge(
            head=country(code), relation="depicts", tail=EntityKey("shape:crescent"),
            provenance=seen(code),
        )  # fmt: skip
        yield Edge(
            head=part_of(code), relation="has_label", tail=EntityKey("shape:crescent"),
            provenance=seen(code),
        )  # fmt: skip


def make_world(folder: Path) -> Workspace:
    """Write the world's pictures and its snapshot."""
    workspace = Workspace(folder)
    workspace.create()
    graph = build_snapshot(entities(ImageFolder(workspace.images)), edges())
    save_snapshot(graph, workspace.snapshot("full"))
    return workspace


def fill(store: Store, workspace: Workspace) -> None:
    """Write the world into a store."""
    store.upsert_entities(entities(ImageFolder(workspace.images)))
    store.upsert_edges(edges())


class WorldEngine(Engine):
    """The engine with the symbolic answerer over the graph's own edges, weak ones included."""

    def answerer(self, name: AnswererName) -> tuple[Answerer, tuple[str, ...]]:
        graph = self.snapshot
        if name == "symbolic":
            return SymbolicAnswerer(graph, NoPredictor(graph.num_entities)), ()
        if name == "exact":
            return ExactAnswerer(graph), ()
        return super().answerer(name)


def open_world(
    folder: Path, *, settings: Settings | None = None, store: MemoryStore | None = None
) -> WorldEngine:
    """Return an engine over the world, its store in memory."""
    workspace = make_world(folder)
    store = store or MemoryStore()
    fill(store, workspace)
    return WorldEngine(workspace, settings=settings or Settings(), store=store)
