"""Graph folders: `train/valid/test.tsv.gz` of the field's data sets, read into one snapshot.

A folder holds up to three files of head, relation, tail; `kg.split_files` says in which forms.
Beside them there may be `entities.txt` and `relations.txt` (one name a line: what integers in query
files mean), `entities.jsonl.gz` (key, label: names to show) and `numeric.tsv.gz` (entity, property,
number: attributes). The graphs of the splits share all ids.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Record, Reject
from kg.model import AttributeValue, EntityKey
from kg.snapshot_arrays import Snapshot
from kg.split_files import SPLITS, read_splits, refuse
from kg.triple_files import TripleFile, lines_of
from kg.vocabulary import Vocabulary

__all__ = ["SPLITS", "GraphFolder", "load_graph_folder", "read_descriptions", "read_numbers"]

_LABEL = "Entity"


@dataclass(frozen=True, kw_only=True, eq=False)
class GraphFolder:
    """A graph whose edges are split.

    Attributes:
        path: Where it was read.
        full: All edges of all splits.
        split: ``(num_edges,)`` int8, the number in `SPLITS` of each edge of `full`; an edge that
            stands in several files belongs to the first of them, so that no known edge is
            held out (6,584 of the 9,904 lines of DB15K's validation stand in its training file).
        repeated: How many lines of each split repeat an edge of it or of an earlier split.
        entity_order: Names that integers in query files stand for, by `entity2id.txt` or
            `entities.txt`; None without.
        relation_order: The same for relations.
    """

    path: Path
    full: Snapshot
    split: NDArray[np.int8] = field(repr=False)
    repeated: Mapping[str, int] = field(default_factory=dict)
    entity_order: tuple[str, ...] | None = field(default=None, repr=False)
    relation_order: tuple[str, ...] | None = field(default=None, repr=False)

    @cached_property
    def train(self) -> Snapshot:
        """The training edges."""
        return self.full.keeping(self.split == 0)

    @cached_property
    def train_valid(self) -> Snapshot:
        """The training and validation edges."""
        return self.full.keeping(self.split <= 1)

    def edges(self, name: str) -> NDArray[np.int32]:
        """Return the ``(n, 3)`` head, relation and tail ids of a split, sorted by relation.

        Raises:
            InputError: There is no split of that name.
        """
        if name not in SPLITS:
            raise InputError(f"no split {name!r}", hint=f"take one of {', '.join(SPLITS)}")
        keep = self.split == SPLITS.index(name)
        graph = self.full
        return np.stack([graph.heads[keep], graph.relations[keep], graph.tails[keep]], axis=1)


def load_graph_folder(folder: Path) -> GraphFolder:
    r"""Read a graph folder.

    Raises:
        MissingPartError: There is no training file.
        InputError: A line is not head, relation, tail; file and line are named.
        LimitError: There are too many lines.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp())
        >>> _ = (place / "train.tsv").write_text("a\tlikes\tb\n")
        >>> load_graph_folder(place).train.num_edges
        1
    """
    files = read_splits(folder)
    triples = files.triples
    entity_order = files.entities or _order(folder / "entities.txt")
    relation_order = files.relations or _order(folder / "relations.txt")
    entities = Vocabulary(map(EntityKey, _names(triples, (0, 2), entity_order)))
    relations = Vocabulary(_names(triples, (1,), relation_order))
    edges, split = _numbered(triples, entities, relations)
    lines = {name: len(file.numbers) for name, file in triples.items()}
    full = Snapshot(
        entities=entities,
        relation_names=relations,
        labels=Vocabulary([_LABEL]),
        names=_shown(folder / "entities.jsonl.gz", entities),
        attributes=_attributes(folder / "numeric.tsv.gz", entities),
        heads=edges[:, 1].copy(),
        relations=edges[:, 0].copy(),
        tails=edges[:, 2].copy(),
        probabilities=np.ones(len(edges), dtype=np.float32),
        label_ids=np.zeros(len(entities), dtype=np.int32),
        parents=np.full(len(entities), -1, dtype=np.int32),
    )
    return GraphFolder(
        path=folder,
        full=full,
        split=split,
        repeated={
            name: count - int((split == SPLITS.index(name)).sum()) for name, count in lines.items()
        },
        entity_order=entity_order,
        relation_order=relation_order,
    )


def _names(
    triples: Mapping[str, TripleFile], columns: tuple[int, ...], more: tuple[str, ...] | None
) -> list[str]:
    """Return the names in some columns of all files, ascending."""
    found = {name for file in triples.values() for c in columns for name in file.names[c]}
    return sorted(found.union(more or ()))


def _numbered(
    triples: Mapping[str, TripleFile],
    entities: Vocabulary[EntityKey],
    relations: Vocabulary[str],
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Return ``(n, 3)`` relation, head, tail ids in the order of a snapshot, and their splits."""
    parts = [np.empty((0, 4), dtype=np.int32)]
    for name, file in triples.items():
        ids = file.ids(entities, relations)
        number = np.full((len(ids), 1), SPLITS.index(name), dtype=np.int32)
        parts.append(np.concatenate([ids[:, [1, 0, 2]], number], axis=1))
    rows_of_all = np.concatenate(parts)
    order = np.lexsort(rows_of_all.T[::-1])
    ordered = rows_of_all[order]
    first = np.ones(len(ordered), dtype=np.bool_)
    first[1:] = (ordered[1:, :3] != ordered[:-1, :3]).any(axis=1)
    kept = ordered[first]
    return kept[:, :3], kept[:, 3].astype(np.int8)


