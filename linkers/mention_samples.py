"""Mentions of a table, perhaps with what they mean: a sample that is the same each time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.errors import InputError, LimitError, RecordError
from kg.formats.records import Record, Reject
from kg.formats.tables import TableFiles, table_columns
from kg.model import EntityKey
from kg.templates import MISSING, Template, look_up
from linkers.model import Mention
from linkers.records import MentionColumns, check_columns, mention_of, whole

__all__ = ["MAX_ROWS", "GoldColumn", "MentionRows", "read_mentions", "sampled"]

MAX_ROWS = 5_000_000
"""Rows of a table that a sample is drawn from; of each that is not drawn a hash is held."""


@dataclass(frozen=True, slots=True)
class GoldColumn:
    """Where a table says what its mentions mean.

    Attributes:
        text: A column with keys of entities, or a template such as ``country:{code}``. An empty
            value says that no entity is meant.

    Example:
        >>> GoldColumn("country:{code}").of({"code": "PE"}), GoldColumn("key").of({"key": ""})
        ('country:PE', None)
    """

    text: str

    @property
    def is_template(self) -> bool:
        """Whether keys are made of columns."""
        return "{" in self.text

    @property
    def paths(self) -> tuple[str, ...]:
        """Columns that are read."""
        return Template.parse(self.text).paths if self.is_template else (self.text,)

    def of(self, fields: Mapping[str, Any]) -> EntityKey | None:
        """Return the key of a row's entity; None if it says that there is none."""
        if not self.is_template:
            value = whole(look_up(fields, self.text))
            return None if value is MISSING else EntityKey(str(value))
        try:
            return EntityKey(Template.parse(self.text).fill(fields))
        except RecordError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionRows:
    """Mentions of a table.

    Attributes:
        mentions: Those that were drawn, in the table's order.
        gold: What each means, as the table says; None if it does not say.
        total: Mentions of the table.
        rejects: Rows that could not be read.
    """

    mentions: tuple[Mention, ...]
    gold: tuple[EntityKey | None, ...] | None = None
    total: int = 0
    rejects: int = 0


def read_mentions(
    path: Path,
    columns: MentionColumns,
    *,
    most: int,
    gold: GoldColumn | None = None,
    seed: int = 0,
) -> MentionRows:
    """Read a sample of the mentions of a table, or of a folder of tables.

    Args:
        path: JSON Lines, CSV, TSV (also with ``.gz``), Parquet, or a folder of them.
        columns: Which column holds what.
        most: Mentions to draw.
        gold: Where it stands what they mean.
        seed: Another one gives another sample.

    Raises:
        RecordError: A file is missing or is not of its format.
        MappingError: A table lacks a column.
        InputError: It holds no mention.
        LimitError: It has too many rows.
    """
    groups: list[str] = []
    rejects = 0
    for number, (_, mention) in enumerate(_rows(path, columns)):
        if number == MAX_ROWS:
            raise LimitError(f"more than {MAX_ROWS:,} rows", where=str(path), hint="give a part")
        if mention is None:
            rejects += 1
        else:
            groups.append(_group(mention, len(groups), seed))
    if not groups:
        raise InputError(
            "the table holds no mention",
            where=str(path),
            hint=f"{rejects:,} rows could not be read; name the columns with --map",
        )
    chosen = set(sampled(groups, most))
    read = [(r, m) for r, m in _rows(path, columns, only=chosen) if m is not None]
    return MentionRows(
        mentions=tuple(mention for _, mention in read),
        gold=None if gold is None else tuple(gold.of(row.fields) for row, _ in read),
        total=len(groups),
        rejects=rejects,
    )


def sampled(groups: Sequence[str], most: int) -> list[int]:
    """Return which items are drawn: whole groups, in the order of their hashes.

    Args:
        groups: Hash of each item's group.
        most: How many at most; the first group is taken whatever its size.

    Example:
        >>> sampled(["b", "a", "b", "c"], 3)
        [0, 1, 2]
    """
    members: dict[str, list[int]] = {}
    for item, group in enumerate(groups):
        members.setdefault(group, []).append(item)
    chosen: list[int] = []
    for group in sorted(members):
        if not chosen or len(chosen) + len(members[group]) <= most:
            chosen += members[group]
        if len(chosen) >= most:
            break
    return sorted(chosen)


def _rows(
    path: Path, columns: MentionColumns, *, only: set[int] | None = None
) -> Iterator[tuple[Record, Mention | None]]:
    """Yield rows with their mention, None for one that cannot be read; of `only`, by number."""
    files = TableFiles.of(path)
    count = 0
    for number, file in enumerate(files.paths):
        name = files.names[number]
        declared = table_columns(file)
        if declared is not None:
            check_columns(columns, declared, where=name)
        for row in files.rows(number):
            if isinstance(row, Reject):
                yield Record(fields={}, line=row.line, text=""), None
                continue
            try:
                mention = mention_of(row.fields, columns, path=name, line=row.line)
            except RecordError:
                yield row, None
                continue
            count += 1
            if only is None or count - 1 in only:
                yield row, mention


def _group(mention: Mention, row: int, seed: int) -> str:
    name = f"m {row} {mention.id}" if mention.document is None else f"d {mention.document}"
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()[:16]
