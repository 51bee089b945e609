"""How fast the graph is beside the bare engine, in one run: ours and the rival in turn.

Question: what do Umbra's gate, merging, records and counter cost above the engine alone? The rival
is the official driver on the same store for reads and upserts, the engine's batch endpoint for
loads, and every edge read in Cypher for snapshots; results are compared before any time counts.
Command: ``python -m bench.graph_speed --out docs/benchmarks`` (about an hour on two quiet cores,
most of it the large load), or some of its parts: ``--parts reads upsert bulk attach snapshot open
sizes large``. Figures of parts that were not run stay as they are in the JSON.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.graph_speed_engine import LONG, bare_driver, opened
from bench.graph_speed_page import page
from bench.graph_speed_world import (
    ATTACH,
    HOPS,
    RECORDS,
    UPSERT,
    World,
    bare_load,
    folder_bytes,
    in_turn,
    resident_mb,
    timed,
)
from bench.run_record import keep, run_record
from kg.backends.embedded import EmbeddedLink
from kg.files import read_json
from kg.graph_formats import write_graph
from kg.launcher import stop_store
from kg.model import Edge, EntityKey
from kg.snapshot import build_snapshot, load_snapshot, save_snapshot, snapshot_of

__all__ = ["main"]


def loaded(work: Path, options: argparse.Namespace) -> World:
    """Fill the graph that is read, if it is not there yet, and return what it holds."""
    world = World.made(options.edges // 10, options.edges, options.relations, seed=options.seed)
    with opened(work) as store:
        store.bulk_load(world.entities(), world.edges())
    return world


def reads(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Point reads and hops, through `Store` and by the driver alone."""
    loaded(work, options)
    keys = [f"thing:{n * 13 % (options.edges // 10)}" for n in range(options.times * 2)]
    found = {}
    with opened(work) as store, bare_driver(work, "reader") as driver:

        def bare(text: str, n: int) -> list[list[Any]]:
            with driver.session(database="kg", default_access_mode="READ") as session:
                return session.run(text, {"key": keys[n]}).values()

        point = "MATCH (n:Entity {key: $key}) RETURN labels(n), properties(n)"
        found["point read"] = in_turn(
            lambda n: store.entity(EntityKey(keys[n])), lambda n: bare(point, n), options.times
        )
        for name, text in HOPS.items():
            answer = [list(row) for row in store.query(text, {"key": keys[1]}).rows]
            if sorted(answer) != sorted(bare(text, 1)):
                raise AssertionError(f"{name}: the answers differ")
            found[name] = in_turn(
                lambda n, text=text: store.query(text, {"key": keys[n]}),  # type: ignore[misc]
                lambda n, text=text: bare(text, n),  # type: ignore[misc]
                options.times,
            )
    return found


