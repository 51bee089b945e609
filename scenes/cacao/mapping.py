"""Takes predicates of an open vocabulary to those of a target set (CaCao, section 3.3).

An open predicate goes to the target that is nearest by name, and of near ones to the rarer: the
enlarged set is there for the tail.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import TextEncoder
from kg.errors import InputError, SettingError

__all__ = ["map_predicates"]

Integers = NDArray[np.int64]


def map_predicates(
    open_names: Sequence[str],
    target_names: Sequence[str],
    counts: NDArray[np.integer],
    encoder: TextEncoder,
    *,
    rarity: float = 0.1,
    least: float = 0.5,
) -> Integers:
    """Return the target of each open predicate.

    The score of a target is ``cos(open, target) - rarity * log(1 + n) / log(1 + max n)``; a target
    of the same name always wins.

    Args:
        open_names: Predicates that the prompted model knows.
        target_names: Predicates that the relation model shall learn.
        counts: ``(targets,)`` training samples n of each target.
        encoder: Encodes the names.
        rarity: How much cosine a target that never occurs is ahead of the most frequent one.
        least: Least cosine at which a predicate is mapped at all, in [−1, 1].

    Returns:
        ``(open,)`` number of the target, −1 for none.

    Raises:
        InputError: No target, or not one count a target.
        SettingError: `rarity` is negative or `least` out of its range.
    """
    if not len(target_names) or len(counts) != len(target_names):
        raise InputError(f"{len(counts)} counts for {len(target_names)} target predicates")
    if rarity < 0 or not -1 <= least <= 1:
        raise SettingError(f"rarity {rarity} is negative, or least {least} not in [-1, 1]")
    if not len(open_names):
        return np.empty(0, dtype=np.int64)
    cosines = encoder.encode(open_names).pooled @ encoder.encode(target_names).pooled.T
    frequency = np.log1p(counts) / max(float(np.log1p(counts).max()), 1e-9)
    scores = np.where(cosines >= least, cosines - rarity * frequency, -np.inf)
    mapped = np.where(np.isfinite(scores).any(axis=1), scores.argmax(axis=1), -1)
    numbers = {name: number for number, name in enumerate(target_names)}
    same = np.array([numbers.get(name, -1) for name in open_names])
    result: Integers = np.where(same >= 0, same, mapped).astype(np.int64)
    return result
