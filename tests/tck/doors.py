"""The two ways into the embedded store on which the kit runs: Umbra's own API, and plain Bolt."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from neo4j import ManagedTransaction
from neo4j.exceptions import DriverError, Neo4jError

from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.backends.translation import translate
from tests.tck.notation import comparable

__all__ = ["ApiDoor", "BoltDoor", "Door", "GraphState", "Rows"]

NODES = "MATCH (n) RETURN elementId(n), labels(n), properties(n)"
EDGES = "MATCH ()-[r]->() RETURN elementId(r), properties(r)"
_WRITING = re.compile(r"\b(CREATE|MERGE|SET|DELETE|REMOVE|FOREACH)\b", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", re.DOTALL)
_numbers = count()


@dataclass(frozen=True)
class Rows:
    """What a query returned."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class GraphState:
    """What the kit's side effects are counted by, each as a set; by itself that of no graph."""

    nodes: frozenset[Hashable] = frozenset()
    relationships: frozenset[Hashable] = frozenset()
    labels: frozenset[Hashable] = frozenset()
    properties: frozenset[Hashable] = frozenset()


class Door(Protocol):
    """A way to run Cypher on a graph of its own.

    Attributes:
        name: For the report.
        written: Something may have been written since the last `empty`.
    """

    name: str
    written: bool

    def empty(self, *, anew: bool = False) -> None:
        """Have an empty graph: wiped, or a new one, which has no labels and types left either."""
        ...

    def run(self, text: str, parameters: Mapping[str, Any]) -> Rows:
        """Run a query.

        Raises:
            EngineError: It failed.
        """
        ...

    def state(self) -> GraphState:
        """Read the whole graph."""
        ...

    def close(self) -> None:
        """Leave no graph behind."""
        ...


def _writes(text: str) -> bool:
    return _WRITING.search(_QUOTED.sub("''", text)) is not None


def _state(nodes: Rows, edges: Rows) -> GraphState:
    owners = [(("node", row[0]), row[2]) for row in nodes.rows]
    owners += [(("edge", row[0]), row[1]) for row in edges.rows]
    return GraphState(
        nodes=frozenset(row[0] for row in nodes.rows),
        relationships=frozenset(row[0] for row in edges.rows),
        labels=frozenset(label for row in nodes.rows for label in row[1]),
        properties=frozenset(
            (owner, name, comparable(value))
            for owner, properties in owners
            for name, value in properties.items()
        ),
    )


class _EmbeddedDoor:
    """What both doors share: a graph of the embedded engine, emptied when something was written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.written = False
        self._open()

    def _open(self) -> None:
        self._link = EmbeddedLink(self._folder, database=f"tck{next(_numbers)}")
        self._link.connect()

    def run(self, text: str, parameters: Mapping[str, Any]) -> Rows:
        """Run a query; see `Door`."""
        raise NotImplementedError

    def state(self) -> GraphState:
        """Read the whole graph."""
        return _state(self.run(NODES, {}), self.run(EDGES, {}))

    def empty(self, *, anew: bool = False) -> None:
        """Have an empty graph; see `Door`."""
        if anew:
            self.close()
            self._open()
        else:
            self.run("MATCH (n) DETACH DELETE n", {})
        self.written = False

    def close(self) -> None:
        """Leave no graph behind."""
        self._link.drop()
        self._link.close()


class ApiDoor(_EmbeddedDoor):
    """`Store.query` for what only reads, `Store.execute` for what writes."""

    name = "api"

    def _open(self) -> None:
        super()._open()
        self._store = BoltStore(self._link)

    def run(self, text: str, parameters: Mapping[str, Any]) -> Rows:
        """Run a query; see `Door`."""
        if _writes(text):
            self.written = True
            table = self._store.execute(text, parameters)
        else:
            table = self._store.query(text, parameters)
        return Rows(table.columns, table.rows)

    def close(self) -> None:
        """Leave no graph behind."""
        super().close()
        self._store.close()


class BoltDoor(_EmbeddedDoor):
    """The official driver on the engine's Bolt port; its errors are told apart as Umbra does."""

    name = "bolt"

    def _open(self) -> None:
        super()._open()
        self._driver = self._link.driver("writer")

    def run(self, text: str, parameters: Mapping[str, Any]) -> Rows:
        """Run a query; see `Door`."""
        self.written = self.written or _writes(text)

        def once(transaction: ManagedTransaction) -> Rows:
            result = transaction.run(text, dict(parameters))
            return Rows(tuple(result.keys()), result.values())

        try:
            with self._driver.session(database=self._link.database) as session:
                return session.execute_write(once)  # tries again what the engine asks to
        except (Neo4jError, DriverError) as error:
            raise translate(error) from error

    def close(self) -> None:
        """Leave no graph behind."""
        self._driver.close()
        super().close()
