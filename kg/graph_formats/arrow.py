"""Arrow and Parquet: one table with a row for each entity, then for each edge; no loss.

Columns: ``kind`` (entity or edge), ``key``, ``label``, ``name``, ``aliases``, ``head``,
``relation``, ``tail``, and as JSON ``attributes``, ``images``, ``part``, ``provenance``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from kg.errors import InputError, RecordError
from kg.files import atomic_write
from kg.formats.parquet import parquet_columns, parquet_rows, read_parquet
from kg.formats.records import Record, Reject
from kg.graph_formats.plain import edge_fields, edge_from, entity_fields, entity_from, from_json
from kg.graph_formats.protocol import Graph, GraphFormat, Tally, Written
from kg.graph_formats.rows import row_source, take_edge, taken
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.progress import Progress

__all__ = ["ARROW", "PARQUET"]

ROWS_AT_ONCE = 5_000
_AS_JSON = ("attributes", "images", "part", "provenance", "claims")
_TEXTS = ("kind", "key", "label", "name", "head", "relation", "tail", *_AS_JSON)


def _write(form: str, graph: Graph, path: Path, progress: Progress) -> Written:
    import pyarrow as pa  # type: ignore[import-untyped]  # slow to import
    from pyarrow import parquet

    schema = pa.schema(
        [(name, pa.string()) for name in _TEXTS] + [("aliases", pa.list_(pa.string()))]
    )
    tally = Tally(graph, progress)
    rows = chain(
        (_row("entity", entity_fields(entity)) for entity in tally.entities()),
        (_row("edge", edge_fields(edge)) for edge in tally.edges()),
    )
    with atomic_write(path) as file:
        opened = (
            parquet.ParquetWriter(file, schema)
            if form == "parquet"
            else pa.ipc.new_file(file, schema)
        )
        with opened as table:
            while batch := list(islice(rows, ROWS_AT_ONCE)):
                table.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))
    return tally.written


def _row(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value, ensure_ascii=False) if name in _AS_JSON else value
        for name, value in {"kind": kind, **fields}.items()
    }


@contextmanager
def _opened(form: str, path: Path, _work: Path) -> Iterator[ImportSource]:
    if form == "parquet":
        if not {"kind", "key", "head"} <= set(parquet_columns(path)):
            raise RecordError(
                "a table of rows, and no graph",
                path=str(path),
                hint="say by a mapping what its rows become (docs/mapping.md)",
            )
        yield row_source(path, parquet_rows(path), _from_parquet)
    else:
        yield row_source(path, sum(1 for _ in _arrow_records(path)), _from_arrow)


def _from_parquet(path: Path) -> Iterator[MappedRow]:
    return (taken(path, record, _take) for record in read_parquet(path))


def _from_arrow(path: Path) -> Iterator[MappedRow]:
    return (taken(path, record, _take) for record in _arrow_records(path))


def _arrow_records(path: Path) -> Iterator[Record | Reject]:
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as table:
            line = 0
            for number in range(table.num_record_batches):
                batch = table.get_batch(number)
                batch.validate(full=True)  # damaged offsets would be read wherever they lead
                for fields in batch.to_pylist():
                    line += 1
                    yield Record(line=line, fields=fields, text=str(fields))
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        told = str(error).split("\n")[0][:200]
        raise RecordError(f"damaged, or no Arrow file: {told}", path=str(path)) from error


def _take(row: MappedRow, fields: Mapping[str, Any]) -> None:
    present = {name: value for name, value in fields.items() if value is not None}
    kind = present.pop("kind", None)
    whole = {
        name: from_json(str(value)) if name in _AS_JSON else value
        for name, value in present.items()
    }
    if kind == "entity":
        row.entity = entity_from(whole)
    elif kind == "edge":
        take_edge(row, edge_from(whole))
    else:
        raise InputError(f"kind is {kind!r}, and neither entity nor edge")


PARQUET = GraphFormat(
    name="parquet",
    endings=(".parquet",),
    fits=lambda _path, head: head.startswith(b"PAR1"),
    opened=partial(_opened, "parquet"),
    write=partial(_write, "parquet"),
)
ARROW = GraphFormat(
    name="arrow",
    endings=(".arrow", ".feather"),
    fits=lambda _path, head: head.startswith(b"ARROW1"),
    opened=partial(_opened, "arrow"),
    write=partial(_write, "arrow"),
)
