"""Snapshots: a graph frozen into arrays, memory-mapped, named by the hash of its content.

Reasoning's hot loops run here and never in Cypher. A checkpoint names the snapshot it was trained
on. The folder holds ``snapshot.json`` (names, format number, hash) and one ``.npy`` file an array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import ForeignFileError, MissingPartError
from kg.files import atomic_write, read_json, write_json
from kg.model import AttributeValue, Edge, Entity, EntityKey
from kg.provenance import best_probability
from kg.snapshot_arrays import ARRAYS, Snapshot
from kg.vocabulary import Vocabulary

__all__ = ["FORMAT", "Snapshot", "build_snapshot", "load_snapshot", "save_snapshot"]

FORMAT = 1
HINT = "delete the folder and run `umbra build`"


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
    """Write a snapshot; ``snapshot.json`` comes last, so a folder without it is not one.

    What was there before is replaced; who has it open keeps what they opened.
    """
    (folder / "snapshot.json").unlink(missing_ok=True)
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
        raise MissingPartError("no snapshot", where=str(folder), hint="run `umbra train`")
    head = read_json(path, kind="snapshot", formats=(FORMAT,))
    arrays = {name: _array(folder / f"{name}.npy", name) for name in ARRAYS}
    try:
        snapshot = _assembled(head, arrays)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ForeignFileError("not the head of a snapshot", where=str(path), hint=HINT) from error
    if snapshot.hash != head.get("hash"):
        raise ForeignFileError("arrays and hash do not agree", where=str(folder), hint=HINT)
    return snapshot


def _assembled(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Snapshot:
    attributes = {
        name: {int(position): _value(value) for position, value in column.items()}
        for name, column in head["attributes"].items()
    }
    names = Vocabulary([EntityKey(key) for key in head["entities"]])
    relations, labels = Vocabulary(head["relations"]), Vocabulary(head["labels"])
    return Snapshot(
        entities=names,
        relation_names=relations,
        labels=labels,
        names=tuple(head["names"]),
        attributes=attributes,
        **arrays,
    )


def _value(value: Any) -> AttributeValue:
    return tuple(value) if isinstance(value, list) else value


def _array(path: Path, name: str) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ForeignFileError("not an array", where=str(path), hint=HINT) from error
    expected = np.float32 if name == "probabilities" else np.int32
    if array.ndim != 1 or array.dtype != expected:
        raise ForeignFileError("not an array of a snapshot", where=str(path), hint=HINT)
    return array
