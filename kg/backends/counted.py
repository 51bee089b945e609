"""The statements of one write transaction; the first of them raises the change counter.

What they touch is noted in the transaction itself, where the server has a place for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, LiteralString

from kg.backends.texts import as_text
from kg.changes import MOST_TOUCHED, Note, written

__all__ = ["Answer", "CountedTransaction", "Run"]

Answer = tuple[tuple[str, ...], list[list[Any]]]
"""Columns and rows."""
Run = Callable[[LiteralString, Mapping[str, Any]], Answer]
"""Runs one statement in a transaction."""


class CountedTransaction:
    """Runs statements; writers that overlap collide at the counter before they have read.

    Args:
        run: Runs a statement in the transaction.
        bump: Clauses that raise the change counter.
        note: Clauses that keep `$_touched`, if the server has a change feed.
        both: Clauses that do both.
        read_rows: How the server reads `$rows` as JSON, if it can.

    Attributes:
        changed: Something was written, so the store's version must grow.
    """

    def __init__(
        self,
        run: Run,
        bump: LiteralString,
        note: LiteralString | None = None,
        both: LiteralString | None = None,
        read_rows: LiteralString | None = None,
    ) -> None:
        self._run = run
        self._bump = bump
        self._note = note
        self._both = both
        self._read_rows = read_rows
        self._noted = 0
        self._has_begun = False
        self.changed = False

    def raw(self, text: LiteralString, parameters: Mapping[str, Any]) -> Answer:
        """Run trusted Cypher that may write, and return its columns and rows."""
        self.changed = True
        self._begin()
        return self._run(text, parameters)

    def rows(
        self, text: LiteralString, parameters: Mapping[str, Any], touched: Note | None = None
    ) -> list[list[Any]]:
        """Run one of our own statements and return its rows.

        One that begins with UNWIND takes the counter along: a round trip less. One that touches
        something must begin so.
        """
        text, parameters = as_text(text, parameters, self._read_rows)
        if touched is not None and self._note is not None and self._noted <= MOST_TOUCHED:
            self._noted += len(touched)
            note = touched if self._noted <= MOST_TOUCHED else Note(whole=False)
            parameters = {**parameters, "_touched": written(note)}
            prefix = f"{self._note if self._has_begun else self._both} "
            self._has_begun = True
            return self._run(prefix + text, parameters)[1]
        if not self._has_begun and text.startswith("UNWIND "):
            self._has_begun = True
            text = f"{self._bump} {text}"
        self._begin()
        return self._run(text, parameters)[1]

    def write(self, text: LiteralString, parameters: Mapping[str, Any], touched: Note) -> None:
        """Run one of our own statements, which changes something."""
        self.changed = True
        self.rows(text, parameters, touched)

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._run(f"{self._bump} RETURN version", {})
