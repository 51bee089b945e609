"""The embedded engine as the Bolt backend sees it: types, unique keys and a counter beside Cypher.

What ArcadeDB lacks and how we make up for it: a label is a type that must extend the base type
``Entity`` for the key to be unique over all labels, so types are made by SQL before their first
use; labels and relations share one name space, so a name that is both is refused; commits are
optimistic, so writers of one graph queue at a file lock; the change counter is a document, which
Cypher cannot see, raised by a stored function inside the writer's transaction.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from kg.backends.engine_http import EngineHttp, RunningQuery
from kg.backends.engine_indexes import TYPES_QUERY, EngineIndexes
from kg.backends.engine_schema import (
    CHANGE_TYPE,
    FUNCTIONS,
    LONE,
    META_TYPE,
    PREPARE,
    RAISE_AND_NOTE,
    READY_TYPE,
    VERSION,
)
from kg.backends.links import DRIVER_OPTIONS, Role
from kg.backends.names import BASE_LABEL, check_kinds, is_name
from kg.backends.swapping import Swap
from kg.changes import KEPT_VERSIONS, Note, read_note
from kg.engine_command import LauncherConfig
from kg.errors import ConflictError, EngineError, InputError, StoreUnavailableError
from kg.file_lock import file_lock
from kg.launcher import Attachment, attach

if TYPE_CHECKING:
    from neo4j import Driver

__all__ = ["EmbeddedLink"]

FAULTS = (
    "totalErrors", "totalWarnings", "warnings", "corruptedRecords", "undecodableRecords",
    "corruptedIndexes", "invalidLinks", "missingReferenceBack", "edgesMissingInReference",
    "edgesMissingOutReference", "unreachableEdgeRecords", "danglingPlaceholderPointers",
    "orphanedChunks", "crossLinkedChunks", "constraintViolatingRecords",
)  # fmt: skip
"""Lines of the report of ``CHECK DATABASE`` that are empty or 0 where all is well."""
WRITE_WAIT_S = 60.0
LOAD_WAIT_S = 5.0
"""Seconds to wait for another process that loads the same graph."""
LOAD_S = 900.0
"""Seconds that one request of a load, or closing what was loaded, may take on a slow disk."""


class EmbeddedLink:
    """Umbra's own engine, a child process that every process of this machine shares.

    Args:
        folder: The store's folder.
        database: Name of the graph in it.
        config: How to start the engine.
        timeout_s: Seconds that its administration may take to answer.
    """

    writes_alone = True
    read_version: LiteralString = "RETURN umbra.version()"
    note_change: LiteralString = "WITH umbra.note($_touched) AS noted"
    bump_version: LiteralString = "WITH umbra.bump() AS version"
    raise_and_note: LiteralString = RAISE_AND_NOTE
    lone = LONE
    read_rows: LiteralString = "convert.fromJsonList($rows)"

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "kg",
        config: LauncherConfig | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        if not is_name(database) or not database.isascii():
            raise InputError(f"{database!r:.80} cannot be the name of a graph")
        self.folder = folder.absolute()
        self.database = database
        self._config = config or LauncherConfig()
        self._timeout_s = timeout_s
        self._attachment: Attachment | None = None
        self.swap = Swap(self.folder / "engine", database)
        self._kinds: dict[str, str] = {}
        mark = self.folder / "engine" / f"{database}.indexes"
        self.indexes = EngineIndexes(self.export, database, mark)

    @property
    def attachment(self) -> Attachment:
        """The hold on the running engine."""
        if self._attachment is None:
            raise StoreUnavailableError("the store is closed", hint="open it again")
        return self._attachment

    @property
    def is_connected(self) -> bool:
        """Tell whether it holds on to an engine."""
        return self._attachment is not None

    @property
    def http(self) -> EngineHttp:
        """The engine's administration."""
        return EngineHttp(self.attachment.endpoint, timeout_s=self._timeout_s)

    @property
    def heap_bytes(self) -> int:
        """Java's largest heap, if the engine was started as this process would."""
        return self._config.heap_bytes

    def connect(self) -> None:
        """Attach to the engine, starting it if needed, and prepare the database once."""
        for pause_s in (0.05, 0.2, 0.8, None):
            self.close()
            self._attachment = attach(self.folder, self._config)
            try:
                if self.swap.begun:
                    with self.writing():
                        self.swap.finish(self.http)
                if not self._load_kinds():
                    with self.writing():
                        self._prepare()
            except StoreUnavailableError:
                self.close()
                if pause_s is None:
                    raise
                time.sleep(pause_s)  # it was dying when we looked; the next look starts another
            except BaseException:
                self.close()
                raise
            else:
                return

    def _load_kinds(self) -> bool:
        rows = self.http.sql(self.database, TYPES_QUERY) or ()
        self._kinds = {row["name"]: row["type"] for row in rows}
        self.indexes.load(rows)
        return READY_TYPE in self._kinds

    def _prepare(self) -> None:
        """Make the database and its schema; each step may have been done before a crash."""
        http = self.http
        if self.database not in http.server("list databases"):
            http.server(f"create database {self.database}")
        elif self._load_kinds():
            return
        http.sql(self.database, ";".join(PREPARE) + ";")
        rows = http.sql(self.database, f"SELECT version FROM {META_TYPE}")  # noqa: S608
        if not rows:
            http.sql(self.database, f"INSERT INTO {META_TYPE} SET version = 0")
        for text in FUNCTIONS:
            command = {"language": "sql", "command": text}
            status, answer = http.request(f"/api/v1/command/{self.database}", command)
            if status != 200 and "already defined" not in str(answer):
                raise StoreUnavailableError(f"the graph cannot be prepared: {answer}"[:400])
        http.sql(self.database, f"CREATE DOCUMENT TYPE {READY_TYPE} IF NOT EXISTS")
        self._load_kinds()

    def driver(self, role: Role) -> Driver:
        """Return a new driver that logs in as reader or writer."""
        from neo4j import GraphDatabase

        endpoint = self.attachment.endpoint
        return GraphDatabase.driver(
            f"bolt://{endpoint.host}:{endpoint.bolt_port}",
            auth=(role, endpoint.passwords[role]),
            **DRIVER_OPTIONS,
        )

    def writing(self) -> AbstractContextManager[None]:
        """Return a context in which no other process or thread writes to this graph."""
        path = self.folder / "engine" / f"{self.database}.write.lock"
        return file_lock(path, timeout_s=WRITE_WAIT_S)

    @property
    def load_lock(self) -> Path:
        """The file whose lock the one holds that loads into this graph at first."""
        return self.folder / "engine" / f"{self.database}.load.lock"

    def is_ready(self, labels: set[str], relations: set[str]) -> bool:
        """Tell whether each name is known to be a type of its kind."""
        return all(self._kinds.get(name) == "vertex" for name in labels) and all(
            self._kinds.get(name) == "edge" for name in relations
        )

    def ensure(self, labels: set[str], relations: set[str]) -> None:
        """Make the types of new labels and relations."""
        if self.is_ready(labels, relations):
            return
        self._load_kinds()  # another process may have made them
        check_kinds(labels, relations | {n for n, kind in self._kinds.items() if kind == "edge"})
        check_kinds({n for n, kind in self._kinds.items() if kind == "vertex"}, relations)
        script = [
            f"CREATE VERTEX TYPE `{name}` IF NOT EXISTS EXTENDS {BASE_LABEL}"
            for name in sorted(labels)
            if name not in self._kinds
        ]
        script += [
            f"CREATE EDGE TYPE `{name}` IF NOT EXISTS"
            for name in sorted(relations)
            if name not in self._kinds
        ]
        if script:
            self.http.sql(self.database, ";".join(script) + ";")
            self._kinds.update(dict.fromkeys(labels, "vertex"))
            self._kinds.update(dict.fromkeys(relations, "edge"))

    def labels_of(self, label: str) -> tuple[str, ...]:
        """Return the label alone: its type extends the base type."""
        return (label,)

    def running(self) -> list[RunningQuery]:
        """Return the queries that run on this database."""
        return [row for row in self.http.running_queries() if row.database == self.database]

    def end(self, query: str) -> bool:
        """End a running query by its id."""
        return self.http.end_query(query)

    def notes(self, since: int) -> list[tuple[int, Note]]:
        """Return what write transactions have touched since a version."""
        query = f"SELECT version, touched FROM {CHANGE_TYPE} WHERE version > {int(since)}"  # noqa: S608
        rows = self.http.sql(self.database, query)
        return [(row["version"], read_note(row["touched"])) for row in rows or ()]

    def prune(self) -> None:
        """Forget what was touched long ago."""
        oldest = f"{VERSION} - {KEPT_VERSIONS}"
        self.http.sql(self.database, f"DELETE FROM {CHANGE_TYPE} WHERE version < {oldest}")  # noqa: S608

    def complaints(self) -> tuple[str, ...]:
        """Return what the engine's own check finds wrong with pages, links and indexes."""
        rows = self.http.sql(self.database, "CHECK DATABASE")
        report = rows[0] if rows else {"totalErrors": "no report"}
        found = {name: report[name] for name in FAULTS if report.get(name)}
        return tuple(f"{name}: {value}"[:300] for name, value in found.items())

    def export(self) -> EngineHttp:
        """Return the engine's HTTP face, with time for the rows of a large graph."""
        return EngineHttp(self.attachment.endpoint, timeout_s=LOAD_S)

    @contextmanager
    def beside(self) -> Iterator[EmbeddedLink]:
        """Return a context with an empty database that takes this one's place when it ends well.

        Raises:
            StoreTransientError: Another process loads this graph.
            ConflictError: This graph was written to meanwhile; nothing was loaded.
        """
        newer = EmbeddedLink(
            self.folder, database=self.swap.newer, config=self._config, timeout_s=LOAD_S
        )
        with file_lock(self.load_lock, timeout_s=LOAD_WAIT_S):
            newer.indexes.demand(self.indexes.all())
            try:
                self.swap.make(self.http)
                yield newer
                with self.writing():
                    rows = self.http.sql(self.database, f"SELECT version FROM {META_TYPE}")  # noqa: S608
                    if not rows or rows[0]["version"] != 0:
                        raise ConflictError(
                            "another process wrote to the graph during its first load",
                            hint="load again: the rows are merged into what is there",
                        )
                    self._take_place(newer)
            except BaseException:
                newer.close()
                if not self.swap.begun:  # else it is whole, and the next client puts it in place
                    with suppress(EngineError):
                        self.swap.drop(self.http, newer.database)
                raise

    def _take_place(self, newer: EmbeddedLink) -> None:
        self._load_kinds()
        labels = {name for name, kind in self._kinds.items() if kind == "vertex"}
        relations = {name for name, kind in self._kinds.items() if kind == "edge"}
        newer.connect()
        newer.ensure(labels - {BASE_LABEL}, relations)  # other clients count on them
        for one in self.indexes.all():
            newer.indexes.create(one.label, one.attribute, one.kind)
        newer.close()
        self.swap.begin(self.export())
        self._load_kinds()

    def drop(self) -> None:
        """Delete the whole database; for tests and for a load that starts again."""
        self.http.server(f"drop database {self.database}")

    def close(self) -> None:
        """Let go of the engine, which ends by itself when nobody is left."""
        if self._attachment is not None:
            self._attachment.close()
            self._attachment = None
