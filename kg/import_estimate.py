"""What an import would cost, from a sample of its files; nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from kg.errors import ImageError
from kg.formats.tables import table_positions
from kg.import_shards import KNOWN_KEYS, SHARD_LINES
from kg.mapped_rows import MappedRow, edge_rows, entity_rows
from kg.mapping import EdgeTable, EntityTable, load_mapping
from kg.model import ImageRef

__all__ = ["ImportEstimate", "estimate_mapping"]

SAMPLE_LINES = 500

# Guesses to add to what is measured: writing to the embedded store on one core, and memory.
ENTITY_S, EDGE_S, IMAGE_S = 4e-4, 3e-4, 3e-3
PROCESS_MB = 70.0
KEY_BYTES = 120
TEXT_FACTOR = 12  # Python objects of a parsed and mapped row over its bytes in the file


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEstimate:
    """What an import would cost.

    Attributes:
        rows: Lines of all files, each counted once for every table that reads it.
        entities: Entities; a key that several tables name counts for each.
        edges: Edges.
        images: Pictures.
        seconds: Measured for reading, guessed for writing.
        peak_memory_mb: Of this process; the store's own comes on top.
    """

    rows: int
    entities: int
    edges: int
    images: int
    seconds: float
    peak_memory_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """The first rows of a table, taken up to the size of its file."""

    lines: int
    made: int
    seconds: float
    line_bytes: float


def estimate_mapping(mapping: Path) -> ImportEstimate:
    """Say what an import would cost, from the first 500 lines of each table.

    Raises:
        MappingError: The mapping cannot be applied.
        RecordError: A file is damaged, or not of its format at all.
    """
    declared = load_mapping(mapping)
    started = time.perf_counter()
    files = {table.source.file for table in declared.entities}
    files |= {table.source.file for table in declared.edges}
    lines = {file: table_positions(file) for file in files}
    counting = time.perf_counter() - started
    nodes = [_sample(table, lines[table.source.file]) for table in declared.entities]
    facts = [_sample(table, lines[table.source.file]) for table in declared.edges]
    entities, edges = (sum(sample.made for sample in each) for each in (nodes, facts))
    with_image = zip(declared.entities, nodes, strict=True)
    images = sum(sample.made for table, sample in with_image if table.image is not None)
    reading = counting + sum(sample.seconds for sample in (*nodes, *facts))
    writing = ENTITY_S * entities + EDGE_S * edges + IMAGE_S * images
    shard_bytes = SHARD_LINES * max(sample.line_bytes for sample in (*nodes, *facts)) * TEXT_FACTOR
    memory = shard_bytes + KEY_BYTES * min(entities, KNOWN_KEYS)
    return ImportEstimate(
        rows=sum(sample.lines for sample in (*nodes, *facts)),
        entities=entities,
        edges=edges,
        images=images,
        seconds=round(reading + writing, 1),
        peak_memory_mb=round(PROCESS_MB + memory / 2**20),
    )


def _sample(table: EntityTable | EdgeTable, lines: int) -> _Sample:
    started = time.perf_counter()
    rows = list(takewhile(lambda row: row.line <= SAMPLE_LINES, _rows(table)))
    seconds = time.perf_counter() - started
    seen = min(lines, SAMPLE_LINES)
    growth = lines / seen if seen else 0.0
    made = sum(row.entity is not None or row.edge is not None for row in rows)
    size = sum({row.line: len(row.text) for row in rows}.values())
    return _Sample(
        lines=lines,
        made=round(made * growth),
        seconds=seconds * growth,
        line_bytes=size / max(1, len({row.line for row in rows})),
    )


def _rows(table: EntityTable | EdgeTable) -> Iterator[MappedRow]:
    return entity_rows(table, _unread) if isinstance(table, EntityTable) else edge_rows(table)


def _unread(name: str) -> ImageRef:
    raise ImageError("not read for an estimate", where=name)
