"""An index of words follows its store: the documents that a change touches are made anew.

A document holds names of neighbours and of parts of pictures, so a change touches more documents
than entities. Of an entity with more than `MAX_FACTS` neighbours, which of them count may be those
of before when only the neighbours' own neighbours have changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import tantivy

from kg.changes import Changes
from kg.full_text_documents import MAX_FACTS, Around, document, picture_texts
from kg.model import Entity, EntityKey
from kg.stemming import Stems
from kg.store import Store

__all__ = ["follow"]

MOST_DOCUMENTS = 1_000
"""Documents from which an index is rather made anew."""
_HEAP = 15_000_000


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the index knows of an entity."""

    name: str
    parent: EntityKey | None
    degree: int


def follow(index: Any, store: Store, changes: Changes, stems: Stems) -> int | None:
    """Bring an index to its store as it is now.

    Args:
        index: As it was before the changes; it may hold some of them already.
        store: The store.
        changes: What was touched since.
        stems: Those of the index.

    Returns:
        How many documents were made anew, or None if these are too many.
    """
    step = _Step(index, store, changes)
    if len(step.keys) > MOST_DOCUMENTS:
        return None
    step.read(step.keys)
    near = {key: step.near(key) for key in step.keys}
    step.degrees.update((key, len(keys)) for key, keys in near.items())
    writer = index.writer(_HEAP, 1)
    try:
        for key in sorted(step.keys):
            writer.delete_documents_by_term("key", key)
            entity = step.row(key)
            if entity is not None:
                around = Around(step.parts_of(key), step.facts(near[key]), len(near[key]))
                writer.add_document(document(entity, around, stems))
        writer.commit()
    finally:
        writer.wait_merging_threads()
    index.reload()
    return len(step.keys)


class _Step:
    """Reads the store, and the index as it was.

    Args:
        index: The index.
        store: The store.
        changes: What was touched.

    Attributes:
        keys: Entities whose documents change.
        degrees: Neighbours of entities, as far as they are known anew.
    """

    def __init__(self, index: Any, store: Store, changes: Changes) -> None:
        self._schema, self._searcher, self._store = index.schema, index.searcher(), store
        self._rows: dict[EntityKey, Entity | None] = {}
        self.read(changes.entities)
        self._touched = dict(self._rows)
        self.degrees: dict[EntityKey, int] = {}
        self.keys = {end for head, _, tail in changes.edges for end in (head, tail)}
        for key, row in self._touched.items():
            self.keys.add(key)
            kept = self._kept(key)
            if kept is not None and kept.parent is not None:
                self.keys.add(kept.parent)
            if row is not None and row.part is not None:
                self.keys.add(row.part.parent)
            if kept is None or row is None or kept.name != row.name:
                self.keys |= self.near(key)
            if len(self.keys) > MOST_DOCUMENTS:
                break

    def read(self, keys: Iterable[EntityKey]) -> None:
        """Read entities together, those that are not read yet."""
        new = dict.fromkeys(key for key in keys if key not in self._rows)
        self._rows |= new
        self._rows |= {entity.key: entity for entity in self._store.entities_of([*new])}

    def row(self, key: EntityKey) -> Entity | None:
        """Return an entity as it is now."""
        if key not in self._rows:
            self._rows[key] = self._store.entity(key)
        return self._rows[key]

    def near(self, key: EntityKey) -> set[EntityKey]:
        """Return the neighbours of an entity as they are now."""
        return {edge.tail for edge in self._store.edges(head=key)} | {
            edge.head for edge in self._store.edges(tail=key)
        }

    def parts_of(self, key: EntityKey) -> list[str]:
        """Return the texts of the parts of an entity's pictures, as they are now."""
        found = {kept for kept in self._found("parent", key) if kept not in self._touched}
        now = [row for row in map(self.row, found) if row is not None]
        now += [
            row
            for row in self._touched.values()
            if row is not None and row.part is not None and row.part.parent == key
        ]
        return [text for row in now for text in picture_texts(row)]

    def facts(self, near: Iterable[EntityKey]) -> list[str]:
        """Return the names of neighbours, of those with the fewest neighbours if they are many."""
        keys = sorted(near)
        if len(keys) > MAX_FACTS:
            keys = sorted(keys, key=lambda other: (self._degree(other), other))[:MAX_FACTS]
        return [name for key in keys if (name := self._name(key)) is not None]

    def _degree(self, key: EntityKey) -> int:
        if key not in self.degrees:
            kept = self._kept(key)
            self.degrees[key] = 0 if kept is None else kept.degree
        return self.degrees[key]

    def _name(self, key: EntityKey) -> str | None:
        if key not in self._rows:
            kept = self._kept(key)
            if kept is not None:
                return kept.name
        row = self.row(key)
        return None if row is None else row.name

    def _kept(self, key: EntityKey) -> _Kept | None:
        for address in self._addresses("key", key):
            told = self._searcher.doc(address)
            parent = told.get_first("parent")
            return _Kept(told["name"][0], parent and EntityKey(parent), told["degree"][0])
        return None

    def _found(self, field: str, text: str) -> list[EntityKey]:
        found = (self._searcher.doc(address) for address in self._addresses(field, text))
        return [EntityKey(told["key"][0]) for told in found]

    def _addresses(self, field: str, text: str) -> list[Any]:
        query = tantivy.Query.term_query(self._schema, field, text, index_option="basic")
        return [a for _, a in self._searcher.search(query, max(1, self._searcher.num_docs)).hits]
