"""Templates and paths of a mapping: how fields of a record become keys, names and values.

A path is ``area``, ``name.common`` or ``latlng.0``. A template is a text with paths in braces:
``country:{cca2}``; a doubled brace stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg.errors import InputError, RecordError

__all__ = ["MISSING", "Template", "bad_field", "look_up"]

MAX_TEXT = 4_096
PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class _Missing:
    """The value of a field that a record lacks."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""What `look_up` returns where a record has nothing: no such field, null, or an empty text."""


def look_up(fields: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path, or `MISSING`.

    A field whose whole name is the path comes first, so that columns may have dots.

    Example:
        >>> look_up({"name": {"common": "Chad"}, "latlng": [15, 19]}, "latlng.0")
        15
    """
    value: Any = fields.get(path, MISSING)
    if value is MISSING and "." in path:
        value = fields
        for step in path.split("."):
            value = _step(value, step)
    return MISSING if value is None or value == "" else value


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(step, MISSING)
    if isinstance(value, Sequence) and not isinstance(value, str) and step.isdecimal():
        return value[int(step)] if len(step) < 10 and int(step) < len(value) else MISSING
    return MISSING


@dataclass(frozen=True, slots=True)
class Template:
    """A text with fields in it.

    Attributes:
        text: As it was written.
        pieces: Literal texts and paths by turns, a literal first.

    Example:
        >>> Template.parse("city:{cca2}/{capital.0}").fill({"cca2": "PE", "capital": ["Lima"]})
        'city:PE/Lima'
    """

    text: str
    pieces: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read a template.

        Raises:
            InputError: A brace is left open, or a pair of braces is empty.
        """
        pieces, place = [""], 0
        for match in PIECE.finditer(text):
            pieces[-1] += text[place : match.start()]
            place = match.end()
            if match[0] in ("{{", "}}"):
                pieces[-1] += match[0][0]
            elif match[1] is None or not match[1].strip():
                raise InputError(f"a brace in {text!r} holds no field", hint="write {field}")
            else:
                pieces += [match[1].strip(), ""]
        pieces[-1] += text[place:]
        return cls(text, tuple(pieces))

    @property
    def paths(self) -> tuple[str, ...]:
        """The fields that it needs."""
        return self.pieces[1::2]

    def lacks(self, fields: Mapping[str, Any]) -> str | None:
        """Return the first field that a record does not have, or None if it has all."""
        return next((path for path in self.paths if look_up(fields, path) is MISSING), None)

    def fill(self, fields: Mapping[str, Any]) -> str:
        """Return the text with the values of a record.

        Raises:
            RecordError: A field is missing, is no single value, or the text is too long or holds
                control characters.
        """
        parts = list(self.pieces)
        for place in range(1, len(parts), 2):
            parts[place] = _as_text(look_up(fields, parts[place]), parts[place])
        text = "".join(parts).strip()
        column = self.paths[0] if self.paths else self.text
        if len(text) > MAX_TEXT:
            raise bad_field(f"longer than {MAX_TEXT:,} characters", column)
        if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in text):
            raise bad_field("a control character or half a letter", column)
        return text


def _as_text(value: Any, path: str) -> str:
    if value is MISSING:
        raise bad_field("missing", path)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise bad_field(f"not a single value but {type(value).__name__}", path)


def bad_field(reason: str, column: str) -> RecordError:
    """Return the error for a field of a record; whoever knows the file makes a reject of it."""
    return RecordError(reason, path="a record", column=column)
