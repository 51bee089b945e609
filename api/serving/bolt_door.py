"""The embedded engine's Bolt port at an address that stays, for Neo4j's tools and drivers.

The engine takes another port and other passwords at each start; the door keeps its port and one
login. What comes in by it passes by Umbra's own gate (`kg.cypher`), so the login has the engine's
reader role unless the operator says otherwise, and never that of root. It listens on the loopback
address alone, since Bolt is not encrypted here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from api.opened_store import launcher_of
from kg.backends.engine_http import EngineHttp
from kg.errors import EngineError, ForeignFileError, SettingError, StoreError
from kg.files import read_json
from kg.launcher import Attachment, LauncherConfig, attach
from kg.supervisor import private_file

if TYPE_CHECKING:
    from api.settings import Settings
    from api.workspace import Workspace

__all__ = ["BoltDoor", "bolt_door"]

LOG = logging.getLogger("umbra.bolt")

USER = "umbra"
DATABASE = "kg"
MOST = 200
"""Connections at a time; the next one is closed at once."""
PIECE_BYTES = 2**16
GROUPS = {False: "umbra_reader", True: "umbra_writer"}
"""The engine's group of the login, by whether it may write."""


def bolt_door(workspace: Workspace, settings: Settings, *, port: int, writes: bool) -> BoltDoor:
    """Return a door to a working folder's store that listens already.

    Args:
        workspace: The folder.
        settings: Name the store and how its engine runs.
        port: To listen on; 0 for any free one.
        writes: Let Bolt clients write, too.

    Raises:
        MissingPartError: There is no working folder.
        SettingError: The port cannot be had, or the store is a server of its own.
        ForeignFileError: The login's file is none.
    """
    if settings.store != "embedded":
        raise SettingError(
            "the graph lies on a server of its own",
            where="--bolt",
            hint=f"give its address to the tools: {settings.store}",
        )
    workspace.require()
    login = _Login(workspace.bolt_login, _kept_password(workspace.bolt_login))
    return BoltDoor(
        _listening(port), workspace.graph, launcher_of(settings), login=login, writes=writes
    )


@dataclass(frozen=True, slots=True)
class _Login:
    """The file of the login, and its password."""

    file: Path
    password: str = field(repr=False)


def _listening(port: int) -> socket.socket:
    """Open a socket on the loopback address, before anything is loaded.

    Raises:
        SettingError: The port cannot be had.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(MOST)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SettingError(
            f"cannot listen for Bolt on 127.0.0.1 port {port}: "
            f"{getattr(error, 'strerror', None) or error}",
            where="--bolt",
            hint="a Neo4j server may run there; --bolt 0 takes any free port",
        ) from error
    return listener


def _kept_password(file: Path) -> str:
    """Return the password of a folder's login, made at the first call and readable by its owner.

    Raises:
        ForeignFileError: Something else lies there.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fields = {"format": 1, "user": USER, "password": secrets.token_urlsafe(24)}
        private_file(file, json.dumps(fields, indent=1) + "\n")
    password = read_json(file, kind="login for Bolt", formats=(1,)).get("password")
    if not isinstance(password, str) or len(password) < 16:
        raise ForeignFileError(
            "the login for Bolt has no password of 16 characters",
            where=str(file),
            hint="delete the file: the next start makes another",
        )
    return password


class BoltDoor:
    """Leads connections to a folder's engine while it is open; a context manager.

    Args:
        listener: Listens already.
        graph: Folder of the store.
        launcher: How its engine is started.
        login: What clients log in with.
        writes: Let the login write, too.
    """

    def __init__(
        self,
        listener: socket.socket,
        graph: Path,
        launcher: LauncherConfig,
        *,
        login: _Login,
        writes: bool,
    ) -> None:
        self._listener = listener
        self._graph = graph
        self._launcher = launcher
        rights = {DATABASE: [GROUPS[writes]]}
        self._user = json.dumps({"name": USER, "password": login.password, "databases": rights})
        host, port = listener.getsockname()[:2]
        may = "reads and WRITES" if writes else "only reads"
        self.told = (
            f"Bolt is at bolt://{host}:{port} (database {DATABASE}, user {USER}, password in "
            f"{login.file}; {may})"
        )
        self._clients: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._hold: Attachment | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="bolt", daemon=True)

    def __enter__(self) -> Self:
        """Attach to the engine, make the login and let clients in.

        Raises:
            StoreUnavailableError: The engine cannot be started.
        """
        self._hold = attach(self._graph, self._launcher)
        with suppress(StoreError):  # there is none yet
            EngineHttp(self._hold.endpoint).server(f"drop user {USER}")
        EngineHttp(self._hold.endpoint).server(f"create user {self._user}")
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Close every connection and take the login away."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=5)
        self._listener.close()
        if self._hold is not None:
            with suppress(EngineError):
                EngineHttp(self._hold.endpoint).server(f"drop user {USER}")
            self._hold.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._client, sock=self._listener)
        await self._stop.wait()
        server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._clients) >= MOST:
            writer.close()
            return
        self._clients.add(task)
        try:
            hold = await asyncio.to_thread(self._attached)
            try:
                await _led(reader, writer, hold)
            finally:
                hold.close()
        except (EngineError, OSError) as error:
            LOG.warning("a Bolt connection was closed: %s", error)
        except asyncio.CancelledError:
            pass  # the door closes; asyncio would print a task of a client's that is cancelled
        finally:
            self._clients.discard(task)
            writer.close()

    def _attached(self) -> Attachment:
        """Attach to the engine as it runs now; one that was started anew gets the login."""
        hold = attach(self._graph, self._launcher)
        try:
            with self._lock:
                if self._hold is not None and hold.endpoint != self._hold.endpoint:
                    EngineHttp(hold.endpoint).server(f"create user {self._user}")
                    self._hold.close()
                    self._hold = attach(self._graph, self._launcher)
        except BaseException:
            hold.close()
            raise
        return hold


async def _led(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hold: Attachment
) -> None:
    """Carry bytes both ways until one side closes; what the client left running is ended."""
    there = await asyncio.open_connection(hold.endpoint.host, hold.endpoint.bolt_port)
    host, port = there[1].get_extra_info("sockname")[:2]
    ways = [
        asyncio.ensure_future(_carry(reader, there[1])),
        asyncio.ensure_future(_carry(there[0], writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        there[1].close()
        await asyncio.gather(*ways, return_exceptions=True)
        await asyncio.to_thread(_end_queries, EngineHttp(hold.endpoint), f"{host}:{port}")


def _end_queries(engine: EngineHttp, client: str) -> None:
    """End the queries of a client of the engine's; it does not itself when one leaves."""
    with suppress(EngineError):
        for query in engine.server("list queries"):
            if query.get("clientAddress", "").lstrip("/") == client:
                engine.end_query(query["id"])


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # a client that is killed resets its connection
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
