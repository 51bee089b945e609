"""Remembers what was worked out for a text, the last so many texts: a long job stays small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

__all__ = ["Kept"]

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by text; the oldest go first.

    Args:
        most: Texts remembered.

    Example:
        >>> kept = Kept[int](2)
        >>> kept.of(["a", "bb", "a"], lambda texts: [len(text) for text in texts])
        [1, 2, 1]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[str, Value] = {}

    def of(self, texts: Sequence[str], make: Callable[[list[str]], Iterable[Value]]) -> list[Value]:
        """Return the value of each text; `make` is asked once for those that are not known."""
        values = self._values
        missing = [text for text in dict.fromkeys(texts) if text not in values]
        if missing:
            values.update(zip(missing, make(missing), strict=True))
        found = [values[text] for text in texts]
        if len(values) > self._most:
            for text in list(values)[: len(values) - self._most]:
                del values[text]
        return found

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()
