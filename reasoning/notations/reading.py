"""What a text asks for: a tree or a pattern, and what else the text says."""

from __future__ import annotations

from dataclasses import dataclass

from reasoning.notations.values import unsupported
from reasoning.patterns import Pattern
from reasoning.query import Query

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text asks for.

    Attributes:
        asked: A query tree; a pattern where several variables are asked, or edges form a cycle.
        limit: The most answers, where the text has a LIMIT.
        columns: Names of the returned columns; None where the notation has none.
        counted: Whether the number of answers is asked for, not the answers.
    """

    asked: Query | Pattern
    limit: int | None = None
    columns: tuple[str, ...] | None = None
    counted: bool = False

    @property
    def tree(self) -> Query:
        """The query tree.

        Raises:
            UnsupportedQueryError: A pattern is asked, which is no tree; it says why and where.
        """
        if not isinstance(self.asked, Pattern):
            return self.asked
        if len(self.asked.answer) > 1:
            names = " and ".join(self.asked.answer)
            raise unsupported(
                f"two variables are returned, {names}",
                self.asked.span,
                "return one of them; a tree has one kind of answer",
            )
        if self.asked.different:
            raise unsupported(
                "two variables are compared, which a tree cannot", self.asked.span, "leave it out"
            )
        raise unsupported(
            "this relationship closes a cycle, and a tree has none",
            self.asked.span,
            "leave it out, or use another variable",
        )
