"""Folders of public benchmarks (`kg.graph_folder`) as whole graphs; only read.

A name of the files is an entity's key, its label in ``entities.jsonl.gz`` the name, and a number of
``numeric.tsv.gz`` an attribute. A relation that no store can hold (``/people/person/profession``)
gets the nearest name that one can, and no two the same; an edge keeps its split, and the relation
as it was written, where that was changed. Such a folder is held in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kg.backends.merging import checked_edge, checked_entity
from kg.backends.names import RESERVED_ATTRIBUTES, storable_names
from kg.errors import EngineError
from kg.files import sha256_of_file, sha256_of_text
from kg.graph_formats.protocol import GraphFormat
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.model import AttributeValue, Edge, Entity
from kg.provenance import Provenance
from kg.split_files import SPLITS, split_file

if TYPE_CHECKING:
    from kg.graph_folder import GraphFolder

__all__ = ["BENCHMARK"]


@dataclass(frozen=True, slots=True)
class _Rows:
    positions: int
    take: Callable[[int, MappedRow], None]
    file: str

    def rows(self, first: int) -> Iterator[MappedRow]:
        """Yield rows by their number, from 1."""
        for number in range(max(first, 1), self.positions + 1):
            row = MappedRow(file=self.file, line=number, text="")
            try:
                self.take(number - 1, row)
            except EngineError as error:
                row.blame(error)
            yield row


class _Folder:
    def __init__(self, graph: GraphFolder) -> None:
        self._graph, self._full = graph, graph.full
        self._relations = storable_names(self._full.relation_names.names)
        self._attributes = storable_names(self._full.attributes, taken=RESERVED_ATTRIBUTES)

    def entity(self, place: int, row: MappedRow) -> None:
        key = self._full.entities.name(place)
        row.text = key
        values: dict[str, AttributeValue] = {
            self._attributes[name]: of_entity[place]
            for name, of_entity in self._full.attributes.items()
            if place in of_entity
        }
        row.entity = checked_entity(
            Entity(
                key=key,
                label="Entity",
                name=self._full.names[place] or key,
                attributes=values,
                provenance=(Provenance(kind="asserted", source=row.file),),
            )
        )

    def edge(self, place: int, row: MappedRow) -> None:
        full = self._full
        head, tail = (full.entities.name(int(ends[place])) for ends in (full.heads, full.tails))
        told = full.relation_names.name(int(full.relations[place]))
        relation, split = self._relations[told], SPLITS[self._graph.split[place]]
        row.text = f"{head}\t{told}\t{tail}"
        row.edge = checked_edge(
            Edge(
                head=head,
                relation=relation,
                tail=tail,
                attributes={"split": split} | ({} if relation == told else {"written": told}),
                provenance=(Provenance(kind="asserted", source=row.file, locator=split),),
            )
        )


@contextmanager
def _opened(path: Path, _work: Path) -> Iterator[ImportSource]:
    from kg.graph_folder import load_graph_folder

    folder = _Folder(graph := load_graph_folder(path))
    entities = (_Rows(graph.full.num_entities, folder.entity, path.name),)
    files = sorted(file for file in path.iterdir() if file.is_file())
    yield ImportSource(
        name=path.name,
        content=sha256_of_text(" ".join(sha256_of_file(file) for file in files)),
        entities=entities,
        edges=(_Rows(graph.full.num_edges, folder.edge, path.name),),
        sample=entities,
    )


BENCHMARK = GraphFormat(
    name="benchmark",
    endings=(),
    fits=lambda path, _head: (
        split_file(path, "train") is not None or (path / "train2id.txt").is_file()
    ),
    opened=_opened,
    write=None,
)
