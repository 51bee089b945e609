"""The `Store` protocol: what every graph store does; `kg.backends` implements it.

One conformance suite (`tests/conformance/test_store.py`) runs over every implementation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self, runtime_checkable

from kg.changes import Changes
from kg.indexes import Indexes
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.row_stream import RowStream
from kg.taken import Taken
from kg.withdrawal import Withdrawal

__all__ = ["Capabilities", "Direction", "Store", "Stored", "Table", "Writer"]

Direction = Literal["out", "in", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a store can do beyond the protocol's core.

    Attributes:
        cypher: It answers `query` and `execute`.
        durable: What was acknowledged survives a crash.
        shared: Several processes may use it at the same time.
    """

    cypher: bool
    durable: bool
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of a Cypher query.

    Attributes:
        columns: Names, in the order of the query's RETURN.
        rows: One tuple of plain values a row; a node or edge is a dict of its properties with
            its labels or type, and still knows what it is (`kg.query_values`).
        truncated: True if the limit on rows cut the result.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What lies in a store, as it lies there: for a check, which takes nothing for readable.

    Attributes:
        nodes: Labels and properties of each.
        edges: Head, relation, tail and properties of each; the key of a node without one is None.
        complaints: What the engine says is wrong with its own files.
    """

    nodes: Sequence[tuple[Sequence[str], Mapping[str, Any]]]
    edges: Sequence[tuple[Any, str, Any, Mapping[str, Any]]]
    complaints: tuple[str, ...] = ()


class Writer(Protocol):
    """The writes of a store; inside `Store.transaction` they happen together or not at all."""

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Add entities or merge them into those of the same key.

        Names, attributes, images and the part of a newer row replace older ones field by field
        (attributes key by key, aliases and provenance as unions). Idempotent.

        Returns:
            Number of rows taken.
        """
        ...

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Add edges or merge them into those of the same (head, relation, tail). Idempotent.

        Raises:
            ConstraintError: An end of an edge does not exist; nothing of the call is written.
        """
        ...

    def replace_entities(self, rows: Iterable[Entity]) -> int:
        """Make entities exactly these rows, where an upsert would merge; their edges stay.

        Returns:
            Number of rows taken.

        Raises:
            ConstraintError: There is no such entity, or it has another label; nothing of the call
                is written.
        """
        ...

    def replace_edges(self, rows: Iterable[Edge]) -> int:
        """Make edges exactly these rows, where an upsert would merge.

        Returns:
            Number of rows taken.

        Raises:
            ConstraintError: There is no such edge; nothing of the call is written.
        """
        ...

    def delete_entities(self, keys: Iterable[EntityKey]) -> int:
        """Delete entities with their edges and return how many there were."""
        ...

    def delete_edges(self, keys: Iterable[EdgeKey]) -> int:
        """Delete edges and return how many there were."""
        ...

    def withdraw(self, what: Withdrawal) -> int:
        """Take away matching records; edges and sub-entities left without one are deleted.

        A record that was derived from what is deleted goes too, and so on. Where the same is
        written anew, write first and withdraw then: what rests on it stays.

        Returns:
            Number of records taken away.
        """
        ...

    def withdrawn(self, what: Withdrawal) -> Taken:
        """Say what `withdraw` would take away, and why; nothing is changed."""
        ...


@runtime_checkable
class Store(Writer, Protocol):
    """A graph store. Use it as a context manager; a closed store refuses every call."""

    @property
    def capabilities(self) -> Capabilities:
        """What this store can do."""
        ...

    @property
    def version(self) -> int:
        """Change counter: grows with every write that changed something, never falls."""
        ...

    @property
    def indexes(self) -> Indexes:
        """The indexes of attributes, to make and to drop; see `kg.indexes`."""
        ...

    def changes(self, since: int) -> Changes | None:
        """Return what was touched since a version, or None where the feed does not tell.

        It tells nothing of what is older than `kg.changes.KEPT_VERSIONS`, of large transactions,
        and of what `execute` wrote; some stores have none.
        """
        ...

    def close(self) -> None:
        """Release the store; calling it twice is harmless."""
        ...

    def __enter__(self) -> Self:
        """Return the store itself."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        ...

    def transaction(self) -> AbstractContextManager[Writer]:
        """Return a context whose writes are committed together at its end, or not at all."""
        ...

    def entity(self, key: EntityKey) -> Entity | None:
        """Return the entity of this key, or None."""
        ...

    def entities_of(self, keys: Collection[EntityKey]) -> list[Entity]:
        """Return the entities of these keys that are there, each once, in the order of the keys."""
        ...

    def edges_of(self, keys: Collection[EdgeKey]) -> list[Edge]:
        """Return the edges of these keys that are there, each once, in the order of the keys."""
        ...

    def edges_from(
        self, keys: Collection[EntityKey], *, limit: int | None = None, after: EdgeKey | None = None
    ) -> list[Edge]:
        """Return the edges that go out from these entities, in the order of (head, relation, tail).

        At most `limit` of them, and with `after` only those that come after it in this order.
        """
        ...

    def entities(self, label: str | None = None) -> Iterator[Entity]:
        """Iterate entities in the order of their keys."""
        ...

    def edges(
        self,
        *,
        head: EntityKey | None = None,
        relation: str | None = None,
        tail: EntityKey | None = None,
    ) -> Iterator[Edge]:
        """Iterate edges that match, in the order of (head, relation, tail)."""
        ...

    def neighbours(
        self,
        key: EntityKey,
        *,
        relation: str | None = None,
        direction: Direction = "out",
        limit: int = 100,
        after: EdgeKey | None = None,
    ) -> list[Edge]:
        """Return up to `limit` edges at an entity, in the order of (head, relation, tail).

        With `after` only those that come after it in this order, whether it is there or not.
        """
        ...

    def stored(self) -> Stored:
        """Return what lies in the store as it lies there, read while nobody writes."""
        ...

    def query(
        self,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = 20.0,
        max_rows: int = 10_000,
    ) -> Table:
        """Answer a read-only Cypher query as the reader role.

        The text is untrusted: it passes `kg.cypher.check` first. One that begins with EXPLAIN is
        not run: the rows are the lines of the store's plan.

        Raises:
            ReadOnlyError: It would write, read files or administer.
            QuerySyntaxError: It does not parse.
            QueryTimeoutError: `timeout_s` was reached; the query was ended.
            MissingPartError: The store does not speak Cypher.
        """
        ...

    def stream(
        self,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = 20.0,
        max_rows: int = 1_000_000,
    ) -> AbstractContextManager[RowStream]:
        """Return a context that gives the rows of a query as the store makes them.

        All as in `query`, but the rows are not held. What goes wrong before the first one raises
        when the context is entered, what goes wrong later when the next row is asked for. Leaving
        the context ends the query; so does `timeout_s`, however slowly the rows are taken.
        """
        ...

    def execute(self, cypher: str, parameters: Mapping[str, Any] | None = None) -> Table:
        """Run trusted Cypher that may write; never pass it text from outside."""
        ...
