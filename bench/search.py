"""Does routing by kind of query beat one index for all, words alone, and meaning alone?

Question: over queries whose answer is known (`bench.search_lists` says which), nDCG@10 and MRR of
BM25 over all fields at once, vectors alone, both fused with equal weights as before routing, all
lists fused with equal weights, the routed fusion, that fusion reranked, and the fusion that is told
the kind of each query. Router, weights of its kinds and reranker are fitted on valid; whether to
rerank is decided on valid by folds; test is looked at once. A router that has never seen one kind
of query is reported on that kind: out of its domain. An earlier form, whose other half was the
strength of each list, was run on test before; what stands here in its place was chosen on valid,
where it loses less on names.

The routed fusions leave out hits by meaning that are far behind the best of a query; the share was
chosen on valid, too, after test had been looked at a second time, so test is looked at a third.

Command: ``python -m bench.search LISTS --seed 0 --out docs/benchmarks`` (a minute); LISTS is what
`bench.search_lists` wrote. ``--write`` also renews ``router.json`` and ``reranker.json`` in
``api/search``.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from api.search.fusion import C, fused
from api.search.reranking import Reranker
from api.search.routing import HALF, KIND_LISTS, Router, cues
from bench.run_record import keep, run_record
from bench.search_floor import floors
from bench.search_page import page
from bench.search_reranking import fitted_reranker, routed_scores
from evaluation import paired_bootstrap, standard_error
from kg.files import atomic_write

__all__ = ["fitted", "folds", "gains", "judged", "main", "measured"]

TRIED = (0.0, 0.1, 0.3, 1.0, 3.0)
"""Weights that are tried for a list."""
ROUNDS = 2
FOLDS = 5
HALVES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of a weight that do not depend on the query; at 1 there is one index for all."""
EQUAL = dict.fromkeys(KIND_LISTS, 1.0)
Query = dict[str, Any]
Rank = Callable[[Query], Sequence[str]]


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


def _together(names: Sequence[str], weights: Mapping[str, float]) -> Rank:
    def ranked(query: Query) -> list[str]:
        lists = {name: [key for key, _ in query["lists"][name]] for name in names}
        return [key for key, _ in fused(lists, weights)]

    return ranked


def _routed(router: Router, half: float = HALF) -> Rank:
    def ranked(query: Query) -> Sequence[str]:
        return [key for key, _ in routed_scores(router, query, half=half)]

    return ranked


def _reranked(router: Router, reranker: Reranker) -> Rank:
    def ranked(query: Query) -> Sequence[str]:
        before = routed_scores(router, query)
        return [key for key, _ in reranker.rerank(query["text"], query["lists"], before)]

    return ranked


def _scored(queries: Sequence[Query], rank: Rank) -> np.ndarray:
    return np.array([gains(rank(query), query["gold"]) for query in queries]).reshape(-1, 2)


def _weights(queries: Sequence[Query]) -> dict[str, float]:
    """Choose the weights of one kind by coordinate ascent on nDCG@10; the largest becomes 1."""
    places = [_places(query) for query in queries]

    def fit(weights: np.ndarray) -> float:
        return float(np.mean([_ndcg(table, gold, weights) for table, gold in places]))

    chosen = np.ones(len(KIND_LISTS))
    best = fit(chosen)
    for _ in range(ROUNDS):
        for column in range(len(KIND_LISTS)):
            for value in TRIED:
                tried = chosen.copy()
                tried[column] = value
                if tried.any() and (found := fit(tried)) > best + 1e-9:
                    best, chosen = found, tried
    return dict(zip(KIND_LISTS, (chosen / chosen.max()).tolist(), strict=True))


def _places(query: Query) -> tuple[np.ndarray, int]:
    """Return 1 / (C + rank) by entity and list, and the row of the gold entity (-1: in none)."""
    keys = sorted({key for name in KIND_LISTS for key, _ in query["lists"][name]})
    rows = {key: row for row, key in enumerate(keys)}
    table = np.zeros((len(keys), len(KIND_LISTS)))
    for column, name in enumerate(KIND_LISTS):
        for rank, (key, _) in enumerate(query["lists"][name], 1):
            table[rows[key], column] = 1 / (C + rank)
    return table, rows.get(query["gold"], -1)


def _ndcg(table: np.ndarray, gold: int, weights: np.ndarray) -> float:
    if gold < 0:
        return 0.0
    scores = table @ weights
    better = int(np.sum(scores > scores[gold]) + np.sum(scores[:gold] == scores[gold]))
    return 1 / float(np.log2(better + 2)) if better < 10 and scores[gold] > 0 else 0.0


def fitted(valid: Mapping[str, Sequence[Query]]) -> Router:
    """Fit a router on the valid queries of some kinds."""
    from sklearn.linear_model import LogisticRegression

    kinds = sorted(valid)
    told = np.array([cues(q["text"], q["lists"]) for kind in kinds for q in valid[kind]])
    kind_of = [kind for kind in kinds for _ in valid[kind]]
    mean, spread = told.mean(axis=0), told.std(axis=0) + 1e-6
    model = LogisticRegression(max_iter=500).fit((told - mean) / spread, kind_of)
    slopes, offsets = model.coef_, model.intercept_
    if len(kinds) == 2:  # one row says both
        slopes, offsets = np.vstack([0 * slopes, slopes]), np.concatenate([0 * offsets, offsets])
    return Router(
        kinds=tuple(kinds),
        mean=tuple(mean.tolist()),
        spread=tuple(spread.tolist()),
        slopes=tuple(map(tuple, slopes.tolist())),
        offsets=tuple(offsets.tolist()),
        weights={kind: _weights(valid[kind]) for kind in kinds},
    )


