"""JSON Lines of a whole graph: ``{"entity": {…}}`` and ``{"edge": {…}}``, a line each; no loss.

The fields are those of `kg.model.Entity` and `kg.model.Edge`. Edges may stand before their ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kg.errors import InputError, RecordError
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Reject, count_lines
from kg.graph_formats.plain import edge_fields, edge_from, entity_fields, entity_from
from kg.graph_formats.protocol import Graph, GraphFormat, Tally, Written, packed
from kg.graph_formats.rows import row_source, take_edge, taken
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.model import Edge, Entity
from kg.progress import Progress

__all__ = ["LINES", "facts_in", "graph_lines"]


def graph_lines(graph: Graph, seen: Callable[[Entity], None] = lambda _: None) -> Iterator[bytes]:
    """Iterate the lines of a graph, entities before edges.

    Args:
        graph: The graph.
        seen: Told each entity on its way.
    """
    for entity in graph.entities():
        seen(entity)
        yield _line("entity", entity_fields(entity))
    for edge in graph.edges():
        yield _line("edge", edge_fields(edge))


def facts_in(path: Path) -> Iterator[Entity | Edge]:
    """Iterate the entities and edges of a file that Umbra wrote itself.

    Raises:
        RecordError: A line is no entity and no edge.
    """
    for row in read_jsonl(path):
        if isinstance(row, Reject):
            raise RecordError(row.reason, path=str(path), line=row.line)
        if "entity" in row.fields:
            yield entity_from(row.fields["entity"])
        else:
            yield edge_from(row.fields["edge"])


def _write(graph: Graph, path: Path, progress: Progress) -> Written:
    tally = Tally(graph, progress)
    with packed(path) as file:
        file.writelines(graph_lines(tally))
    return tally.written


def _line(kind: str, fields: dict[str, Any]) -> bytes:
    return json.dumps({kind: fields}, ensure_ascii=False).encode() + b"\n"


@contextmanager
def _opened(path: Path, _work: Path) -> Iterator[ImportSource]:
    yield row_source(path, count_lines(path), _rows)


def _rows(path: Path) -> Iterator[MappedRow]:
    return (taken(path, record, _take) for record in read_jsonl(path))


def _take(row: MappedRow, fields: Mapping[str, Any]) -> None:
    kind, content = next(iter(fields.items()), ("", None))
    if len(fields) != 1 or kind not in ("entity", "edge") or not isinstance(content, dict):
        raise InputError('neither {"entity": {…}} nor {"edge": {…}}')
    if kind == "entity":
        row.entity = entity_from(content)
    else:
        take_edge(row, edge_from(content))


LINES = GraphFormat(
    name="jsonl",
    endings=(".jsonl", ".ndjson"),
    fits=lambda _path, head: head.lstrip(b"\xef\xbb\xbf \r\n").startswith(
        (b'{"entity":', b'{"edge":')
    ),
    opened=_opened,
    write=_write,
)
