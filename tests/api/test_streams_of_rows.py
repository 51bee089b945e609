"""What a stream of rows costs the server: little of a large one, and nothing once it is over."""

from __future__ import annotations

import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.client import Client
from api.client.connection import RefusedError
from api.client.streamed_rows import StreamedRows
from api.pipe import MOST_LINES
from api.rows import ARROW, NDJSON
from kg.errors import InputError, QueryTimeoutError, StoreUnavailableError
from tests.api.made_rows import MadeRows, serving_made
from tests.api.test_runner import until

LARGE = "x" * 100_000
BODY = {"query": "MATCH (n) RETURN n"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[tuple[httpx.Client, MadeRows]]:
    with serving_made(folder, timeout_s=120) as served:
        yield served


@contextmanager
def slow_reader(http: httpx.Client, accept: str, timeout_s: float) -> Iterator[socket.socket]:
    """Ask for rows by a line whose system takes little before it is read."""
    body = json.dumps({**BODY, "timeout_s": timeout_s}).encode()
    host, port = http.base_url.host, http.base_url.port
    assert port is not None
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        line.connect((host, port))
        head = f"POST /v1/cypher HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        line.sendall(head.encode() + body)
        assert line.recv(1000).startswith(b"HTTP/1.1 200")
        yield line


def deleted_files(folder: Path) -> list[str]:
    """Return the files of a folder that this process holds though they have no name."""
    held = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            held.append(str(link.readlink()))
    return [name for name in held if name.startswith(str(folder)) and name.endswith("(deleted)")]


def settled(store: MadeRows) -> int:
    """Return how many rows were made when no more were made for a while."""
    before = -1
    while before != store.made:
        before = store.made
        time.sleep(0.3)
    return before


def test_no_more_is_made_than_a_reader_takes_who_stops(
    served: tuple[httpx.Client, MadeRows],
) -> None:
    http, store = served
    store.make = lambda: ((n, LARGE) for n in count())
    with slow_reader(http, NDJSON, 100) as line:
        made = settled(store)
        assert 0 < made * len(LARGE) < 64 * 2**20  # what the systems of both ends take, and a piece
        taken = 0
        while taken < 32 * 2**20:
            taken += len(line.recv(2**20))
        until(lambda: store.made > made)  # whoever reads on is given more
        assert store.opened == 1
    until(lambda: store.opened == 0)


def test_the_memory_of_a_stream_does_not_grow_with_its_rows(
    served: tuple[httpx.Client, MadeRows],
) -> None:
    http, store = served

    def peak_of(rows: int) -> int:
        store.make = lambda: ((n, f"row {n}") for n in range(rows))
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        with http.stream("POST", "/v1/cypher", json=BODY, headers={"Accept": NDJSON}) as answer:
            assert sum(piece.count(b"\n") for piece in answer.iter_bytes()) == rows + 2
        return tracemalloc.get_traced_memory()[1] - before

    peak_of(5 * MOST_LINES)  # what is loaded with the first one
    tracemalloc.start()
    try:
        few, many = peak_of(20_000), peak_of(200_000)
    finally:
        tracemalloc.stop()
    assert many < 3 * few


def test_rows_that_come_slowly_are_sent_as_they_come(
    served: tuple[httpx.Client, MadeRows],
) -> None:
    http, store = served
    steps = threading.Semaphore(1)

    def stepping() -> Iterator[tuple[Any, ...]]:
        for n in range(3):
            assert steps.acquire(timeout=60)
            yield n, ""

    store.make = stepping
    with Client(client=http) as graph, graph.stream_cypher("MATCH (n) RETURN n") as rows:
        assert rows.columns == ("n", "text")
        for n, row in enumerate(rows):
            assert (row, store.made) == ([n, ""], n + 1)  # the next one is not there yet
            steps.release()
        assert not rows.truncated


def test_the_client_tells_what_failed_and_what_was_cut(
    served: tuple[httpx.Client, MadeRows],
) -> None:
    http, store = served
    odd = "one\u2028line\x85\n"

    def failing() -> Iterator[tuple[Any, ...]]:
        yield from ((n, odd) for n in range(2 * MOST_LINES))
        raise InputError("the rest is wrong")

    store.make = failing
    taken = []
    with Client(client=http) as graph:
        with (
            pytest.raises(RefusedError, match="the rest is wrong") as refused,
            graph.stream_cypher("MATCH (n) RETURN n") as rows,
        ):
            taken.extend(rows)
        assert refused.value.problem.status == 400
        assert taken == [[n, odd] for n in range(len(taken))]
        assert len(taken) >= MOST_LINES
        store.make = lambda: ((n, "") for n in range(9))
        with graph.stream_cypher("MATCH (n) RETURN n", max_rows=2) as rows:
            assert (list(rows), rows.truncated) == ([[0, ""], [1, ""]], True)
    with pytest.raises(StoreUnavailableError, match="cut on its way"):
        list(StreamedRows(iter([b'["n"]', b"[1]"])))
    assert store.opened == 0


def test_a_fault_of_ours_is_told_without_its_words(
    served: tuple[httpx.Client, MadeRows], caplog: pytest.LogCaptureFixture
) -> None:
    http, store = served

    def failing() -> Iterator[tuple[Any, ...]]:
        yield from ((n, "") for n in range(2 * MOST_LINES))
        raise RuntimeError("the secret of the machine")

    store.make = failing
    answer = http.post("/v1/cypher", json=BODY, headers={"Accept": NDJSON})
    error = json.loads(answer.text.splitlines()[-1])["error"]
    assert (error["type"], error["status"]) == ("urn:umbra:problem:internal", 500)
    assert error["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
    assert "the secret of the machine" in caplog.text


def test_who_reads_too_slowly_loses_the_query_and_its_place(
    served: tuple[httpx.Client, MadeRows],
) -> None:
    http, store = served
    store.make = lambda: ((n, LARGE) for n in count())
    with slow_reader(http, NDJSON, 1) as line:
        until(lambda: store.opened == 0)  # it is over though nothing was read
        received = b""
        while piece := line.recv(2**20):
            received += piece
            if received.endswith(b"0\r\n\r\n"):
                break
    last = received.rpartition(b'{"error":')[2]
    assert QueryTimeoutError.slug.encode() in last
    assert b"were not taken within 1 s" in last


@pytest.mark.parametrize("form", [NDJSON, ARROW])
def test_who_takes_nothing_any_more_is_given_up(
    served: tuple[httpx.Client, MadeRows],
    folder: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    http, store = served
    store.make = lambda: ((n, LARGE) for n in range(1000))
    monkeypatch.setattr("api.timed_response.TAKEN_WITHIN_S", 0.5)
    with slow_reader(http, form, 100):
        until(lambda: store.opened == 0 and deleted_files(folder) == [])
        until(lambda: 'umbra_requests_under_way{graph="home"} 1.0' in http.get("/metrics").text)


def test_the_file_of_an_arrow_answer_goes_however_it_ends(
    served: tuple[httpx.Client, MadeRows], folder: Path
) -> None:
    http, store = served
    store.make = lambda: ((n, LARGE) for n in range(1000))
    with slow_reader(http, ARROW, 60):
        assert len(deleted_files(folder)) == 1
        assert store.opened == 0  # whoever reads slowly holds no query
    until(lambda: deleted_files(folder) == [])
    answer = http.post("/v1/cypher", json=BODY, headers={"Accept": ARROW})
    assert len(answer.content) > 1000 * len(LARGE)
    until(lambda: deleted_files(folder) == [])

    def failing() -> Iterator[tuple[Any, ...]]:
        yield from ((n, LARGE) for n in range(100))
        raise InputError("the rest is wrong")

    store.make = failing
    assert http.post("/v1/cypher", json=BODY, headers={"Accept": ARROW}).status_code == 400
    assert deleted_files(folder) == []
    assert {path.name for path in (folder / ".umbra").iterdir()} <= {
        "access", "images", "jobs", "snapshots", "umbra.toml", "review",
    }  # fmt: skip
