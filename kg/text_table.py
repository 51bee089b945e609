"""Many texts as two arrays, so that opening a million of them reads none.

A text is decoded when it is asked for; the arrays may be memory-mapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["TextTable"]


class TextTable(Sequence[str]):
    """An immutable sequence of texts, equal to any sequence of the same texts.

    Args:
        ends: ``(n,)`` int64, where each text ends in the bytes; ascending.
        content: ``(bytes,)`` uint8, the texts in UTF-8 one after the other.

    Raises:
        ValueError: The arrays do not fit each other.

    Example:
        >>> table = TextTable.of(["Türkiye", "", "Peru"])
        >>> table[0], table[-1], len(table)
        ('Türkiye', 'Peru', 3)
    """

    def __init__(self, ends: NDArray[np.int64], content: NDArray[np.uint8]) -> None:
        if (int(ends[-1]) if len(ends) else 0) != len(content):
            raise ValueError("the texts do not end where their bytes do")
        self.ends = ends
        self.content = content

    @classmethod
    def of(cls, texts: Iterable[str]) -> TextTable:
        """Return a table of texts; half characters survive."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
        return cls(ends, np.frombuffer(b"".join(encoded), dtype=np.uint8))

    def __len__(self) -> int:
        """Return how many texts there are."""
        return len(self.ends)

    @overload
    def __getitem__(self, which: int) -> str: ...
    @overload
    def __getitem__(self, which: slice) -> tuple[str, ...]: ...
    def __getitem__(self, which: int | slice) -> str | tuple[str, ...]:
        """Return a text, or several as a tuple."""
        if isinstance(which, slice):
            return tuple(self[n] for n in range(*which.indices(len(self))))
        place = which + len(self) if which < 0 else which
        if not 0 <= place < len(self):
            raise IndexError("there are fewer texts")
        start = int(self.ends[place - 1]) if place else 0
        return (
            self.content[start : int(self.ends[place])].tobytes().decode("utf-8", "surrogatepass")
        )

    def __eq__(self, other: object) -> bool:
        """Tell whether another sequence holds the same texts."""
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]
