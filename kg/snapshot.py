"""Snapshots: a graph frozen into arrays, memory-mapped, named by the hash of its content.

Reasoning's hot loops run here and never in Cypher. A checkpoint names the snapshot it was trained
on. The folder holds ``snapshot.json`` (names, format number, hash) and one ``.npy`` file an array.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import ForeignFileError, MissingPartError, UnknownEntityError, UnknownRelationError
from kg.files import atomic_write, read_json, write_json
from kg.model import AttributeValue, Edge, Entity, EntityKey
from kg.provenance import best_probability
from kg.vocabulary import Vocabulary

__all__ = ["FORMAT", "Snapshot", "build_snapshot", "load_snapshot", "save_snapshot"]

FORMAT = 1
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
    names: tuple[str, ...]
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
        digest = hashlib.sha256()
        for names in (self.entities.names, self.relation_names.names, self.labels.names):
            digest.update("\x00".join(names).encode() + b"\x01")
        for name in sorted(self.attributes):
            column = self.attributes[name]
            digest.update(repr((name, [(i, column[i]) for i in sorted(column)])).encode())
        digest.update("\x00".join(self.names).encode())
        for array in ARRAYS:
            digest.update(np.ascontiguousarray(getattr(self, array)).tobytes())
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

    def has_edge(self, head: int, relation: int, tail: int) -> bool:
        """Tell whether an edge is in the snapshot."""
        row = self.neighbours(relation, head)
        place = int(np.searchsorted(row, tail))
        return place < len(row) and int(row[place]) == tail

    def edge_probability(self, head: int, relation: int, tail: int) -> float:
        """Return the probability of an edge, 0 if it is not in the snapshot."""
        positions = self.edge_positions(relation, head)
        place = int(np.searchsorted(self.tails[positions], tail))
        if place < len(positions) and int(self.tails[positions[place]]) == tail:
            return float(self.probabilities[positions[place]])
        return 0.0

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


def build_snapshot(entities: Iterable[Entity], edges: Iterable[Edge]) -> Snapshot:
    """Freeze entities and edges into arrays; the result does not depend on their order.

    An edge whose end is not among the entities is a `KeyError` of the vocabulary: stores never
    return one.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> build_snapshot([Entity(key=EntityKey("a"), label="X", name="a")], []).num_entities
        1
    """
    rows = sorted(entities, key=lambda entity: entity.key)
    keys = Vocabulary(row.key for row in rows)
    labels = Vocabulary(sorted({row.label for row in rows}))
    facts = sorted(edges, key=lambda edge: (edge.relation, keys[edge.head], keys[edge.tail]))
    relations = Vocabulary(sorted({edge.relation for edge in facts}))
    attributes: dict[str, dict[int, AttributeValue]] = {}
    for position, row in enumerate(rows):
        for name, value in row.attributes.items():
            attributes.setdefault(name, {})[position] = value
    return Snapshot(
        entities=keys,
        relation_names=relations,
        labels=labels,
        names=tuple(row.name for row in rows),
        attributes=attributes,
        heads=np.array([keys[edge.head] for edge in facts], dtype=np.int32),
        relations=np.array([relations[edge.relation] for edge in facts], dtype=np.int32),
        tails=np.array([keys[edge.tail] for edge in facts], dtype=np.int32),
        probabilities=np.array([best_probability(e.provenance) for e in facts], dtype=np.float32),
        label_ids=np.array([labels[row.label] for row in rows], dtype=np.int32),
        parents=_parents(rows, keys.get),
    )


def _parents(rows: list[Entity], find: Callable[[str], int | None]) -> NDArray[np.int32]:
    found = (None if row.part is None else find(row.part.parent) for row in rows)
    return np.array([-1 if parent is None else parent for parent in found], dtype=np.int32)


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Write a snapshot; ``snapshot.json`` comes last, so a folder without it is not one."""
    for name in ARRAYS:
        with atomic_write(folder / f"{name}.npy") as file:
            np.save(file, getattr(snapshot, name), allow_pickle=False)
    write_json(
        folder / "snapshot.json",
        {
            "format": FORMAT,
            "hash": snapshot.hash,
            "entities": list(snapshot.entities),
            "relations": list(snapshot.relation_names),
            "labels": list(snapshot.labels),
            "names": list(snapshot.names),
            "attributes": {
                name: {str(position): value for position, value in column.items()}
                for name, column in snapshot.attributes.items()
            },
        },
    )


def load_snapshot(folder: Path) -> Snapshot:
    """Open a snapshot; its arrays are memory-mapped, read only.

    Raises:
        MissingPartError: The folder holds none.
        ForeignFileError: A file is not what it should be, or the hash does not agree.
        FormatVersionError: It has another format number.
    """
    path = folder / "snapshot.json"
    if not path.exists():
        raise MissingPartError("no snapshot", where=str(folder), hint="run `umbra build`")
    head = read_json(path, kind="snapshot", formats=(FORMAT,))
    snapshot = Snapshot(
        entities=Vocabulary([EntityKey(key) for key in head["entities"]]),
        relation_names=Vocabulary(head["relations"]),
        labels=Vocabulary(head["labels"]),
        names=tuple(head["names"]),
        attributes={
            name: {int(position): _value(value) for position, value in column.items()}
            for name, column in head["attributes"].items()
        },
        **{name: _array(folder / f"{name}.npy") for name in ARRAYS},
    )
    if snapshot.hash != head["hash"]:
        raise ForeignFileError(
            "the arrays of a snapshot do not agree with its hash",
            where=str(folder),
            hint="delete the folder and run `umbra build`",
        )
    return snapshot


def _value(value: Any) -> AttributeValue:
    return tuple(value) if isinstance(value, list) else value


def _array(path: Path) -> NDArray[Any]:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
    except (OSError, ValueError) as error:
        raise ForeignFileError(
            "not an array of a snapshot", where=str(path), hint="delete the folder and build again"
        ) from error
