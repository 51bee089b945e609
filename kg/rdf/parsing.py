"""Files of RDF as quads with their lines; what cannot be read is a reject, and reading goes on.

Formats of one statement a line are read line by line. Of others the parser is handed one line at
a time, so that what it yields stands on the line that it was given last. After an error in Turtle,
what it makes of the rest of the statement is not believed. XML is read again from its beginning
without the line to blame.
"""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast
from urllib.parse import quote

from pyoxigraph import Quad, RdfFormat, parse

from kg.errors import RecordError
from kg.formats.records import MAX_LINE_BYTES, Reject, lines, readable

__all__ = ["MAX_LEFT_OUT", "LocatedQuad", "read_quads"]

MAX_LEFT_OUT = 100
"""Lines that are left out of a file before the rest of it is given up."""

PIECE_BYTES = 2**16
LINES_AT_ONCE = 1_000

_BY_LINE = (RdfFormat.N_TRIPLES, RdfFormat.N_QUADS)
_ROOT = re.compile(rb"<[A-Za-z_]")


class LocatedQuad(NamedTuple):
    """A quad and the line on which it ends."""

    quad: Quad
    line: int


def read_quads(path: Path, form: RdfFormat) -> Iterator[LocatedQuad | Reject]:
    r"""Yield the quads of a file, and a reject for each place that cannot be read.

    JSON-LD with one node a line, as Umbra writes it, is read line by line; other JSON-LD is held
    in memory as a whole.

    Args:
        path: The file, plain or ``.gz``.
        form: Its format.

    Raises:
        RecordError: It is missing or damaged.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.nt"
        >>> _ = file.write_text('<x:a> <x:p> "1" .\n<x:a> <x:p> one .\n<x:b> <x:p> "2" .\n')
        >>> [item.line for item in read_quads(file, RdfFormat.N_TRIPLES)]
        [1, 2, 3]
    """
    if form in _BY_LINE or (form == RdfFormat.JSON_LD and _has_lines(path)):
        yield from _read_lines(path, form)
        return
    left_out: set[int] = set()
    known = 0
    while True:
        damage = yield from _read_once(path, form, left_out, known)
        if damage is None:
            return
        yield damage
        if damage.line in left_out or len(left_out) >= MAX_LEFT_OUT:
            reason = "the rest of the file cannot be read"
            yield Reject(file=path.name, line=damage.line, column=None, reason=reason, text="")
            return
        left_out.add(damage.line)
        known = damage.line


class _Feed:
    """A file as the parser wants it, which hands out one line at a time.

    Attributes:
        line: Number of the line that was handed out last.
        safe_from: First line on which a statement can begin again after an error.
    """

    def __init__(self, file: IO[bytes], left_out: set[int]) -> None:
        self._file = file
        self._left_out = left_out
        self._inside = self._lost = False
        self._latest: deque[tuple[int, bytes]] = deque(maxlen=64)
        self.line = self.safe_from = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next line, or a piece of one that is long."""
        piece = self._file.readline(min(size, PIECE_BYTES) if size > 0 else PIECE_BYTES)
        if not piece:
            return piece
        self.line += not self._inside
        self._inside = not piece.endswith(b"\n")
        self._latest.append((self.line, piece))
        self._find_end(piece)
        return b"\n" if self.line in self._left_out else piece

    def lose(self) -> None:
        """Take note of an error: until a line ends with a statement, nothing is safe."""
        self._lost = True
        self._find_end(self._latest[-1][1] if self._latest else b"")

    def _find_end(self, piece: bytes) -> None:
        if self._lost:
            self._lost = not piece.rstrip().endswith((b".", b"}"))
            self.safe_from = self.line + 1

    def text(self, line: int) -> str:
        """Return a line that was handed out lately, else an empty text."""
        found = (piece for number, piece in self._latest if number == line)
        return b"".join(found).decode(errors="replace").rstrip("\r\n")


class _XmlFeed(_Feed):
    """The same for XML, without entities made of entities: a few lines of those fill any memory."""

    _prolog = True
    _seen = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next line.

        Raises:
            RecordError: An entity is declared that names another.
        """
        piece = super().read(size)
        seen = self._seen + piece
        root = _ROOT.search(seen) if self._prolog else None
        end = 0 if not self._prolog else root.start() if root else len(seen)
        if b"&" in seen[:end] or b"<!ENTITY" in seen[end:]:
            raise RecordError("entities that name entities are not read", path="", line=self.line)
        self._prolog = end == len(seen)
        self._seen = piece[-16:]
        return piece


