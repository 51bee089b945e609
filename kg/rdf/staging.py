"""Quads of a file, sorted by what they describe: a SQLite file beside the ledger, flat in memory.

RDF says of one thing wherever it likes; a store takes whole entities. So a file is first laid out
by subject on disk, and read from there, as often as the import needs.
"""

from __future__ import annotations

import itertools
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Self

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from kg.errors import InputError
from kg.files import STALE_S
from kg.formats.records import Reject
from kg.rdf.literals import value_of
from kg.rdf.names import RDF, RDF_TYPE, UMBRA
from kg.rdf.parsing import LocatedQuad

__all__ = ["Description", "Part", "StagedQuads", "is_relation", "stage"]

BATCH = 20_000
CACHE_KB = 32_000

_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_REIFIES = RDF + "reifies"
_PLACES = (RDF + "subject", RDF + "predicate", RDF + "object")
_NO_RELATIONS = (RDF_TYPE, *_PLACES)
_NIL = RDF + "nil"

_TABLES = """
CREATE TABLE part (subject TEXT, predicate TEXT, object TEXT, datatype TEXT, language TEXT,
                   graph TEXT, line INTEGER);
CREATE TABLE reject (file TEXT, line INTEGER, column TEXT, reason TEXT, text TEXT);
"""
_NUMBERED = "CREATE TABLE subject (number INTEGER PRIMARY KEY, term TEXT, line INTEGER)"
_NUMBER = f"""
INSERT INTO subject (term, line)
  SELECT term, MIN(line) FROM (
    SELECT subject AS term, rowid AS place, line FROM part
      WHERE subject NOT GLOB 'urn:umbra:record:*'
    UNION ALL
    SELECT object, rowid, line FROM part
      WHERE datatype IS NULL AND predicate NOT IN ({", ".join("?" * len(_NO_RELATIONS))})
        AND predicate NOT GLOB '{UMBRA}*')
  GROUP BY term ORDER BY MIN(place)
"""  # noqa: S608 - made of our own terms


class Part(NamedTuple):
    """One thing that is said of a subject.

    Attributes:
        predicate: IRI.
        object: IRI, ``_:`` with a blank node's label, or the text of a literal.
        datatype: IRI of a literal's type; None if the object is no literal.
        language: A literal's language.
        graph: IRI of the named graph.
        line: Line of the file.
    """

    predicate: str
    object: str
    datatype: str | None
    language: str | None
    graph: str | None
    line: int


class Description(NamedTuple):
    """All that is said of a subject.

    Attributes:
        number: Its place among all subjects, from 1.
        subject: IRI, or ``_:`` with a blank node's label.
        line: Line on which it is first named.
        parts: What is said, in the order of the file; empty if it is an object only.
    """

    number: int
    subject: str
    line: int
    parts: tuple[Part, ...]


def is_relation(part: Part) -> bool:
    """Tell whether a part leads to another thing."""
    return (
        part.datatype is None
        and part.predicate not in _NO_RELATIONS
        and not part.predicate.startswith(UMBRA)
    )


