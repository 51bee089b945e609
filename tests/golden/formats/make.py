"""Writes a small file of every kept format; old ones stay, so that new versions still open them.

Run ``python -m tests.golden.formats.make`` after a format number was raised, and only then: it
writes the folder of the present number and never touches another.
"""

from __future__ import annotations

from pathlib import Path

from kg import ledger_file, snapshot
from kg.ledger import Ledger, Shard, ShardResult, run_job
from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot, save_snapshot

FOLDER = Path(__file__).parent


def world() -> Snapshot:
    """Return the graph that the golden snapshot holds."""
    record = (Provenance(kind="linked", source="test", probability=0.5),)
    country, shape = EntityKey("country:TR"), EntityKey("shape:crescent")
    part = ImagePart(parent=country, image="0" * 64, box_xyxy=(0.0, 0.0, 2.0, 1.0))
    attributes = {"area_km2": 783562.0, "landlocked": False, "cca3": "TUR", "at": (39, 35.5)}
    entities = [
        Entity(key=country, label="Country", name="Türkiye", attributes=attributes),
        Entity(key=shape, label="Shape", name="crescent"),
        Entity(key=EntityKey("part:country:TR/0"), label="Part", name="crescent", part=part),
    ]
    edges = [
        Edge(head=country, relation="depicts", tail=shape, provenance=record),
        Edge(head=country, relation="has_part", tail=entities[2].key, provenance=record),
    ]
    return build_snapshot(entities, edges)


def fill(ledger: Ledger) -> str:
    """Do the job that the golden ledger holds: four shards, paused after the third."""

    def function(shard: Shard) -> ShardResult:
        if shard.number == 2:
            ledger.pause(shard.job)
        return ShardResult(output=b"%d\n" % shard.number, counts={"rows": 2})

    job = ledger.submit("test", {"why": "golden"}, [{"n": n} for n in range(4)], sizes=[2] * 4)
    run_job(ledger, job.id, function)
    return job.id


def main() -> None:
    """Write what is missing."""
    folder = FOLDER / f"snapshot-{snapshot.FORMAT}"
    if not folder.exists():
        save_snapshot(world(), folder)
    folder = FOLDER / f"ledger-{ledger_file.FORMAT}"
    if not folder.exists():
        with Ledger(folder / "ledger.sqlite", clock=lambda: 1_790_000_000.0) as ledger:
            fill(ledger)


if __name__ == "__main__":
    main()
