"""Indexes of attributes: what makes a Cypher query find nodes by a value without reading them all.

`kg.store.Store.indexes` makes and drops them. They change no answer, only its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["AttributeIndex", "Indexes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeIndex:
    """One attribute (or ``name``) of the entities of one label.

    Attributes:
        label: Their label; ``Entity`` is every entity's.
        attribute: The attribute.
        kind: The one type that its values may have (a name of `kg.value_types.TYPES`), or None
            where the store asks for none.
    """

    label: str
    attribute: str
    kind: str | None = None


class Indexes(Protocol):
    """The indexes of one store."""

    def all(self) -> list[AttributeIndex]:
        """Return them, ordered by label and attribute."""
        ...

    def create(self, label: str, attribute: str, *, kind: str | None = None) -> AttributeIndex:
        """Make an index unless it is there; writers wait meanwhile.

        The embedded store takes values of one type only, and no lists, where there is an index:
        afterwards a write of another value is refused. A Neo4j server takes any.

        Args:
            label: Of the entities; ``Entity`` for all.
            attribute: An attribute, or ``name``.
            kind: Type of its values, a name of `kg.value_types.TYPES`; by default that of those
                which are there, and text if there are none.

        Returns:
            The index that serves it, which may be one of every entity.

        Raises:
            ConstraintError: Values that are there do not fit, or only some labels have one yet.
            InputError: Nothing can have this name, or there is no such type.
        """
        ...

    def drop(self, label: str, attribute: str) -> bool:
        """Drop an index and with it the demand on types; False if there is none."""
        ...
