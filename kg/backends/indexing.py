"""Indexes of attributes in the stores: each server's own statements, behind one face."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, LiteralString, Protocol

from kg.backends import statements
from kg.backends.names import check_attribute, check_label
from kg.errors import InputError
from kg.indexes import AttributeIndex
from kg.value_types import TYPES

if TYPE_CHECKING:
    from kg.backends.connection import Connection

__all__ = ["BoltIndexes", "LinkIndexes", "MemoryIndexes", "ServerIndexes", "checked_index"]

FIXED = frozenset({"key", "aliases"})
"""Fields that no index of ours is for: the key has one, aliases are lists."""


class LinkIndexes(Protocol):
    """The indexes of one server, as the Bolt backend needs to see them."""

    def all(self) -> list[AttributeIndex]:
        """Return them; see `kg.indexes.Indexes`."""
        ...

    def create(self, label: str, attribute: str, kind: str | None) -> AttributeIndex:
        """Make one, while nobody else writes."""
        ...

    def drop(self, label: str, attribute: str) -> bool:
        """Drop one, while nobody else writes."""
        ...

    def refresh(self) -> None:
        """Learn of what other processes have made or dropped, while nobody else writes."""
        ...

    def check(self, label: str, properties: Mapping[str, Any], *, key: str) -> None:
        """Refuse values that an index cannot take.

        Raises:
            InputError: One is of another type than its index, or too long.
        """
        ...


def checked_index(label: str, attribute: str, kind: str | None) -> None:
    """Refuse what no store can index.

    Raises:
        InputError: A name cannot be one, or there is no such type.
    """
    where = f"index of {attribute!r:.80} of {label!r:.80}"
    check_label(label, where=where)
    if attribute in FIXED:
        raise InputError(
            f"{attribute!r} cannot get an index: keys have one, and aliases are lists",
            where=where,
            hint="search finds entities by their aliases",
        )
    if attribute != "name":
        check_attribute(attribute, where=where)
    if kind is not None and kind not in TYPES:
        raise InputError(f"there is no type {kind!r:.80}", where=where, hint=", ".join(TYPES))


class BoltIndexes:
    """The `Indexes` of a store behind Bolt.

    Args:
        connection: To its server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[AttributeIndex]:
        """Return them; see `kg.indexes.Indexes`."""
        return self._connection.again(self._connection.link.indexes.all)

    def create(self, label: str, attribute: str, *, kind: str | None = None) -> AttributeIndex:
        """Make one unless it is there; see `kg.indexes.Indexes`."""
        checked_index(label, attribute, kind)
        link = self._connection.link

        def once() -> AttributeIndex:
            with self._connection.alone():
                link.ensure({label}, set())
                return link.indexes.create(label, attribute, kind)

        return self._connection.again(once)

    def drop(self, label: str, attribute: str) -> bool:
        """Drop one; see `kg.indexes.Indexes`."""
        checked_index(label, attribute, None)

        def once() -> bool:
            with self._connection.alone():
                return self._connection.link.indexes.drop(label, attribute)

        return self._connection.again(once)


class ServerIndexes:
    """The `LinkIndexes` of a Neo4j server, which takes values of any type.

    Args:
        rows: Runs a statement as the writer, in a context with its rows.
    """

    def __init__(self, rows: Callable[[LiteralString], AbstractContextManager[list[Any]]]) -> None:
        self._rows = rows

    def _named(self) -> dict[tuple[str, str], str]:
        """Return the server's names of plain indexes of one attribute of one label."""
        with self._rows("SHOW INDEXES") as rows:
            return {
                (row["labelsOrTypes"][0], row["properties"][0]): row["name"]
                for row in rows
                if row["entityType"] == "NODE"
                and row["type"] == "RANGE"
                and row["owningConstraint"] is None
                and len(row["labelsOrTypes"]) == len(row["properties"]) == 1
            }

    def all(self) -> list[AttributeIndex]:
        """Return them; see `kg.indexes.Indexes`."""
        return [AttributeIndex(label=one, attribute=other) for one, other in sorted(self._named())]

    def create(self, label: str, attribute: str, kind: str | None) -> AttributeIndex:  # noqa: ARG002 - any
        """Make one unless it is there; see `kg.indexes.Indexes`."""
        with self._rows(statements.create_index(label, attribute)):
            return AttributeIndex(label=label, attribute=attribute)

    def drop(self, label: str, attribute: str) -> bool:
        """Drop one; see `kg.indexes.Indexes`."""
        name = self._named().get((label, attribute))
        if name is None:
            return False
        with self._rows(statements.drop_index(name)):
            return True

    def refresh(self) -> None:
        """Nothing is kept."""

    def check(self, label: str, properties: Mapping[str, Any], *, key: str) -> None:
        """Take any value."""


class MemoryIndexes:
    """The `Indexes` of a store in memory, which looks nothing up by a value: names alone."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], AttributeIndex] = {}

    def all(self) -> list[AttributeIndex]:
        """Return them; see `kg.indexes.Indexes`."""
        return [self._found[key] for key in sorted(self._found)]

    def create(self, label: str, attribute: str, *, kind: str | None = None) -> AttributeIndex:
        """Note one; see `kg.indexes.Indexes`."""
        checked_index(label, attribute, kind)
        made = AttributeIndex(label=label, attribute=attribute)
        return self._found.setdefault((label, attribute), made)

    def drop(self, label: str, attribute: str) -> bool:
        """Forget one; see `kg.indexes.Indexes`."""
        checked_index(label, attribute, None)
        return self._found.pop((label, attribute), None) is not None
