"""Making a snapshot: a graph's rows, or its edges as columns, sorted into arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kg.model import AttributeValue, Edge, Entity
from kg.provenance import best_probability
from kg.snapshot_arrays import Snapshot
from kg.store import Store
from kg.vocabulary import Vocabulary

__all__ = ["EdgeColumns", "Freezes", "assembled_snapshot", "build_snapshot", "snapshot_of"]


def build_snapshot(entities: Iterable[Entity], edges: Iterable[Edge]) -> Snapshot:
    """Freeze entities and edges into arrays; the result does not depend on their order.

    An edge without one of its ends is a `KeyError` of the vocabulary: stores never return one.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> build_snapshot([Entity(key=EntityKey("a"), label="X", name="a")], []).num_entities
        1
    """
    rows = sorted(entities, key=lambda entity: entity.key)
    keys = Vocabulary(row.key for row in rows)
    facts = list(edges)
    relations = Vocabulary(sorted({edge.relation for edge in facts}))
    return assembled_snapshot(
        rows,
        list(relations),
        EdgeColumns(
            heads=np.array([keys[edge.head] for edge in facts], dtype=np.int32),
            relations=np.array([relations[edge.relation] for edge in facts], dtype=np.int32),
            tails=np.array([keys[edge.tail] for edge in facts], dtype=np.int32),
            probabilities=np.array(
                [best_probability(e.provenance) for e in facts], dtype=np.float32
            ),
        ),
    )


@runtime_checkable
class Freezes(Protocol):
    """A store that makes a snapshot of itself faster than by its rows."""

    def freeze(self) -> Snapshot:
        """Return a snapshot of the graph as it is at one moment."""
        ...


def snapshot_of(store: Store) -> Snapshot:
    """Return a snapshot of a store's graph as it is.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> snapshot_of(MemoryStore()).num_edges
        0
    """
    if isinstance(store, Freezes):
        return store.freeze()
    return build_snapshot(store.entities(), store.edges())


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeColumns:
    """Edges in any order.

    Attributes:
        heads: ``(n,)`` int32, places of entities.
        relations: ``(n,)`` int32, places of relations.
        tails: ``(n,)`` int32.
        probabilities: ``(n,)`` float32.
    """

    heads: NDArray[np.int32]
    relations: NDArray[np.int32]
    tails: NDArray[np.int32]
    probabilities: NDArray[np.float32]

    @classmethod
    def together(cls, parts: Sequence[EdgeColumns]) -> EdgeColumns:
        """Return the edges of several, in their order."""
        ids = {
            name: np.concatenate([np.empty(0, np.int32), *(getattr(part, name) for part in parts)])
            for name in ("heads", "relations", "tails")
        }
        likely = [np.empty(0, np.float32), *(part.probabilities for part in parts)]
        return cls(**ids, probabilities=np.concatenate(likely))


def assembled_snapshot(
    entities: Sequence[Entity], relations: Sequence[str], edges: EdgeColumns
) -> Snapshot:
    """Return a snapshot of edges whose ends are told by numbers.

    Args:
        entities: In the order of their keys.
        relations: In their order; one that no edge has is left out.
        edges: Numbers of entities and relations.
    """
    rows = entities
    keys = Vocabulary(row.key for row in rows)
    labels = Vocabulary(sorted({row.label for row in rows}))
    attributes: dict[str, dict[int, AttributeValue]] = {}
    for position, row in enumerate(rows):
        for name, value in row.attributes.items():
            attributes.setdefault(name, {})[position] = value
    used, numbers = np.unique(edges.relations, return_inverse=True)
    order = np.lexsort((edges.tails, edges.heads, numbers))
    return Snapshot(
        entities=keys,
        relation_names=Vocabulary(relations[number] for number in used.tolist()),
        labels=labels,
        names=tuple(row.name for row in rows),
        attributes=attributes,
        heads=edges.heads[order],
        relations=numbers[order].astype(np.int32),
        tails=edges.tails[order],
        probabilities=edges.probabilities[order],
        label_ids=np.array([labels[row.label] for row in rows], dtype=np.int32),
        parents=_parents(rows, keys.get),
    )


def _parents(rows: Sequence[Entity], find: Callable[[str], int | None]) -> NDArray[np.int32]:
    found = (None if row.part is None else find(row.part.parent) for row in rows)
    return np.array([-1 if parent is None else parent for parent in found], dtype=np.int32)
