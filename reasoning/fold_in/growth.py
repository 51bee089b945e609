"""What was added to a graph: entities, relations and edges, matched by key and name.

Ids are positions in sorted keys, so that one new entity moves the ids of all behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from kg.vocabulary import Vocabulary

__all__ = ["Growth", "growth_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Growth:
    """How the ids of a later graph stand to those of an earlier one.

    Attributes:
        entity: ``(num_entities,)`` of the later graph: id in the earlier one, -1 for a new entity.
        relation: ``(num_relations,)`` likewise.
        new_edges: ``(num_edges,)`` of the later graph: which edges the earlier one lacks.
    """

    entity: NDArray[np.int64] = field(repr=False)
    relation: NDArray[np.int64] = field(repr=False)
    new_edges: NDArray[np.bool_] = field(repr=False)

    def carried(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return rows of entities in the order of the later graph, zeros for new ones.

        Args:
            rows: ``(entities of the earlier graph, width)``.
        """
        return _carried(rows, self.entity)

    def carried_relations(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return rows of directed relations (r, then r⁻¹) in the order of the later graph.

        A new relation has zeros: it was never trained and favours no tail.
        """
        forward, backward = np.split(rows, 2)
        halves = [_carried(half, self.relation) for half in (forward, backward)]
        return np.concatenate(halves)


def growth_of(before: Snapshot, after: Snapshot) -> Growth:
    """Match two graphs by the keys of entities and the names of relations.

    What the later graph lacks is left out.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> a, b, c = (Entity(key=EntityKey(key), label="X", name=key) for key in "abc")
        >>> growth_of(build_snapshot([a, c], []), build_snapshot([a, b, c], [])).entity.tolist()
        [0, -1, 1]
    """
    entity = _places(before.entities, after.entities)
    relation = _places(before.relation_names, after.relation_names)
    codes = _codes(before.relations, before.heads, before.tails, before.num_entities)
    known = (
        (entity[after.heads] >= 0) & (entity[after.tails] >= 0) & (relation[after.relations] >= 0)
    )
    mapped = _codes(
        relation[after.relations], entity[after.heads], entity[after.tails], before.num_entities
    )
    return Growth(entity=entity, relation=relation, new_edges=~known | ~np.isin(mapped, codes))


def _places(before: Vocabulary[Any], after: Vocabulary[Any]) -> NDArray[np.int64]:
    found = (before.get(name) for name in after)
    return np.array([-1 if place is None else place for place in found], dtype=np.int64)


def _codes(
    relations: NDArray[np.integer[Any]],
    heads: NDArray[np.integer[Any]],
    tails: NDArray[np.integer[Any]],
    num_entities: int,
) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = relations.astype(np.int64) * num_entities + heads
    return codes * num_entities + tails


def _carried(rows: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    found = np.zeros((len(places), rows.shape[1]), dtype=np.float32)
    kept = places >= 0
    found[kept] = rows[places[kept]]
    return found
