"""Reading a document: its kind by its ending, limits, and its title."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from kg.documents.html import html_units
from kg.documents.markdown import markdown_units
from kg.documents.plain import plain_units
from kg.documents.units import Unit
from kg.errors import LimitError, RecordError

__all__ = ["ENDINGS", "MAX_BYTES", "MAX_UNITS", "Document", "read_document"]

MAX_BYTES = 16 * 2**20
"""Bytes of a document."""
MAX_UNITS = 20_000
"""Passages, tables and figures of one."""

_READERS: Mapping[str, Callable[[str], Iterator[Unit]]] = {
    ".md": markdown_units,
    ".markdown": markdown_units,
    ".html": html_units,
    ".htm": html_units,
    ".txt": plain_units,
}
ENDINGS = tuple(_READERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that was read.

    Attributes:
        name: What its records call it: its path as it was given.
        title: Its first heading, or its file's name.
        sha256: Of its bytes.
        text: All of it.
        units: In their order.
    """

    name: str
    title: str
    sha256: str
    text: str
    units: tuple[Unit, ...]

    def locator(self, unit: Unit) -> str:
        """Return where a unit stands, as records say it: page (where there are any) and span."""
        span = f"chars {unit.place.start}-{unit.place.end}"
        if "\f" not in self.text:
            return span
        return f"page {self.text.count(chr(12), 0, unit.place.start) + 1}, {span}"


def read_document(path: Path, *, name: str | None = None) -> Document:
    """Read a document of one of the `ENDINGS`, in UTF-8.

    Args:
        path: The file.
        name: What to call it; the path if not given.

    Raises:
        RecordError: It is missing, of another kind, or not UTF-8.
        LimitError: It is too large, has too many units, or is nested too deeply.
    """
    called = name or path.as_posix()
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        kinds = ", ".join(ENDINGS)
        raise RecordError("no kind of document that is read", path=called, hint=f"one of {kinds}")
    if not path.is_file():
        raise RecordError("no such document", path=called, hint="name a file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise LimitError(f"a document of more than {MAX_BYTES:,} bytes", where=called)
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise RecordError(
            f"byte {error.start} is no UTF-8", path=called, hint="convert the file to UTF-8"
        ) from error
    try:
        units = tuple(islice(reader(text), MAX_UNITS + 1))
    except RecursionError as error:
        raise LimitError("a document is nested too deeply", where=called) from error
    if len(units) > MAX_UNITS:
        raise LimitError(f"a document of more than {MAX_UNITS:,} units", where=called)
    sections = (unit.place.section for unit in units)
    title = next((section[0] for section in sections if section), path.name)
    digest = hashlib.sha256(data).hexdigest()
    return Document(name=called, title=title, sha256=digest, text=text, units=units)