def _read_once(
    path: Path, form: RdfFormat, left_out: set[int], known: int
) -> Generator[LocatedQuad | Reject, None, Reject | None]:
    """Yield what stands on lines from `known` on; return the damage that ended it, if one did."""
    base = f"file:///{quote(path.name)}"  # what relative IRIs are relative to
    waiting: list[LocatedQuad] = []  # those of one line come together, or not at all
    with readable(path) as file:
        feed = (_XmlFeed if form == RdfFormat.RDF_XML else _Feed)(file, left_out)
        parser = parse(cast("IO[bytes]", feed), format=form, base_iri=base)
        while True:
            try:
                quad = next(parser, None)
            except RecordError as error:
                raise RecordError(error.what, path=str(path), line=error.line) from None
            except SyntaxError as error:
                damage = _damage(path, feed, error)
                yield from (item for item in waiting if item.line < damage.line)
                waiting.clear()
                if form == RdfFormat.RDF_XML:
                    return damage
                if form == RdfFormat.JSON_LD:
                    raise RecordError(damage.reason, path=str(path), line=damage.line) from error
                yield damage
                feed.lose()
                continue
            if waiting and (quad is None or feed.line > waiting[0].line):
                yield from waiting
                waiting.clear()
            if quad is None:
                return None
            if feed.line >= max(known, feed.safe_from):
                waiting.append(LocatedQuad(quad, feed.line))


def _damage(path: Path, feed: _Feed, error: SyntaxError) -> Reject:
    line = error.lineno or feed.line
    return Reject(
        file=path.name, line=line, column=None, reason=_reason(error), text=feed.text(line)
    )


def _reason(error: SyntaxError) -> str:
    if "LoadDocumentCallback" in str(error.msg):
        return "not RDF: its context is on the web, which is not asked; write it into the file"
    return f"not RDF: {str(error.msg).partition(': ')[2] or error.msg}"


def _has_lines(path: Path) -> bool:
    """Tell whether JSON-LD is an array with whole nodes on each line, and no context.

    Others begin with a bracket alone, too, and indent what follows.
    """
    with readable(path) as file:
        if file.readline(8).strip() != b"[":
            return False
        first = file.readline(MAX_LINE_BYTES).rstrip()
        return first == b"]" or (first.startswith(b'{"') and first.endswith((b"}", b"},")))


def _read_lines(path: Path, form: RdfFormat) -> Iterator[LocatedQuad | Reject]:
    """Read many lines at once; if anything is odd about them, each by itself."""
    with readable(path) as file:
        numbered = lines(file, MAX_LINE_BYTES)
        while batch := list(itertools.islice(numbered, LINES_AT_ONCE)):
            rows = [(number, _statement(form, line)) for number, line in batch]
            rows = [(number, text) for number, text in rows if text != b""]
            quads = _all_of(form, [text for _, text in rows])
            if quads is not None:
                yield from (LocatedQuad(q, n) for q, (n, _) in zip(quads, rows, strict=True))
                continue
            for number, text in rows:
                yield from _alone(path, form, number, text)


def _statement(form: RdfFormat, line: bytes | None) -> bytes | None:
    """Return what a line says: empty for nothing, None if it is too long."""
    text = None if line is None else line.strip()
    if form != RdfFormat.JSON_LD or text is None:
        return b"" if text and text.startswith(b"#") else text
    text = text.removesuffix(b",")
    return b"" if text in (b"", b"[", b"]") else b"[" + text + b"]"


def _all_of(form: RdfFormat, texts: list[bytes | None]) -> list[Quad] | None:
    if form == RdfFormat.JSON_LD or None in texts:
        return None
    try:
        quads = list(parse(b"\n".join(text or b"" for text in texts), format=form))
    except SyntaxError:
        return None
    return quads if len(quads) == len(texts) else None


def _alone(
    path: Path, form: RdfFormat, number: int, text: bytes | None
) -> Iterator[LocatedQuad | Reject]:
    try:
        if text is None:
            raise SyntaxError(f"longer than {MAX_LINE_BYTES:,} bytes")
        quads = list(parse(text, format=form))
    except SyntaxError as error:
        shown = (text or b"").decode(errors="replace")
        yield Reject(file=path.name, line=number, column=None, reason=_reason(error), text=shown)
    else:
        yield from (LocatedQuad(quad, number) for quad in quads)
