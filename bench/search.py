"""Does the search that is shipped beat words alone, meaning alone, and both fused, on every graph?

Question: over queries of several graphs whose answer is known (`bench.search_lists` says which),
nDCG@10 and MRR of BM25 over all fields at once, vectors alone, both fused by places with equal
weights, all lists so fused, and `api.search.blending`. Its five numbers are fitted on valid queries
of all graphs together. How it does on a graph that it never saw is told by leaving that graph out
of the fit: on valid, where the form of the sum was chosen by it, and on test.

What stood here before, a router by kind of query and a reranker fitted on FB15k-237 and on flags,
was run on FB15k-237's test queries three times. Those of the other graphs were looked at once.

Command: ``python -m bench.search LISTS --seed 0 --out docs/benchmarks`` (a minute); LISTS is what
`bench.search_lists` wrote. ``--write`` also renews ``blend.json`` in ``api/search``.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import api.search.blending
from api.search.blending import LISTS, Blend
from bench.run_record import keep, run_record
from bench.search_fitting import fitted_blend
from bench.search_fusion import C, fused
from bench.search_page import RIVALS, page
from evaluation import paired_bootstrap, standard_error
from kg.files import atomic_write

__all__ = ["gains", "judged", "main", "measured"]

EQUAL = {name: 1.0 for name in LISTS if name != "words"}
Query = dict[str, Any]
Rank = Callable[[Query], Sequence[str]]
Sets = Mapping[tuple[str, str], Sequence[Query]]
"""Queries by graph and by where the answer stands."""


def gains(ranked: Sequence[str], gold: str) -> tuple[float, float]:
    """Return nDCG@10 and the reciprocal rank of the one relevant entity; 0 where it is not found.

    Example:
        >>> gains(["b", "a"], "a")
        (0.6309297535714575, 0.5)
    """
    if gold not in ranked:
        return 0.0, 0.0
    rank = ranked.index(gold) + 1
    return (float(1 / np.log2(rank + 1)) if rank <= 10 else 0.0), 1 / rank


def _alone(name: str) -> Rank:
    return lambda query: [key for key, _ in query["lists"][name]]


def _together(weights: Mapping[str, float]) -> Rank:
    def ranked(query: Query) -> list[str]:
        lists = {name: [key for key, _ in query["lists"][name]] for name in weights}
        return [key for key, _ in fused(lists, weights)]

    return ranked


def _blended(blend: Blend) -> Rank:
    return lambda query: [key for key, _ in blend.ranked(query["text"], query["lists"])]


def _scored(queries: Sequence[Query], rank: Rank) -> np.ndarray:
    return np.array([gains(rank(query), query["gold"]) for query in queries]).reshape(-1, 2)


def measured(rows: Iterable[Query]) -> tuple[Blend, dict[str, Any]]:
    """Fit on valid, measure on test; and on both with each graph left out of the fit."""
    queries: dict[str, dict[tuple[str, str], list[Query]]] = {
        "valid": defaultdict(list),
        "test": defaultdict(list),
    }
    for row in sorted(rows, key=lambda row: (row["graph"], row["set"])):
        queries[row["split"]][row["graph"], row["set"]].append(row)
    valid, test = queries["valid"], queries["test"]
    blend = fitted_blend(_all_of(valid))
    strangers = {
        graph: fitted_blend(_all_of({of: some for of, some in valid.items() if of[0] != graph}))
        for graph in sorted({graph for graph, _ in valid})
    }
    return blend, {
        "blend": blend.as_json(),
        "strangers": {graph: one.as_json() for graph, one in strangers.items()},
        **{split: _by_set(sets, blend, strangers) for split, sets in queries.items()},
        "judged": {"valid": len(valid), "test": len(test)},
    }


def _all_of(sets: Sets) -> list[Query]:
    return [query for asked in sets.values() for query in asked]


def _by_set(sets: Sets, blend: Blend, strangers: Mapping[str, Blend]) -> list[dict[str, Any]]:
    return [
        {"graph": graph, "kind": kind, **judged(asked, blend, strangers[graph])}
        for (graph, kind), asked in sets.items()
    ]


def judged(asked: Sequence[Query], blend: Blend, stranger: Blend) -> dict[str, Any]:
    """Return what each way of ranking reaches on the queries of a set, and the gaps.

    Args:
        asked: Queries with their lists, as `bench.search_lists.lists_of` gives them.
        blend: That is shipped.
        stranger: Fitted without this graph.
    """
    ways: dict[str, Rank] = {
        "words": _alone("words"),
        "meaning": _alone("meaning"),
        "unified": _together({"words": 1.0, "meaning": 1.0}),
        "equal": _together(EQUAL),
        "blended": _blended(blend),
        "stranger": _blended(stranger),
    }
    scores = {name: _scored(asked, rank) for name, rank in ways.items()}
    return {
        "n": len(asked),
        "scores": {
            name: {
                "ndcg_at_10": float(values[:, 0].mean()),
                "se": standard_error(values[:, 0]),
                "mrr": float(values[:, 1].mean()),
            }
            for name, values in scores.items()
        },
        "gaps": {
            ours: {rival: _gap(scores[ours][:, 0], scores[rival][:, 0]) for rival in RIVALS}
            for ours in ("blended", "stranger")
        },
    }


def _gap(ours: np.ndarray, rival: np.ndarray) -> list[float]:
    gap = paired_bootstrap(ours, rival)
    return [gap.low, gap.mean, gap.high]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lists", type=Path, help="what bench.search_lists wrote")
    parser.add_argument("--seed", type=int, default=0, help="that the lists were made with")
    parser.add_argument("--write", action="store_true", help="renew what the package holds")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    with gzip.open(given.lists, "rt", encoding="utf-8") as file:
        blend, found = measured(json.loads(line) for line in file)
    if given.write:
        folder = Path(api.search.blending.__file__).parent
        with atomic_write(folder / "blend.json") as out:
            out.write(json.dumps(blend.as_json(), indent=1).encode() + b"\n")
    shown = ["LISTS", "--seed", str(given.seed), "--out", "docs/benchmarks"]
    result = {**run_record("bench.search", shown), "seed": given.seed, "constant": C, **found}
    keep(result, page, folder=given.out, name="search")


if __name__ == "__main__":
    main()
