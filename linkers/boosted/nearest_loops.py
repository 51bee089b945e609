"""The loop of `linkers.boosted.nearest.NearestVectors`, compiled when it is first asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from kg.compiled import compiled

__all__ = ["keeps_better"]

_GROUP = 32  # vectors of which only the best is looked at first


def _keep_better(products: Any, first: int, best: Any, places: Any, lowest: Any) -> None:
    """Put products that are higher than the lowest of the best in its place.

    Args:
        products: ``(vectors, n)`` of some vectors with all queries.
        first: Place of the first of these vectors.
        best: ``(n, count)`` the highest products of each query so far.
        places: ``(n, count)`` of which vectors they are.
        lowest: ``(n,)`` where the lowest of `best` stands.
    """
    size, count = len(products), best.shape[1]
    tops = np.empty(len(best), best.dtype)
    for start in range(0, size, _GROUP):
        tops[:] = products[start]
        end = min(start + _GROUP, size)
        for vector in range(start + 1, end):
            for query in range(len(best)):
                tops[query] = max(tops[query], products[vector, query])
        for query in range(len(best)):
            if tops[query] <= best[query, lowest[query]]:
                continue
            for vector in range(start, end):
                value = products[vector, query]
                if value > best[query, lowest[query]]:
                    best[query, lowest[query]] = value
                    places[query, lowest[query]] = first + vector
                    worst = 0
                    for other in range(1, count):
                        if best[query, other] < best[query, worst]:
                            worst = other
                    lowest[query] = worst


@cache
def keeps_better(kind: str) -> Any:
    """Return the loop for products that are of numpy's `kind`."""
    return compiled(
        _keep_better,
        f"void({kind}[:,::1], int64, {kind}[:,::1], int64[:,::1], int64[::1])",
    )
