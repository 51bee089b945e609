"""One untrusted read: streamed, cut at a number of rows, ended at the server when time is up."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, LiteralString, cast

from kg.backends.values import plain
from kg.errors import EngineError, InputError, QueryTimeoutError
from kg.store import Table

if TYPE_CHECKING:
    from neo4j import Driver

    from kg.backends.links import Link

__all__ = ["QueryRun"]

_CLIENT = secrets.token_hex(6)
FETCH = 1000


class QueryRun:
    """A checked query with its limits; `answer` runs it.

    A tag in a comment after the text lets the server's list of running queries tell it from the
    same text of another client. It stays the same for a slot, so the engine's cache of parsed
    statements still serves.

    Args:
        link: The server.
        text: The user's own text, checked.
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
        text: str,
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
        self._text = cast("LiteralString", f"{text}\n{self._tag}")  # checked by kg.cypher
        self._parameters = dict(parameters)
        self._timeout_s = timeout_s
        self._max_rows = max_rows
        self._late = False

    def answer(self, driver: Driver) -> Table:
        """Run the query.

        Raises:
            QueryTimeoutError: Time was up; the query was ended at the server.
        """
        from neo4j import Query
        from neo4j.exceptions import DriverError, Neo4jError

        self._late = False
        timer = threading.Timer(self._timeout_s, self._time_up)
        timer.daemon = True
        timer.start()
        try:
            with driver.session(
                database=self._link.database,
                default_access_mode="READ",
                fetch_size=min(FETCH, self._max_rows + 1),
            ) as session:
                try:
                    result = session.run(
                        Query(self._text, timeout=self._timeout_s), self._parameters
                    )
                    columns = tuple(result.keys())
                    rows: list[tuple[Any, ...]] = []
                    truncated = False
                    for record in result:
                        if len(rows) == self._max_rows:
                            truncated = True
                            break
                        rows.append(tuple(plain(value) for value in record.values()))
                    if truncated:
                        self._end()
                        with suppress(Neo4jError, DriverError):
                            result.consume()
                except BaseException:
                    if not self._late:
                        self._end()  # an interrupted caller leaves nothing running
                    raise
        except (Neo4jError, DriverError) as error:
            if self._late:
                raise QueryTimeoutError(
                    f"the query was ended after {self._timeout_s:g} s",
                    hint="ask for less, or raise the time limit",
                ) from error
            raise
        finally:
            timer.cancel()
        return Table(columns=columns, rows=tuple(rows), truncated=truncated)

    def _time_up(self) -> None:
        self._late = True
        self._end()

    def _end(self) -> None:
        """End this query at the server; one that is over already is no error."""
        with suppress(EngineError, OSError):
            for running in self._link.running():
                if running.text.endswith(self._tag):
                    self._link.end(running.id)
