"""Fits `api.search.reranking.Reranker` on queries whose answers are known, for `bench.search`.

A softmax over the entities near the top of each query whose answer is among them (a listwise loss:
ListNet's top one, Cao et al., ICML 2007), with a quadratic penalty on what moves away from the
fused order. The penalty was chosen on valid by folds: of 0.001, 0.01 and 0.03 the largest loses
least where words and meaning alone do best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.search.fusion import fused
from api.search.meaning import BEHIND, near_enough
from api.search.reranking import TOP, Reranker, features
from api.search.routing import HALF, LISTS, Router, cues

__all__ = ["fitted_reranker", "routed_scores"]

PENALTY = 0.03
BEGIN = 6.0
"""Slope of the logarithm of the fused score before anything is learnt; all others are 0."""
ROUNDS = 150

Query = dict[str, Any]
Floats = NDArray[np.float64]


def routed_scores(
    router: Router, query: Query, *, half: float = HALF, behind: float = BEHIND
) -> list[tuple[Any, float]]:
    """Return the entities of a query as the router's weights rank them, with their scores."""
    lists = {**query["lists"], "meaning": near_enough(query["lists"]["meaning"], behind)}
    weights = router.route(query["text"], query["lists"], half=half).weights
    return fused({name: [key for key, _ in lists[name]] for name in LISTS}, weights)


def fitted_reranker(queries: Sequence[Query], router: Router) -> Reranker:
    """Fit on queries of all kinds together, over the order that a router gives."""
    from scipy.optimize import minimize

    told = np.array([cues(query["text"], query["lists"]) for query in queries])
    mean, spread = told.mean(axis=0), told.std(axis=0) + 1e-6
    tables: list[tuple[Floats, int]] = []
    for query, cue in zip(queries, (told - mean) / spread, strict=True):
        best = routed_scores(router, query)[:TOP]
        keys = [key for key, _ in best]
        if query["gold"] in keys:
            tables.append((features(query["lists"], best, cue), keys.index(query["gold"])))
    size = np.vstack([table for table, _ in tables]).std(axis=0) + 1e-6
    scaled = [(table / size, gold) for table, gold in tables]
    start = np.zeros(len(size))
    start[0] = BEGIN * size[0]

    def loss(slopes: Floats) -> tuple[float, Floats]:
        moved = slopes - start
        value, slope = PENALTY / 2 * float(moved @ moved), PENALTY * moved
        for table, gold in scaled:
            scores = table @ slopes
            odds = np.exp(scores - scores.max())
            odds /= odds.sum()
            value -= float(np.log(odds[gold] + 1e-300)) / len(scaled)
            slope = slope + (odds @ table - table[gold]) / len(scaled)
        return value, slope

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    return Reranker(
        mean=tuple(mean.tolist()),
        spread=tuple(spread.tolist()),
        slopes=tuple((found.x / size).tolist()),
    )
