"""Untrusted reads: streamed, cut at a number of rows, ended at the server when time is up."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from neo4j import Query
from neo4j.exceptions import DriverError, Neo4jError

from kg.backends.deadlines import Deadline
from kg.backends.merging import check_limit
from kg.backends.sessions import session_of
from kg.backends.translation import translated
from kg.backends.values import parameters_of, plain
from kg.cypher_columns import columns_of
from kg.errors import EngineError, InputError, QueryTimeoutError
from kg.row_stream import RowStream
from kg.spans import span
from kg.store import Table

if TYPE_CHECKING:
    from neo4j import Driver, Result

    from kg.backends.connection import Connection
    from kg.backends.links import Link
    from kg.cypher import CheckedQuery

__all__ = ["Reader", "named", "plan_table"]

_CLIENT = secrets.token_hex(6)
FETCH = 1000


class _Limits(TypedDict):
    """Of one query."""

    timeout_s: float
    max_rows: int


def named(columns: tuple[str, ...], text: str) -> tuple[str, ...]:
    """Return a result's columns; the embedded engine sends none with an empty result."""
    return columns or columns_of(text)


def plan_table(plan: Mapping[str, Any]) -> Table:
    """Return a plan as a table of its lines: the server's own text, or its operators as a tree."""
    own = plan.get("args", {}).get("string-representation")
    lines = str(own).strip().splitlines() if own else _operators(plan, 0)
    return Table(columns=("plan",), rows=tuple((line,) for line in lines))


def _operators(plan: Mapping[str, Any], depth: int) -> list[str]:
    line = f"{'  ' * depth}{plan.get('operatorType', '')} {plan.get('args', '')}"
    below = (_operators(part, depth + 1) for part in plan.get("children", ()))
    return [line.rstrip(), *(text for part in below for text in part)]


class Slots:
    """Numbers of the queries that run, each as small as can be."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[int]:
        """Return a context with a number that no other query has while it runs."""
        with self._lock:
            slot = next(n for n in range(len(self._taken) + 1) if n not in self._taken)
            self._taken.add(slot)
        try:
            yield slot
        finally:
            with self._lock:
                self._taken.discard(slot)


class Reader:
    """Runs the untrusted queries of one store.

    Args:
        connection: To its server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._slots = Slots()

    def table(
        self, cypher: str, parameters: Mapping[str, Any] | None, **limits: Unpack[_Limits]
    ) -> Table:
        """Answer a query with all its rows; see `kg.store.Store.query`."""
        with self._run(cypher, parameters, **limits) as run:
            return self._connection.again(lambda: run.answer(self._connection.driver("reader")))

    @contextmanager
    def stream(
        self, cypher: str, parameters: Mapping[str, Any] | None, **limits: Unpack[_Limits]
    ) -> Iterator[RowStream]:
        """Return a context that gives rows as they are made; see `kg.store.Store.stream`.

        It is begun again as `table` is, until its first row has come; then no more, since nobody
        could tell which rows were taken.
        """
        with (
            self._run(cypher, parameters, **limits) as run,
            translated(),
            ExitStack() as opened,
        ):
            yield self._connection.again(
                lambda: opened.enter_context(run.opened(self._connection.driver("reader")))
            )

    @contextmanager
    def _run(
        self, cypher: str, parameters: Mapping[str, Any] | None, *, timeout_s: float, max_rows: int
    ) -> Iterator[QueryRun]:
        from kg.cypher import check  # slow to import

        self._connection.check_open()
        query = check(cypher)
        with self._slots.one() as slot:
            yield QueryRun(
                self._connection.link, query, parameters or {}, slot=slot, timeout_s=timeout_s,
                max_rows=check_limit(max_rows),
            )  # fmt: skip


