"""Graph folders as the public data sets have them: ``train/valid/test.tsv.gz`` and what is beside.

`kg.split_files` says in which forms the triples may stand. Beside them there may be
``entities.jsonl.gz`` (key, label, description, aliases) and ``numeric.tsv.gz`` (entity, property,
number). All splits become edges; the source of each is its file, so that one split can be undone,
and a relation whose name a store cannot hold is kept as it was written. A folder is held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kg.backends.merging import checked_edge, checked_entity
from kg.backends.names import BASE_LABEL, RESERVED_ATTRIBUTES, storable_names
from kg.errors import EngineError
from kg.files import sha256_of_file, sha256_of_text
from kg.formats.records import Reject
from kg.graph_folder import read_descriptions, read_numbers
from kg.graph_formats.protocol import GraphFormat
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.split_files import SPLITS, SplitFiles, read_splits, split_file
from kg.triple_files import TripleFile

__all__ = ["BENCHMARK"]

ENTITIES, NUMBERS = "entities.jsonl.gz", "numeric.tsv.gz"


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows that are made one by one from a list."""

    positions: int
    make: Callable[[int], MappedRow]

    def rows(self, first: int) -> Iterator[MappedRow]:
        for position in range(max(first, 1), self.positions + 1):
            yield self.make(position)


@contextmanager
def _opened(path: Path, _work: Path) -> Iterator[ImportSource]:
    rejects: list[Reject] = []
    splits = read_splits(path, rejects)
    entities = (_entities(path, splits, rejects),)
    edges = [_edges(path, split, splits) for split in splits.triples]
    yield ImportSource(
        name=path.name,
        content=sha256_of_text(" ".join(map(sha256_of_file, _files(path)))),
        entities=entities,
        edges=(*edges, _Rows(len(rejects), lambda position: _rejected(rejects, position))),
        sample=entities,
    )


def _files(path: Path) -> list[Path]:
    openke = (f"{split}2id.txt" for split in SPLITS)
    names = (ENTITIES, NUMBERS, "entity2id.txt", "relation2id.txt", *openke)
    found = [split_file(path, split) for split in SPLITS] + [path / name for name in names]
    return [file for file in found if file is not None and file.is_file()]


def _rejected(rejects: Sequence[Reject], position: int) -> MappedRow:
    reject = rejects[position - 1]
    return MappedRow(
        file=reject.file, line=reject.line, text=reject.text, rejects=[reject], position=position
    )


def _edges(path: Path, split: str, splits: SplitFiles) -> _Rows:
    file = splits.triples[split]
    source = (split_file(path, split) or path / f"{split}2id.txt").name
    names = {name for each in splits.triples.values() for name in each.names[1]}
    stored = storable_names(sorted(names), taken=[BASE_LABEL])

    def make(position: int) -> MappedRow:
        head, relation, tail = _triple(file, position - 1)
        text = f"{head}\t{relation}\t{tail}"
        record = Provenance(kind="asserted", source=source, locator=f"triple {position}")
        row = MappedRow(file=source, line=position, text=text, asserted=record)
        edge = Edge(
            head=EntityKey(head), relation=stored[relation], tail=EntityKey(tail),
            attributes={} if stored[relation] == relation else {"written": relation},
            provenance=(record,),
        )  # fmt: skip
        try:
            row.edge = checked_edge(edge)
        except EngineError as error:
            row.blame(error)
        return row

    return _Rows(len(file.numbers), make)


def _triple(file: TripleFile, place: int) -> list[str]:
    return [names[at] for names, at in zip(file.names, file.numbers[place], strict=True)]


def _entities(path: Path, splits: SplitFiles, rejects: list[Reject]) -> _Rows:
    keys = sorted({name for file in splits.triples.values() for name in _used(file)})
    source = (split_file(path, "train") or path / "train2id.txt").name
    told = read_descriptions(path / ENTITIES, rejects)
    numbers = _numbers(path / NUMBERS, rejects)

    def make(position: int) -> MappedRow:
        key = keys[position - 1]
        record = Provenance(kind="asserted", source=path.name)
        row = MappedRow(file=source, line=position, text=key, asserted=record)
        entity = Entity(
            key=EntityKey(key), label=BASE_LABEL, name=key, provenance=(record,),
            attributes=numbers.get(key, {}),
        )  # fmt: skip
        try:
            row.entity = checked_entity(_described(entity, told.get(key, {})))
        except EngineError as error:
            row.blame(error)
        return row

    return _Rows(len(keys), make)


def _used(file: TripleFile) -> Iterator[str]:
    for column in (0, 2):
        names = file.names[column]
        yield from (names[at] for at in np.unique(file.numbers[:, column]))


def _described(entity: Entity, fields: Mapping[str, Any]) -> Entity:
    name, description = fields.get("label"), fields.get("description")
    aliases = fields.get("aliases")
    attributes = dict(entity.attributes)
    if isinstance(description, str) and description:
        attributes["description"] = description
    return replace(
        entity,
        name=name if isinstance(name, str) and name else entity.name,
        aliases=tuple(a for a in aliases if isinstance(a, str))
        if isinstance(aliases, list)
        else (),
        attributes=attributes,
    )


def _numbers(path: Path, rejects: list[Reject]) -> dict[str, dict[str, float]]:
    """Return numbers by entity; of several for one entity and property the first stays."""
    rows = read_numbers(path, rejects)
    names = sorted({name for _, name, _ in rows})
    stored = storable_names(names, taken=[*RESERVED_ATTRIBUTES, "description"])
    found: dict[str, dict[str, float]] = {}
    for key, name, value in rows:
        found.setdefault(key, {}).setdefault(stored[name], value)
    return found


def _fits(path: Path, _head: bytes) -> bool:
    return split_file(path, "train") is not None or (path / "train2id.txt").is_file()


BENCHMARK = GraphFormat(name="benchmark", endings=(), fits=_fits, opened=_opened, write=None)
