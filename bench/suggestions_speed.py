"""How long do suggestions for many results take?

Question: over FB15k-237's training graph, the time from a set of results to five suggestions with
their numbers, for sets of 100, 1,000 and 10,000 entities drawn at random; known edges are sorted
before, and what is held is set aside from the search for garbage, as in a server that has answered
once. Checked before any time is taken: each number is that of the answers of the suggestion's own
query among the results.

Command: ``python -m bench.suggestions_speed ../shared/data/kgqa/fb15k-237 --out docs/benchmarks``
(a minute on a machine that does nothing else).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from api.serving.garbage import settle
from bench.run_record import keep, run_record
from bench.search_sets import fb15k_sets
from kg.snapshot import snapshot_of
from reasoning.exact import answer_set
from reasoning.known_edges import Ids, KnownEdges, known_edges
from reasoning.suggesting import Fact, chosen, facts_about

__all__ = ["main", "measured", "page", "suggested"]

SIZES = (100, 1_000, 10_000)
LIMIT = 5


def suggested(results: Ids, edges: KnownEdges) -> list[Fact]:
    """Return five suggestions for results."""
    facts = facts_about(results, edges)
    return [facts[place] for place in chosen(facts, [1.0] * len(facts), LIMIT)]


def measured(edges: KnownEdges, sizes: Sequence[int], *, rounds: int, seed: int) -> dict[str, Any]:
    """Return the median and slowest milliseconds by size of the results."""
    draw = np.random.default_rng(seed)
    count = edges.snapshot.num_entities
    found: dict[str, Any] = {}
    for size in sizes:
        took = []
        for number in range(rounds + 1):
            results = np.sort(draw.choice(count, min(size, count), replace=False)).astype(np.int32)
            begun = time.perf_counter()
            facts = suggested(results, edges)
            took.append(1000 * (time.perf_counter() - begun))
            if number == 0:  # warms up, and is checked
                took.clear()
                _check(facts, results, edges)
        found[str(size)] = {"median_ms": float(np.median(took)), "slowest_ms": max(took)}
    return found


def _check(facts: Sequence[Fact], results: Ids, edges: KnownEdges) -> None:
    for fact in facts:
        answers = np.intersect1d(answer_set(fact.query, edges), results)
        if len(answers) != fact.count:
            raise AssertionError(f"{fact.words}: {fact.count} told, {len(answers)} found")


def page(result: dict[str, Any]) -> str:
    """Return the page of a result."""
    rows = [
        f"| {int(size):,} | {row['median_ms']:.1f} | {row['slowest_ms']:.1f} |"
        for size, row in result["sizes"].items()
    ]
    told = (
        f"Commit `{result['commit']}`, {result['date']}, {result['machine']['cores']} cores, seed"
        f" {result['seed']}: `{result['command']}`. {result['rounds']} sets of each size over"
        f" {result['edges']:,} edges."
    )
    head = ["<!-- Written by `python -m bench.suggestions_speed`. -->", "", "# Suggestions: time"]
    table = ["| results | median ms | slowest ms |", "|---:|---:|---:|", *rows]
    return "\n".join([*head, "", told, "", *table, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="entities.jsonl.gz and train.tsv.gz")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    graph = snapshot_of(next(fb15k_sets(given.folder, given.seed)).store)
    edges = known_edges(graph)
    settle()
    shown = ["../shared/data/kgqa/fb15k-237", "--rounds", str(given.rounds)]
    result = {
        **run_record("bench.suggestions_speed", [*shown, "--out", "docs/benchmarks"]),
        "seed": given.seed,
        "rounds": given.rounds,
        "edges": graph.num_edges,
        "sizes": measured(edges, SIZES, rounds=given.rounds, seed=given.seed),
    }
    keep(result, page, folder=given.out, name="suggestions-speed")


if __name__ == "__main__":
    main()
