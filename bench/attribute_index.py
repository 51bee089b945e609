"""What an index of an attribute gives and costs: the same calls with and without, in one run.

Question: how long does Cypher look for a node by its name, a number or the beginning of a name
among many, and how much slower is writing? The answers with and without are compared.
Command: ``python -m bench.attribute_index --out docs/benchmarks`` (some minutes).
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.graph_speed_engine import opened
from bench.graph_speed_world import timed
from bench.run_record import keep, run_record
from kg.backends.bolt import BoltStore
from kg.launcher import stop_store
from kg.model import Entity, EntityKey

__all__ = ["main"]

ASKED = {
    "by name": ("MATCH (n:Thing {name: $x}) RETURN n.key", lambda n: f"Thing {n}"),
    "by a number": ("MATCH (n:Thing) WHERE n.number = $x RETURN n.key", lambda n: n),
    "by a range of ten numbers": (
        "MATCH (n:Thing) WHERE n.number >= $x AND n.number < $x + 10 RETURN n.key", lambda n: n,
    ),
    "by the beginning of a name": (
        "MATCH (n:Thing) WHERE n.name STARTS WITH $x RETURN n.key", lambda n: f"Thing {n}",
    ),
    "by key, for comparison": ("MATCH (n:Entity {key: $x}) RETURN n.key", lambda n: f"thing:{n}"),
}  # fmt: skip
INDEXED = ("name", "number")
WRITTEN = 1_000
"""Entities of a call that writes."""


def things(first: int, count: int) -> Iterator[Entity]:
    """Iterate entities with a name and a number of their own."""
    for n in range(first, first + count):
        name, number = f"Thing {n}", {"number": n}
        yield Entity(key=EntityKey(f"thing:{n}"), label="Thing", name=name, attributes=number)


def asked(store: BoltStore, numbers: Sequence[int]) -> dict[str, tuple[float, list[Any]]]:
    """Return the median in ms and the answers of each way to ask."""
    found: dict[str, tuple[float, list[Any]]] = {}
    for name, (text, value) in ASKED.items():
        answers: list[Any] = []

        def once(n: int, text: str = text, value: Callable[[int], Any] = value) -> None:
            answers.append(sorted(store.query(text, {"x": value(n)}, timeout_s=300).rows))  # noqa: B023

        seconds = [timed(lambda n=n: once(n)) for n in numbers]  # type: ignore[misc]
        found[name] = statistics.median(seconds) * 1e3, answers
    return found


def measured(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Ask and write without indexes, make them, ask and write again."""
    draw = random.Random(options.seed)
    numbers = [draw.randrange(options.entities) for _ in range(options.times)]
    first = options.entities

    def write(store: BoltStore) -> float:
        nonlocal first
        seconds = []
        for _ in range(options.times):
            rows = list(things(first, WRITTEN))
            seconds.append(timed(lambda rows=rows: store.upsert_entities(rows)))  # type: ignore[misc]
            first += WRITTEN
        return statistics.median(seconds) * 1e3

    with opened(work) as store:
        loading = timed(lambda: store.bulk_load(things(0, options.entities), []))
        asked(store, numbers[:3])  # a warm-up
        before = asked(store, numbers)
        rows = {f"write {WRITTEN:,} new": {"without_ms": write(store)}}
        making = {
            name: timed(lambda name=name: store.indexes.create("Thing", name))  # type: ignore[misc]
            for name in INDEXED
        }
        asked(store, numbers[:3])
        after = asked(store, numbers)
        rows[f"write {WRITTEN:,} new"]["with_ms"] = write(store)
    for name, (milliseconds, answers) in before.items():
        if answers != [
            [row for row in rows if int(row[0].partition(":")[2]) < options.entities]
            for rows in after[name][1]
        ]:
            raise AssertionError(f"{name}: the answers differ")
        rows[name] = {"without_ms": milliseconds, "with_ms": after[name][0]}
    return {"rows": rows, "made_s": making, "loaded_s": loading, "entities": options.entities}


def page(result: dict[str, Any]) -> str:
    """Return the page of a result."""
    found = result["found"]
    machine = f"{result['machine']['cores']} cores, {result['machine']['memory_gb']} GB"
    run = f"`{result['command']}`, commit {result['commit']}, {result['date'][:10]}"
    made = " and ".join(f"{seconds:.1f} s ({name})" for name, seconds in found["made_s"].items())
    about = (
        f"Among {found['entities']:,} entities of one label, medians; the answers are the same "
        f"with and without. Indexed: {' and '.join(INDEXED)}. Whoever writes keeps them, too. By "
        "the index the engine reads all that one bound of a range lets through, here half of all "
        "on average: where that is much of a label, reading all is faster."
    )
    lines = [
        "# Indexes of attributes",
        "",
        about,
        "",
        "| what | without, ms | with, ms |",
        "|---|---|---|",
        *(
            f"| {name} | {row['without_ms']:,.2f} | {row['with_ms']:,.2f} |"
            for name, row in found["rows"].items()
        ),
        "",
        f"Made over what was there in {made}; all was loaded in {found['loaded_s']:.1f} s.",
        "",
        f"{run}, {machine}, seed {result['seed']}",
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--entities", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=15, help="how often each is repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("build"), help="the store lies there")
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = list(sys.argv[1:] if argv is None else argv)
    options = parser.parse_args(given)
    options.work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=options.work) as folder:
        found = measured(Path(folder), options)
        stop_store(Path(folder) / "graph")
    result = run_record("bench.attribute_index", given) | {"seed": options.seed, "found": found}
    keep(result, page, folder=options.out, name="attribute-index")


if __name__ == "__main__":
    main()
