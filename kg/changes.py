"""The change feed of a store: which entities and edges were touched since a version.

It names what was touched, not how: whoever follows it reads those as they are now, so that reading
the feed twice, or while somebody writes, does no harm. A store keeps it for some versions back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from kg.model import EdgeKey, EntityKey

__all__ = ["KEPT_VERSIONS", "MOST_TOUCHED", "Changes", "Note", "changes_of", "read_note", "written"]

KEPT_VERSIONS = 1_000
"""Versions that a feed reaches back."""
MOST_TOUCHED = 1_000
"""Entities and edges of one transaction that are named; of a larger one the feed says nothing."""
_NONE_E: frozenset[EntityKey] = frozenset()
_NONE_R: frozenset[EdgeKey] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was touched since a version.

    Attributes:
        version: Of the store, as far as this reaches.
        entities: Keys of entities that were added, changed or deleted.
        edges: Likewise; among them those that went with an entity.
    """

    version: int
    entities: frozenset[EntityKey] = _NONE_E
    edges: frozenset[EdgeKey] = _NONE_R


@dataclass(frozen=True, slots=True)
class Note:
    """What one statement touches; `whole` is False if that is not known."""

    entities: frozenset[EntityKey] = _NONE_E
    edges: frozenset[EdgeKey] = _NONE_R
    whole: bool = True

    def __len__(self) -> int:
        """Return how many it names."""
        return len(self.entities) + len(self.edges)


def written(note: Note) -> str:
    """Return a note as JSON."""
    if not note.whole:
        return "{}"
    return json.dumps({"entities": [*note.entities], "edges": [*note.edges]})


def read_note(text: str) -> Note:
    """Read what `written` made; what is not known to be that says nothing."""
    found = json.loads(text)
    if "entities" not in found or "edges" not in found:
        return Note(whole=False)
    return Note(
        frozenset(found["entities"]), frozenset(cast("EdgeKey", tuple(k)) for k in found["edges"])
    )


def changes_of(since: int, version: int, notes: Iterable[tuple[int, Note]]) -> Changes | None:
    """Put notes together, or return None where they do not tell all since a version.

    Args:
        since: The version after which changes are asked for.
        version: The store's version before the notes were read.
        notes: Versions and what was touched; one version may have several.

    Example:
        >>> note = Note(entities=frozenset({EntityKey("a")}))
        >>> changes_of(1, 2, [(2, note)]).entities, changes_of(0, 2, [(2, note)])
        (frozenset({'a'}), None)
    """
    kept = [(number, note) for number, note in notes if number > since]
    missing = set(range(since + 1, version + 1)) - {number for number, _ in kept}
    if since > version or missing or not all(note.whole for _, note in kept):
        return None
    return Changes(
        version=version,
        entities=frozenset().union(*(note.entities for _, note in kept)),
        edges=frozenset().union(*(note.edges for _, note in kept)),
    )