def _order(path: Path) -> tuple[str, ...] | None:
    if not path.is_file():
        return None
    names = list(lines_of(path))
    while names and not names[-1]:
        names.pop()
    if "" in names:
        raise InputError("an empty line", where=f"{path}:{names.index('') + 1}")
    return tuple(names)


def _shown(path: Path, entities: Vocabulary[EntityKey]) -> tuple[str, ...]:
    names: list[str] = list(entities.names)
    for key, fields in read_descriptions(path).items():
        place, label = entities.get(key), fields.get("label")
        if place is not None and isinstance(label, str) and label:
            names[place] = label
    return tuple(names)


def read_descriptions(
    path: Path, rejects: list[Reject] | None = None
) -> dict[str, Mapping[str, Any]]:
    """Return the objects of a file of JSON Lines by their ``key``; none without a file.

    Args:
        path: Plain or gzip.
        rejects: Takes the lines that are no such thing; without it the first is an error.

    Raises:
        InputError: A line is no object with a key; it is named.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for row in read_jsonl(path) if path.is_file() else ():
        if isinstance(row, Record) and isinstance(row.fields.get("key"), str):
            found[row.fields["key"]] = row.fields
        else:
            refuse("expected an object with a key", path, row.line, row.text, rejects)
    return found


def _attributes(
    path: Path, entities: Vocabulary[EntityKey]
) -> dict[str, dict[int, AttributeValue]]:
    """Return numbers; of several for one entity and property the first in the file stays."""
    found: dict[str, dict[int, AttributeValue]] = {}
    for key, name, value in read_numbers(path):
        place = entities.get(key)
        if place is not None:
            found.setdefault(name, {}).setdefault(place, value)
    return found


def read_numbers(path: Path, rejects: list[Reject] | None = None) -> list[tuple[str, str, float]]:
    """Return the entity, property and finite number of each line of a file; none without a file.

    Args:
        path: Plain or gzip.
        rejects: Takes the lines that are no such thing; without it the first is an error.

    Raises:
        InputError: A line is no entity, property and number; it is named.
    """
    rows: list[tuple[str, str, float]] = []
    for number, line in enumerate(lines_of(path) if path.is_file() else (), start=1):
        parts = line.split("\t")
        try:
            key, name, value = parts[0], parts[1], float(parts[2])
        except (IndexError, ValueError):
            refuse("expected entity, property, number", path, number, line, rejects)
            continue
        if math.isfinite(value):
            rows.append((key, name, value))
    return rows
