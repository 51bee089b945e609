"""The graph's entities in pages, by key: those of the snapshot that is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from api.cursors import cursor_of, texts_of
from api.entity_schemas import EntitiesOut, ListedEntityOut
from api.unknown_label import unknown_label
from kg.model import EntityKey
from reasoning.of_each import ids_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kg.snapshot import Snapshot

__all__ = ["list_entities"]

AT_ONCE = 65_536
"""Labels that are compared at a time: a page ends soon where its label is frequent."""


def list_entities(
    snapshot: Snapshot, *, label: str | None = None, limit: int = 100, after: str | None = None
) -> EntitiesOut:
    """Return up to `limit` entities, ascending by key; see `Engine.entities`."""
    first = 0 if after is None else _first_after(snapshot, after)
    ids = _found(snapshot, first, None if label is None else _label_id(snapshot, label), limit + 1)
    shown = tuple(
        ListedEntityOut(
            key=snapshot.entities.name(id_), label=snapshot.label_of(id_), name=snapshot.names[id_]
        )
        for id_ in ids[:limit]
    )
    return EntitiesOut(
        entities=shown,
        snapshot=snapshot.hash,
        next=cursor_of([shown[-1].key]) if len(ids) > limit > 0 else None,
    )


def _first_after(snapshot: Snapshot, cursor: str) -> int:
    (key,) = texts_of(cursor, 1)
    return ids_after(snapshot.entities, EntityKey(key))


def _label_id(snapshot: Snapshot, label: str) -> int:
    found = snapshot.labels.get(label)
    if found is None:
        raise unknown_label(label, snapshot.labels, where="label")
    return found


def _found(snapshot: Snapshot, first: int, label: int | None, most: int) -> list[int]:
    """Return the first ids of a label, or of any, from one on."""
    if label is None:
        return list(range(first, min(first + most, snapshot.num_entities)))
    found: list[int] = []
    for ids in _of_label(snapshot, first, label):
        found += ids[: most - len(found)]
        if len(found) == most:
            break
    return found


def _of_label(snapshot: Snapshot, first: int, label: int) -> Iterator[list[int]]:
    for start in range(first, snapshot.num_entities, AT_ONCE):
        some = snapshot.label_ids[start : start + AT_ONCE]
        yield (np.flatnonzero(some == label) + start).tolist()
