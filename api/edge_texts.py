"""Edges and entities that a person names: by key, or by a name that only one entity has."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cached_property

from kg.errors import InputError, UnknownEntityError
from kg.model import EdgeKey, EntityKey
from kg.snapshot import Snapshot
from kg.vocabulary import Vocabulary

__all__ = ["NamedEntities", "edge_parts"]

_SHOWN_KEYS = 5


def edge_parts(text: str) -> tuple[str, str, str]:
    """Return the three parts of ``head relation tail``; a part with spaces stands in quotes.

    Raises:
        InputError: There are not three.

    Example:
        >>> edge_parts('"South Sudan" borders country:TD')
        ('South Sudan', 'borders', 'country:TD')
    """
    try:
        parts = shlex.split(text)
    except ValueError:
        parts = []
    if len(parts) != 3:
        raise InputError(
            f"{text!r:.200} is no edge",
            hint="write head, relation and tail; quote a name with spaces: '\"South Sudan\" …'",
        )
    head, relation, tail = parts
    return head, relation, tail


class NamedEntities:
    """Finds entities by key or by name; the names are sorted out once, whatever is looked up.

    Args:
        snapshot: The graph.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def key(self, text: str) -> EntityKey:
        """Return the key of the entity that has a key or a name.

        Raises:
            UnknownEntityError: No entity has it; names, else keys spelt like it are told.
            InputError: Several entities have the name.
        """
        entities = self._snapshot.entities
        if entities.get(text) is not None:
            return EntityKey(text)
        found = self._by_name.get(text, [])
        if len(found) > 1:
            keys = ", ".join(entities.name(entity) for entity in found[:_SHOWN_KEYS])
            raise InputError(
                f"{len(found)} entities have the name {text!r:.100}",
                hint=f"give a key, such as {keys}",
            )
        if not found:
            names = Vocabulary(dict.fromkeys(self._snapshot.names))
            raise UnknownEntityError(text, nearest=names.nearest(text) or entities.nearest(text))
        return entities.name(found[0])

    def edge(self, parts: Sequence[str]) -> EdgeKey:
        """Return the edge of a head, a relation and a tail.

        Raises:
            UnknownEntityError: No entity has such a key or name.
            UnknownRelationError: No edge of the graph has the relation.
            InputError: Several entities have the name.
        """
        head, relation, tail = parts
        self._snapshot.relation_id(relation)
        return self.key(head), relation, self.key(tail)

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for entity, name in enumerate(self._snapshot.names):
            found.setdefault(name, []).append(entity)
        return found
