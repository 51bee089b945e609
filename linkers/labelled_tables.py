"""Tables of mentions whose entities are known: what a linker is trained on, in any table format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kg.errors import InputError, LimitError, MappingError, RecordError
from kg.formats.records import Record, Reject
from kg.formats.tables import TableFiles, table_columns
from kg.model import EntityKey
from linkers.mention_samples import GoldColumn
from linkers.mention_sets import MAX_ROWS, MentionSet
from linkers.model import Mention
from linkers.records import MentionColumns, check_columns, mention_of, whole

__all__ = ["LabelledTable", "read_labelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTable:
    """Mentions with their entities, and what could not be read.

    Attributes:
        mentions: The mentions, with what they mean and their splits.
        rejects: Rows that could not be read.
    """

    mentions: MentionSet
    rejects: tuple[Reject, ...] = field(default=())


def read_labelled(
    path: Path, columns: MentionColumns, *, gold: str = "entity_id", split: str = "split"
) -> LabelledTable:
    """Read a table, or a folder of tables.

    Args:
        path: JSON Lines, CSV, TSV or Parquet.
        columns: Which column holds which part of a mention.
        gold: Column with the key of the entity, or a template of it; an empty value is NIL.
        split: Column with ``train``, ``valid`` or ``test``; there need be none.

    Raises:
        RecordError: A file is missing, damaged, or not of its format at all.
        MappingError: A table lacks a column.
        LimitError: There are more than `linkers.mention_sets.MAX_ROWS` rows.
        InputError: No row could be read; the first reason is named.
    """
    files, column = TableFiles.of(path), GoldColumn(gold)
    mentions: list[Mention] = []
    keys: list[EntityKey | None] = []
    splits: list[str] = []
    rejects: list[Reject] = []
    for number, name in enumerate(files.names):
        declared = table_columns(files.paths[number])
        if declared is not None:
            check_columns(columns, declared, also=column.paths, where=name)
        for row in files.rows(number):
            read = row if isinstance(row, Reject) else _read(row, columns, column, split, name)
            if isinstance(read, Reject):
                rejects.append(read)
                continue
            if len(mentions) == MAX_ROWS:
                raise LimitError(f"more than {MAX_ROWS:,} mentions", where=name)
            mentions.append(read[0].placed())
            keys.append(read[1])
            splits.append(read[2])
    if not mentions:
        why = f": line {rejects[0].line}, {rejects[0].reason}" if rejects else ""
        raise InputError(f"the table holds no mention that could be read{why}", where=str(path))
    return LabelledTable(
        mentions=MentionSet(mentions=tuple(mentions), gold=tuple(keys), splits=tuple(splits)),
        rejects=tuple(rejects),
    )


def _read(
    row: Record, columns: MentionColumns, gold: GoldColumn, split: str, name: str
) -> tuple[Mention, EntityKey | None, str] | Reject:
    try:
        missing = [path for path in gold.paths if path.split(".")[0] not in row.fields]
        if missing and gold.text not in row.fields:
            raise MappingError(f"no column {missing[0]!r}")
        mention = mention_of(row.fields, columns, path=name, line=row.line)
        if gold.is_template:
            key = gold.of(row.fields) or ""
        else:
            key = _text(row.fields, gold.text, name, row.line)
        return mention, EntityKey(key) if key else None, _text(row.fields, split, name, row.line)
    except (RecordError, MappingError) as error:
        blamed = error.column if isinstance(error, RecordError) else gold.text
        return Reject(file=name, line=row.line, column=blamed, reason=error.what, text=row.text)


def _text(values: Mapping[str, Any], column: str, name: str, line: int) -> str:
    value = whole(values.get(column))
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise RecordError(
            f"a text is needed, not {type(value).__name__}", path=name, line=line, column=column
        )
    return value.strip()
