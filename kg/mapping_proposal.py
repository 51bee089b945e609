"""A mapping proposed for one table: its columns are looked at, their types inferred and shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from kg.backends.names import RESERVED_ATTRIBUTES, is_name
from kg.errors import RecordError
from kg.formats.records import Record, Reject
from kg.formats.tables import read_table, table_delimiter

__all__ = ["SAMPLE_ROWS", "propose_mapping"]

SAMPLE_ROWS = 1_000
SEPARATORS = (";", "|")
"""What stands between the items of a list."""

LISTS_FROM = 0.2
"""Share of the values with a separator from which a column is taken for lists."""

KEYS, NAMES = ("key", "id"), ("name", "title", "label")
HEADS = ("head", "source", "from", "subject", "start", "who")
TAILS = ("tail", "target", "to", "object", "end", "whom")
RELATIONS = ("relation", "predicate", "type")

_INT, _FLOAT = re.compile(r"[+-]?\d{1,18}"), re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PLAIN = re.compile(r"(?!\s)[^{}\x00-\x1f\x7f]+(?<!\s)")
"""Names of columns that a mapping can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    name: str
    type: str
    separator: str | None
    filled: int
    distinct: int
    example: str


def propose_mapping(path: Path) -> str:
    r"""Return a mapping for a table, as TOML with what was seen in comments.

    A table with a head and a tail by the names of its columns becomes edges, any other entities.
    Nothing is written; what is proposed is for a person to correct.

    Args:
        path: CSV, TSV or JSON Lines, plain or ``.gz``, or Parquet.

    Raises:
        RecordError: The file is missing, empty, or of another format.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "towns.csv"
        >>> _ = file.write_text("id,name,people\n1,Oslo,700000\n2,Bergen,\n")
        >>> print(propose_mapping(file).splitlines()[-1])
        people = { path = "people", type = "int" }  # 1 of 2 rows, such as 700000
    """
    delimiter = table_delimiter(path)
    rows = islice(read_table(path, delimiter=delimiter), SAMPLE_ROWS)
    read = list(rows)
    records = [row for row in read if isinstance(row, Record)]
    if not records:
        raise RecordError("no row that can be read", path=str(path))
    names = dict.fromkeys(name for record in records for name in record.fields)
    columns = [_column(name, [record.fields.get(name) for record in records]) for name in names]
    usable = [column for column in columns if column is not None]
    lines = [
        "format = 1",
        f"# proposed from the first {len(records)} rows of {path.name}: correct it, then build",
        "",
    ]
    file = [f"file = {_text(path.name)}"]
    file += [f"delimiter = {_text(delimiter)}"] if delimiter is not None else []
    ends = [_named(usable, wanted) for wanted in (HEADS, TAILS)]
    if ends[0] is not None and ends[1] is not None:
        lines += _edges(path, file, usable, ends[0], ends[1], len(records))
    else:
        lines += _entities(path, file, usable, len(records))
    left = [name for name, column in zip(names, columns, strict=True) if column is None]
    why = "nested or with a name that no mapping can say"
    lines += [f"# left out: {name!r}, {why}" for name in left]
    faulty = [row for row in read if isinstance(row, Reject)]
    if faulty:
        first = f"line {faulty[0].line}: {faulty[0].reason}"
        lines.append(f"# {len(faulty)} of {len(read)} rows cannot be read, the first in {first}")
    return "\n".join(lines) + "\n"


def _column(name: str, values: Sequence[Any]) -> _Column | None:
    """Return what is seen in a column; None if it is nested, or a mapping cannot name it."""
    filled = [value for value in values if value not in (None, "")]
    if not _PLAIN.fullmatch(name) or any(isinstance(value, dict) for value in filled):
        return None
    separator = _separator(filled)
    kind = "str[]" if separator is not None else _type(filled)
    return _Column(
        name=name,
        type=kind,
        separator=separator,
        filled=len(filled),
        distinct=len({str(value) for value in filled}),
        example=str(filled[0])[:40] if filled else "",
    )