def folds(
    valid: Mapping[str, Sequence[Query]], seed: int
) -> tuple[dict[str, dict[str, float]], dict[str, list[float]]]:
    """Return nDCG@10 on valid, five folds, by kind and share of the weights that is steady.

    A query is scored by a router and a reranker that were fitted on the four folds without it.

    Returns:
        The figures, those of reranking under ``reranked``; and what reranking adds, by kind and
        over all, with its interval.
    """
    draw = np.random.default_rng(seed)
    fold_of = {kind: draw.integers(0, FOLDS, len(asked)) for kind, asked in valid.items()}
    gained: dict[str, dict[str, list[float]]] = {kind: defaultdict(list) for kind in valid}
    for fold in range(FOLDS):
        rest = {
            kind: [q for q, of in zip(asked, fold_of[kind], strict=True) if of != fold]
            for kind, asked in valid.items()
        }
        router = fitted(rest)
        reranker = fitted_reranker([query for asked in rest.values() for query in asked], router)
        rivals = {f"{half:g}": _routed(router, half) for half in HALVES}
        rivals["reranked"] = _reranked(router, reranker)
        for kind, asked in valid.items():
            for query in (q for q, of in zip(asked, fold_of[kind], strict=True) if of == fold):
                for name, rank in rivals.items():
                    gained[kind][name].append(gains(rank(query), query["gold"])[0])
    means = {
        kind: {name: float(np.mean(values)) for name, values in found.items()}
        for kind, found in gained.items()
    }
    pairs = {kind: np.array([row["reranked"], row[f"{HALF:g}"]]) for kind, row in gained.items()}
    pairs["all"] = np.concatenate([*pairs.values()], axis=1)
    return means, {kind: _gap(after, before) for kind, (after, before) in pairs.items()}


def measured(rows: Sequence[Query], seed: int = 0) -> tuple[Router, Reranker, dict[str, Any]]:
    """Fit on valid, measure on test once."""
    queries: dict[str, dict[str, list[Query]]] = {
        "valid": defaultdict(list),
        "test": defaultdict(list),
    }
    for row in sorted(rows, key=lambda row: str(row["set"])):  # what is fitted depends on the order
        queries[row["split"]][row["set"]].append(row)
    valid, test = queries["valid"], queries["test"]
    router = fitted(valid)
    reranker = fitted_reranker([query for asked in valid.values() for query in asked], router)
    found: dict[str, Any] = {}
    for kind, asked in test.items():
        rest = {name: some for name, some in valid.items() if name != kind}
        more = {"told": _together(KIND_LISTS, router.weights[kind])}
        if len(rest) > 1:
            more["unseen"] = _routed(fitted(rest))
        found[kind] = judged(asked, kind, router, reranker, more)
    by_folds, adds = folds(valid, seed)
    result = {"router": router.as_json(), "test": found, "folds": by_folds, "reranking": adds,
              "floors": floors(valid, router, reranker)}  # fmt: skip
    return router, reranker, result


def judged(
    asked: Sequence[Query],
    kind: str,
    router: Router,
    reranker: Reranker,
    more: Mapping[str, Rank] | None = None,
) -> dict[str, Any]:
    """Return what each way of ranking reaches on the queries of a kind, and its gaps.

    Args:
        asked: Queries with their lists, as `bench.search_lists.lists_of` gives them.
        kind: Where their answers stand.
        router: Weighs the lists.
        reranker: Orders the best.
        more: Other ways, by name.
    """
    rivals: dict[str, Rank] = {
        "words": _alone("words"),
        "meaning": _alone("meaning"),
        "unified": _together(("words", "meaning"), {"words": 1.0, "meaning": 1.0}),
        "equal": _together(KIND_LISTS, EQUAL),
        "routed": _routed(router),
        "reranked": _reranked(router, reranker),
        **(more or {}),
    }
    scores = {name: _scored(asked, rank) for name, rank in rivals.items()}
    routes = (router.route(query["text"], query["lists"]).kinds for query in asked)
    right = [max(route.items(), key=lambda one: one[1])[0] == kind for route in routes]
    return {
        "n": len(asked),
        "right_kind": float(np.mean(right)),
        "scores": {
            name: {
                "ndcg_at_10": float(values[:, 0].mean()),
                "se": standard_error(values[:, 0]),
                "mrr": float(values[:, 1].mean()),
            }
            for name, values in scores.items()
        },
        "gaps": {
            name: _gap(scores["routed"][:, 0], scores[name][:, 0])
            for name in ("words", "meaning", "unified", "equal")
        },
        "reranking": {
            name: _gap(scores["reranked"][:, 0], scores[name][:, 0])
            for name in ("routed", "words", "meaning", "unified")
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
    parser.add_argument("--note", default="", help="on how the lists were made, for the page")
    parser.add_argument("--write", action="store_true", help="renew what the package holds")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    with gzip.open(given.lists, "rt", encoding="utf-8") as file:
        router, reranker, found = measured([json.loads(line) for line in file], given.seed)
    if given.write:
        import api.search.routing

        folder = Path(api.search.routing.__file__).parent
        for name, learnt in (("router", router), ("reranker", reranker)):
            with atomic_write(folder / f"{name}.json") as out:
                out.write(json.dumps(learnt.as_json(), indent=1).encode() + b"\n")
    shown = ["LISTS", "--seed", str(given.seed), "--out", "docs/benchmarks"]
    result = {
        **run_record("bench.search", shown),
        "seed": given.seed,
        "constant": C,
        "note": given.note,
        **found,
    }
    keep(result, page, folder=given.out, name="search")


if __name__ == "__main__":
    main()
