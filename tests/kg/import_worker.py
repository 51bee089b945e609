"""A process that imports a mapping into a journal of writes, started and killed by a test.

Usage: ``python import_worker.py FOLDER``, which holds graph.toml; everything is written there.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import kg.importing
from kg.backends.memory import MemoryStore
from kg.images import ImageFolder
from kg.importing import ImportReport, import_mapping
from kg.ledger import Ledger
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance

SHARD_LINES = 5


class JournalStore(MemoryStore):
    """A store in memory whose writes survive a kill: one line of a file for each call."""

    def __init__(self, path: Path, nap_s: float = 0.0) -> None:
        super().__init__()
        self._path = path
        self._nap_s = nap_s
        for line in path.read_text().splitlines() if path.exists() else ():
            call = json.loads(line)
            super().upsert_entities([_entity(*row) for row in call.get("entities", ())])
            super().upsert_edges([_edge(*row) for row in call.get("edges", ())])

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        kept = list(rows)
        written = super().upsert_entities(kept)
        self._write({"entities": [(row.key, row.label, row.name) for row in kept]})
        return written

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        kept = list(rows)
        written = super().upsert_edges(kept)
        self._write({"edges": [row.key for row in kept]})
        return written

    def _write(self, call: dict[str, object]) -> None:
        time.sleep(self._nap_s)
        with self._path.open("ab", buffering=0) as file:
            file.write(json.dumps(call).encode() + b"\n")
        time.sleep(self._nap_s)


def _entity(key: str, label: str, name: str) -> Entity:
    return Entity(key=EntityKey(key), label=label, name=name)


def _edge(head: str, relation: str, tail: str) -> Edge:
    record = Provenance(kind="asserted", source="journal")
    return Edge(head=EntityKey(head), relation=relation, tail=EntityKey(tail), provenance=(record,))


def run(folder: Path, nap_s: float = 0.0) -> ImportReport:
    """Import, and return the report."""
    kg.importing.SHARD_LINES = SHARD_LINES
    with Ledger(folder / "jobs" / "ledger.sqlite") as ledger:
        return import_mapping(
            JournalStore(folder / "journal", nap_s),
            folder / "graph.toml",
            ledger=ledger,
            images=ImageFolder(folder / "images"),
            rejects=folder / "rejects.jsonl",
        )


if __name__ == "__main__":
    run(Path(sys.argv[1]), nap_s=0.004)
