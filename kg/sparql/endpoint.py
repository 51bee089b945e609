"""SPARQL over a store: a copy of its graph in a process of its own, kept in step with the store.

The copy is made anew when the store's change counter has moved, before the next query: a query
sees every write that was acknowledged before it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NoReturn, Protocol, Self

from pyoxigraph import Quad

from kg.errors import (
    LimitError,
    QuerySyntaxError,
    QueryTimeoutError,
    ReadOnlyError,
    UnsupportedQueryError,
)
from kg.rdf.names import NAMESPACES, RDF, SKOS, UMBRA, XSD
from kg.rdf.quads import edge_quads, entity_quads
from kg.sparql.graph_process import GraphProcess
from kg.sparql.media import GRAPHS, RESULTS
from kg.sparql.text import check, syntax_error
from kg.store import Store

__all__ = ["PREFIXES", "QuadSource", "SparqlAnswer", "SparqlEndpoint", "StoreQuads"]

PREFIXES = {**NAMESPACES, "umbra": UMBRA, "rdf": RDF, "skos": SKOS, "xsd": XSD}
GRACE_S = 2.0
MEMORY_BYTES = 2 * 2**30
_AT = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)


class QuadSource(Protocol):
    """A graph that changes."""

    @property
    def version(self) -> int:
        """Change counter."""
        ...

    def quads(self) -> Iterator[Quad]:
        """Iterate the graph."""
        ...


@dataclass(frozen=True, slots=True)
class StoreQuads:
    """A store's graph as quads."""

    store: Store

    @property
    def version(self) -> int:
        """The store's change counter."""
        return self.store.version

    def quads(self) -> Iterator[Quad]:
        """Iterate what RDF says of all entities and edges."""
        yield from chain.from_iterable(map(entity_quads, self.store.entities()))
        yield from chain.from_iterable(map(edge_quads, self.store.edges()))


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
            if self._copy is None or self._version != version or not self._copy.alive:
                newer = GraphProcess(self._source.quads())
                if self._copy is not None:
                    self._copy.retire()
                self._copy, self._version = newer, version
            return self._copy


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
    expected = " ".join(found[3].split())
    if len(expected) > 120:
        expected = "something else is expected here"
    return syntax_error(text, len(before) + column - 1, expected)
