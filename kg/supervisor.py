"""The small process that owns the engine's child: starts it, watches it, ends it when idle.

It runs as a file of its own with the standard library only (``python -I -S kg/supervisor.py``), so
that it starts in milliseconds and imports nothing of the program that it outlives. It holds an
exclusive lock on ``supervisor.lock`` for life; its starter took it and hands it down, so there is
no moment at which a killed starter leaves a supervisor that the next one cannot see. Clients hold a
shared lock on ``clients.lock``; when it can take that lock exclusively for the idle time, no client
is left, however they ended. If it dies itself, the kernel ends the child (parent-death signal).

It reports one line on standard output, ``ready`` or ``failed: reason``, and closes it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["ENDPOINT_FORMAT", "is_running", "main", "private_file", "process_identity"]

ENDPOINT_FORMAT = 1
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
STOP_GRACE_S = 15.0


def process_identity(pid: int) -> dict[str, Any] | None:
    """Return what tells a process from a later one of the same number, None if it is gone.

    Returns:
        ``pid``, ``started`` (clock ticks since boot) and ``boot`` (id of this boot).
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before may hold spaces and brackets
    if fields[0] in "ZX":
        return None
    return {"pid": pid, "started": int(fields[19]), "boot": boot}


def is_running(identity: object) -> bool:
    """Tell whether exactly this process still runs."""
    if not isinstance(identity, dict) or not isinstance(identity.get("pid"), int):
        return False
    return process_identity(identity["pid"]) == identity


def private_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read, atomically."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def free_ports(count: int) -> list[int]:
    """Return ports that are free on the loopback address now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]


def owns_port(pid: int, port: int) -> bool:
    """Tell whether this very process listens on a port, so that no stranger gets a password."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(link.readlink()) in inodes:
                    return True
    return False


def answers(port: int) -> bool:
    """Tell whether the engine's HTTP face says that it is ready."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        with contextlib.closing(connection):
            connection.request("GET", "/api/v1/ready")
            return connection.getresponse().status in (200, 204)
    except (OSError, http.client.HTTPException):
        return False


class Supervisor:
    """One supervised child; `run` is its whole life.

    Args:
        options: ``folder``, ``command`` (the child's command line, with ``{bolt}`` and ``{http}``
            where its ports go), ``passwords`` (to publish), ``idle_timeout_s``,
            ``start_timeout_s``, and ``lock``, the handle of the locked ``supervisor.lock``.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self.folder = Path(options["folder"])
        self.options = options
        self.stopping = False
        self._woken, self._waker = os.pipe()
        self.child: subprocess.Popen[bytes] | None = None

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """Ask the main loop to end (signal handler)."""
        self.stopping = True
        os.write(self._waker, b"!")  # a sleep would go on after the signal

    def run(self) -> str | None:
        """Start the child, report, watch until idle, end it. Returns a reason if it never ran."""
        signal.signal(signal.SIGTERM, self.stop)
        self._end_orphan()
        try:
            reason = self._start()
            if reason is None:
                report("ready")
                self._watch()
            return reason
        finally:
            (self.folder / "endpoint.json").unlink(missing_ok=True)
            self._end_child()

    def _end_orphan(self) -> None:
        """Wait for the child of a supervisor that was killed, and end it if it stays."""
        try:
            identity = json.loads((self.folder / "child.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        end = time.monotonic() + STOP_GRACE_S
        while is_running(identity):
            with contextlib.suppress(ProcessLookupError):
                late = time.monotonic() > end
                os.kill(identity["pid"], signal.SIGKILL if late else signal.SIGTERM)
            time.sleep(0.05)

    def _start(self) -> str | None:
        reason: str | None = "it was asked to stop"
        for _ in range(3):
            if self.stopping:
                break
            bolt, http_port = free_ports(2)
            try:
                self.child = self._spawn(bolt, http_port)
            except OSError as error:
                return f"Java cannot be started: {error}"
            reason = self._wait(bolt, http_port)
            if reason is None:
                self._publish(bolt, http_port)
                return None
            self._end_child()
            if not reason.startswith("port"):
                break
        return reason

    def _spawn(self, bolt: int, http_port: int) -> subprocess.Popen[bytes]:
        command = [
            part.replace("{bolt}", str(bolt)).replace("{http}", str(http_port))
            for part in self.options["command"]
        ]
        prctl = ctypes.CDLL(None).prctl

        def die_with_parent() -> None:
            prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)

        with (self.folder / "engine.log").open("wb") as log:
            child = subprocess.Popen(  # noqa: S603 - the engine's own Java, no shell
                command,
                cwd=self.folder / "engine",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        private_file(self.folder / "child.json", json.dumps(process_identity(child.pid)))
        return child

    def _wait(self, bolt: int, http_port: int) -> str | None:
        child, end = self.child, time.monotonic() + self.options["start_timeout_s"]
        while child is not None and not self.stopping:
            if any(self._foreign(child.pid, port) for port in (bolt, http_port)):
                return "port taken"  # since it was chosen; the engine itself would wait for ever
            if child.poll() is not None:
                return f"Java ended with exit code {child.returncode}"
            if all(owns_port(child.pid, port) for port in (bolt, http_port)) and answers(http_port):
                return None
            if time.monotonic() > end:
                return f"it was not ready after {self.options['start_timeout_s']} s"
            time.sleep(0.03)
        return "it was asked to stop"

    @staticmethod
    def _foreign(pid: int, port: int) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0 and not owns_port(pid, port)

    def _publish(self, bolt: int, http_port: int) -> None:
        endpoint = {
            "format": ENDPOINT_FORMAT,
            "host": "127.0.0.1",
            "bolt_port": bolt,
            "http_port": http_port,
            "child": self.child and process_identity(self.child.pid),
            "supervisor": process_identity(os.getpid()),
            "passwords": self.options["passwords"],
            "idle_timeout_s": self.options["idle_timeout_s"],
        }
        private_file(self.folder / "endpoint.json", json.dumps(endpoint, indent=1))

    def _watch(self) -> None:
        idle_s = float(self.options["idle_timeout_s"])
        pause = min(0.5, idle_s / 5)
        path = self.folder / "clients.lock"
        clients = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        busy_at, touched = time.monotonic(), path.stat().st_mtime_ns
        while self.child is not None and self.child.poll() is None:
            if select.select([self._woken], [], [], pause)[0]:
                return  # it was asked to stop
            try:
                fcntl.flock(clients, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                busy_at = time.monotonic()
                continue
            now_touched = path.stat().st_mtime_ns
            if now_touched != touched:  # a client came and went between two looks
                busy_at, touched = time.monotonic(), now_touched
            if time.monotonic() - busy_at >= idle_s:
                return  # with the lock held: a client that comes now waits and starts anew
            fcntl.flock(clients, fcntl.LOCK_UN)

    def _end_child(self) -> None:
        child = self.child
        if child is None:
            return
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(STOP_GRACE_S)
            except subprocess.TimeoutExpired:
                child.kill()
        child.wait()
        (self.folder / "child.json").unlink(missing_ok=True)


def report(line: str) -> None:
    """Tell the starter, which may be gone by now, and let go of its pipe."""
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def main() -> int:
    """Run as a daemon with options in JSON on standard input; the first process returns at once.

    They come by a pipe and not as arguments, since other users can read a command line.
    """
    options = json.load(sys.stdin)
    if os.fork():
        return 0  # so that the starter has no zombie to collect
    reason = Supervisor(options).run()
    if reason is not None:
        report(f"failed: {reason}")
    return 0 if reason is None else 1


if __name__ == "__main__":
    sys.exit(main())
