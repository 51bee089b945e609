"""Several processes that serve one address: started, replaced when they die or are asked to be.

Each listens on a socket of its own for the same port (the kernel deals connections out), and this
process holds all sockets: one that is replaced loses no connection that waits to be accepted. The
programme is loaded before the processes fork, and snapshots are memory maps, so that they share
both. SIGHUP replaces all, one after the other, each only once the new one is ready.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from api.serving.server import LEAVE

__all__ = ["Processes"]

LOG = logging.getLogger("umbra.serving")

READY_WITHIN_S = 180.0
GRACE_S = 5.0
"""How much longer than its drain a process may take to end before it is killed."""
LIVED_S = 5.0
"""One that dies sooner is not started again at once."""
_HEARD = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})


@dataclass(slots=True)
class _Place:
    """What one process is there for, and the process that is."""

    name: str
    work: Callable[[Callable[[], None]], None]
    alone: bool
    pid: int = 0
    started: float = 0.0
    failures: int = field(default=0)


class Processes:
    """The processes of a server.

    Args:
        drain_s: Seconds that each has to end in.
        when_gone: Told the number of each process that has ended.
    """

    def __init__(
        self, *, drain_s: float, when_gone: Callable[[int], None] = lambda _pid: None
    ) -> None:
        self._places: list[_Place] = []
        self._drain_s = drain_s
        self._when_gone = when_gone
        self._left: set[int] = set()
        self._lifeline = os.pipe()

    def add(
        self, name: str, work: Callable[[Callable[[], None]], None], *, alone: bool = False
    ) -> None:
        """Say what one of the processes does.

        Args:
            name: For the log.
            work: Runs in the process until a signal ends it; calls what it is given when ready.
            alone: Never two at a time: the old one ends before the new one starts.
        """
        self._places.append(_Place(name, work, alone))

    def run(self) -> None:
        """Start all, and keep them running until SIGTERM or Ctrl+C; return when all have ended."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        try:
            for place in self._places:
                os.close(self._start(place))
            while (heard := signal.sigtimedwait(_HEARD, 1.0)) is None or (
                heard.si_signo not in _ENDING
            ):
                if heard is not None and heard.si_signo == signal.SIGHUP:
                    self._replace_all()
                self._start_again()
            self._end()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _start(self, place: _Place) -> int:
        """Start a process and return the end of a pipe that says when it is ready."""
        heard, told = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(heard)
            self._be(place, told)
        os.close(told)
        place.pid, place.started = pid, time.monotonic()
        return heard

    def _be(self, place: _Place, told: int) -> None:
        """Do the work of a place, in a process of its own, and never return."""
        code = 1
        try:
            os.close(self._lifeline[1])
            threading.Thread(target=_end_with, args=(self._lifeline[0],), daemon=True).start()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            place.work(lambda: _tell(told))
            code = 0
        except KeyboardInterrupt:  # the server ended before this process had begun
            code = 0
        except BaseException:
            LOG.exception("the process %s failed", place.name)
        finally:
            logging.shutdown()
            os._exit(code)

    def _start_again(self) -> None:
        for pid in self._ended():
            for place in self._places:
                if place.pid != pid:
                    continue
                lived = time.monotonic() - place.started
                place.failures = 0 if lived > LIVED_S else place.failures + 1
                LOG.warning("the process %s has ended; another takes its place", place.name)
                if place.failures:
                    time.sleep(min(10.0, 0.2 * 2**place.failures))
                os.close(self._start(place))

    def _ended(self) -> list[int]:
        found: list[int] = []
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return found
            if pid == 0:
                return found
            self._left.discard(pid)
            self._when_gone(pid)
            found.append(pid)

    def _replace_all(self) -> None:
        LOG.info("replacing %d processes, one after the other", len(self._places))
        for place in self._places:
            if _ENDING & signal.sigpending():
                return
            self._replace(place)

    def _replace(self, place: _Place) -> None:
        old = place.pid
        if place.alone:
            os.kill(old, signal.SIGTERM)
            self._wait_for({old}, self._drain_s + GRACE_S)
            os.close(self._start(place))
            return
        heard = self._start(place)
        ready = _heard_within(heard, READY_WITHIN_S)
        os.close(heard)
        if ready:
            self._left.add(old)
            os.kill(old, LEAVE)
            return
        LOG.error("the new process for %s did not get ready; the old one goes on", place.name)
        self._left.add(place.pid)
        os.kill(place.pid, signal.SIGKILL)
        place.pid = old

    def _end(self) -> None:
        pids = {place.pid for place in self._places} | self._left
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        self._wait_for(pids, self._drain_s + GRACE_S)

    def _wait_for(self, pids: set[int], seconds: float) -> None:
        """Wait until processes have ended; kill those that have not in time."""
        deadline = time.monotonic() + seconds
        left = set(pids)
        while left:
            for pid in tuple(left):
                try:
                    if os.waitpid(pid, os.WNOHANG)[0]:
                        left.discard(pid)
                        self._when_gone(pid)
                except ChildProcessError:
                    left.discard(pid)
            if left and time.monotonic() > deadline:
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.02)


def _tell(pipe: int) -> None:
    with suppress(BrokenPipeError):  # nobody waits for it
        os.write(pipe, b"r")
    os.close(pipe)


def _heard_within(pipe: int, seconds: float) -> bool:
    """Wait for a word on a pipe; a process that ends closes it without one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not _ENDING & signal.sigpending():
        if select.select([pipe], [], [], 0.2)[0]:
            return os.read(pipe, 1) == b"r"
    return False


def _end_with(lifeline: int) -> None:
    """End this process when the one that started it has gone, however it went."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
