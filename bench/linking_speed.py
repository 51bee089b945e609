"""How fast the accurate linker is on two cores, and what it holds in memory.

Question: mentions a second from raw text, and from pooled vectors; is memory flat from 10 thousand
to a million mentions; what do a million entities cost, and a thousand more? Rival: the encoder
alone, side by side. Command: ``make bench-linking-speed``, or ``python -m bench.linking_speed
--data FOLDER --work WORK --out docs/benchmarks`` (half an hour on two free cores; WORK keeps the
trained linker and vectors, the folder of `bench.linking` will do). Two processes, one thread each.
Wall seconds count where the machine is free; processor seconds stand beside them, and the load of
the machine. The stream of a million mentions is real mentions drawn again and again, each with a
text and a vector of its own; what is said of 40,248 entities is over the real base, the names and
vectors of a million are made of two real ones each. Writes ``linking-speed.json`` and
``linking-speed.md``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from api.steps.evaluate_linking import LinkEvaluation, LinkTrial
from bench.linking_speed_many import link_to_many
from bench.linking_speed_page import page
from bench.linking_speed_rerank import rerank_rate
from bench.linking_speed_work import (
    Work,
    encode_texts,
    in_processes,
    link_texts,
    link_vectors,
)
from evaluation import Measurement, current_commit, this_machine
from kg.files import atomic_write, read_json, write_json
from linkers.boosted import RankerConfig, TreeConfig, is_boosted, save_linker

__all__ = ["main"]

FORMAT = 1
PARTS = ("text", "vectors", "many", "rerank")


def trained(work: Work, trees: int) -> None:
    """Train the linker of WikiDiverse, unless it lies there."""
    folder = work.kept / "linker"
    if is_boosted(folder):
        return
    task = LinkEvaluation(
        mentions=work.data / f"{work.sets[0]}.jsonl.gz",
        entities=work.data / "entities.jsonl.gz",
        split="valid",
        cache=work.kept,
    )
    trial = LinkTrial(task, work.fresh_encoder())
    save_linker(trial.fit(RankerConfig(trees=TreeConfig(trees=trees))), folder)


def together(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the rate of processes that ran side by side."""
    n, wall = sum(one["n"] for one in parts), max(one["wall"] for one in parts)
    cpu = sum(one["cpu"] for one in parts)
    return {
        "n": n,
        "processes": len(parts),
        "wall_seconds": round(wall, 2),
        "processor_seconds": round(cpu, 2),
        "per_second": round(n / wall, 1),
        "per_processor_second": round(n / cpu, 1),
    }


def measured(part: str, work: Work, given: argparse.Namespace) -> dict[str, Any]:
    """Measure one part."""
    workers = range(given.workers)
    if part == "text":
        arguments = [(work, n, given.workers, given.texts) for n in workers]
        encoded = in_processes(encode_texts, arguments, here=given.here)
        linked = in_processes(link_texts, arguments, here=given.here)
        lines = sum(one["bytes"] for one in linked) / sum(one["n"] for one in linked)
        return {
            "encoder alone": together(encoded) | {"tokens": round(encoded[0]["tokens"], 1)},
            "from raw text": together(linked) | {"bytes_a_link": round(lines)},
        }
    if part == "vectors":
        counts = [given.mentions // given.workers] * given.workers
        marks = sorted({min(m // given.workers, counts[0]) for m in (given.first, given.mentions)})
        arguments = [(work, n, count, marks) for n, count in zip(workers, counts, strict=True)]
        return _of_stream(in_processes(link_vectors, arguments, here=given.here))
    if part == "many":
        many = (work, given.entities, given.added, given.queries)
        (found,) = in_processes(link_to_many, [many], here=given.here)
        return found
    return rerank_rate(given.reranked)


def _of_stream(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    marks = [[one["marks"][n] for one in parts] for n in range(len(parts[0]["marks"]))]
    first, last = marks[0], marks[-1]
    rest = [
        {key: b[key] - a[key] for key in ("n", "wall", "cpu")}
        for a, b in zip(first, last, strict=True)
    ]
    return {
        "surfaces": parts[0]["surfaces"],
        "linked": sum(one["linked"] for one in parts),
        "first": together(first),
        "after": together(rest if rest[0]["n"] else last),
        "peak_mb": {
            str(sum(m["n"] for m in mark)): max(m["peak_mb"] for m in mark) for mark in marks
        },
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.linking_speed", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, default=Path("../shared/data/linking"), help="folder of the sets")
    add("--work", type=Path, default=Path(".umbra/bench-linking"), help="keeps linker and vectors")
    add("--out", type=Path, default=Path("docs/benchmarks"), help="where results go")
    add("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="measure these anew")
    add("--sets", nargs="+", default=["wikidiverse", "wikidata-mel"], help="whose mentions")
    add("--encoder", default="packaged")
    add("--trees", type=int, default=TreeConfig().trees)
    add("--workers", type=int, default=2, help="processes")
    add("--texts", type=int, default=4_000, help="mentions linked from raw text")
    add("--first", type=int, default=10_000, help="mentions at which memory is looked at first")
    add("--mentions", type=int, default=1_000_000, help="mentions linked from vectors")
    add("--entities", type=int, default=1_000_000, help="entities of the great index")
    add("--added", type=int, default=1_000, help="entities added to it")
    add("--queries", type=int, default=256, help="mentions linked to it")
    add("--reranked", type=int, default=200, help="mentions whose candidates are compared by token")
    add("--here", action="store_true", help="one process after the other, in this one (tests)")
    given = parser.parse_args(arguments)
    work = Work(data=given.data, kept=given.work, encoder=given.encoder, sets=tuple(given.sets))
    given.work.mkdir(parents=True, exist_ok=True)
    trained(work, given.trees)
    out = given.out / "linking-speed.json"
    found = read_json(out, kind="bench", formats=(FORMAT,)) if out.exists() else {"format": FORMAT}
    for part in given.parts:
        load = os.getloadavg()[0]
        found[part] = measured(part, work, given) | {
            "commit": current_commit(),
            "date": Measurement.start().date,
            "machine": asdict(this_machine()),
            "load_before": round(load, 1),
        }
        sys.stderr.write(f"{part}: {found[part]}\n")
        write_json(out, found)
    with atomic_write(given.out / "linking-speed.md") as file:
        file.write(page(found).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
