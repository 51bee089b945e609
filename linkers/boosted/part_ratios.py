"""How like a name is to a part of a text, many pairs at a time: six times as fast as rapidfuzz.

The same number as `rapidfuzz.fuzz.partial_ratio`: over all windows of the text as long as the name,
and shorter ones at both of its ends, the most that twice the longest common subsequence is of both
lengths. Subsequences by Hyyrö's bit vectors (2004), the windows of a text side by side in wide
instructions:

    S = 11…1;  for each letter of the window: U = S AND letter's places in the name;
    S = (S + U) OR (S - U);  length = zeros of S

Texts are long and always new, so nothing can be remembered of them. What these vectors do not hold
(a name of more than 64 letters, or none; a text that is not longer; letters beyond ASCII) goes to
rapidfuzz.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

__all__ = ["SpelledNames", "part_ratios"]

_LONGEST = 64  # letters of a name

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class SpelledNames:
    """Names as bytes, one after the other.

    Args:
        names: In Latin letters.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names: list[str] = []
        self.letters: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        self.starts: Ids = np.zeros(1, dtype=np.int64)
        self.plain: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        """``(names,)`` whether a name is one that bit vectors hold."""
        self.add(names)

    def add(self, names: Sequence[str]) -> None:
        """Append names."""
        self.names += names
        letters, starts = _flat(names)
        self.starts = np.concatenate([self.starts, starts[1:] + self.starts[-1]])
        self.letters = np.concatenate([self.letters, letters])
        plain = [name.isascii() and 0 < len(name) <= _LONGEST for name in names]
        self.plain = np.concatenate([self.plain, np.array(plain, dtype=np.bool_)])


def part_ratios(names: SpelledNames, which: Ids, texts: Sequence[str], where: Ids) -> Floats:
    """Return ``(pairs,)`` how like each name is to a part of its text, in [0, 100].

    Args:
        names: The names.
        which: ``(pairs,)`` the name of each pair.
        texts: In Latin letters.
        where: ``(pairs,)`` the text of each.

    Example:
        >>> names, texts = SpelledNames(["chile", "peru"]), ["from peru to chil"]
        >>> part_ratios(names, np.array([0, 1]), texts, np.array([0, 0])).astype(int).tolist()
        [88, 100]
    """
    found: Floats = np.empty(len(which), dtype=np.float32)
    letters, starts = _flat(texts)
    plain = np.array([text.isascii() for text in texts], dtype=np.bool_)
    sizes = np.diff(names.starts)[which]
    held = names.plain[which] & plain[where] & (sizes < np.diff(starts)[where])
    short = np.flatnonzero(held)
    if len(short):
        # what it needs takes half a second to come, and most commands link nothing
        from linkers.boosted.part_ratio_loops import ratios

        spelled = (names.letters, names.starts, which[short])
        found[short] = ratios(*spelled, letters, starts, where[short])
    long = np.flatnonzero(~held)
    if len(long):
        found[long] = process.cpdist(
            [names.names[name] for name in which[long].tolist()],
            [texts[text] for text in where[long].tolist()],
            scorer=fuzz.partial_ratio,
            dtype=np.float32,
        )
    return found


def _flat(texts: Sequence[str]) -> tuple[NDArray[np.uint8], Ids]:
    """Return letters of texts, one byte each, and where each begins."""
    joined = "".join(texts).encode("ascii", "replace")  # one byte a letter, whatever it is
    starts = np.cumsum([0, *map(len, texts)])
    return np.frombuffer(joined, dtype=np.uint8), starts