def stage(items: Iterable[LocatedQuad | Reject], path: Path, *, file: str) -> None:
    """Lay quads out by subject.

    Args:
        items: Quads with their lines, and rejects.
        path: SQLite file to write.
        file: Name of the file that was read, for rejects.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob("*.part"):  # by a process that was killed
        if left.stat().st_mtime < time.time() - STALE_S:
            left.unlink(missing_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        _lay_out(items, partial, file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(path)


def _lay_out(items: Iterable[LocatedQuad | Reject], path: Path, file: str) -> None:
    with closing(_opened(path)) as base:
        base.executescript(_TABLES)
        rows = itertools.chain.from_iterable(_rows(item, base, file) for item in items)
        while batch := list(itertools.islice(rows, BATCH)):
            base.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?, ?)", batch)
            base.commit()
        base.execute("CREATE INDEX by_subject ON part (subject)")
        base.execute(_NUMBERED)
        base.execute(_NUMBER, _NO_RELATIONS)
        base.commit()


class StagedQuads:
    """What `stage` laid out. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        self._base = _opened(path)
        self.subjects = self._count("subject")
        self.rejects = self._count("reject")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the file."""
        self._base.close()

    def _count(self, table: str) -> int:
        return int(self._base.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608

    def descriptions(self, first: int = 1) -> Iterator[Description]:
        """Yield what is said of each subject, from a number on."""
        rows = self._base.execute(
            "SELECT s.number, s.term, s.line, p.predicate, p.object, p.datatype, p.language,"
            " p.graph, p.line FROM subject s LEFT JOIN part p ON p.subject = s.term"
            " WHERE s.number >= ? ORDER BY s.number, p.rowid",
            (first,),
        )
        for (number, term, line), group in itertools.groupby(rows, key=lambda row: row[:3]):
            parts = tuple(Part(*row[3:]) for row in group if row[3] is not None)
            yield Description(number, term, line, parts)

    def parts(self, subject: str) -> tuple[Part, ...]:
        """Return what is said of one subject."""
        found = self._base.execute(
            "SELECT predicate, object, datatype, language, graph, line FROM part"
            " WHERE subject = ? ORDER BY rowid",
            (subject,),
        )
        return tuple(Part(*row) for row in found)

    def has(self, subject: str) -> bool:
        """Tell whether anything is said of a subject."""
        found = self._base.execute("SELECT 1 FROM part WHERE subject = ? LIMIT 1", (subject,))
        return found.fetchone() is not None

    def rejected(self, first: int = 1) -> Iterator[tuple[int, Reject]]:
        """Yield what could not be read, numbered from 1."""
        rows = self._base.execute("SELECT rowid, * FROM reject WHERE rowid >= ?", (first,))
        for number, file, line, column, reason, text in rows:
            yield (
                number,
                Reject(file=file, line=line, column=column, reason=reason, text=text),
            )


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file; nothing in it need outlive a crash, so nothing is synced."""
    base = sqlite3.connect(path, check_same_thread=False)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE"):
        base.execute(f"PRAGMA {pragma}")
    base.execute(f"PRAGMA cache_size=-{CACHE_KB}")
    return base


_Row = tuple[str, str, str, str | None, str | None, str | None, int]


def _rows(item: LocatedQuad | Reject, base: sqlite3.Connection, file: str) -> list[_Row]:
    reject = item if isinstance(item, Reject) else None
    if isinstance(item, LocatedQuad):
        try:
            return _row(item.quad, item.line)
        except InputError as error:
            reject = Reject(
                file=file,
                line=item.line,
                column=item.quad.predicate.value,
                reason=error.what,
                text=str(item.quad),
            )
    if reject is not None:
        values = (reject.file, reject.line, reject.column, reject.reason, reject.text)
        base.execute("INSERT INTO reject VALUES (?, ?, ?, ?, ?)", values)
    return []


def _row(quad: Quad, line: int) -> list[_Row]:
    graph = None if isinstance(quad.graph_name, DefaultGraph) else _term(quad.graph_name)
    subject, predicate, target = _term(quad.subject), _term(quad.predicate), quad.object
    if isinstance(target, Triple):
        if predicate != _REIFIES:
            raise InputError("a triple as a value")
        places = zip(_PLACES, (target.subject, target.predicate, target.object), strict=True)
        return [(subject, place, _term(term), None, None, graph, line) for place, term in places]
    if isinstance(target, Literal):
        value_of(target.value, target.datatype.value)
        kind = target.datatype.value
        return [(subject, predicate, target.value, kind, target.language, graph, line)]
    named = _term(target)
    return [] if named == _NIL else [(subject, predicate, named, None, None, graph, line)]


def _term(term: object) -> str:
    if isinstance(term, NamedNode):
        if _SCHEME.match(term.value) is None:
            raise InputError(f"<{term.value[:80]}> is relative")
        return term.value
    if isinstance(term, BlankNode):
        return f"_:{term.value}"
    raise InputError("a statement about a literal")
