"""What differs between the servers behind Bolt: how to reach them, their schema, their counter.

`EmbeddedLink` is Umbra's own child process, `RemoteLink` a Neo4j server. Everything else is
`kg.backends.bolt`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, LiteralString, Protocol

from kg.backends.indexing import ServerIndexes
from kg.backends.names import BASE_LABEL, check_kinds
from kg.backends.sessions import session_of

if TYPE_CHECKING:
    from neo4j import Driver

    from kg.backends.alone import LoneWrite
    from kg.backends.engine_http import EngineHttp, RunningQuery
    from kg.backends.indexing import LinkIndexes
    from kg.changes import Note

__all__ = ["FastLink", "Link", "RemoteLink", "Role"]

Role = Literal["reader", "writer"]


class Link(Protocol):
    """One server, as the Bolt backend needs to see it."""

    @property
    def database(self) -> str:
        """Name of the database that holds the graph."""
        ...

    @property
    def writes_alone(self) -> bool:
        """Whether nobody else can write inside `writing`."""
        ...

    @property
    def read_version(self) -> LiteralString:
        """Statement that returns the change counter."""
        ...

    @property
    def bump_version(self) -> LiteralString:
        """Clauses that raise it; the first statement of a write transaction begins with them."""
        ...

    @property
    def note_change(self) -> LiteralString | None:
        """Clauses that keep ``$_touched`` for the version that they follow, if it can be kept."""
        ...

    @property
    def raise_and_note(self) -> LiteralString | None:
        """Clauses that do both, at less cost; None if no change can be kept."""
        ...

    @property
    def lone(self) -> LoneWrite | None:
        """How one statement is a whole write transaction, if it can be."""
        ...

    @property
    def read_rows(self) -> LiteralString | None:
        """Expression that reads ``$rows`` as JSON, if the server has one."""
        ...

    @property
    def indexes(self) -> LinkIndexes:
        """Its indexes of attributes."""
        ...

    def notes(self, since: int) -> list[tuple[int, Note]]:
        """Return what was kept so since a version."""
        ...

    def prune(self) -> None:
        """Forget what was kept long ago."""
        ...

    def connect(self) -> None:
        """Reach the server (starting it where that is ours to do) and prepare the database."""
        ...

    def driver(self, role: Role) -> Driver:
        """Return a new driver that logs in as a role."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """Return a context in which this client alone writes, where the server needs that."""
        ...

    def is_ready(self, labels: set[str], relations: set[str]) -> bool:
        """Tell whether labels and relations are known to be ready for use."""
        ...

    def ensure(self, labels: set[str], relations: set[str]) -> None:
        """Make labels and relations ready for use.

        Raises:
            ConstraintError: A name is already the other kind.
        """
        ...

    def labels_of(self, label: str) -> tuple[str, ...]:
        """Return the labels to give a new node of a label."""
        ...

    def running(self) -> list[RunningQuery]:
        """Return the queries that run on this database."""
        ...

    def end(self, query: str) -> bool:
        """End a running query by its id."""
        ...

    def complaints(self) -> tuple[str, ...]:
        """Return what the server finds wrong with its own files, if it can tell."""
        ...

    def beside(self) -> AbstractContextManager[FastLink] | None:
        """Return a context with an empty database that takes this one's place when it ends well.

        None where the server has no such thing. What is there is lost, so this one must be empty.
        """
        ...

    def close(self) -> None:
        """Let go of the server."""
        ...

    def export(self) -> EngineHttp | None:
        """Return what reads a whole graph faster than Bolt, if the server has such a thing."""
        ...


class FastLink(Link, Protocol):
    """A database that nobody else uses yet, with the engine's own endpoint for loads."""

    @property
    def http(self) -> EngineHttp:
        """The engine's administration."""
        ...

    @property
    def heap_bytes(self) -> int:
        """The memory that the engine may take for its objects."""
        ...


# What the driver has to say reaches the caller as an error; without a handler it would also print.
logging.getLogger("neo4j").addHandler(logging.NullHandler())

DRIVER_OPTIONS: dict[str, Any] = {
    "connection_timeout": 10.0,
    "connection_acquisition_timeout": 30.0,
    "max_connection_pool_size": 32,
    "telemetry_disabled": True,
    "user_agent": "umbra",
}


UNIQUE_KEY: LiteralString = (
    "CREATE CONSTRAINT umbra_key IF NOT EXISTS FOR (n:Entity) REQUIRE n.key IS UNIQUE"
)
UNIQUE_VERSION: LiteralString = (
    "CREATE CONSTRAINT umbra_version IF NOT EXISTS FOR (n:`_Umbra`) REQUIRE n.id IS UNIQUE"
)


