"""Pages of answers: the best known ones and the best likely ones, each group after a place.

Known answers must not push likely ones out, so each group is ranked for itself: by falling score,
then by key. A page is asked for by where the one before it ended, so that what joins or leaves the
graph between two pages moves no other answer over the edge of a page.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.model import EntityKey
from kg.vocabulary import Vocabulary

__all__ = ["OfEach", "Place", "Positions", "best_after", "ids_after"]

Positions = NDArray[np.intp]
"""Of entities among those that are ranked."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands among those of its status.

    Attributes:
        score: Its score, exactly.
        entity: Its key, which parts answers of one score.
    """

    score: float
    entity: EntityKey


@dataclass(frozen=True, slots=True, kw_only=True)
class OfEach:
    """Asks for up to k known and up to k likely answers.

    Attributes:
        known: The known answer that the page before ended with; None from the first on.
        likely: The likely one.
    """

    known: Place | None = None
    likely: Place | None = None


def ids_after(entities: Vocabulary[EntityKey], key: EntityKey) -> int:
    """Return the first id whose key comes after a key, which need not be there any more.

    Args:
        entities: Of a snapshot: ids ascend as keys do.
        key: Any key.

    Example:
        >>> ids_after(Vocabulary(["a", "c"]), EntityKey("b"))
        1
    """
    return bisect_right(entities.names, key)


def best_after(
    positions: Positions,
    scores: NDArray[Any],
    ids: NDArray[Any],
    k: int,
    past: Place | None,
    entities: Vocabulary[EntityKey],
) -> tuple[Positions, Positions]:
    """Return the k best positions after a place, in order, and all that were chosen from.

    Args:
        positions: Of the group, ascending.
        scores: ``(n,)`` scores that positions point into.
        ids: ``(n,)`` ascending ids of the entities.
        k: How many.
        past: The place; None for the beginning.
        entities: The ids' keys.
    """
    if past is not None:
        first = ids_after(entities, past.entity)
        worth = scores[positions]
        later = (worth < past.score) | ((worth == past.score) & (ids[positions] >= first))
        positions = positions[later]
    if len(positions) <= k:
        return _ordered(positions, scores), positions
    worth = scores[positions]
    least = np.partition(worth, -k)[-k]
    chosen = _ordered(positions[worth >= least], scores)[:k]
    return chosen, positions


def _ordered(positions: Positions, scores: NDArray[Any]) -> Positions:
    """Return positions by falling score; ids ascend, so a stable sort breaks ties by key."""
    return positions[np.argsort(-scores[positions], kind="stable")]
