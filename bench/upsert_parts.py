"""What the cost of an upsert of edges is made of: one layer more a row, in one run.

Question: where do the milliseconds go that `bench.graph_speed` finds above the bare driver? The
rows go from the driver alone to `Store.upsert_edges`, each with a step more than the one before;
they run in random order. Waiting for the disk and for other processes is in the wall time only, so
processor time stands beside it: of the client's thread and of the engine without its compilers.
Command: ``python -m bench.upsert_parts`` (two minutes), with ``--edges 1000`` for many in a call,
with ``--there`` for edges that exist.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, LiteralString

import numpy as np

from bench.graph_speed_engine import bare_driver, opened
from bench.graph_speed_world import RECORDS, UPSERT, World
from bench.run_record import run_record
from kg.backends import statements
from kg.backends.embedded import EmbeddedLink
from kg.backends.sessions import session_of, transaction_of
from kg.backends.texts import as_text
from kg.changes import Note, written
from kg.launcher import stop_store
from kg.model import Edge, EntityKey

if TYPE_CHECKING:
    from neo4j import Driver

    from kg.backends.bolt import BoltStore

__all__ = ["main"]

COMPILERS = ("C1 Comp", "C2 Comp")
"""Threads of Java that compile: what they do is not the work of one call."""
ENTITIES = 30_000
RELATION = "relation_0"
ENDS = "UNWIND $rows AS row MATCH (h:Entity {key: row.head}) MATCH (t:Entity {key: row.tail})"
ALONE = "all of this in one statement, its own transaction (one wait)"
Layer = Callable[[Sequence[Edge]], object]


def layers(store: BoltStore, driver: Driver, *, single: bool) -> dict[str, Layer]:
    """Return what is timed by its name, from the ends alone on with a step more each.

    Args:
        store: Ours.
        driver: Of the same engine.
        single: Whether calls have one edge, which needs no transaction of the client.
    """
    make = statements.make_edges(RELATION, ["_records"])
    asking = f"{ENDS} OPTIONAL MATCH (h)-[r:{RELATION}]->(t)"

    def managed(edges: Sequence[Edge]) -> None:
        with driver.session(database="kg") as session:
            session.execute_write(lambda tx: tx.run(UPSERT, _bare(edges)).consume())

    def pipelined(
        text: str,
        values: Callable[[Sequence[Edge]], dict[str, Any]],
        read_rows: LiteralString | None = None,
    ) -> Layer:
        def once(edges: Sequence[Edge]) -> None:
            said, given = as_text(text, values(edges), read_rows)
            with session_of(driver, database="kg") as session, transaction_of(session) as tx:
                tx.run(said, dict(given)).values()
                tx.commit()

        return once

    read = EmbeddedLink.read_rows
    raising = f"WITH umbra.raised() AS version {make}"
    noting = f"{EmbeddedLink.raise_and_note} {make}"
    alone = statements.make_edges(RELATION, ["_records"], EmbeddedLink.lone)

    def at_once(edges: Sequence[Edge]) -> None:
        with session_of(driver, database="kg") as session:
            session.run(alone, _noted(edges)).values()

    return {
        "the driver, as its manual says (three waits)": managed,
        "the same, its begin sent along (two waits)": pipelined(UPSERT, _bare),
        "only finding both ends": pipelined(f"{ENDS} RETURN count(*)", _bare),
        "and whether an edge is between them": pipelined(f"{asking} RETURN count(r)", _bare),
        "our statement: made if missing, else compared": pipelined(make, _ours),
        "its rows as one text": pipelined(make, _ours, read),
        "and raises the change counter": pipelined(raising, _ours, read),
        "and notes what it touched": pipelined(noting, _noted, read),
        **({ALONE: at_once} if single else {}),
        "`Store.upsert_edges`: checks, lock, retries too": store.upsert_edges,
    }


def _bare(edges: Sequence[Edge]) -> dict[str, Any]:
    return {"rows": [{"head": e.head, "tail": e.tail, "records": _records(e)} for e in edges]}


def _ours(edges: Sequence[Edge]) -> dict[str, Any]:
    rows = [{"_head": e.head, "_tail": e.tail, "_records": _records(e)} for e in edges]
    return {"rows": [{**row, "_n": str(n)} for n, row in enumerate(rows)]}


def _noted(edges: Sequence[Edge]) -> dict[str, Any]:
    return {**_ours(edges), "_touched": written(Note(edges=frozenset(e.key for e in edges)))}


def _records(edge: Edge) -> list[str]:
    return [record.to_json() for record in edge.provenance]


def drawn(world: World, draw: random.Random, *, size: int, there: bool) -> list[Edge]:
    """Return edges of one relation that exist, or that are almost always new (of 900 million)."""
    if there:
        found = draw.sample(np.flatnonzero(world.triples[:, 1] == 0).tolist(), size)
        ends = [(int(world.triples[n, 0]), int(world.triples[n, 2])) for n in found]
    else:
        ends = [(draw.randrange(ENTITIES), draw.randrange(ENTITIES)) for _ in range(size)]
    return [
        Edge(
            head=EntityKey(f"thing:{head}"), relation=RELATION, tail=EntityKey(f"thing:{tail}"),
            provenance=RECORDS,
        )
        for head, tail in ends
    ]  # fmt: skip


def measured(
    work: Path, *, size: int, there: bool, times: int, seed: int
) -> dict[str, dict[str, float]]:
    """Return medians in ms of each layer: wall, client's and engine's processor time."""
    world = World.made(ENTITIES, 2 * ENTITIES, 20, seed=seed)
    draw = random.Random(seed)
    with opened(work) as store, bare_driver(work, "writer") as driver:
        store.bulk_load(world.entities(), world.edges())
        link = EmbeddedLink(work / "graph")
        link.connect()
        engine = int(link.attachment.endpoint.child["pid"])
        timed = layers(store, driver, single=size == 1)
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in timed}
        for n in range(times + times // 5):
            for name, layer in draw.sample(list(timed.items()), len(timed)):
                edges = drawn(world, draw, size=size, there=there)
                before = time.perf_counter(), time.thread_time(), _processor_s(engine)
                layer(edges)
                after = time.perf_counter(), time.thread_time(), _processor_s(engine)
                if n >= times // 5:
                    spent = [(b - a) * 1e3 for a, b in zip(before, after, strict=True)]
                    found[name].append((spent[0], spent[1], spent[2]))
        link.close()
    names = ("wall_ms", "client_ms", "engine_ms")
    return {
        name: {key: statistics.median(row[n] for row in rows) for n, key in enumerate(names)}
        for name, rows in found.items()
    }


def _processor_s(process: int) -> float:
    """Return the processor time of a process's threads, in seconds, without Java's compilers."""
    total = 0
    for thread in Path(f"/proc/{process}/task").iterdir():
        try:
            if not (thread / "comm").read_text(encoding="utf-8").startswith(COMPILERS):
                total += int((thread / "schedstat").read_text(encoding="utf-8").split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return total / 1e9


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and print a table and how it was made."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=200, help="how often each is repeated")
    parser.add_argument("--edges", type=int, default=1, help="edges of a call")
    parser.add_argument("--there", action="store_true", help="edges that exist, not new ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("build"), help="the store lies there")
    given = list(sys.argv[1:] if argv is None else argv)
    options = parser.parse_args(given)
    options.work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=options.work) as folder:
        found = measured(
            Path(folder), size=options.edges, there=options.there, times=options.times,
            seed=options.seed,
        )  # fmt: skip
        stop_store(Path(folder) / "graph")
    what = f"{options.edges:,} {'existing' if options.there else 'new'}"
    print(f"| {what} | wall, ms | client, ms | engine, ms | processor time, ratio |")
    print("|---|---|---|---|---|")
    first = next(iter(found.values()))
    base = first["client_ms"] + first["engine_ms"]
    for name, row in found.items():
        both = row["client_ms"] + row["engine_ms"]
        numbers = " | ".join(f"{row[key]:.2f}" for key in ("wall_ms", "client_ms", "engine_ms"))
        print(f"| {name} | {numbers} | {both / base:.2f} |")
    print(run_record("bench.upsert_parts", given))


if __name__ == "__main__":
    main()
