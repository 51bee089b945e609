"""`umbra serve`: the REST API and the page, until Ctrl+C or SIGTERM."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from types import FrameType

    from api.access.keys import Key
    from api.settings import Settings

__all__ = ["add_parser", "check_address", "is_loopback", "serve"]

MIN_KEY_CHARS = 16
"""Shortest API key that may guard an address others can reach."""

EXAMPLES = """examples:
  umbra serve
  umbra serve --port 0 --folder world/.umbra
  UMBRA_API_KEY=… umbra serve --host 0.0.0.0

The first line printed is the address, and whether requests need a key. Any address but loopback
needs one: UMBRA_API_KEY, or keys with scopes from `umbra keys create`.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "serve",
        parents=[common],
        help="serve the REST API and the page",
        description="Serve the REST API and the page.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port, 0 for any free one (default 8321)")
    parser.add_argument("--snapshot", default="full", help="which snapshot (default full)")
    parser.set_defaults(run=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it.

    The process then ends with exit code 0; the function only returns to raise.

    Raises:
        SettingError: Others could reach the address and there is no key, or the port is taken.
    """
    import logging

    from api.access.keys import KeyRing
    from api.engine import Engine
    from api.settings import load_settings
    from api.workspace import find_workspace

    workspace = find_workspace(arguments.folder)
    given = {name: getattr(arguments, name) for name in ("host", "port")}
    settings = load_settings(
        workspace.settings, **{name: value for name, value in given.items() if value is not None}
    )
    keys = KeyRing(workspace.keys).keys
    check_address(settings, keys)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("neo4j").setLevel(logging.WARNING)
    listener = _listen(settings)
    with Engine(workspace, settings=settings, snapshot=arguments.snapshot) as engine:
        _run(engine, listener, keyed=bool(keys or settings.api_key.get_secret_value()))
    return _leave()


def check_address(settings: Settings, keys: Sequence[Key] = ()) -> None:
    """Refuse an address that others can reach, unless a key guards it.

    Args:
        settings: With the address and the operator's key.
        keys: Further keys.

    Raises:
        SettingError: It has no key, or a short one.
    """
    from kg.errors import SettingError

    key = settings.api_key.get_secret_value()
    if is_loopback(settings.host) or len(key) >= MIN_KEY_CHARS or (keys and not key):
        return
    found = (
        "no API key guards it" if not key else f"its API key is under {MIN_KEY_CHARS} characters"
    )
    raise SettingError(
        f"others can reach {settings.host}, and {found}",
        where="host",
        hint="set UMBRA_API_KEY to a long random text, make a key with `umbra keys create`, "
        "or use --host 127.0.0.1",
    )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _listen(settings: Settings) -> socket.socket:
    """Open the socket before anything is loaded, so that a taken port is told at once."""
    import socket

    from kg.errors import SettingError

    host = settings.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise SettingError(
            f"cannot listen on {host} port {settings.port}: {error.strerror or error}",
            where="host and port",
            hint="another server may run there; --port 0 takes any free port",
        ) from error
    return listener


def _run(engine: Any, listener: socket.socket, *, keyed: bool) -> None:
    """Run the server until a signal comes."""
    import uvicorn

    from api.app import LOOPBACK, create_app
    from api.connections import TimedProtocol, raise_file_limit

    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    hosts = LOOPBACK | {shown} if is_loopback(host) else frozenset()
    app = create_app(engine, hosts=hosts, warm_up=True)
    TimedProtocol.most = min(TimedProtocol.most, raise_file_limit())
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # the guard writes one line a request
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
        http=TimedProtocol,
    )

    class Server(uvicorn.Server):
        """Tells open event streams at once that the server ends."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            super().handle_exit(sig, frame)
            closing = getattr(app.state, "closing", None)
            if closing is not None:  # else no stream is open yet: the server is still starting
                closing.set()

    told = "requests need a key" if keyed else "no key is needed: only this machine reaches it"
    print(f"Umbra is at http://{shown}:{port}/ ({told}; Ctrl+C ends it)", flush=True)
    with _quiet_signals():
        Server(config).run(sockets=[listener])


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """Take the signal that uvicorn raises again after it has ended well because of it."""
    import signal

    def ended(_number: int, _frame: FrameType | None) -> None: ...

    kept = {number: signal.signal(number, ended) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _leave() -> NoReturn:
    """End the process at once: all is closed, and what a thread still does is resumable or reads.

    Taking the interpreter down in order would wait for such a thread, and takes seconds on a busy
    machine once the models' libraries are loaded.
    """
    import logging
    import os
    import sys

    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
