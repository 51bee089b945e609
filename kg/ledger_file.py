"""The SQLite file under the job ledger: its format number, its transactions."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kg.errors import ForeignFileError, FormatVersionError, JobError
from kg.ledger_statements import SCHEMA

__all__ = ["FORMAT", "LedgerFile"]

FORMAT = 1
APPLICATION_ID = 0x554D4C47  # "UMLG", in the header of the file
BUSY_S = 30.0
HINT = "move the file away; jobs that were done will be done again"


class LedgerFile:
    """A connection that several threads may share; other processes have their own.

    Args:
        path: The file; it is made if missing.

    Raises:
        ForeignFileError: Something else lies there.
        FormatVersionError: It has another format number.
        JobError: It cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise ForeignFileError("not a job ledger", where=str(path), hint=HINT)
        self._connection = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            self.close()
            raise JobError(f"the job ledger cannot be opened: {error}", where=str(path)) from error
        except sqlite3.DatabaseError as error:
            self.close()
            raise ForeignFileError("not a job ledger", where=str(path), hint=HINT) from error
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        # Look before anything is written: a foreign database is left as it is.
        application, version, tables = self._look()
        if application == APPLICATION_ID and version != FORMAT:
            raise FormatVersionError(
                f"a job ledger of format {version}, this version reads {FORMAT}",
                where=str(self.path),
                hint=HINT,
            )
        if application != APPLICATION_ID:
            if application or version or tables:
                raise ForeignFileError("not a job ledger", where=str(self.path), hint=HINT)
            self._enter_wal()
            with self.transaction() as connection:
                if self._pragma("application_id") != APPLICATION_ID:
                    for statement in SCHEMA:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    connection.execute(f"PRAGMA user_version = {FORMAT}")
        self._connection.execute("PRAGMA synchronous = FULL")

    def _enter_wal(self) -> None:
        # SQLite does not wait for other processes here, whatever the time-out says.
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def _look(self) -> tuple[int, int, int]:
        """Return the application id, the format and the number of tables, as of one moment.

        Asked one by one, a ledger that another process makes meanwhile would look foreign.
        """
        self._connection.execute("BEGIN")
        try:
            found = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            return self._pragma("application_id"), self._pragma("user_version"), int(found[0])
        finally:
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file; calling it twice is harmless."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Return a context whose statements happen together or not at all, one writer at a time.

        Raises:
            JobError: The file cannot be written: another process holds it, or the disk is full.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.OperationalError as error:
                raise JobError(
                    f"the job ledger cannot be written: {error}",
                    where=str(self.path),
                    hint="end the other process, or free some disk, and run it again",
                ) from error

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()
