"""Where an import writes: into the store, or into a first load of one that is empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from kg.errors import EngineError
from kg.files import atomic_write
from kg.model import Edge, Entity, EntityKey
from kg.store import Store

__all__ = ["FirstLoads", "ImportTarget", "LoadEnded", "target_of_import"]

FIRST_LOAD_ROWS = 5_000
"""Rows from which a first load is worth a database of its own."""


class ImportTarget(Protocol):
    """What an import writes to."""

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Add or merge entities; see `kg.store.Writer`."""
        ...

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Add or merge edges; see `kg.store.Writer`."""
        ...

    def holds(self, key: EntityKey) -> bool:
        """Tell whether there is an entity of this key."""
        ...


class LoadEnded(Exception):  # noqa: N818 - not an error of its own: it carries one out of the load
    """Ends a first load before its last row; what was loaded stays.

    Args:
        error: Why.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


@runtime_checkable
class FirstLoads(Protocol):
    """A store that loads many rows faster while it is empty."""

    def first_load(self) -> AbstractContextManager[ImportTarget] | None:
        """Return a context whose rows are there at its end, or None where there is no such thing.

        Rows count as written at the end only. `LoadEnded` ends it too, and what came before it
        stays; after any other error nothing does.

        Raises:
            StoreTransientError: Another process loads this graph.
            ConflictError: Another process wrote to it meanwhile; nothing was loaded.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Upserts:
    """A store as it is."""

    store: Store

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        return self.store.upsert_entities(rows)

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        return self.store.upsert_edges(rows)

    def holds(self, key: EntityKey) -> bool:
        return self.store.entity(key) is not None


@contextmanager
def target_of_import(
    store: Store, mark: Path, *, rows: int, anew: Callable[[], None]
) -> Iterator[ImportTarget]:
    """Return a context with what an import writes to.

    A first load that was killed leaves nothing in the store, whatever the ledger says, and its mark
    tells. One that ends by an error or an interrupt leaves what it has loaded.

    Args:
        store: The store.
        mark: File that lies there while rows that are written may still be lost.
        rows: How many there may be.
        anew: Called where no row may be taken for written that the ledger says is.
    """
    first = None
    if rows >= FIRST_LOAD_ROWS and isinstance(store, FirstLoads):
        first = store.first_load()
    if first is None:
        if mark.exists():
            anew()
            mark.unlink()
        yield _Upserts(store)
        return
    why: BaseException | None = None
    try:
        with first as target:
            with atomic_write(mark) as file:
                file.write(b"rows are loaded beside the graph\n")
            anew()
            try:
                yield target
            except (EngineError, KeyboardInterrupt) as error:
                raise LoadEnded(error) from error
    except LoadEnded as ended:
        why = ended.error
    mark.unlink()
    if why is not None:
        raise why
