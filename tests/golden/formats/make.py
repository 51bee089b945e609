"""Writes a small file of every kept format; old ones stay, so that new versions still open them.

Run ``python -m tests.golden.formats.make`` after a format number was raised, and only then: it
writes the folder of the present number and never touches another.
"""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from kg import ledger_file, snapshot, store_folder
from kg.backends import open_store
from kg.backends.memory import MemoryStore
from kg.engine_command import LauncherConfig
from kg.launcher import stop_store
from kg.ledger import Ledger, Shard, ShardResult, run_job
from kg.model import AttributeValue, Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot, save_snapshot
from linkers.model import Candidate, Link, Mention
from linkers.review import Request, Review, case_of, journal

FOLDER = Path(__file__).parent


def rows() -> tuple[list[Entity], list[Edge]]:
    """Return the graph that the golden snapshot and the golden store hold."""
    record = (Provenance(kind="linked", source="test", probability=0.5),)
    country, shape = EntityKey("country:TR"), EntityKey("shape:crescent")
    part = ImagePart(parent=country, image="0" * 64, box_xyxy=(0.0, 0.0, 2.0, 1.0))
    attributes: dict[str, AttributeValue] = {
        "area_km2": 783562.0,
        "landlocked": False,
        "cca3": "TUR",
        "at": (39, 35.5),
    }
    entities = [
        Entity(key=country, label="Country", name="Türkiye", attributes=attributes),
        Entity(key=shape, label="Shape", name="crescent"),
        Entity(key=EntityKey("part:country:TR/0"), label="Part", name="crescent", part=part),
    ]
    edges = [
        Edge(head=country, relation="depicts", tail=shape, provenance=record),
        Edge(head=country, relation="has_part", tail=entities[2].key, provenance=record),
    ]
    return entities, edges


def world() -> Snapshot:
    """Return the golden snapshot."""
    return build_snapshot(*rows())


def fill_store(folder: Path) -> None:
    """Write the golden store: an embedded engine's folder, left as a stopped engine leaves it."""
    entities, edges = rows()
    with open_store(folder, launcher=LauncherConfig(heap="256m")) as store:
        store.upsert_entities(entities)
        store.upsert_edges(edges)
    stop_store(folder)


def packed_store(folder: Path, path: Path) -> None:
    """Pack what a store's folder keeps; users, locks and logs are made anew at each start."""
    with tarfile.open(path, "w:gz") as archive:
        for name in ("store.json", "engine/databases"):
            archive.add(folder / name, name)


def fill(ledger: Ledger) -> str:
    """Do the job that the golden ledger holds: four shards, paused after the third."""

    def function(shard: Shard) -> ShardResult:
        if shard.number == 2:
            ledger.pause(shard.job)
        return ShardResult(output=b"%d\n" % shard.number, counts={"rows": 2})

    job = ledger.submit("test", {"why": "golden"}, [{"n": n} for n in range(4)], sizes=[2] * 4)
    run_job(ledger, job.id, function)
    return job.id


def review_file(path: Path) -> MemoryStore:
    """Write the log of a review: an alias, an undone merge, a mention that means nothing."""
    told = (Provenance(kind="asserted", source="test"),)
    store = MemoryStore()
    store.upsert_entities(
        Entity(key=EntityKey(key), label="Country", name=name, provenance=told)
        for key, name in (("c:PE", "Peru"), ("c:PE2", "Republic of Peru"))
    )
    review = Review(store, path, now=lambda: "2026-11-29T00:00:00+00:00")
    cases = []
    for name, surface in (("m1", "Piruw"), ("m2", "the ship")):
        mention = Mention(id=name, surface=surface, context=f"{surface} came", start=0)
        candidate = Candidate(
            entity=EntityKey("c:PE"), score=0.0, probability=0.5, signals={"prior": 0.25}
        )
        link = Link(
            mention=name, state="review", entity=EntityKey("c:PE"), probability=0.5,
            nil_probability=0.5, candidates=(candidate,),
        )  # fmt: skip
        cases.append(case_of(mention, link, source="mentions.jsonl"))
    review.add(cases)
    review.decide(Request(kind="accept", case=cases[0].id, who="ada", id="1"))
    review.decide(Request(kind="reject", case=cases[1].id, who="ada", id="2"))
    review.decide(
        Request(
            kind="merge", entity=EntityKey("c:PE"), keys=(EntityKey("c:PE2"),), who="bob", id="3"
        )
    )
    review.decide(Request(kind="undo", who="bob", comment="two things", id="4"))
    return store


def main() -> None:
    """Write what is missing."""
    path = FOLDER / f"review-{journal.FORMAT}.jsonl"
    if not path.exists():
        review_file(path)
        path.with_suffix(".lock").unlink()
    folder = FOLDER / f"snapshot-{snapshot.FORMAT}"
    if not folder.exists():
        save_snapshot(world(), folder)
    folder = FOLDER / f"ledger-{ledger_file.FORMAT}"
    if not folder.exists():
        with Ledger(folder / "ledger.sqlite", clock=lambda: 1_790_000_000.0) as ledger:
            fill(ledger)
    path = FOLDER / f"store-{store_folder.FORMAT}.tar.gz"
    if not path.exists():
        with tempfile.TemporaryDirectory() as name:
            fill_store(Path(name) / "graph")
            packed_store(Path(name) / "graph", path)


if __name__ == "__main__":
    main()
