"""The page on a loopback address, for tests that look at it with a browser."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn

from api.app import create_app
from api.engine import Engine
from api.runner import JobKind

__all__ = ["listening"]


@contextmanager
def listening(engine: Engine, *, job_kinds: Mapping[str, JobKind] | None = None) -> Iterator[str]:
    """Serve an engine on loopback from a thread."""
    app = create_app(engine, job_kinds=job_kinds)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
