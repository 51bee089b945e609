"""What the killed runs of `bench.graph_kills` write, and what was acknowledged of it.

Every run of an operation writes rows that follow from its number alone, so that a look at the
store tells what is there, what is lost, what is there twice, and what nobody wrote.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance

__all__ = ["COUNTER", "SIZES", "Acks", "acknowledged", "edges_of", "entities_of", "setup"]

COUNTER = EntityKey("counter")
SIZES = {
    "load": (24, 32),
    "upsert": (30, 30),
    "index": (4, 0),
    "backup": (4, 0),
    "migration": (6, 0),
}
"""Entities and edges that a run of each operation writes; links have a table of their own."""
PAGES = 12


class Acks:
    """The log of acknowledgements: a text file outside the store, on the disk after each line.

    Args:
        path: The file; what is there stays.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def __call__(self, *lines: str) -> None:
        """Write down what the store has just acknowledged, or what is about to be asked of it."""
        os.write(self._handle, "".join(line + "\n" for line in lines).encode())
        os.fsync(self._handle)


def acknowledged(path: Path) -> Iterator[list[str]]:
    """Iterate the lines of a log; a last one that was cut off by a kill counts as none."""
    text = path.read_text() if path.exists() else ""
    for line in text.split("\n")[:-1]:
        yield line.split()


def entities_of(run: str) -> list[Entity]:
    """Return the entities that a run such as ``load-7`` writes, in order."""
    count = SIZES.get(run.partition("-")[0], (0, 0))[0]
    return [_entity(f"{run}:{number}", number, run) for number in range(count)]


def edges_of(run: str) -> list[Edge]:
    """Return the edges that a run writes, in order; their ends are its own entities."""
    nodes, count = SIZES.get(run.partition("-")[0], (0, 0))
    return [
        Edge(
            head=EntityKey(f"{run}:{number % nodes}"),
            relation=("leads_to", "lies_by")[number % 2],
            tail=EntityKey(f"{run}:{(number + 1 + number // nodes) % nodes}"),
            attributes={"n": number},
            provenance=(_record(run, f"edge {number}"),),
        )
        for number in range(count)
    ]


def setup(names: Sequence[str]) -> list[Entity]:
    """Return what lies in a store before the first run: a counter, pages, what mentions mean."""
    pages = [_entity(f"page:p{number}", number, "setup") for number in range(PAGES)]
    meant = [
        Entity(key=EntityKey(f"made:{number}"), label="Place", name=name)
        for number, name in enumerate(names)
    ]
    return [
        Entity(key=COUNTER, label="Counter", name="counter", attributes={"n": 0}),
        *pages,
        *meant,
    ]


def _entity(key: str, number: int, run: str) -> Entity:
    return Entity(
        key=EntityKey(key),
        label=("Thing", "Place")[number % 2],
        name=f"thing {key}",
        aliases=(f"word{key.replace(':', 'x').replace('-', 'y')}",),
        attributes={"n": number, "share": number / 7},
        provenance=(_record(run, f"row {number}"),),
    )


def _record(run: str, locator: str) -> Provenance:
    return Provenance(kind="asserted", source=f"{run}.jsonl", locator=locator)