def _separator(values: Sequence[Any]) -> str | None:
    texts = [value for value in values if isinstance(value, str)]
    for separator in SEPARATORS:
        if texts and sum(separator in text for text in texts) >= LISTS_FROM * len(texts):
            return separator
    return None


def _type(values: Sequence[Any]) -> str:
    if values and all(isinstance(value, list) for value in values):
        return f"{_type([item for value in values for item in value])}[]"
    texts = [value if isinstance(value, bool) else str(value) for value in values]
    kinds = (
        ("bool", lambda t: isinstance(t, bool) or t.lower() in ("true", "false", "yes", "no")),
        ("int", lambda t: isinstance(t, str) and _INT.fullmatch(t) is not None),
        ("float", lambda t: isinstance(t, str) and _FLOAT.fullmatch(t) is not None),
    )
    return next((kind for kind, fits in kinds if texts and all(map(fits, texts))), "str")


def _named(columns: Iterable[_Column], wanted: tuple[str, ...]) -> _Column | None:
    by_name = {column.name.lower(): column for column in columns}
    return next((by_name[name] for name in wanted if name in by_name), None)


def _entities(path: Path, file: list[str], columns: list[_Column], rows: int) -> list[str]:
    unique = (column for column in columns if column.distinct == column.filled == rows)
    key = _named(columns, KEYS) or next(unique, None)
    if key is None:
        raise RecordError(
            "no column whose values could be keys",
            path=str(path),
            hint="write a mapping whose key is a template of several columns (docs/mapping.md)",
        )
    name = _named(columns, NAMES) or key
    stem = path.name.partition(".")[0]
    label = stem.capitalize() if is_name(stem.capitalize()) else "Thing"
    rest = [column for column in columns if column not in (key, name)]
    return [
        "[[entities]]",
        *file,
        f"label = {_text(label)}",
        f"key = {_text(f'{label.lower()}:{{{key.name}}}')}",
        f"name = {_text(f'{{{name.name}}}')}",
        *_attributes("entities", rest, rows),
    ]


def _edges(
    path: Path, file: list[str], columns: list[_Column], head: _Column, tail: _Column, rows: int
) -> list[str]:
    relation = _named(columns, RELATIONS)
    stem = path.name.partition(".")[0]
    fixed = stem if is_name(stem) else "related_to"
    rest = [column for column in columns if column not in (head, tail, relation)]
    ends = (f"{{{end.name}}}" for end in (head, tail))
    things = (
        [
            "[[entities]]",
            *file,
            'label = "Thing"',
            f"key = {end}",
            f"name = {end}",
            "once = true",
            "",
        ]
        for end in map(_text, ends)
    )
    return [
        "# if another table has the entities, put it in the place of these two, and its keys below",
        *chain.from_iterable(things),
        "[[edges]]",
        *file,
        f"head = {_text(f'{{{head.name}}}')}",
        f"relation = {_text(fixed if relation is None else f'{{{relation.name}}}')}",
        f"tail = {_text(f'{{{tail.name}}}')}",
        *_attributes("edges", rest, rows),
    ]


def _attributes(place: str, columns: list[_Column], rows: int) -> list[str]:
    lines = ["", f"[{place}.attributes]"] if columns else []
    taken = set(RESERVED_ATTRIBUTES)
    for column in columns:
        name = re.sub(r"\W", "_", column.name)
        name = name if is_name(name) else f"x_{name}"
        while name in taken:
            name += "_"
        taken.add(name)
        fields: Mapping[str, str | None] = {
            "path": column.name,
            "type": column.type,
            "separator": column.separator,
        }
        inner = ", ".join(f"{key} = {_text(value)}" for key, value in fields.items() if value)
        seen = f"{column.filled} of {rows} rows"
        example = f", such as {column.example}" if column.filled else ""
        lines.append(f"{_text(name) if not name.isascii() else name} = {{ {inner} }}  # {seen}"
                     + re.sub(r"[\x00-\x1f\x7f]", " ", example))  # fmt: skip
    return lines


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
