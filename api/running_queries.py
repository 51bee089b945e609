"""What runs on an engine's store now, and how it is ended: for the command line and for REST."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from api.schemas import Model
from kg.errors import MissingPartError

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = [
    "EndedQueryOut",
    "RunningQueriesOut",
    "RunningQueryOut",
    "end_query",
    "end_tagged",
    "running_queries",
]

_TAGS = re.compile(r"(?:\n// (?:umbra:|request )[^\n]*)+\Z")
"""What Umbra puts behind a query's text to tell it from others."""


class RunningQueryOut(Model):
    """A query that runs at the store now, of whichever client."""

    id: str
    text: str
    user: str
    elapsed_s: float
    database: str


class RunningQueriesOut(Model):
    """The queries that run, oldest first."""

    queries: tuple[RunningQueryOut, ...]


class EndedQueryOut(Model):
    """The query that was ended."""

    ended: str


@runtime_checkable
class _ListsQueries(Protocol):
    """A store that lists the queries that run and can end one."""

    def running_queries(self) -> list[Any]: ...

    def end_query(self, query: str) -> bool: ...


def running_queries(engine: Engine) -> RunningQueriesOut:
    """Return the queries of every client; no store is started for it.

    Raises:
        MissingPartError: The store cannot list them.
    """
    store = _listing(engine)
    found = () if store is None else store.running_queries()
    return RunningQueriesOut(
        queries=tuple(
            RunningQueryOut(
                id=one.id,
                text=_TAGS.sub("", one.text),
                user=one.user,
                elapsed_s=one.elapsed_s,
                database=one.database,
            )
            for one in found
        )
    )


def end_query(engine: Engine, query: str) -> bool:
    """End a query, of which its caller is told; False if none of this id runs.

    Raises:
        InputError: The text is not the id of a query.
        MissingPartError: The store cannot list them.
    """
    store = _listing(engine)
    return store is not None and store.end_query(query)


def end_tagged(engine: Engine, tag: str) -> None:
    """End the query that `Engine.cypher` was given with a tag, if it runs."""
    store = engine.store
    if isinstance(store, _ListsQueries):
        for running in store.running_queries():
            if tag in running.text:
                store.end_query(running.id)


def _listing(engine: Engine) -> _ListsQueries | None:
    from kg.launcher import store_status

    if engine.settings.store == "embedded" and not store_status(engine.workspace.graph).running:
        return None  # nothing is started only to see that nothing runs
    store = engine.store
    if not isinstance(store, _ListsQueries):
        raise MissingPartError("this store has no queries that could be listed")
    return store
