"""What is alike to the mentions of a block: a plain value that `NameIndex.look` fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkers.boosted.words import HeldWords

__all__ = ["Looks"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """What is alike to each of a block of mentions.

    Attributes:
        near: ids by letters, best first, for each mention.
        named: ids by the vector of its words.
        told: ids by the vector of its text, and half by that of its words.
        worded: ids by the words that it and its text share with a name.
        spelled: ``(n, n-grams)`` weights of its letters.
        surfaces: ``(n, dim)`` vectors of the words.
        said: ``(n, dim)`` vectors of the texts.
        own: the words of each.
        around: those of the text that is encoded.
        held: which words of names each holds.
        mass: ``(n,)`` weight of the mention's words.
    """

    near: Sequence[Ids]
    named: Sequence[Ids]
    told: Sequence[Ids]
    worded: Sequence[Ids]
    spelled: sparse.csr_matrix
    surfaces: Floats
    said: Floats
    own: Sequence[frozenset[str]]
    around: Sequence[frozenset[str]]
    held: HeldWords
    mass: Floats