class RemoteLink:
    """A Neo4j server at an address; the user's rights there are the operator's business.

    The change counter is a node ``:_Umbra`` of the graph.

    Args:
        uri: ``bolt://…``, ``neo4j://…`` or their encrypted forms.
        auth: User and password, or None for a server without.
        database: Name of the database.
    """

    writes_alone = False
    read_version: LiteralString = (
        "OPTIONAL MATCH (m:`_Umbra` {id: 1}) RETURN coalesce(m.version, 0)"
    )
    bump_version: LiteralString = (
        "MERGE (m:`_Umbra` {id: 1}) SET m.version = coalesce(m.version, 0) + 1 "
        "WITH m.version AS version"
    )

    note_change = None
    raise_and_note = None
    lone = None
    read_rows = None

    def __init__(self, uri: str, *, auth: tuple[str, str] | None, database: str = "neo4j") -> None:
        self.uri = uri
        self.database = database
        self._auth = auth
        self._kinds: tuple[set[str], set[str]] = (set(), set())
        self.indexes = ServerIndexes(self._rows)

    def connect(self) -> None:
        """Reach the server and make the key unique."""
        with self.driver("writer") as driver, session_of(driver, database=self.database) as session:
            session.run(UNIQUE_KEY).consume()
            session.run(UNIQUE_VERSION).consume()
        self._load_kinds()

    def _load_kinds(self) -> None:
        with self.driver("reader") as driver, session_of(driver, database=self.database) as session:
            labels = {row[0] for row in session.run("CALL db.labels()")}
            relations = {row[0] for row in session.run("CALL db.relationshipTypes()")}
        self._kinds = (labels, relations)

    def driver(self, role: Role) -> Driver:  # noqa: ARG002 - one user; sessions say read or write
        """Return a new driver."""
        from neo4j import GraphDatabase

        return GraphDatabase.driver(self.uri, auth=self._auth, **DRIVER_OPTIONS)

    def writing(self) -> AbstractContextManager[None]:
        """Return an empty context: the counter's node is the lock."""
        return nullcontext()

    def is_ready(self, labels: set[str], relations: set[str]) -> bool:
        """Tell whether each name is known to be of its kind."""
        return labels <= self._kinds[0] and relations <= self._kinds[1]

    def ensure(self, labels: set[str], relations: set[str]) -> None:
        """Refuse a name that is both; the server itself needs no preparation."""
        if self.is_ready(labels, relations):
            return
        self._load_kinds()
        known_labels, known_relations = self._kinds
        check_kinds(labels, known_relations | relations)
        check_kinds(known_labels | labels, relations)
        known_labels |= labels
        known_relations |= relations

    def labels_of(self, label: str) -> tuple[str, ...]:
        """Return the base label and the entity's own."""
        return (label,) if label == BASE_LABEL else (BASE_LABEL, label)

    def running(self) -> list[RunningQuery]:
        """Return the server's transactions that have a query."""
        from kg.backends.engine_http import RunningQuery

        with self._rows("SHOW TRANSACTIONS") as rows:
            return [
                RunningQuery(
                    id=row["transactionId"],
                    text=row["currentQuery"],
                    user=row["username"],
                    elapsed_s=row["elapsedTime"].seconds if row["elapsedTime"] else 0.0,
                    database=row["database"],
                )
                for row in rows
                if row["currentQuery"] and row["database"] == self.database
            ]

    def end(self, query: str) -> bool:
        """End a transaction by its id."""
        with self._rows("TERMINATE TRANSACTIONS $id", id=query) as rows:
            return any("not found" not in str(row["message"]).lower() for row in rows)

    def complaints(self) -> tuple[str, ...]:
        """Return nothing: a Neo4j server checks its files by `neo4j-admin`, while it is down."""
        return ()

    def notes(self, since: int) -> list[tuple[int, Note]]:  # noqa: ARG002 - there are none
        """Return nothing: a graph that others write to as well has no feed of ours."""
        return []

    def prune(self) -> None:
        """Nothing is kept."""

    def beside(self) -> None:
        """Return nothing: a Neo4j server's own bulk load, `neo4j-admin`, needs it to be down."""

    def export(self) -> None:
        """Return nothing: Bolt is all there is."""

    @contextmanager
    def _rows(self, text: LiteralString, **parameters: object) -> Iterator[list[Any]]:
        with self.driver("writer") as driver, session_of(driver, database=self.database) as session:
            yield list(session.run(text, parameters))

    def close(self) -> None:
        """Nothing is kept."""
