"""Edges and entities that a person names: by key, or by a name that only one entity has."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from kg.errors import InputError, UnknownEntityError
from kg.model import EdgeKey, EntityKey
from kg.snapshot import Snapshot
from reasoning.comparisons import matching
from reasoning.query import Compare

__all__ = ["edge_parts", "named_edge", "named_entity"]

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


def named_entity(text: str, snapshot: Snapshot) -> EntityKey:
    """Return the key of an entity given by its key or its name.

    Raises:
        UnknownEntityError: No entity has it.
        InputError: Several entities have the name.
    """
    if snapshot.entities.get(text) is not None:
        return EntityKey(text)
    found = matching(snapshot, Compare("name", "=", text))
    if len(found) == 1:
        return snapshot.entities.name(int(found[0]))
    if len(found) > 1:
        keys = [snapshot.entities.name(int(entity)) for entity in found[:_SHOWN_KEYS]]
        raise InputError(
            f"{len(found)} entities have the name {text!r:.100}",
            hint=f"give a key, such as {', '.join(keys)}",
        )
    raise UnknownEntityError(text, nearest=snapshot.entities.nearest(text))


def named_edge(parts: Sequence[str], snapshot: Snapshot) -> EdgeKey:
    """Return the edge between two entities given by key or name.

    Raises:
        UnknownEntityError: No entity has such a key or name.
        UnknownRelationError: No edge of the graph has the relation.
        InputError: Several entities have the name.
    """
    head, relation, tail = parts
    snapshot.relation_id(relation)
    return named_entity(head, snapshot), relation, named_entity(tail, snapshot)
