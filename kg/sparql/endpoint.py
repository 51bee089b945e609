"""SPARQL over a store: a copy of its graph in a process of its own, kept in step with the store.

Where the store's change counter has moved, the copy follows its change feed before the next query,
or is made anew where the feed does not tell all: a query sees every write that was acknowledged
before it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, Self

from pyoxigraph import Quad

from kg.errors import (
    LimitError,
    QuerySyntaxError,
    QueryTimeoutError,
    ReadOnlyError,
    StoreUnavailableError,
    UnsupportedQueryError,
)
from kg.rdf.names import NAMESPACES, RDF, SKOS, UMBRA, XSD
from kg.sparql.following import QuadChanges, StoreQuads
from kg.sparql.graph_process import GraphProcess
from kg.sparql.media import GRAPHS, RESULTS
from kg.sparql.text import check, syntax_error, words

__all__ = ["PREFIXES", "QuadSource", "SparqlAnswer", "SparqlEndpoint", "StoreQuads"]

PREFIXES = {**NAMESPACES, "umbra": UMBRA, "rdf": RDF, "skos": SKOS, "xsd": XSD}
GRACE_S = 2.0
MEMORY_BYTES = 2 * 2**30
_AT = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_DECLARED = re.compile(r"\bPREFIX\s+([\w.-]*):", re.IGNORECASE)


class QuadSource(Protocol):
    """A graph that changes."""

    @property
    def version(self) -> int:
        """Change counter."""
        ...

    def quads(self) -> Iterator[Quad]:
        """Iterate the graph."""
        ...

    def changed(self, since: int) -> QuadChanges | None:
        """Return the steps since a version, or None where they are not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SparqlAnswer:
    """An answer in one of the forms that were asked for.

    Attributes:
        media: Its media type; None if it is of a kind for which no form was asked.
        body: The answer itself.
    """

    media: str | None
    body: bytes


class SparqlEndpoint:
    """Answers SPARQL over a graph. Use it as a context manager.

    Args:
        source: The graph.
        memory_bytes: Memory that a query may take beyond the graph's own.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> with SparqlEndpoint(StoreQuads(MemoryStore())) as endpoint:
        ...     endpoint.query("ASK { ?s ?p ?o }").body
        b'{"head":{},"boolean":false}'
    """

    def __init__(self, source: QuadSource, *, memory_bytes: int = MEMORY_BYTES) -> None:
        self._source = source
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._copy: GraphProcess | None = None
        self._version: int | None = None

    def __enter__(self) -> Self:
        """Return the endpoint itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """End the process and its queries; calling it twice is harmless."""
        with self._lock:
            if self._copy is not None:
                self._copy.close()
                self._copy = None

    @property
    def version(self) -> int | None:
        """The source's version that the copy has reached, None before the first query."""
        return self._version

    def query(
        self,
        text: str,
        *,
        result: str | None = "application/sparql-results+json",
        graph: str | None = "text/turtle",
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
        timeout_s: float = 20.0,
        max_rows: int = 10_000,
        tag: str = "",
    ) -> SparqlAnswer:
        """Answer a query.

        Args:
            text: SELECT, ASK, CONSTRUCT or DESCRIBE; untrusted.
            result: Media type for rows and truth values (`RESULTS`); None for none.
            graph: Media type for triples (`GRAPHS`); None for none.
            default_graphs: IRIs of the graphs that make the default graph.
            named_graphs: IRIs of the named graphs that can be asked.
            timeout_s: Seconds it may take.
            max_rows: Rows or triples it may have.
            tag: By which `end` ends it.

        Raises:
            QuerySyntaxError: It does not parse; with line and column.
            ReadOnlyError: It is an update, or asks another server.
            UnsupportedQueryError: A function that there is not.
            QueryTimeoutError: It took too long and was ended.
            LimitError: It is too long, has too many rows, or needs too much memory.
        """
        check(text)
        started = time.monotonic()
        asked = {
            "query": text,
            "result": None if result is None else RESULTS[result],
            "graph": None if graph is None else GRAPHS[graph],
            "default_graphs": list(default_graphs),
            "named_graphs": list(named_graphs),
            "max_rows": max_rows,
            "memory_bytes": self._memory_bytes,
            "prefixes": PREFIXES,
        }
        copy = self._up_to_date()
        left = timeout_s - (time.monotonic() - started)
        if left <= 0:
            raise QueryTimeoutError(
                f"the graph was not laid out for SPARQL within {timeout_s:g} s",
                hint="ask again: the next query need not wait for it",
            )
        head, body = copy.ask({**asked, "timeout_s": left}, tag, left + GRACE_S)
        if "media" not in head:
            in_time = time.monotonic() - started < timeout_s
            _refuse(text, head or {"died": in_time}, timeout_s)
        return SparqlAnswer(media={"result": result, "graph": graph}.get(head["media"]), body=body)

    def end(self, tag: str) -> None:
        """End the query with this tag, if it runs."""
        copy = self._copy
        if copy is not None:
            copy.end(tag)

    def _up_to_date(self) -> GraphProcess:
        with self._lock:
            version = self._source.version
            if self._copy is None or not self._copy.alive or not self._followed(version):
                newer = GraphProcess(self._source.quads())
                if self._copy is not None:
                    self._copy.retire()
                self._copy, self._version = newer, version
            return self._copy

    def _followed(self, version: int) -> bool:
        """Bring the copy to a version by the feed; False where it must be made anew."""
        if self._version == version:
            return True
        if self._copy is None or self._version is None:
            return False
        changes = self._source.changed(self._version)
        if changes is None:
            return False
        try:
            self._copy.follow(changes.forget, changes.quads)
        except StoreUnavailableError:
            return False
        self._version = changes.version
        return True


def _refuse(text: str, head: dict[str, Any], timeout_s: float) -> NoReturn:
    """Raise what a head without an answer says."""
    if "syntax" in head:
        raise _syntax_error(text, str(head["syntax"]))
    if "unsupported" in head:
        raise UnsupportedQueryError(str(head["unsupported"])[:300])
    if "reach" in head:
        raise ReadOnlyError("a query may only read this graph")
    if "rows" in head:
        raise LimitError(f"more than {head['rows']} rows", hint="add LIMIT, or ask for less")
    if head.get("died"):
        raise LimitError(
            "the query was ended: it needs too much memory, or is nested too deeply",
            hint="ask for less",
        )
    if "large" in head:
        raise LimitError("the answer is too large", hint="add LIMIT, or ask for less")
    raise QueryTimeoutError(f"no answer within {timeout_s:g} s", hint="ask for less")


def _syntax_error(text: str, told: str) -> QuerySyntaxError:
    found = _AT.match(told)
    if found is None:
        return QuerySyntaxError(told[:300])
    line, column = int(found[1]), int(found[2])
    before = "".join(text.splitlines(keepends=True)[: line - 1])
    offset = len(before) + column - 1
    expected = " ".join(found[3].split())
    declared = {"_", *PREFIXES, *_DECLARED.findall(text)}
    for word, place in words(text):  # the parser names what could stand there instead
        prefix, colon, _ = word.partition(":")
        if colon and prefix not in declared and place <= offset:
            return syntax_error(text, place, f"no PREFIX declares '{prefix}:'")
    if len(expected) > 120:
        ends = not text[offset:].strip()
        expected = "the query ends here, too early" if ends else "something else is expected here"
    return syntax_error(text, offset, expected)
