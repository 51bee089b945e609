"""Fits `api.search.blending.Blend` on queries whose answers are known, for `bench.search`.

A softmax over the entities of each query's lists (a listwise loss: ListNet's top one, Cao et al.,
ICML 2007); each kind of query of each graph counts the same, however many queries it has. No term
but `by_length` may count below 0. A quadratic penalty holds the terms near words and meaning alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.search.blending import TERMS, Blend, terms

__all__ = ["fitted_blend"]

PENALTY = 0.001
"""Chosen on valid, by leaving one graph out, of 0.0003, 0.001 and 0.003."""
BEGIN = {"best": 10.0, "meaning": 15.0}
"""Slopes that the penalty draws to; all others are drawn to 0."""
MOST = 150
"""Entities of a query that are told apart: those with the highest sums at the beginning."""
ROUNDS = 200
OUT = -1e9
"""Score of a row that fills up."""

Query = dict[str, Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Table:
    """The terms of the entities of all queries whose answer is among them."""

    terms: Floats
    """``(queries, entities, terms)``."""
    filled: Floats
    """0, and `OUT` where there is no entity, ``(queries, entities)``."""
    gold: NDArray[np.int64]
    share: Floats
    """What each query counts."""

    @classmethod
    def of(cls, queries: Sequence[Query], begin: Floats) -> _Table:
        many = Counter((query["graph"], query["set"]) for query in queries)
        found: list[tuple[Floats, int, float]] = []
        for query in queries:
            keys, rows = terms(query["text"], query["lists"])
            if not keys:
                continue
            top = np.argsort(-(rows @ begin), kind="stable")[:MOST]
            at = np.flatnonzero(top == _row(keys, query["gold"]))
            if len(at):
                share = 1 / many[query["graph"], query["set"]] / len(many)
                found.append((rows[top], int(at[0]), share))
        size = max(len(rows) for rows, _, _ in found)
        table = np.zeros((len(found), size, len(TERMS)))
        filled = np.full((len(found), size), OUT)
        for at, (rows, _, _) in enumerate(found):
            table[at, : len(rows)], filled[at, : len(rows)] = rows, 0.0
        gold = np.array([row for _, row, _ in found], np.int64)
        return cls(table, filled, gold, np.array([share for _, _, share in found]))

    def loss(self, slopes: Floats) -> tuple[float, Floats]:
        """Return the loss and its gradient."""
        all_of_them = np.arange(len(self.gold))
        scores = self.terms @ slopes + self.filled
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        total = odds.sum(axis=1)
        told = scores[all_of_them, self.gold] - np.log(total)
        expected = np.einsum("qe,qet->qt", odds / total[:, None], self.terms, optimize=True)
        slope = self.share[:, None] * (expected - self.terms[all_of_them, self.gold])
        return -float(self.share @ told), slope.sum(axis=0)


def _row(keys: Sequence[str], gold: str) -> int:
    return keys.index(gold) if gold in keys else -1


def fitted_blend(queries: Sequence[Query]) -> Blend:
    """Fit on queries of all kinds and graphs together."""
    from scipy.optimize import minimize

    begin = np.array([BEGIN.get(name, 0.0) for name in TERMS])
    table = _Table.of(queries, begin)

    def loss(slopes: Floats) -> tuple[float, Floats]:
        moved = slopes - begin
        value, slope = table.loss(slopes)
        return value + PENALTY / 2 * float(moved @ moved), slope + PENALTY * moved

    bounds = [(1e-3 if name == "best" else 0.0, None) if name != "by_length" else (None, None)
              for name in TERMS]  # fmt: skip
    found = minimize(
        loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": ROUNDS}
    )
    slopes = dict(zip(TERMS, (found.x / found.x[0]).tolist(), strict=True))
    return Blend(**{name: round(slope, 4) for name, slope in slopes.items() if name != "best"})
