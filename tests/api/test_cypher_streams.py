"""Rows of `/v1/cypher` while the embedded store makes them: begun, cut, failed, left, slow."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from api.engine import Engine
from api.rows import ARROW, NDJSON
from api.settings import Settings
from api.workspace import Workspace
from kg.query_results import arrow_of
from tests.api.pages import listening
from tests.api.test_guard import problem
from tests.api.test_runner import until
from tests.api.test_serve import serving as server_process
from tests.conformance.cypher_rules import ENDLESS, MANY

LINES, AS_ARROW = {"Accept": NDJSON}, {"Accept": ARROW}
TYPES = (
    "UNWIND range(1, 15000) AS x RETURN x, x * 0.5 AS half, toString(x) AS text, "
    "x % 2 = 0 AS even, [x, null] AS list, {x: x} AS map, null AS nothing, "
    "CASE WHEN x = 14999 THEN 'late' ELSE x END AS mixed"
)


@contextmanager
def serving(workspace: Workspace, **settings: Any) -> Iterator[httpx.Client]:
    with (
        Engine(workspace, settings=Settings(text_encoder="tiny", **settings)) as engine,
        listening(engine) as address,
        httpx.Client(base_url=address, timeout=60) as http,
    ):
        yield http


@pytest.fixture(scope="module")
def http(stored: Workspace) -> Iterator[httpx.Client]:
    with serving(stored, timeout_s=120) as http:
        yield http


@contextmanager
def streamed(http: httpx.Client, query: str, **options: Any) -> Iterator[Iterator[Any]]:
    """Ask for lines; the first of them has come."""
    body = {"query": query, **options}
    with http.stream("POST", "/v1/cypher", json=body, headers=LINES) as response:
        assert response.status_code == 200
        yield map(json.loads, response.iter_lines())


def running(http: httpx.Client) -> list[str]:
    return [query["text"] for query in http.get("/v1/queries").json()["queries"]]


def failed(http: httpx.Client, line: dict[str, Any], slug: str, status: int) -> dict[str, Any]:
    """Check the last line of a stream that failed, and that it was counted as what it was."""
    error: dict[str, Any] = line["error"]
    assert (error["type"], error["status"]) == (f"urn:umbra:problem:{slug}", status)
    assert error["instance"] == "/v1/cypher"
    assert error["request_id"]
    labels = f'method="POST",route="/v1/cypher",status="{status}"'
    until(lambda: labels in http.get("/metrics").text)
    return error


def test_rows_are_read_while_the_query_runs_and_leaving_ends_it(http: httpx.Client) -> None:
    with streamed(http, MANY) as lines:
        assert [next(lines) for _ in range(3)] == [["x", "y"], [1, 1], [1, 2]]
        assert running(http) == [MANY]
    until(lambda: running(http) == [])


def test_leaving_before_the_arrow_answer_is_made_ends_the_query(http: httpx.Client) -> None:
    body = json.dumps({"query": MANY}).encode()
    host, port = http.base_url.host, http.base_url.port
    assert port is not None
    with socket.create_connection((host, port)) as line:
        head = f"POST /v1/cypher HTTP/1.1\r\nHost: {host}\r\nAccept: {ARROW}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        line.sendall(head.encode() + body)
        until(lambda: running(http) == [MANY])
    until(lambda: running(http) == [])


def test_200_000_rows_come_each_once_and_in_order(http: httpx.Client) -> None:
    query = "UNWIND range(0, 199) AS x UNWIND range(0, 999) AS y RETURN x * 1000 + y AS n"
    with streamed(http, query) as lines:
        assert next(lines) == ["n"]
        for n in range(200_000):
            assert next(lines) == [n]
        assert list(lines) == [{"rows": 200_000, "truncated": False}]


def test_nothing_and_a_plan_are_streams_too(http: httpx.Client) -> None:
    with streamed(http, "MATCH (n:Nothing) RETURN n.key AS key") as lines:
        assert list(lines) == [["key"], {"rows": 0, "truncated": False}]
    with streamed(http, f"EXPLAIN {ENDLESS}") as lines:
        assert next(lines) == ["plan"]


def test_values_are_those_of_the_answer_in_one_piece(http: httpx.Client) -> None:
    query = (
        "MATCH p = (a:Country {key: 'country:TR'})-[r:borders]->(b) "
        "RETURN a, r, p, date('2026-12-01') AS day, 1.0 / 0.0 AS x, [0.0 / 0.0] AS l ORDER BY b.key"
    )
    whole = http.post("/v1/cypher", json={"query": query}).json()
    with streamed(http, query) as lines:
        head, *rows, last = lines
    assert (head, rows) == (whole["columns"], whole["rows"])
    assert last == {"rows": len(rows), "truncated": False}
    assert len(rows) > 1


@pytest.mark.parametrize("form", [LINES, AS_ARROW])
def test_what_fails_before_its_first_row_has_a_status(
    http: httpx.Client, form: dict[str, str]
) -> None:
    for query, slug, status in (
        ("MATCH (n", "query-syntax", 400),
        ("CREATE (n)", "read-only", 403),
        ("RETURN 1 / 0", "query-value", 422),
        ("RETURN $missing", "input-error", 400),
        (ENDLESS, "query-timeout", 504),
    ):
        body = {"query": query, "timeout_s": 0.5}
        problem(http.post("/v1/cypher", json=body, headers=form), slug, status)
    assert running(http) == []


def test_a_query_that_fails_after_its_first_rows_says_so_in_the_last_line(
    http: httpx.Client,
) -> None:
    query = "UNWIND range(0, 9999) AS x RETURN 1 / (9000 - x) AS y"
    with streamed(http, query) as lines:
        head, *rows, last = lines
    assert head == ["y"]
    assert rows == [[0] for _ in rows]
    assert 0 < len(rows) <= 9000
    assert "zero" in failed(http, last, "query-value", 422)["detail"]


def test_the_time_limit_holds_for_the_whole_and_for_a_slow_reader(http: httpx.Client) -> None:
    with streamed(http, MANY, timeout_s=1) as lines:
        *_, last = lines
    failed(http, last, "query-timeout", 504)
    with streamed(http, MANY, timeout_s=1) as lines:
        next(lines)
        until(lambda: running(http) == [])  # nothing is read, and the store is free all the same
        *_, last = lines
    failed(http, last, "query-timeout", 504)


def test_a_query_that_somebody_ends_says_so_in_the_last_line(http: httpx.Client) -> None:
    with streamed(http, MANY) as lines:
        next(lines)
        (query,) = http.get("/v1/queries").json()["queries"]
        http.delete(f"/v1/queries/{query['id']}").raise_for_status()
        *_, last = lines
    failed(http, last, "query-timeout", 504)


def test_rows_are_cut_at_the_limit_of_the_request_and_at_that_of_the_server(
    stored: Workspace,
) -> None:
    query = "UNWIND range(1, 30000) AS x RETURN x"
    with serving(stored, max_rows=10, max_streamed_rows=15_000) as http:
        for asked, given in ((12_000, 12_000), (20_000, 15_000), (None, 15_000)):
            body = {"query": query, "max_rows": asked}
            with streamed(http, **body) as lines:
                *rows, last = lines
            assert rows[1:] == [[n] for n in range(1, given + 1)]
            assert last == {"rows": given, "truncated": True}
            table = arrow(http.post("/v1/cypher", json=body, headers=AS_ARROW))
            assert table.num_rows == given
            assert table.schema.metadata[b"truncated"] == b"true"
        assert len(http.post("/v1/cypher", json={"query": query}).json()["rows"]) == 10
        assert http.get("/v1/info").json()["limits"]["max_streamed_rows"] == 15_000


def arrow(response: httpx.Response) -> pa.Table:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == ARROW
    return pa.ipc.open_stream(response.content).read_all()


def test_arrow_of_many_rows_has_the_types_of_all_of_them(
    http: httpx.Client, stored: Workspace
) -> None:
    sent = arrow(http.post("/v1/cypher", json={"query": TYPES}, headers=AS_ARROW))
    with Engine(stored) as engine:
        whole = arrow_of(engine.store.query(TYPES, max_rows=20_000))
    assert [str(field.type) for field in whole.schema] == [
        "int64", "double", "string", "bool", "list<item: int64>", "string", "null", "string",
    ]  # fmt: skip
    told = {name.decode(): json.loads(text) for name, text in sent.schema.metadata.items()}
    assert told == {"head": whole.column_names, "rows": 15_000, "truncated": False}
    assert sent.replace_schema_metadata(None).schema.equals(whole.schema, check_metadata=True)
    assert sent.equals(whole)


def test_rows_beyond_the_temporary_file_are_refused(stored: Workspace) -> None:
    with serving(stored, max_spooled_bytes=10_000) as http:
        body = {"query": "UNWIND range(1, 5000) AS x RETURN x"}
        found = problem(http.post("/v1/cypher", json=body, headers=AS_ARROW), "limit", 422)
        assert "setting max_spooled_bytes" in found["detail"]
        with streamed(http, **body) as lines:
            assert len(list(lines)) == 5002
        assert running(http) == []


def test_a_server_that_ends_ends_its_streams(stored: Workspace) -> None:
    with server_process(stored) as (http, process), streamed(http, MANY) as lines:
        next(lines)
        process.send_signal(signal.SIGTERM)
        *_, last = lines
        assert last["error"]["type"] == "urn:umbra:problem:not-ready"
        assert process.wait(timeout=60) == 0


def test_a_stream_counts_against_the_limit_until_its_end(
    stored: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.app.THREADS", 1)
    monkeypatch.setattr("api.app.WAITING", 0)
    one = {"query": "RETURN 1 AS one"}
    with serving(stored, timeout_s=120) as http:
        with streamed(http, MANY) as lines:
            next(lines)
            problem(http.post("/v1/cypher", json=one), "busy", 503)
        until(lambda: http.post("/v1/cypher", json=one).status_code == 200)
