"""A graph in a process of its own (`kg.sparql.process`), and how it is asked."""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyoxigraph import Quad, RdfFormat, serialize

from kg.errors import StoreUnavailableError
from kg.sparql.process import ASK, END, FOLLOW, NUMBER_BYTES, READY

__all__ = ["GraphProcess"]


class GraphProcess:
    """A graph in a process of its own.

    Args:
        quads: The graph.

    Raises:
        StoreUnavailableError: The process did not start.
    """

    def __init__(self, quads: Iterable[Quad]) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with tempfile.TemporaryFile() as file, theirs:
            serialize(quads, file, RdfFormat.N_QUADS)
            file.seek(0)
            script = Path(__file__).with_name("process.py")
            self._process = subprocess.Popen(  # noqa: S603 - our own file, no shell
                [sys.executable, "-P", str(script), str(theirs.fileno())],
                stdin=file,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # the terminal's Ctrl+C is not for it
            )
        self._numbers = itertools.count()
        self._running: dict[int, str] = {}
        self._retired = False
        self._lock = threading.Lock()
        if self._orders.recv(1) != READY:
            self.close()
            raise StoreUnavailableError("the process for SPARQL did not start")

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def follow(self, forget: dict[str, Any], quads: Iterable[Quad]) -> None:
        """Change the graph for the queries that come; those that run see it as it was.

        Args:
            forget: Facts of which nothing stays (`kg.sparql.process`).
            quads: What is added then.

        Raises:
            StoreUnavailableError: The process ended meanwhile; its graph is lost.
        """
        body = serialize(quads, format=RdfFormat.N_QUADS) or b""
        head = json.dumps({**forget, "bytes": len(body)}).encode() + b"\n"
        ours, theirs = socket.socketpair()
        try:
            with ours:
                with theirs:
                    socket.send_fds(self._orders, [_order(FOLLOW, 0)], [theirs.fileno()])
                ours.sendall(head + body)
                done = ours.recv(1)
        except OSError as error:
            raise StoreUnavailableError("the process for SPARQL has ended") from error
        if done != READY:
            self.close()
            raise StoreUnavailableError("the process for SPARQL could not follow the graph")

    def ask(
        self, asked: dict[str, Any], tag: str, timeout_s: float
    ) -> tuple[dict[str, Any], bytes]:
        """Return head and body of the answer; the head is empty if the query's process ended."""
        ours, theirs = socket.socketpair()
        with self._lock:
            number = next(self._numbers)
            self._running[number] = tag
        try:
            with ours:
                with theirs:
                    socket.send_fds(self._orders, [_order(ASK, number)], [theirs.fileno()])
                ours.settimeout(timeout_s)
                ours.sendall(json.dumps(asked).encode() + b"\n")
                with ours.makefile("rb") as stream:
                    head = stream.readline()
                    body = stream.read()
        except TimeoutError:
            self._kill(number)
            head, body = b"", b""
        except OSError as error:  # the query's own process was ended, or the one that holds all
            if not self.alive:
                raise StoreUnavailableError("the process for SPARQL has ended") from error
            head, body = b"", b""
        finally:
            with self._lock:
                del self._running[number]
                last = self._retired and not self._running
            if last:
                self.close()
        return (json.loads(head) if head.endswith(b"\n") else {}), body

    def end(self, tag: str) -> None:
        """End the queries with this tag."""
        with self._lock:
            numbers = [number for number, named in self._running.items() if named == tag]
        for number in numbers:
            self._kill(number)

    def _kill(self, number: int) -> None:
        try:
            self._orders.send(_order(END, number))
        except OSError:
            return  # so the process has ended, and the query with it

    def retire(self) -> None:
        """Close when the queries that run have ended."""
        with self._lock:
            self._retired = True
            if self._running:
                return
        self.close()

    def close(self) -> None:
        """End the process; its queries end with it."""
        self._orders.close()
        self._process.wait()


def _order(kind: bytes, number: int) -> bytes:
    return kind + number.to_bytes(NUMBER_BYTES, "big")
