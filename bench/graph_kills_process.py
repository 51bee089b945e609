"""Processes that are killed: a run of an operation, the engine, the process that watches it."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

from api.signals import interruptible
from kg.errors import EngineError

__all__ = ["Process", "engine_pid", "kill", "supervisor_pid"]

REFUSED = 3
"""How a run ends that met an error of Umbra's own."""
INTERRUPTED = 130
FAULT = 1


class Process:
    """A forked run, in a process group of its own.

    Args:
        work: What it does; it calls its argument when it has begun.
        errors: File for the traceback of a fault.
    """

    def __init__(self, work: Callable[[Callable[[], None]], None], errors: Path) -> None:
        self._pipe, theirs = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.setpgid(0, 0)
            os.close(self._pipe)
            _run(work, theirs, errors)
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(self.pid, self.pid)
        os.close(theirs)
        self._told = b""

    def wait_for(self, mark: bytes, limit_s: float) -> bool:
        """Wait until the run says that it is ready (``r``) or has begun (``b``)."""
        end = time.monotonic() + limit_s
        while mark not in self._told and (left := end - time.monotonic()) > 0:
            if select.select([self._pipe], [], [], left)[0]:
                block = os.read(self._pipe, 64)
                if not block:
                    return False
                self._told += block
        return mark in self._told

    def is_alive(self) -> bool:
        """Tell whether it has not ended yet."""
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return found is None

    def end(self, limit_s: float) -> int | None:
        """Wait for the end; return the exit code, or minus the signal, or None if it hangs."""
        end = time.monotonic() + limit_s
        while self.is_alive():
            if time.monotonic() > end:
                with suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                os.close(self._pipe)
                return None
            time.sleep(0.01)
        _, status = os.waitpid(self.pid, 0)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # what it left behind, if it was killed itself
        os.close(self._pipe)
        return os.waitstatus_to_exitcode(status)


def _run(work: Callable[[Callable[[], None]], None], pipe: int, errors: Path) -> NoReturn:
    code = FAULT
    try:
        with interruptible():
            os.write(pipe, b"r")
            work(partial(_tell, pipe))
            code = 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except EngineError as error:
        code = REFUSED
        errors.write_text(f"{type(error).__name__}: {error}\n")
    except BaseException:  # noqa: BLE001 - a child must not go on with what is its parent's
        errors.write_text(traceback.format_exc())
    finally:
        os._exit(code)


def _tell(pipe: int) -> None:
    os.write(pipe, b"b")


def engine_pid(folder: Path) -> int | None:
    """Return the process of a folder's engine, as soon as it was started."""
    return _pid(folder / "child.json")


def supervisor_pid(folder: Path) -> int | None:
    """Return the process that watches a folder's engine."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return int(json.loads((folder / "endpoint.json").read_text())["supervisor"]["pid"])
    return None


def _pid(path: Path) -> int | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return int(json.loads(path.read_text())["pid"])
    return None


def kill(pid: int | None, number: signal.Signals, *, group: bool) -> bool:
    """Send a signal to a process, or to all of its group; False if it has ended."""
    if pid is None:
        return False
    try:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
            return False
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (OSError, IndexError):
        return False
    return True
