"""One untrusted read: streamed, cut at a number of rows, ended at the server when time is up."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from neo4j import Query
from neo4j.exceptions import DriverError, Neo4jError

from kg.backends.deadlines import Deadline
from kg.backends.sessions import session_of
from kg.backends.values import parameters_of, plain
from kg.cypher_columns import columns_of
from kg.errors import EngineError, InputError, QueryTimeoutError
from kg.spans import span
from kg.store import Table

if TYPE_CHECKING:
    from neo4j import Driver, Result

    from kg.backends.links import Link
    from kg.cypher import CheckedQuery

__all__ = ["QueryRun", "Slots", "named", "plan_table"]

_CLIENT = secrets.token_hex(6)
FETCH = 1000


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


class QueryRun:
    """A checked query with its limits; `answer` runs it.

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
        self._late = False

    def answer(self, driver: Driver) -> Table:
        """Run the query.

        Raises:
            QueryTimeoutError: Time was up; the query was ended at the server.
        """
        self._late = False
        enders: list[threading.Thread] = []
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
                try:
                    query = Query(self._text, timeout=self._timeout_s)
                    return self._stream(session.run(query, self._parameters), enders)
                except (Neo4jError, DriverError):
                    raise
                except BaseException:
                    enders.append(self._end_beside())  # nothing runs on for a caller who has left
                    raise
        except (Neo4jError, DriverError) as error:
            if not self._late:
                raise
            raise QueryTimeoutError(
                f"the query was ended after {self._timeout_s:g} s",
                hint="ask for less, or raise the time limit",
            ) from error
        finally:
            deadline.cancel()
            for ender in enders:
                ender.join()  # or it could end the next query that has this tag

    def _stream(self, result: Result, enders: list[threading.Thread]) -> Table:
        if self._explains:
            return plan_table(result.consume().plan or {})
        columns = named(tuple(result.keys()), self._text.removesuffix(self._tag))
        rows: list[tuple[Any, ...]] = []
        for record in result:
            if len(rows) == self._max_rows:
                enders.append(self._end_beside())
                with suppress(Neo4jError, DriverError):
                    result.consume()
                return Table(columns=columns, rows=tuple(rows), truncated=True)
            rows.append(tuple(plain(value) for value in record.values()))
        return Table(columns=columns, rows=tuple(rows))

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
