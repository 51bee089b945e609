"""Rows of a mention file and of a link file: a declared mapping of columns in, plain JSON out."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from kg.errors import MappingError, RecordError
from linkers.model import Link, Mention

__all__ = ["MentionColumns", "check_columns", "link_line", "mention_of", "whole"]

MAX_SURFACE = 500
MAX_CONTEXT = 20_000
MAX_NAME = 500
MAX_IMAGE = 4 * 2**20  # a data URL holds the picture itself


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionColumns:
    """Which column of a file holds which part of a mention; None means that no column does.

    Attributes:
        id: Stable id; results are joined by it.
        surface: The words.
        context: The text around them.
        start: First character of the words in the text.
        end: One past the last.
        image: Name of the picture: a path, a data URL or an address (`kg.image_sources`).
        document: Mentions of one document support one another where they follow in the file.

    Raises:
        MappingError: Neither words nor a picture are mapped, or the id is not.
    """

    id: str = "id"
    surface: str | None = "mention"
    context: str | None = "context"
    start: str | None = "start"
    end: str | None = "end"
    image: str | None = None
    document: str | None = None

    def __post_init__(self) -> None:
        """Refuse a mapping that gives no mention."""
        if not self.id:
            raise MappingError("a mention needs a column for its id")
        if self.surface is None and self.image is None:
            raise MappingError("a mention needs a column for its words or for its picture")

    @classmethod
    def of(cls, names: Mapping[str, str | None]) -> Self:
        """Read a mapping from plain names.

        Raises:
            MappingError: It names a part that mentions do not have.
        """
        unknown = sorted(set(names) - {field.name for field in fields(cls)})
        if unknown:
            known = ", ".join(field.name for field in fields(cls))
            raise MappingError(f"a mention has no {unknown[0]!r}", hint=f"it has {known}")
        return cls(**names)  # type: ignore[arg-type]


def check_columns(
    columns: MentionColumns,
    declared: Collection[str],
    *,
    where: str,
    also: Collection[str] = (),
) -> None:
    """Refuse a mapping that a table cannot serve.

    Columns that are mapped by default may be missing, but for the id; those that a user named, and
    all that could hold a mention, may not.

    Args:
        columns: The mapping.
        declared: Columns of the table.
        where: The table.
        also: Paths into rows that are needed too, such as ``code`` or ``place.code``.

    Raises:
        MappingError: A column is missing.

    Example:
        >>> check_columns(MentionColumns(), ["id", "mention"], where="a.csv")
    """
    usual = MentionColumns()
    for field in fields(columns):
        name = getattr(columns, field.name)
        named = name is not None and name != getattr(usual, field.name)
        if name not in declared and (named or field.name == "id"):
            raise _no_column(name, field.name, declared, where)
    if all(getattr(columns, part) not in declared for part in ("surface", "context", "image")):
        raise _no_column(columns.surface, "surface", declared, where)
    for path in also:
        if path not in declared and path.split(".")[0] not in declared:
            raise MappingError(f"no column {path!r}", where=where)


def _no_column(name: str | None, part: str, declared: Collection[str], where: str) -> MappingError:
    there = ", ".join(map(repr, list(declared)[:20]))
    return MappingError(
        f"no column {name!r}", where=where, hint=f"--map {part}=COLUMN; there are {there}"
    )


def mention_of(
    values: Mapping[str, Any], columns: MentionColumns, *, path: str, line: int
) -> Mention:
    """Read one row.

    Raises:
        RecordError: A value is missing, of a wrong type, too long, or contradicts another; with
            line and column.
    """
    row = _Row(values, path, line)
    surface = row.text(columns.surface, MAX_SURFACE)
    context = row.text(columns.context, MAX_CONTEXT)
    start, end = row.place(columns.start), row.place(columns.end)
    image = row.text(columns.image, MAX_IMAGE) or None
    if not surface.strip() and not context.strip() and image is None:
        raise row.error("neither words, a text nor a picture", columns.surface)
    if (start is None) != (end is None):
        raise row.error("a start without an end, or the other way round", columns.start)
    if start is not None and end is not None and not start <= end <= len(context):
        raise row.error(f"characters {start}-{end} lie outside the text", columns.start)
    name = row.text(columns.id, MAX_NAME)
    if not name:
        raise row.error("no id", columns.id)
    return Mention(
        id=name,
        surface=surface,
        context=context,
        start=start,
        end=end,
        image=image,
        document=row.text(columns.document, MAX_NAME) or None,
    )


class _Row:
    """Typed access to one row; every error names its line and column."""

    def __init__(self, values: Mapping[str, Any], path: str, line: int) -> None:
        self._values, self._path, self._line = values, path, line

    def error(self, what: str, column: str | None) -> RecordError:
        return RecordError(what, path=self._path, line=self._line, column=column)

    def text(self, column: str | None, limit: int) -> str:
        value = None if column is None else self._values.get(column)
        if value is None:
            return ""
        value = whole(value)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise self.error(f"a text is needed, not {type(value).__name__}", column)
        if len(value) > limit:
            raise self.error(f"longer than {limit:,} characters", column)
        # half of a surrogate pair is valid JSON, but no text that could be encoded
        return value.encode("utf-8", "replace").decode()

    def place(self, column: str | None) -> int | None:
        value = None if column is None else self._values.get(column)
        if value is None or value == "":
            return None
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
            value = int(value)  # CSV knows texts only
        value = whole(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.error("a character position is a whole number from 0", column)
        return value


def whole(value: Any) -> Any:
    """Return a whole number as such: pandas makes 7.0 of 7 where a column has a gap."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def link_line(link: Link) -> bytes:
    """Return a link as one line of JSON, keys sorted, so that equal links are equal bytes."""
    return json.dumps(asdict(link), ensure_ascii=False, sort_keys=True).encode() + b"\n"
