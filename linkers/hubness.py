"""Hubs: entities that many mentions come close to, whatever they mean; and what to take off them.

Inverted softmax with a bank of queries (Smith et al. 2017; DBNorm, Wang et al. 2023, with the bank
of queries alone): an entity's hubness is the logarithm of the mean of exp(b s) over mentions of a
bank that mean something else. A bank mention never counts against its own entity, or entities of
the bank would be pushed below all others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kg.errors import InputError, SettingError

__all__ = ["hubness"]

Floats = NDArray[np.float32]


def hubness(scores: Floats, owners: NDArray[np.int64], *, sharpness: float = 1.0) -> Floats:
    """Return ``(N,)`` how near each entity is to mentions of others; take a share of it off scores.

    Args:
        scores: ``(B, N)`` of the bank's mentions.
        owners: ``(B,)`` the entity that each means, -1 for none of these.
        sharpness: b; the higher, the more the nearest mentions count.

    Raises:
        InputError: Shapes differ, or the bank is empty.
        SettingError: The sharpness is not positive.

    Example:
        >>> bank = np.array([[0.0, 5.0, 1.0], [5.0, 0.0, 1.0]], dtype=np.float32)
        >>> hubness(bank, np.array([1, 0])).tolist()
        [0.0, 0.0, 1.0]
    """
    if scores.ndim != 2 or len(scores) != len(owners) or not len(owners):
        raise InputError(f"a bank of scores {scores.shape} and {len(owners)} owners")
    if not sharpness > 0:
        raise SettingError(f"the sharpness must be above 0, got {sharpness}")
    strangers = np.ones(scores.shape, dtype=np.bool_)
    known = np.flatnonzero(owners >= 0)
    strangers[known, owners[known]] = False
    counts = strangers.sum(axis=0)
    summed = special.logsumexp(np.where(strangers, sharpness * scores, -np.inf), axis=0)
    found = np.where(counts > 0, summed - np.log(np.maximum(counts, 1)), 0.0)
    return (found / sharpness).astype(np.float32)
