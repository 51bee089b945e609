"""What routes are given: the engine, the job runner, and a way to call the engine off the loop.

All of it is at hand, so its functions are coroutines: FastAPI sends any other to a thread and waits
for it, which costs more than the rest of a small request. The routes that are asked most call
`engine_of` and `work_of` themselves, which spares them FastAPI's own work for each dependency.
"""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Annotated, Any, ParamSpec, Self, TypeVar, cast

from fastapi import Depends, Request

from api.engine import Engine
from api.errors import HttpProblem
from api.held_linker import HeldLinker
from api.pipe import Pipe
from api.piped_body import PipedBody
from api.review_desk import ReviewDesk
from api.runner import JobRunner
from api.workers import Workers
from kg.errors import EngineError, QueryTimeoutError

__all__ = [
    "DeskDep",
    "EngineDep",
    "EngineWork",
    "LinkerDep",
    "RunnerDep",
    "SteadyEngineDep",
    "WorkDep",
    "engine_of",
    "work_of",
]

P = ParamSpec("P")
T = TypeVar("T")

END_EVERY_S = 0.2
END_WITHIN_S = 10.0
GRACE_S = 1.0
"""How much longer a request waits than the limit that the engine keeps itself."""
SOON_S = 0.05
"""Most calls are done by then, and only those that are not are worth watching their clients for."""


class EngineWork:
    """Runs the engine calls of one request in the server's threads.

    A call ends for its request when it is done, when its time is over, when the client has gone,
    or soon after the server begins to end. A call that has not begun by then never does; one that
    runs is ended by what `abandoned_by` names, or goes on in its thread and counts against the
    limit until its end.

    Args:
        request: The request.
        workers: The server's threads.
        timeout_s: Most seconds a call may take.
        drain_s: Most seconds that it may still take once the server ends.
    """

    def __init__(
        self, request: Request, workers: Workers, timeout_s: float, *, drain_s: float
    ) -> None:
        self._request = request
        self._closing: asyncio.Event = request.app.state.closing
        self._workers = workers
        self._timeout_s = timeout_s
        self._drain_s = drain_s
        self._ends: Callable[[], None] | None = None
        self._leave_by: float | None = None

    def abandoned_by(self, ends: Callable[[], None]) -> Self:
        """Name what ends the work elsewhere (at the store) when nobody waits for it any more."""
        self._ends = ends
        return self

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the call returns.

        Raises:
            HttpProblem: ``busy``, ``client-closed-request`` or ``not-ready`` (the server ends).
            QueryTimeoutError: The time is over.
        """
        future = self._workers.submit(functools.partial(call, *args, **kwargs))
        result = asyncio.wrap_future(future)
        try:
            await _first_of(result, timeout_s=SOON_S)
            if result.done():
                return result.result()
            return await self._watched(result, timeout_s=self._timeout_s + GRACE_S - SOON_S)
        finally:
            if not result.done():
                result.cancel()  # if it runs already, its outcome is dropped when it comes
                self._end(future)

    async def piped(self, call: Callable[[Pipe], None], *, within_s: float) -> PipedBody:
        """Return what a call puts into a pipe, whose first piece or end has come.

        The call counts against the limit until its own end.

        Args:
            call: What is run.
            within_s: Seconds within which its reader must take the rest.

        Raises:
            HttpProblem: As of any call, before the first piece.
            QueryTimeoutError: The time is over before the first piece.
        """
        pipe = Pipe(within_s=within_s)
        future = self._workers.submit(functools.partial(call, pipe))
        future.add_done_callback(lambda _: pipe.end())
        until = time.monotonic() + self._timeout_s + GRACE_S

        async def watched(piece: asyncio.Future[bytes]) -> bytes:
            return await self._watched(piece, timeout_s=max(SOON_S, until - time.monotonic()))

        body = PipedBody(pipe, future, watched=watched, ends=lambda: self._end(future))
        try:
            await body.begin()
        except BaseException:
            body.close()
            raise
        return body

    def _end(self, future: Future[Any]) -> None:
        """End what runs on though nobody waits for it."""
        if self._ends is not None:
            threading.Thread(target=_end, args=(future, self._ends), daemon=True).start()

    async def _watched(self, result: asyncio.Future[T], *, timeout_s: float) -> T:
        """Wait for a result as long as the client, the server and the limit of time allow."""
        gone = asyncio.ensure_future(self._client_gone())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await _first_of(result, gone, closing, timeout_s=timeout_s)
            if closing.done():
                self._leave_by = self._leave_by or time.monotonic() + self._drain_s
                left = max(0.0, self._leave_by - time.monotonic())
                await _first_of(result, gone, timeout_s=left)
            if result.done():
                return result.result()
            if gone.done():
                raise HttpProblem("client-closed-request", "the client left before the answer")
            if closing.done():
                raise HttpProblem("not-ready", "the server ends")
            raise QueryTimeoutError(f"no answer within {self._timeout_s:g} s", hint="ask for less")
        finally:
            gone.cancel()
            closing.cancel()

    async def _client_gone(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass


async def _first_of(*futures: asyncio.Future[Any], timeout_s: float) -> None:
    await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)


def _end(future: Future[Any], ends: Callable[[], None]) -> None:
    """Ask for the end until it has come: the work may only just be on its way to the store."""
    deadline = time.monotonic() + END_WITHIN_S
    while not future.done() and time.monotonic() < deadline:
        with suppress(EngineError):
            ends()
        time.sleep(END_EVERY_S)


def engine_of(request: Request) -> Engine:
    """Return the engine on the snapshot in use, whatever is loaded while it answers."""
    engine: Engine = request.app.state.engine
    return engine.at_once()


def work_of(request: Request) -> EngineWork:
    """Return what runs the engine calls of a request."""
    state = request.app.state
    settings = state.engine.settings
    return EngineWork(request, state.workers, settings.timeout_s, drain_s=settings.drain_s)


async def _engine(request: Request) -> Engine:
    return cast("Engine", request.app.state.engine)


async def _engine_as_it_is(request: Request) -> Engine:
    return engine_of(request)


async def _runner(request: Request) -> JobRunner:
    return cast("JobRunner", request.app.state.runner)


async def _linker(request: Request) -> HeldLinker:
    return cast("HeldLinker", request.app.state.linker)


async def _desk(request: Request) -> ReviewDesk:
    return cast("ReviewDesk", request.app.state.desk)


async def _work(request: Request) -> EngineWork:
    return work_of(request)


EngineDep = Annotated[Engine, Depends(_engine)]
SteadyEngineDep = Annotated[Engine, Depends(_engine_as_it_is)]
DeskDep = Annotated[ReviewDesk, Depends(_desk)]
LinkerDep = Annotated[HeldLinker, Depends(_linker)]
RunnerDep = Annotated[JobRunner, Depends(_runner)]
WorkDep = Annotated[EngineWork, Depends(_work)]
