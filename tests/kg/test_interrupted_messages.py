"""Ctrl+C while an answer of the store is on its way: half of a message has been read."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from neo4j import Transaction

from kg.backends.connection import Connection
from kg.backends.embedded import EmbeddedLink
from kg.backends.writer import TransactionWriter
from kg.engine_command import LauncherConfig
from kg.launcher import stop_store
from tests.conformance.store_rules import thing

pytestmark = pytest.mark.timeout(60)


class HalfMessages:
    """Stands between a driver and its server; when armed, passes half of an answer and interrupts.

    What is held back never comes, as if Python had been interrupted with it in hand.
    """

    def __init__(self, port: int) -> None:
        self.armed = threading.Event()
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            for pair in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with source, sink, suppress(OSError):  # either side may hang up
            while data := source.recv(65536):
                if answers and self.armed.is_set():
                    self.armed.clear()
                    sink.sendall(data[: len(data) // 2])
                    os.kill(os.getpid(), signal.SIGINT)
                    while source.recv(65536):  # until the driver or the server hangs up
                        pass
                    return
                sink.sendall(data)


@pytest.fixture
def between(tmp_path: Path) -> Iterator[tuple[Connection, HalfMessages]]:
    """A connection whose every message goes through `HalfMessages`."""
    folder = tmp_path / "graph"
    link = EmbeddedLink(folder, database="graph", config=LauncherConfig(heap="256m"))
    connection = Connection(link)
    proxy = HalfMessages(link.attachment.endpoint.bolt_port)
    link.attachment.endpoint = replace(link.attachment.endpoint, bolt_port=proxy.port)
    yield connection, proxy
    connection.close()
    proxy.close()
    stop_store(folder)


def test_an_interrupt_within_a_message_ends_reads_and_writes_at_once(
    between: tuple[Connection, HalfMessages],
) -> None:
    connection, proxy = between
    text = "UNWIND range(1, 10) AS n RETURN n"
    assert len(connection.read(text, {})) == 10
    proxy.armed.set()
    with pytest.raises(KeyboardInterrupt):
        connection.read(text, {})
    assert len(connection.read(text, {})) == 10  # by another connection to the server

    count = "MATCH (n:Entity) RETURN count(n)"
    with pytest.raises(KeyboardInterrupt):
        write(connection, "n", interrupt=proxy.armed.set)
    assert connection.read(count, {}) == [[0]]
    write(connection, "n")
    assert connection.read(count, {}) == [[1]]


def test_an_interrupt_within_the_answer_of_a_commit_ends_it_at_once(
    between: tuple[Connection, HalfMessages], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, proxy = between
    commit = Transaction.commit

    def interrupted(transaction: Transaction) -> None:
        monkeypatch.undo()
        # with room for what is misread as a long message, the driver waits for it
        assert len(transaction.run("RETURN $text", text="x" * 100_000).values()) == 1
        proxy.armed.set()
        commit(transaction)

    write(connection, "before")
    monkeypatch.setattr(Transaction, "commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(connection, "n")
    write(connection, "after")  # by another connection to the server
    found = connection.read("MATCH (n:Entity) RETURN n.key ORDER BY n.key", {})
    assert found in ([["after"], ["before"]], [["after"], ["before"], ["n"]])  # it had been sent


def write(connection: Connection, key: str, *, interrupt: Callable[[], object] = int) -> None:
    """Write an entity; the argument is called before that, within the transaction."""
    with connection.writing() as counted:
        interrupt()
        TransactionWriter(counted, connection.link).upsert_entities([thing(key)])
