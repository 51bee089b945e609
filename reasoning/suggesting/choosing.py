"""Which facts to suggest: each parts the results well, and no two say nearly the same.

Value of a fact that holds for a share p of the results: the entropy of p (1 at one half), times how
little it adds to what was asked. Chosen greedily by maximal marginal relevance (Carbonell and
Goldstein, SIGIR 1998): lambda * value - (1 - lambda) * largest Jaccard overlap with those chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reasoning.suggesting.facts import Fact

__all__ = ["LAMBDA", "best_for", "chosen"]

LAMBDA = 0.7
"""Weight of a fact's own value against its overlap with others."""


def chosen(
    facts: Sequence[Fact], closeness: Sequence[float], limit: int, *, weight: float = LAMBDA
) -> list[int]:
    """Return the places of the facts to suggest, best first; ties in their order.

    Args:
        facts: Over the same results.
        closeness: Of each fact to what was asked, in (0, 1].
        limit: Most facts.
        weight: Of value against overlap.
    """
    if not facts:
        return []
    held = np.array([fact.holders for fact in facts], dtype=np.float32)
    counts = held.sum(axis=1)
    share = counts / held.shape[1]
    value = _entropy(share) * np.asarray(closeness)
    overlap = np.zeros(len(facts))
    open_ = np.ones(len(facts), dtype=np.bool_)
    found: list[int] = []
    while len(found) < limit and open_.any():
        score = np.where(open_, weight * value - (1 - weight) * overlap, -np.inf)
        best = int(score.argmax())
        found.append(best)
        open_[best] = False
        both = held @ held[best]
        overlap = np.maximum(overlap, both / (counts + counts[best] - both))
    return found


def best_for(facts: Sequence[Fact], group: NDArray[np.bool_]) -> int | None:
    """Return the place of the fact whose holders fit a group of the results best, by F1.

    Args:
        facts: Over the same results.
        group: ``(results,)`` which of them are to be found.
    """
    if not facts:
        return None
    held = np.array([fact.holders for fact in facts], dtype=np.float32)
    both = held @ group.astype(np.float32)
    return int((2 * both / (held.sum(axis=1) + group.sum())).argmax())


def _entropy(share: NDArray[np.float32]) -> NDArray[np.float64]:
    p = np.clip(share.astype(np.float64), 1e-9, 1 - 1e-9)
    return -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
