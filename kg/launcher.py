"""Starts the embedded engine on demand and shares it between processes.

Every client holds a shared lock on ``clients.lock`` while it is attached, so a killed client lets
go by itself; `kg.supervisor` ends the engine when nobody is left. ``endpoint.json`` (mode 0600)
says where the engine listens and how to log in; it is believed only if the processes that it
names run, with the same start time.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.engine_command import LauncherConfig, engine_command
from kg.engine_users import write_users
from kg.errors import (
    EngineError,
    StoreTransientError,
    StoreUnavailableError,
)
from kg.file_lock import file_lock, locked
from kg.store_folder import prepare_store_folder
from kg.supervisor import ENDPOINT_FORMAT, STOP_GRACE_S, is_running

__all__ = [
    "Attachment",
    "Endpoint",
    "LauncherConfig",
    "StoreStatus",
    "attach",
    "stop_store",
    "store_status",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a running engine listens, and the passwords of its three users."""

    host: str
    bolt_port: int
    http_port: int
    passwords: dict[str, str]
    child: dict[str, Any]
    supervisor: dict[str, Any]

    def __repr__(self) -> str:
        """Leave the passwords out."""
        return f"Endpoint(bolt={self.host}:{self.bolt_port}, http={self.http_port})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """What is known of a folder's engine without starting it.

    Attributes:
        running: It runs and can be attached to.
        pid: Process of the engine.
        bolt_port: Its Bolt port on the loopback address.
        http_port: Its HTTP port on the loopback address.
    """

    running: bool
    pid: int | None = None
    bolt_port: int | None = None
    http_port: int | None = None


class Attachment:
    """A client's hold on a running engine; while it is open, the engine is not ended as idle."""

    def __init__(self, endpoint: Endpoint, lock: int) -> None:
        self.endpoint = endpoint
        self._lock: int | None = lock

    def close(self) -> None:
        """Let go; calling it twice is harmless."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def attach(folder: Path, config: LauncherConfig | None = None) -> Attachment:
    """Attach to the engine of a folder, starting it if it does not run.

    Args:
        folder: The store's folder (made if it is missing); it must lie on a local disk.
        config: How to start it; a running engine keeps what it was started with.

    Raises:
        ForeignFileError: Something else lies where the store should be; it is left untouched.
        MissingPartError: The engine's package is not installed.
        StoreUnavailableError: It could not be started; the error names its log file.
    """
    config = config or LauncherConfig()
    folder = folder.absolute()
    try:
        return _attach(folder, config)
    except EngineError:  # some of them are OSErrors too
        raise
    except OSError as error:
        raise StoreUnavailableError(
            f"the graph's folder cannot be used ({error.strerror})",
            where=str(error.filename or folder),
            hint="choose a folder that you may write to",
        ) from error


def _attach(folder: Path, config: LauncherConfig) -> Attachment:
    prepare_store_folder(folder, timeout_s=config.start_timeout_s)
    lock = locked(folder / "clients.lock", fcntl.LOCK_SH, config.start_timeout_s)
    try:
        os.utime(folder / "clients.lock")
        endpoint = _read_endpoint(folder)
        if endpoint is None:
            with file_lock(folder / "start.lock", timeout_s=config.start_timeout_s):
                endpoint = _begun(folder, config.start_timeout_s) or _start(folder, config)
        return Attachment(endpoint, lock)
    except BaseException:
        os.close(lock)
        raise


def store_status(folder: Path) -> StoreStatus:
    """Say whether a folder's engine runs, without starting it."""
    endpoint = _read_endpoint(folder.absolute())
    if endpoint is None:
        return StoreStatus(running=False)
    return StoreStatus(
        running=True,
        pid=endpoint.child["pid"],
        bolt_port=endpoint.bolt_port,
        http_port=endpoint.http_port,
    )


def stop_store(folder: Path, *, timeout_s: float = 30.0) -> bool:
    """End a folder's engine and wait until it is gone; what was acknowledged is on the disk.

    Returns:
        False if none was running.

    Raises:
        StoreUnavailableError: It still runs after `timeout_s`.
    """
    endpoint = _read_endpoint(folder.absolute())
    if endpoint is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(endpoint.supervisor["pid"], signal.SIGTERM)
    end = time.monotonic() + timeout_s
    while is_running(endpoint.supervisor) or is_running(endpoint.child):
        if time.monotonic() > end:
            raise StoreUnavailableError(
                f"the engine (process {endpoint.child['pid']}) does not end", where=str(folder)
            )
        time.sleep(0.02)
    return True


def _read_endpoint(folder: Path) -> Endpoint | None:
    """Return the endpoint if the processes that it names run; anything else counts as none."""
    try:
        fields = json.loads((folder / "endpoint.json").read_text(encoding="utf-8"))
        if fields.pop("format") != ENDPOINT_FORMAT:
            return None
        fields.pop("idle_timeout_s")
        endpoint = Endpoint(**fields)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    alive = is_running(endpoint.child) and is_running(endpoint.supervisor)
    return endpoint if alive else None


def _begun(folder: Path, timeout_s: float) -> Endpoint | None:
    """Wait for a start that a client began before it was killed; None if there is none."""
    end = time.monotonic() + timeout_s
    while (endpoint := _read_endpoint(folder)) is None and time.monotonic() < end:
        with suppress(StoreTransientError):  # while a supervisor lives, it holds its lock
            os.close(locked(folder / "supervisor.lock", fcntl.LOCK_SH, 0.02))
            break
    return endpoint


def _start(folder: Path, config: LauncherConfig) -> Endpoint:
    # a supervisor that is ending keeps it for some seconds
    lock = locked(folder / "supervisor.lock", fcntl.LOCK_EX, STOP_GRACE_S)
    try:
        line = _supervised(folder, config, lock)
    finally:
        os.close(lock)
    endpoint = _read_endpoint(folder) if line == b"ready" else None
    if endpoint is None:
        reason = line.decode(errors="replace").strip().removeprefix("failed: ")
        log_name = "engine.log" if reason else "supervisor.log"
        raise StoreUnavailableError(
            f"the embedded graph engine did not start: {reason or 'its supervisor ended'}",
            where=str(folder),
            hint=f"read {folder / log_name}",
        )
    return endpoint


def _supervised(folder: Path, config: LauncherConfig, lock: int) -> bytes:
    """Start a supervisor that holds a lock already, and return what it reports."""
    options = {
        "lock": lock,
        "folder": str(folder),
        "command": engine_command(folder, config),
        "passwords": write_users(folder / "engine" / "config"),
        "idle_timeout_s": config.idle_timeout_s,
        "start_timeout_s": config.start_timeout_s,
    }
    script = Path(__file__).with_name("supervisor.py")
    with (folder / "supervisor.log").open("wb") as log:
        starter = subprocess.Popen(  # noqa: S603 - our own file, no shell
            [sys.executable, "-I", "-S", str(script)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,  # the terminal's Ctrl+C is not for it
        )
    # by standard input and not as arguments: other users can read a command line
    with starter:
        output, _ = starter.communicate(json.dumps(options).encode())
    return output.partition(b"\n")[0]
