"""Where a page of answers or rows ended, and how many answers of each kind came before its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from api.cursors import cursor_of, no_cursor, score_of, texts_of
from kg.model import EntityKey
from kg.vocabulary import Vocabulary
from reasoning.answers import Answer
from reasoning.of_each import OfEach, Place, ids_after

__all__ = ["AnswerPage", "row_cursor", "rows_after"]


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """A page of the answers of a tree.

    Attributes:
        each: The answers that the page before ended with.
        told: Answers of each kind that came before, at most; a text's LIMIT counts them.
    """

    each: OfEach = field(default_factory=OfEach)
    told: int = 0

    @classmethod
    def of(cls, cursor: str | None) -> AnswerPage:
        """Return the page after a cursor, the first one if it is None.

        Raises:
            InputError: It is no cursor of answers.
        """
        if cursor is None:
            return cls()
        told, *places = texts_of(cursor, 5)
        each = OfEach(known=_place(*places[:2]), likely=_place(*places[2:]))
        return cls(each, _number(told))

    def next(self, shown: Sequence[Answer], k: int, limit: int | None, *, more: bool) -> str | None:
        """Return the cursor of the page after this one.

        Args:
            shown: The answers of this page.
            k: How many of each kind it might have.
            limit: How many of each kind the question wants on all pages; None for all.
            more: Whether there is anything to tell after this page.
        """
        told = self.told + k
        if not more or (limit is not None and told >= limit):
            return None
        last = {answer.status: Place(answer.score, answer.entity) for answer in shown}
        places = (last.get("known", self.each.known), last.get("likely", self.each.likely))
        return cursor_of([str(told), *(text for place in places for text in _texts(place))])


def row_cursor(told: int, row: Sequence[str]) -> str:
    """Return the cursor of what comes after a row, the `told`-th of all."""
    return cursor_of([str(told), *row])


def rows_after(
    rows: NDArray[np.int32], cursor: str | None, entities: Vocabulary[EntityKey]
) -> tuple[NDArray[np.int32], int]:
    """Return the rows after a cursor, and how many were told before them.

    Args:
        rows: ``(n, columns)`` ids, ascending.
        cursor: Of the page before; None for the first page.
        entities: The ids' keys.

    Raises:
        InputError: It is no cursor of such rows.
    """
    if cursor is None:
        return rows, 0
    told, *keys = texts_of(cursor, 1 + rows.shape[1])
    later = np.zeros(len(rows), dtype=np.bool_)
    same = np.ones(len(rows), dtype=np.bool_)
    for column, key in zip(rows.T, map(EntityKey, keys), strict=True):
        later |= same & (column >= ids_after(entities, key))
        here = entities.get(key)
        same &= column == (-1 if here is None else here)
    return rows[later], _number(told)


def _texts(place: Place | None) -> tuple[str, str]:
    return ("", "") if place is None else (repr(place.score), place.entity)


def _place(score: str, key: str) -> Place | None:
    if not score and not key:
        return None
    return Place(score_of(score), EntityKey(key))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise no_cursor()
    return int(text)
