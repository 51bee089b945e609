"""One client's connection to a Bolt server: drivers, transactions, and trying again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar

from kg.backends.counted import Answer, CountedTransaction
from kg.backends.links import Link, Role
from kg.backends.sessions import session_of, transaction_of
from kg.backends.translation import translated
from kg.errors import (
    ConflictError,
    EngineError,
    StoreError,
    StoreTransientError,
    StoreUnavailableError,
)
from kg.spans import span

if TYPE_CHECKING:
    from neo4j import Driver, Transaction
    from neo4j.exceptions import DriverError

    from kg.changes import Note

__all__ = ["Connection"]

ATTEMPTS = 8
PRUNED_OF_WRITES = 1 / 200
"""Share of writes after which old notes of the change feed are forgotten."""
Result = TypeVar("Result")


class Connection:
    """Drivers for both roles, made when first used and made anew when the server went away.

    Args:
        link: The server.

    Raises:
        StoreUnavailableError: It cannot be reached or started.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self._drivers: dict[Role, Driver] = {}
        self._closed = False
        self._number = 0
        self._lock = threading.RLock()
        self._inside = threading.local()
        with translated():
            link.connect()

    def close(self) -> None:
        """Let go of the server; every later call is refused."""
        with self._lock:
            self._closed = True
            self._close_drivers()
            self.link.close()

    def _close_drivers(self) -> None:
        for driver in self._drivers.values():
            with suppress(BufferError):  # it was interrupted within a message, which stays unsent
                driver.close()
        self._drivers.clear()

    def check_open(self) -> None:
        """Refuse a call on a closed store."""
        if self._closed:
            raise StoreUnavailableError("the store is closed", hint="open it again")

    def driver(self, role: Role) -> Driver:
        """Return this client's driver of a role."""
        with self._lock:
            self.check_open()
            if role not in self._drivers:
                self._drivers[role] = self.link.driver(role)
            return self._drivers[role]

    def again(self, work: Callable[[], Result]) -> Result:
        """Do work that may be done twice; try again what may succeed, after a restart too."""
        restarts = 0
        for attempt in range(ATTEMPTS):
            connection = self._number
            try:
                self.check_open()
                with translated():
                    return work()
            except StoreTransientError:
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0.5, 1.0) * min(1.0, 0.02 * 2**attempt))
            except StoreUnavailableError:
                restarts += 1
                if self._closed or restarts > 2:
                    raise
                self._reconnect(connection)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def renew(self) -> None:
        """Reach the server anew: its database is another one now."""
        self._reconnect(self._number)

    def _reconnect(self, broken: int) -> None:
        with self._lock, translated():
            if self._number == broken:  # else another thread has done it already
                self._close_drivers()
                self.link.connect()
                self._number += 1

    @contextmanager
    def writing(self, *, once: bool = False) -> Iterator[CountedTransaction]:
        """One write transaction, without trying again; committed only if it changed something.

        Args:
            once: What the block does may not be done twice. A commit whose answer was lost is then
                looked up: it ends well if it was done, and as not done if it was not.

        Raises:
            StoreError: Only with `once`, at a server that others write to as well: the answer of
                the commit was lost, and nobody can say whether it was done.
        """
        self._refuse_nesting()
        with span("store.write"), self.link.writing(), translated():
            self.link.indexes.refresh()
            driver = self.driver("writer")
            self._inside.writing = True
            before, lost = 0, None
            try:
                with (
                    session_of(driver, database=self.link.database) as session,
                    transaction_of(session) as transaction,
                ):

                    def run(text: LiteralString, values: Mapping[str, Any]) -> Answer:
                        result = transaction.run(text, dict(values))
                        return tuple(result.keys()), result.values()

                    if once:
                        before = _number(run(self.link.read_version, {})[1])
                    counted = CountedTransaction(
                        run,
                        self.link.bump_version,
                        self.link.note_change,
                        self.link.raise_and_note,
                        self.link.read_rows,
                    )
                    yield counted
                    if counted.changed:
                        lost = _committed(transaction)
                        self._prune_sometimes()
                    else:
                        transaction.rollback()
            finally:
                self._inside.writing = False
            if lost is not None and not (once and self._is_past(before)):
                raise lost

    def write_once(self, text: LiteralString, values: Mapping[str, Any]) -> list[list[Any]]:
        """Run one of our own statements that is a whole write transaction; return its rows.

        It must be one that may be done twice: it is tried again as every write is.
        """
        self._refuse_nesting()

        def once() -> list[list[Any]]:
            with self.link.writing():
                driver, database = self.driver("writer"), self.link.database
                with session_of(driver, database=database) as session:
                    rows = session.run(text, dict(values)).values()
                self._prune_sometimes()
            return rows

        with span("store.write"):
            return self.again(once)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Return a context in which nobody writes, for a change of the schema."""
        self.check_open()
        self._refuse_nesting()
        with self.link.writing(), translated():
            yield

    def _refuse_nesting(self) -> None:
        if getattr(self._inside, "writing", False):
            raise ConflictError(
                "this thread has a transaction open", hint="write through the transaction's writer"
            )

    def notes(self, since: int) -> list[tuple[int, Note]]:
        """Return what write transactions have touched since a version."""
        return self.again(lambda: self.link.notes(since))

    def _prune_sometimes(self) -> None:
        if random.random() < PRUNED_OF_WRITES:
            with suppress(EngineError):  # what is written is written
                self.link.prune()

    def _is_past(self, version: int) -> bool:
        """Tell whether the commit whose answer was lost was done, while no other client writes."""
        if not self.link.writes_alone:
            raise StoreError(
                "the connection broke within a commit: whether it was done is not known",
                hint="look at the graph before you do it again",
            )
        self._reconnect(self._number)
        return _number(self.read(self.link.read_version, {})) > version

    def read(self, text: LiteralString, values: Mapping[str, Any]) -> list[list[Any]]:
        """Run one of our own statements as the reader and return its rows."""

        def once() -> list[list[Any]]:
            driver = self.driver("reader")
            database = self.link.database
            with session_of(driver, database=database, default_access_mode="READ") as session:
                return session.run(text, dict(values)).values()

        with span("store.read"):
            return self.again(once)


def _number(rows: list[list[Any]]) -> int:
    return int(rows[0][0] or 0)


def _committed(transaction: Transaction) -> DriverError | None:
    """Commit; return the error if the connection broke before the answer came."""
    from neo4j.exceptions import DriverError

    try:
        transaction.commit()
    except DriverError as error:
        return error
    return None
