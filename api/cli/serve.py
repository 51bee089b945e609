"""`umbra serve`: the REST API and the page, until Ctrl+C or SIGTERM."""

from __future__ import annotations

import argparse
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from api.access.keys import Key
    from api.engine import Engine
    from api.serving.bolt_door import BoltDoor
    from api.settings import Settings
    from api.workspace import Workspace

__all__ = ["add_parser", "check_address", "is_loopback", "serve"]

MIN_KEY_CHARS = 16
"""Shortest API key that may guard an address others can reach."""

EXAMPLES = """examples:
  umbra serve
  umbra serve --port 0 --folder world/.umbra
  umbra serve --workers 4
  umbra serve --graph flags=flags/.umbra --graph firms=firms/.umbra
  umbra serve --bolt
  UMBRA_API_KEY=… umbra serve --host 0.0.0.0

The first line printed is the address, and whether requests need a key. Any address but loopback
needs one: UMBRA_API_KEY, or keys with scopes from `umbra keys create`. A newer
snapshot or model is opened while it serves. With several workers, SIGHUP replaces them one by one.
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
    parser.add_argument("--workers", type=int, help="processes that answer (default 1)")
    parser.add_argument(
        "--graph",
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="another graph, served below /graphs/NAME; may be repeated",
    )
    parser.add_argument("--snapshot", default="full", help="which snapshot (default full)")
    parser.add_argument(
        "--bolt",
        type=int,
        nargs="?",
        const=7687,
        metavar="PORT",
        help="let Neo4j's tools and drivers of this machine in at a port (default 7687), to read",
    )
    parser.add_argument("--bolt-write", action="store_true", help="let them write, too")
    parser.set_defaults(run=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it.

    The process then ends with exit code 0; the function only returns to raise.

    Raises:
        SettingError: Others could reach the address and there is no key, or the port is taken.
    """
    from api.access.keys import KeyRing
    from api.serving.listeners import listen
    from api.serving.logs import log_to_stderr
    from api.settings import load_settings
    from api.workspace import find_workspace

    workspace = find_workspace(arguments.folder)
    given = {name: getattr(arguments, name) for name in ("host", "port", "workers")}
    settings = load_settings(
        workspace.settings, **{name: value for name, value in given.items() if value is not None}
    )
    keys = KeyRing(workspace.keys).keys
    check_address(settings, keys)
    others = _others(arguments.graph)
    log_to_stderr(settings.log_format)
    door = _bolt_door(arguments, settings, workspace)
    listeners = listen(settings)
    keyed = bool(
        keys
        or settings.api_key.get_secret_value()
        or any(KeyRing(other.keys).keys for other in others.values())
    )
    hosts = _announce(settings, listeners[0], keyed=keyed)
    if door is not None:
        print(door.told, flush=True)
    opened = partial(_opened, workspace, settings, others, arguments.snapshot)
    if settings.workers > 1:
        _serve_by_many(settings, opened, listeners, hosts=hosts, door=door)
        return _leave()
    from api.serving.server import run_server

    with opened() as engines, door or nullcontext():
        run_server(engines, listeners[0], hosts=hosts)
    return _leave()


def _bolt_door(
    arguments: argparse.Namespace, settings: Settings, workspace: Workspace
) -> BoltDoor | None:
    """Return what lets Bolt clients in while it is entered; None if nobody asked for it."""
    from kg.errors import SettingError

    if arguments.bolt is not None:
        from api.serving.bolt_door import bolt_door

        return bolt_door(workspace, settings, port=arguments.bolt, writes=arguments.bolt_write)
    if arguments.bolt_write:
        raise SettingError("it says nothing without --bolt", where="--bolt-write")
    return None


def _others(given: Sequence[str]) -> dict[str, Workspace]:
    """Read ``NAME=FOLDER``."""
    from pathlib import Path

    from api.serving.graphs import checked_name
    from api.workspace import find_workspace
    from kg.errors import SettingError

    found: dict[str, Workspace] = {}
    for text in given:
        name, sign, folder = text.partition("=")
        if not sign or not folder or name in found:
            raise SettingError(f"{text[:60]!r} is no NAME=FOLDER, or its name comes twice")
        found[checked_name(name)] = find_workspace(Path(folder))
        found[name].require()
    return found


@contextmanager
def _opened(
    home: Workspace, settings: Settings, others: Mapping[str, Workspace], snapshot: str
) -> Iterator[dict[str, Engine]]:
    """Open the engines of all graphs; each other one by the settings of its own folder."""
    from api.access.graph_keys import HOME
    from api.engine import Engine

    with ExitStack() as stack:
        engines = {HOME: stack.enter_context(Engine(home, settings=settings, snapshot=snapshot))}
        for name, workspace in others.items():
            engines[name] = stack.enter_context(Engine(workspace, snapshot=snapshot))
        yield engines


def _serve_by_many(
    settings: Settings,
    opened: Callable[[], AbstractContextManager[dict[str, Engine]]],
    listeners: list[socket.socket],
    *,
    hosts: frozenset[str],
    door: BoltDoor | None,
) -> None:
    """Serve by several processes, and one more that runs the jobs and lets Bolt clients in."""
    import os
    import shutil
    import socket
    import tempfile
    from pathlib import Path

    from api.serving.measures import no_longer_under_way
    from api.serving.processes import Processes
    from api.serving.role import MEASURES_IN, Role
    from api.serving.server import run_server

    between = Path(tempfile.mkdtemp(prefix="umbra-serve-"))  # readable by its owner alone
    os.environ[MEASURES_IN] = str(between)
    inner = socket.socket(socket.AF_UNIX)
    inner.bind(str(between / "jobs.sock"))
    inner.listen(2048)
    web = Role(share=1 / settings.workers, jobs_at=between / "jobs.sock")

    def work(listener: socket.socket, role: Role) -> Callable[[Callable[[], None]], None]:
        def run(when_ready: Callable[[], None]) -> None:
            with opened() as engines, (role.internal and door) or nullcontext():
                run_server(engines, listener, hosts=hosts, role=role, when_ready=when_ready)

        return run

    processes = Processes(drain_s=settings.drain_s, when_gone=no_longer_under_way)
    processes.add("jobs", work(inner, Role(internal=True)), alone=True)
    for number, listener in enumerate(listeners, 1):
        processes.add(f"worker {number}", work(listener, web))
    try:
        processes.run()
    finally:
        shutil.rmtree(between, ignore_errors=True)


def _announce(settings: Settings, listener: socket.socket, *, keyed: bool) -> frozenset[str]:
    """Print where the server is, and return the host names that it answers to."""
    from api.serving.hosts import LOOPBACK

    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    told = "requests need a key" if keyed else "no key is needed: only this machine reaches it"
    by = f"{settings.workers} processes; " if settings.workers > 1 else ""
    print(f"Umbra is at http://{shown}:{port}/ ({told}; {by}Ctrl+C ends it)", flush=True)
    return LOOPBACK | {shown} if is_loopback(host) else frozenset()


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
