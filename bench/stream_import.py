"""Streams a generated dump through an import, and tells this process's memory on the way.

Usage: ``python -m bench.stream_import [--gb 1] [--format n-triples] [--work FOLDER]``. The store
keeps nothing, so that the memory is the import's own; with ``--embedded`` it is the embedded store,
a process of its own. Writes docs/benchmarks/stream-import.md.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from evaluation import current_commit, this_machine
from kg.backends import open_store
from kg.backends.memory import MemoryStore
from kg.files import atomic_write
from kg.graph_formats import format_of, write_graph
from kg.importing import import_graph
from kg.ledger import Ledger
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.store import Store

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "stream-import.md"
MARKS = (0.1, 0.5, 1.0)
RELATIONS = 50
EDGES_PER_ENTITY = 2
RECORD = (Provenance(kind="asserted", source="made", locator="row 1"),)


class Made:
    """A graph that is made as it is read: entities in a ring with chords, as many as wanted."""

    def __init__(self, count: int) -> None:
        self.count = count

    def entities(self) -> Iterator[Entity]:
        """Iterate them."""
        for n in range(self.count):
            yield Entity(
                key=EntityKey(f"thing:{n:09}"),
                label=f"Kind{n % 20}",
                name=f"Thing number {n}",
                attributes={"size": n * 7 % 1000, "weight": n / 3, "motto": f"motto of {n}"},
            )

    def edges(self) -> Iterator[Edge]:
        """Iterate them."""
        for n in range(self.count):
            for k in range(EDGES_PER_ENTITY):
                yield Edge(
                    head=EntityKey(f"thing:{n:09}"),
                    relation=f"relation_{(n + k) % RELATIONS}",
                    tail=EntityKey(f"thing:{(n * 31 + k * 17 + 1) % self.count:09}"),
                    provenance=RECORD,
                )


class Nowhere(MemoryStore):
    """A store that takes everything and keeps nothing."""

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Count the rows."""
        return sum(1 for _ in rows)

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Count the rows."""
        return sum(1 for _ in rows)

    def entity(self, key: EntityKey) -> Entity | None:
        """Claim to have it."""
        return Entity(key=key, label="Thing", name=key)


def made(path: Path, size_bytes: int, name: str, *, sample: int = 2_000) -> None:
    """Write a dump of about a size, from the size of a small one; never a smaller one than that."""
    write_graph(Made(sample), path, name)
    count = max(sample, round(sample * size_bytes / path.stat().st_size))
    write_graph(Made(count), path, name)


def memory_mb() -> tuple[float, float]:
    """Return the memory of this process, now and at its highest."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize() / 2**20, peak / 2**10


def run(path: Path, work: Path, name: str, store: Store) -> dict[str, object]:
    """Import a dump and return what was measured."""
    marks = list(MARKS)
    found: dict[str, object] = {"megabytes": round(path.stat().st_size / 2**20)}
    found["before"] = memory_mb()

    def told(done: int, total: int) -> None:
        if "laid_out" not in found:
            found["laid_out"] = memory_mb()
        while marks and done >= marks[0] * total:
            found[f"{marks.pop(0):.0%}"] = memory_mb()

    started = time.perf_counter()
    with Ledger(work / "ledger.sqlite") as ledger:
        report = import_graph(
            store, path, ledger=ledger, rejects=work / "rejects", format_name=name, progress=told
        )
    found |= {
        "entities": report.entities,
        "edges": report.edges,
        "rejects": report.rejects,
        "seconds": round(time.perf_counter() - started, 1),
    }
    return found


def page(name: str, found: dict[str, object], *, embedded: bool) -> str:
    """Return the page of the figures."""
    steps = ("before", "laid_out", *(f"{mark:.0%}" for mark in MARKS))
    rows = [f"| {step} | {found[step][0]:.0f} | {found[step][1]:.0f} |" for step in steps]  # type: ignore[index]
    machine = this_machine()
    store = "the embedded store" if embedded else "a store that keeps nothing"
    head = (
        f"`python -m bench.stream_import` at {current_commit()}, {datetime.now(UTC).date()}, "
        f"{machine.cores} cores, {machine.memory_gb} GB: a dump of {found['megabytes']:,} MB as "
        f"{name}, "
        f"{found['entities']:,} entities and {found['edges']:,} edges, into {store}; "
        f"{found['rejects']} rejects, {found['seconds']} s."
    )
    foot = (
        "Memory of the importing process in MB. RDF is laid out by subject on disk first. What "
        "grows with the graph is the set of known keys, up to a million of them (about 100 MB)."
    )
    table = ["| at | now | highest so far |", "|---|---|---|", *rows]
    return "\n".join(["# Memory of an import", "", head, "", *table, "", foot]) + "\n"


def main() -> None:
    """Make a dump, import it, write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gb", type=float, default=1.0, help="size of the dump")
    parser.add_argument("--format", default="n-triples")
    parser.add_argument("--embedded", action="store_true")
    parser.add_argument("--work", type=Path, default=Path("build"), help="the dump lies there")
    arguments = parser.parse_args()
    name: str = arguments.format
    ending = format_of(Path("x"), name, writing=True).endings[0]
    arguments.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        path, work = Path(folder) / f"dump{ending}", Path(folder) / "work"
        made(path, round(arguments.gb * 2**30), name)
        opened: AbstractContextManager[Store] = (
            open_store(work / "graph") if arguments.embedded else nullcontext(Nowhere())
        )
        with opened as store:
            found = run(path, work, name, store)
    text = page(name, found, embedded=arguments.embedded)
    with atomic_write(PAGE) as file:
        file.write(text.encode())
    print(text)


if __name__ == "__main__":
    main()
