"""What a text asks for beside its query tree."""

from __future__ import annotations

from dataclasses import dataclass

from reasoning.query import Query

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text asks for.

    Attributes:
        tree: The query.
        limit: The most answers, where the text has a LIMIT.
        columns: Names of the returned columns; None where the notation has none.
    """

    tree: Query
    limit: int | None = None
    columns: tuple[str, ...] | None = None
