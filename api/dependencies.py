"""What routes are given: the engine, the job runner, and a way to call the engine off the loop."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, TypeVar, cast

from fastapi import Depends, Request

from api.engine import Engine
from api.errors import HttpProblem
from api.runner import JobRunner
from api.workers import Workers
from kg.errors import QueryTimeoutError

__all__ = ["EngineDep", "EngineWork", "RunnerDep", "WorkDep"]

P = ParamSpec("P")
T = TypeVar("T")

GRACE_S = 1.0
"""How much longer a request waits than the limit that the engine keeps itself."""


class EngineWork:
    """Runs the engine calls of one request in the server's threads.

    A call ends for its request when it is done, when its time is over, or when the client has
    gone; in the last two cases `cancelled` is set, so that work that looks at it ends too.

    Args:
        request: The request.
        workers: The server's threads.
        timeout_s: Most seconds a call may take.
    """

    def __init__(self, request: Request, workers: Workers, timeout_s: float) -> None:
        self._request = request
        self._workers = workers
        self._timeout_s = timeout_s
        self.cancelled = threading.Event()

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the call returns.

        Raises:
            HttpProblem: ``busy``, or ``client-closed-request``.
            QueryTimeoutError: The time is over.
        """
        result = asyncio.wrap_future(self._workers.submit(functools.partial(call, *args, **kwargs)))
        gone = asyncio.ensure_future(self._client_gone())
        either: set[asyncio.Future[Any]] = {result, gone}
        try:
            await asyncio.wait(
                either,
                timeout=self._timeout_s + GRACE_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if result.done():
                return result.result()
            if gone.done():
                raise HttpProblem("client-closed-request", "the client left before the answer")
            raise QueryTimeoutError(f"no answer within {self._timeout_s:g} s", hint="ask for less")
        finally:
            gone.cancel()
            if not result.done():
                self.cancelled.set()
                result.cancel()  # if it runs already, its outcome is dropped when it comes

    async def _client_gone(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass


def _engine(request: Request) -> Engine:
    return cast("Engine", request.app.state.engine)


def _runner(request: Request) -> JobRunner:
    return cast("JobRunner", request.app.state.runner)


def _work(request: Request) -> EngineWork:
    state = request.app.state
    return EngineWork(request, state.workers, state.engine.settings.timeout_s)


EngineDep = Annotated[Engine, Depends(_engine)]
RunnerDep = Annotated[JobRunner, Depends(_runner)]
WorkDep = Annotated[EngineWork, Depends(_work)]
