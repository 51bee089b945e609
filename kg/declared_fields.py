"""One table of a declaration in TOML, read field by field, so that nothing in it goes unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kg.errors import InputError, MappingError
from kg.templates import Template

__all__ = ["DeclaredFields"]

_REQUIRED: Any = object()


class DeclaredFields:
    """Fields that are taken one by one; what is left at the end is an error.

    Args:
        values: The table.
        place: Its name for messages.
        path: The file that it stands in.
    """

    def __init__(self, values: dict[str, Any], place: str, path: Path) -> None:
        self.place = place
        self.path = path
        self._left = dict(values)

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        return self.path.parent

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def error(self, name: str, reason: str) -> MappingError:
        """Return the error for one field of this table."""
        return MappingError(f"{self.place}, {name}: {reason}", where=str(self.path))

    def take(self, name: str, kind: type, default: Any = _REQUIRED) -> Any:
        """Take a field of a type.

        Raises:
            MappingError: It is missing without a default, or of another type.
        """
        value = self._left.pop(name, default)
        if value is _REQUIRED:
            raise self.error(name, "missing")
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is int)
        if value is not default and wrong:
            raise self.error(name, f"{value!r} is not of type {kind.__name__}")
        return value

    def template(self, name: str) -> Template:
        """Take a field that is a template.

        Raises:
            MappingError: It is missing, empty or no template.
        """
        text = self.take(name, str)
        try:
            template = Template.parse(text)
        except InputError as error:
            raise self.error(name, error.what) from error
        if not text.strip():
            raise self.error(name, "empty")
        return template

    def tables(self, name: str) -> Iterator[DeclaredFields]:
        """Take an array of tables.

        Raises:
            MappingError: It is something else.
        """
        tables = self.take(name, list, [])
        for number, values in enumerate(tables, start=1):
            if not isinstance(values, dict):
                raise self.error(name, f"write [[{name}]]")
            yield DeclaredFields(values, f"{name} {number}", self.path)

    def refuse_rest(self) -> None:
        """Refuse what was not taken.

        Raises:
            MappingError: A field is left.
        """
        if self._left:
            raise self.error(next(iter(self._left)), "unknown field")
