"""The arrays of a snapshot and the lookups in them; `kg.snapshot` builds, writes and reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.errors import UnknownEntityError, UnknownRelationError
from kg.model import AttributeValue, EntityKey
from kg.vocabulary import Vocabulary

__all__ = ["ARRAYS", "Snapshot"]

ARRAYS = ("heads", "relations", "tails", "probabilities", "label_ids", "parents")


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """An immutable graph of dense ids. Edges are sorted by (relation, head, tail), each once.

    Attributes:
        entities: Keys in ascending order; positions are `EntityId`s.
        relation_names: Relations in ascending order.
        labels: Labels in ascending order.
        names: Name of each entity, by id.
        attributes: Attribute values by name, then by entity id.
        heads: ``(num_edges,)`` int32.
        relations: ``(num_edges,)`` int32.
        tails: ``(num_edges,)`` int32.
        probabilities: ``(num_edges,)`` float32, of the strongest record of each edge.
        label_ids: ``(num_entities,)`` int32.
        parents: ``(num_entities,)`` int32, the entity whose image a part belongs to, else -1.
    """

    entities: Vocabulary[EntityKey]
    relation_names: Vocabulary[str]
    labels: Vocabulary[str]
    names: Sequence[str]
    attributes: Mapping[str, Mapping[int, AttributeValue]] = field(repr=False)
    heads: NDArray[np.int32] = field(repr=False)
    relations: NDArray[np.int32] = field(repr=False)
    tails: NDArray[np.int32] = field(repr=False)
    probabilities: NDArray[np.float32] = field(repr=False)
    label_ids: NDArray[np.int32] = field(repr=False)
    parents: NDArray[np.int32] = field(repr=False)

    @property
    def num_entities(self) -> int:
        """Number of entities, parts included."""
        return len(self.entities)

    @property
    def num_relations(self) -> int:
        """Number of relations, inverses not counted."""
        return len(self.relation_names)

    @property
    def num_edges(self) -> int:
        """Number of edges."""
        return len(self.heads)

    @cached_property
    def hash(self) -> str:
        """Hex SHA-256 over keys, labels, attributes and edges, independent of the machine."""
        texts = (self.entities.names, self.relation_names.names, self.labels.names, self.names)
        names = tuple(map(tuple, texts))
        digest = hashlib.sha256(json.dumps(names).encode())
        for name in sorted(self.attributes):
            column = self.attributes[name]
            digest.update(repr((name, [(i, column[i]) for i in sorted(column)])).encode())
        for name in ARRAYS:
            array = getattr(self, name)
            digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    def entity_id(self, key: str) -> int:
        """Return the id of a key.

        Raises:
            UnknownEntityError: No entity has it.
        """
        found = self.entities.get(key)
        if found is None:
            raise UnknownEntityError(key, nearest=self.entities.nearest(key))
        return found

    def relation_id(self, name: str) -> int:
        """Return the id of a relation.

        Raises:
            UnknownRelationError: No edge has it.
        """
        found = self.relation_names.get(name)
        if found is None:
            raise UnknownRelationError(name, nearest=self.relation_names.nearest(name))
        return found

    @cached_property
    def _relation_bounds(self) -> NDArray[np.int64]:
        return np.searchsorted(self.relations, np.arange(self.num_relations + 1)).astype(np.int64)

    def edges_of(self, relation: int) -> slice:
        """Return where the edges of a relation stand in the edge arrays (sorted by head)."""
        return slice(int(self._relation_bounds[relation]), int(self._relation_bounds[relation + 1]))

    @cached_property
    def _by_tail(self) -> NDArray[np.int64]:
        return np.lexsort((self.heads, self.tails, self.relations)).astype(np.int64)

    def edge_positions(
        self, relation: int, entity: int, *, inverse: bool = False
    ) -> NDArray[np.int64]:
        """Return the positions of the edges of a relation that leave (or enter) an entity.

        Args:
            relation: Relation id.
            entity: Head, or tail if `inverse`.
            inverse: Look for edges that enter the entity.
        """
        span = self.edges_of(relation)
        if not inverse:
            heads = self.heads[span]
            low, high = np.searchsorted(heads, [entity, entity + 1])
            return np.arange(span.start + low, span.start + high, dtype=np.int64)
        order = self._by_tail[span]
        low, high = np.searchsorted(self.tails[order], [entity, entity + 1])
        return order[low:high]

    def neighbours(self, relation: int, entity: int, *, inverse: bool = False) -> NDArray[np.int32]:
        """Return the tails (or heads, if `inverse`) at an entity, ascending."""
        positions = self.edge_positions(relation, entity, inverse=inverse)
        return (self.heads if inverse else self.tails)[positions]

    def _position(self, head: int, relation: int, tail: int) -> int | None:
        positions = self.edge_positions(relation, head)
        place = int(np.searchsorted(self.tails[positions], tail))
        found = place < len(positions) and self.tails[positions[place]] == tail
        return int(positions[place]) if found else None

    def has_edge(self, head: int, relation: int, tail: int) -> bool:
        """Tell whether an edge is in the snapshot."""
        return self._position(head, relation, tail) is not None

    def edge_probability(self, head: int, relation: int, tail: int) -> float:
        """Return the probability of an edge, 0 if it is not in the snapshot."""
        position = self._position(head, relation, tail)
        return 0.0 if position is None else float(self.probabilities[position])

    def ids_with_label(self, label: str) -> NDArray[np.int32]:
        """Return the ids of all entities of a label, ascending (none for an unknown label)."""
        wanted = self.labels.get(label)
        if wanted is None:
            return np.empty(0, dtype=np.int32)
        return np.flatnonzero(self.label_ids == wanted).astype(np.int32)

    def label_of(self, entity: int) -> str:
        """Return the label of an entity."""
        return self.labels.name(int(self.label_ids[entity]))

    def keeping(self, keep: NDArray[np.bool_]) -> Snapshot:
        """Return a snapshot of the same entities with only the edges where `keep` is true.

        Vocabularies stay as they are, so ids of both snapshots agree.

        Args:
            keep: ``(num_edges,)`` mask.
        """
        arrays = {name: getattr(self, name)[keep] for name in ARRAYS[:4]}
        return Snapshot(
            entities=self.entities,
            relation_names=self.relation_names,
            labels=self.labels,
            names=self.names,
            attributes=self.attributes,
            label_ids=self.label_ids,
            parents=self.parents,
            **arrays,
        )