class QueryRun:
    """A checked query with its limits; `answer` or `opened` runs it.

    A tag in a comment after the text lets the server's list of running queries tell it from the
    same text of another client. It stays the same for a slot, so the engine's cache of parsed
    statements still serves.

    Args:
        link: The server.
        query: The user's query, checked.
        parameters: Its parameters.
        slot: A number that no other running query of this process's store has.
        timeout_s: Seconds until it is ended at the server.
        max_rows: Rows to return at most.

    Raises:
        InputError: A limit is not above 0, or a parameter cannot be sent.
    """

    def __init__(
        self,
        link: Link,
        query: CheckedQuery,
        parameters: Mapping[str, Any],
        *,
        slot: int,
        timeout_s: float,
        max_rows: int,
    ) -> None:
        if not timeout_s > 0:
            raise InputError(f"a time limit must be above 0 s, got {timeout_s!r}")
        self._link = link
        self._tag = f"// umbra:{_CLIENT}-{id(link):x}-{slot}"
        self._text = f"{query.text}\n{self._tag}"
        self._explains = query.explains
        self._parameters = parameters_of(parameters)
        self._timeout_s = timeout_s
        self._max_rows = max_rows
        self._late = self._is_over = self._is_broken = False

    def answer(self, driver: Driver) -> Table:
        """Run the query to its end.

        Raises:
            QueryTimeoutError: Time was up; the query was ended at the server.
        """
        with self.opened(driver) as stream:
            rows = tuple(stream)
            return Table(columns=stream.columns, rows=rows, truncated=stream.truncated)

    @contextmanager
    def opened(self, driver: Driver) -> Iterator[RowStream]:
        """Run the query and return its rows once the first has come; leaving ends it.

        Raises:
            QueryTimeoutError: Time was up; the query was ended at the server.
        """
        self._late = self._is_over = self._is_broken = False
        ender: threading.Thread | None = None
        deadline = Deadline(self._timeout_s, self._time_up)
        try:
            with (
                span("store.query"),
                session_of(
                    driver,
                    database=self._link.database,
                    default_access_mode="READ",
                    fetch_size=min(FETCH, self._max_rows + 1),
                ) as session,
            ):
                result: Result | None = None
                try:
                    with self._asking():
                        query = Query(self._text, timeout=self._timeout_s)
                        result = session.run(query, self._parameters)
                        stream = self._stream(result)
                    yield stream
                finally:
                    if not self._is_over:  # nothing runs on for a caller who has left
                        ender = self._end_beside()
                        if result is not None and not self._is_broken:
                            with suppress(Neo4jError, DriverError):
                                result.consume()  # the server notices only when it is asked
        finally:
            deadline.cancel()
            if ender is not None:
                ender.join()  # or it could end the next query that has this tag

    def _stream(self, result: Result) -> RowStream:
        if self._explains:
            plan = plan_table(result.consume().plan or {})
            self._is_over = True
            return RowStream(plan.columns, plan.rows, max_rows=len(plan.rows))
        columns = named(tuple(result.keys()), self._text.removesuffix(self._tag))
        result.peek()  # what goes wrong before the first row is told before any
        return RowStream(columns, self._rows(result), max_rows=self._max_rows)

    def _rows(self, result: Result) -> Iterator[tuple[Any, ...]]:
        with self._asking():
            for record in result:
                if self._late:
                    break  # the server may have had these rows ready
                yield tuple(plain(value) for value in record.values())
            else:
                self._is_over = True
                return
        raise self._too_late()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Tell the server's errors as ours, and keep in mind whether it can be asked further."""
        try:
            with translated():
                yield
        except EngineError as error:
            self._is_over = True
            if self._late:
                raise self._too_late() from error
            raise
        except GeneratorExit:
            raise
        except BaseException:
            self._is_broken = True  # interrupted within a message: the rest of it is lost
            raise

    def _too_late(self) -> QueryTimeoutError:
        return QueryTimeoutError(
            f"the query was ended after {self._timeout_s:g} s",
            hint="ask for less, or raise the time limit",
        )

    def _end_beside(self) -> threading.Thread:
        """End it from another thread: the server answers only when the query has noticed."""
        ender = threading.Thread(target=self._end, daemon=True)
        ender.start()
        return ender

    def _time_up(self) -> None:
        self._late = True
        self._end()

    def _end(self) -> None:
        """End this query at the server; one that is over already is no error."""
        with suppress(EngineError, OSError):
            for running in self._link.running():
                if running.text.endswith(self._tag):
                    self._link.end(running.id)
