"""TF-IDF over any pieces of a text, for one query at a time and many names: small and exact.

Weights are term frequency times log((1 + n) / (1 + df)) + 1, at unit length, as in scikit-learn;
a query costs microseconds where a general vectoriser spends milliseconds on checks.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from linkers.common_english import COMMON_ENGLISH

__all__ = ["PieceIndex", "character_pieces", "word_pieces"]

_WORD = re.compile(r"\w\w+")


def character_pieces(text: str, sizes: tuple[int, int]) -> Iterable[str]:
    """Yield the character n-grams of each word, a space marking its ends.

    Example:
        >>> list(character_pieces("ab", (2, 3)))
        [' a', 'ab', 'b ', ' ab', 'ab ']
    """
    for word in text.split():
        marked = f" {word} "
        for size in range(sizes[0], sizes[1] + 1):
            for start in range(max(1, len(marked) - size + 1)):
                yield marked[start : start + size]


def word_pieces(text: str) -> Iterable[str]:
    """Yield the words of a text in lower case, without the commonest English ones."""
    for word in _WORD.findall(text.casefold()):
        if word not in COMMON_ENGLISH:
            yield word


class PieceIndex:
    """Texts by the TF-IDF of their pieces.

    Args:
        texts: The texts.
        pieces: Takes a text apart.
        sublinear: Use 1 + log of a frequency.
    """

    def __init__(
        self,
        texts: Sequence[str],
        pieces: Callable[[str], Iterable[str]],
        *,
        sublinear: bool = False,
    ) -> None:
        self._pieces = pieces
        self._sublinear = sublinear
        self._size = len(texts)
        counts = [Counter(pieces(text)) for text in texts]
        spread = Counter(piece for count in counts for piece in count)
        self._idf = {
            piece: float(np.log((1 + len(texts)) / (1 + df)) + 1) for piece, df in spread.items()
        }
        posted: dict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        for row, count in enumerate(counts):
            for piece, weight in self._weights(count).items():
                posted[piece][0].append(row)
                posted[piece][1].append(weight)
        self._posted = {
            piece: (np.array(rows, dtype=np.int64), np.array(weights, dtype=np.float32))
            for piece, (rows, weights) in posted.items()
        }

    def _weights(self, count: Counter[str]) -> dict[str, float]:
        weights = {}
        for piece, number in count.items():
            frequency = 1 + float(np.log(number)) if self._sublinear else float(number)
            weights[piece] = frequency * self._idf.get(piece, 0.0)
        length = float(np.sqrt(sum(weight**2 for weight in weights.values())))
        return {piece: weight / length for piece, weight in weights.items()} if length else {}

    def similarities(self, text: str) -> NDArray[np.float32]:
        """Return ``(texts,)`` cosines; pieces that no text holds do not count."""
        scores = np.zeros(self._size, dtype=np.float32)
        for piece, weight in self._weights(Counter(self._pieces(text))).items():
            if piece in self._posted:
                rows, weights = self._posted[piece]
                scores[rows] += weights * np.float32(weight)
        return scores
