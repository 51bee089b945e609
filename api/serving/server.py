"""One process that serves: the application behind uvicorn, and how it leaves.

A process ends in one of two ways. SIGTERM or Ctrl+C: it takes no more connections, lets event
streams end, gives requests under way their time, and goes. SIGUSR2 (`LEAVE`): it has been replaced;
it takes no more connections either, but goes on answering those it has for a moment, telling each
client to close, so that no request meets a closing door; then it ends the same way.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from api.access.graph_keys import HOME
from api.access.keys import KeyRing
from api.app import create_app
from api.connections import TimedProtocol, raise_file_limit
from api.serving.garbage import settle
from api.serving.graphs import Graphs
from api.serving.hosts import LOOPBACK
from api.serving.role import WHOLE, Role
from api.serving.tracing import tracing

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.engine import Engine

__all__ = ["LEAVE", "run_server"]

LEAVE = signal.SIGUSR2
LATER_S = 2
"""A request that is told that its time is over needs a moment to tell its client."""
LAME_S = 1.0
"""How long a process that was replaced still answers on the connections that it has."""


def run_server(
    engines: Mapping[str, Engine],
    listener: socket.socket,
    *,
    hosts: frozenset[str] = LOOPBACK,
    role: Role = WHOLE,
    when_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal ends it.

    Args:
        engines: What is asked, by the name of the graph; the caller closes them.
        listener: A socket that listens.
        hosts: Host names that it answers to; empty for any.
        role: What this process is there for.
        when_ready: Called once it answers, its models loaded or known not to load.
    """
    settings = engines[HOME].settings
    keyed = any(map(_is_keyed, engines.values()))
    home_keys = engines[HOME].workspace.keys
    apps = {
        name: create_app(
            engine,
            hosts=hosts,
            warm_up=not role.internal,
            role=replace(
                role, graph=name, keyed=keyed, home_keys=None if name == HOME else home_keys
            ),
        )
        for name, engine in engines.items()
    }
    whole = Graphs(apps.pop(HOME), apps)
    TimedProtocol.most = min(TimedProtocol.most, raise_file_limit())
    config = uvicorn.Config(
        whole,
        log_config=None,
        access_log=False,  # the guard writes one line a request
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=LATER_S + round(settings.drain_s),
        http=TimedProtocol,
    )
    server = _Server(config, whole.apps, when_ready)
    with _signals_end(server), tracing() if settings.traces else nullcontext():
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Tells open event streams at once that the server ends, and can leave politely."""

    def __init__(
        self, config: uvicorn.Config, apps: Sequence[FastAPI], when_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._states = [app.state for app in apps]
        self._when_ready = when_ready
        for state in self._states:
            state.when_reloaded = settle

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and wait aside until the models are there."""
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(LEAVE, self._leave)
        loading = [state.warm for state in self._states if getattr(state, "warm", None)]
        await_all = asyncio.gather(*map(asyncio.wrap_future, loading), return_exceptions=True)
        await_all.add_done_callback(lambda _: self._ready())

    def _ready(self) -> None:
        settle()
        self._when_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, because of a signal."""
        super().handle_exit(sig, frame)
        self._end_streams()

    def _leave(self) -> None:
        if self._states[0].leaving:
            return
        for state in self._states:
            state.leaving = True
        for server in self.servers:
            server.close()
        asyncio.get_running_loop().call_later(LAME_S, self._gone)

    def _gone(self) -> None:
        self.should_exit = True
        self._end_streams()

    def _end_streams(self) -> None:
        for state in self._states:
            closing = getattr(state, "closing", None)
            if closing is not None:  # else no stream is open yet: the server is still starting
                closing.set()


def _is_keyed(engine: Engine) -> bool:
    operators = engine.settings.api_key.get_secret_value()
    return bool(operators or KeyRing(engine.workspace.keys).keys)


@contextmanager
def _signals_end(server: _Server) -> Iterator[None]:
    """Hand a server the signals that come before it handles them itself.

    One that it has ended well because of is raised again by uvicorn, and taken here.
    """

    def ended(number: int, frame: FrameType | None) -> None:
        if not server.should_exit:
            server.handle_exit(number, frame)

    kept = {number: signal.signal(number, ended) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