def upsert(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Edges, one and a thousand a call, through `Store` and by the driver alone.

    No two calls have an edge in common, until all that were made a thousand at a time come again.
    """
    count = loaded(work, options).num_entities

    def edge(n: int, side: int) -> Edge:
        lap, head = divmod(n, count)
        tail = (head * 7 + 2 * lap + side) % count
        return Edge(
            head=EntityKey(f"thing:{head}"), relation="relation_0", tail=EntityKey(f"thing:{tail}"),
            provenance=RECORDS,
        )  # fmt: skip

    def row(made: Edge) -> dict[str, Any]:
        records = [record.to_json() for record in made.provenance]
        return {"head": made.head, "tail": made.tail, "records": records}

    many = max(3, options.times // 50)
    parts = {
        "upsert of 1 edge": (1, options.times, 0),
        "upsert of 1,000 edges": (1000, many, options.times * 2),
        "upsert of 1,000 edges that are there": (1000, many, options.times * 2),
    }
    found = {}
    with opened(work) as store, bare_driver(work, "writer") as driver:

        def bare(rows: list[dict[str, Any]]) -> None:
            with driver.session(database="kg") as session:
                session.execute_write(lambda tx: tx.run(UPSERT, rows=rows).consume())

        for name, (size, times, first) in parts.items():
            spans = [range(first + n * size, first + (n + 1) * size) for n in range(times * 2)]
            mine = [[edge(n, 0) for n in span] for span in spans]
            theirs = [[row(edge(n, 1)) for n in span] for span in spans]
            found[name] = in_turn(
                lambda n, mine=mine: store.upsert_edges(mine[n]),  # type: ignore[misc]
                lambda n, theirs=theirs: bare(theirs[n]),  # type: ignore[misc]
                times,
            )
    return found


def bulk(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """A first load, and the same lines to the batch endpoint."""
    world = World.made(options.edges // 10, options.edges, options.relations, seed=options.seed)
    counts = set()

    def ours(n: int) -> None:
        with opened(work, f"ours{n}") as store:
            store.bulk_load(world.entities(), world.edges())
            counts.add(store.query("MATCH ()-[r]->() RETURN count(r)").rows[0][0])

    def bare(n: int) -> None:
        link = EmbeddedLink(work / "graph", database=f"bare{n}", config=LONG)
        link.connect()
        bare_load(link, world)
        link.close()

    with opened(work):  # so that the engine runs on between loads
        found = in_turn(ours, bare, 3)
    if counts != {len(world.triples)}:
        raise AssertionError(f"{counts} edges of {len(world.triples)}")
    return {"first load": found | {"edges": len(world.triples)}}


def attach(work: Path, _options: argparse.Namespace) -> dict[str, Any]:
    """Opening a store whose engine runs, in a new process, after its imports."""
    with opened(work):
        runs = [
            subprocess.run(  # noqa: S603 - our own text
                [sys.executable, "-c", ATTACH, str(work / "graph")],
                check=True, capture_output=True, text=True,
            ).stdout.split()
            for _ in range(9)
        ]  # fmt: skip
    opening, answered = (statistics.median(float(run[n]) for run in runs) * 1e3 for n in (0, 1))
    return {"attach": {"ours_ms": opening, "first_answer_ms": answered, "times": len(runs)}}


def snapshot(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """A snapshot of the store, and every edge read in Cypher by the driver."""
    world = loaded(work, options)
    text = "MATCH (h:Entity)-[r]->(t:Entity) RETURN h.key, type(r), t.key, r._records"
    with opened(work) as store, bare_driver(work, "reader") as driver:

        def bare(_: int) -> None:
            with driver.session(database="kg", default_access_mode="READ") as session:
                rows = session.run(text).values()
            if len(rows) < len(world.triples):
                raise AssertionError(f"{len(rows)} edges of {len(world.triples)}")

        by_rows = build_snapshot(store.entities(), store.edges())
        if snapshot_of(store).hash != by_rows.hash:
            raise AssertionError("the two routes differ")
        return {"snapshot": in_turn(lambda _: snapshot_of(store), bare, 3)}


def opening(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Opening snapshots of several sizes."""
    found = {}
    for edges in (options.edges // 100, options.edges // 10, options.edges):
        world = World.made(edges // 10, edges, options.relations, seed=options.seed)
        folder = work / f"snapshot-{edges}"
        save_snapshot(build_snapshot(world.entities(), world.edges()), folder)
        seconds = [timed(lambda folder=folder: load_snapshot(folder)) for _ in range(9)]  # type: ignore[misc]
        found[f"open a snapshot of {len(world.triples):,} edges"] = {
            "ours_ms": statistics.median(seconds) * 1e3, "times": len(seconds),
        }  # fmt: skip
    return found


def large(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One first load of many edges: its speed, and the memory of both processes."""
    world = World.made(options.large // 10, options.large, options.relations, seed=options.seed)
    with opened(work, "large") as store:
        link = EmbeddedLink(work / "graph", config=LONG)
        link.connect()
        processes = ("self", link.attachment.endpoint.child["pid"])
        before = highest = resident_mb(processes)

        def told(_done: int, _total: int) -> None:
            nonlocal highest
            highest = [max(pair) for pair in zip(highest, resident_mb(processes), strict=True)]

        seconds = timed(lambda: store.bulk_load(world.entities(), world.edges(), progress=told))
        counted = store.query("MATCH ()-[r]->() RETURN count(r)", timeout_s=600).rows[0][0]
        link.close()
    if counted != len(world.triples):
        raise AssertionError(f"{counted} edges of {len(world.triples)}")
    return {
        "large load": {
            "edges": counted, "entities": world.num_entities, "seconds": seconds,
            "edges_per_s": counted / seconds, "memory_before_mb": before, "memory_mb": highest,
        }
    }  # fmt: skip


def sizes(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Bytes an edge, its share of the entities among them, wherever a graph lies."""
    world = loaded(work, options)
    stop_store(work / "graph")  # so that all is on the disk
    with opened(work) as store:
        save_snapshot(snapshot_of(store), work / "snapshot")
        seconds = timed(lambda: write_graph(store, work / "csv", "neo4j-admin"))
    places = {
        "embedded store": work / "graph" / "engine" / "databases",
        "snapshot": work / "snapshot",
        "CSV for neo4j-admin": work / "csv",
    }
    count = len(world.triples)
    found = {name: {"bytes_an_edge": folder_bytes(place) / count} for name, place in places.items()}
    found["CSV for neo4j-admin"]["edges_per_s"] = count / seconds
    return found


PARTS: dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
    "reads": reads, "upsert": upsert, "bulk": bulk, "attach": attach, "snapshot": snapshot,
    "open": opening, "sizes": sizes, "large": large,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    """Run parts; each has an engine and a graph of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    add("--edges", type=int, default=250_000, help="edges of the graphs that are compared on")
    add("--large", type=int, default=10_000_000, help="edges of the large load")
    add("--relations", type=int, default=200)
    add("--times", type=int, default=300, help="how often a read is repeated")
    add("--seed", type=int, default=0)
    add("--work", type=Path, default=Path("build"), help="the stores lie there meanwhile")
    add("--out", type=Path, help="folder of the JSON and the page")
    given = list(sys.argv[1:] if argv is None else argv)
    options = parser.parse_args(given)
    kept = options.out and options.out / "graph-speed.json"
    parts = read_json(kept, kind="result of a bench")["parts"] if kept and kept.exists() else {}
    options.work.mkdir(parents=True, exist_ok=True)
    for name in options.parts:
        with TemporaryDirectory(dir=options.work) as folder:
            work = Path(folder)
            found = PARTS[name](work, options)
            stop_store(work / "graph")
            shutil.rmtree(work / "graph", ignore_errors=True)
        parts[name] = run_record("bench.graph_speed", given) | {"seed": options.seed, "rows": found}
        keep({"parts": parts}, page, folder=options.out, name="graph-speed")


if __name__ == "__main__":
    main()
