"""`umbra serve` as a process of its own: addresses, real Cypher, event streams, and its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

import tests.api.test_runner as runner_works
from api.access.graph_keys import HOME
from api.cli.main import main
from api.cli.serve import check_address, is_loopback
from api.routes.examples import CYPHER
from api.runner import JobRunner
from api.serving.server import run_server
from api.settings import Settings
from api.workspace import Workspace
from kg.backends import open_store
from kg.backends.bolt import BoltStore
from kg.errors import SettingError
from tests.api.test_guard import problem
from tests.api.test_job_routes import events_of
from tests.api.test_runner import until
from tests.api.world import WorldEngine

REPOSITORY = Path(__file__).parents[2]
SERVE = (
    "import sys, api.app, tests.api.test_runner as runner; from api.cli.main import main; "
    "api.app.default_job_kinds = lambda engine: runner.KINDS; sys.exit(main(sys.argv[1:]))"
)
"""The command itself, with jobs that count."""


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("::1", True),
        ("[::1]", True), ("10.0.0.1", False), ("::", False), ("192.168.1.5", False),
        ("umbra.example", False), ("localhost.evil.example", False), ("", False),
    ],
)  # fmt: skip
def test_only_loopback_needs_no_key(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone
    if alone:
        check_address(Settings(host=host))
        return
    for key in ("", "short"):
        with pytest.raises(SettingError) as refused:
            check_address(Settings(host=host, api_key=key))
        assert "UMBRA_API_KEY" in str(refused.value)
        assert "--host 127.0.0.1" in str(refused.value)
    check_address(Settings(host=host, api_key="long-enough-to-be-a-key"))


def test_an_open_address_without_a_key_is_refused_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UMBRA_API_KEY", raising=False)
    assert main(["serve", "--folder", str(tmp_path), "--host", "0.0.0.0"]) == 2  # noqa: S104
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert "API key" in shown.err


def test_a_taken_port_is_refused_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--folder", str(tmp_path), "--port", port]) == 2
    assert f"port {port}" in capsys.readouterr().err


@contextmanager
def serving(
    workspace: Workspace, *options: str
) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    command = [sys.executable, "-c", SERVE, "serve", "--folder", str(workspace.folder)]
    environment = {name: v for name, v in os.environ.items() if not name.startswith("UMBRA_")}
    process = subprocess.Popen(
        [*command, "--port", "0", *options], cwd=REPOSITORY, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http"))
        with httpx.Client(base_url=address, timeout=30) as client:
            yield client, process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def server(stored: Workspace) -> Iterator[httpx.Client]:
    with serving(stored) as (client, _):
        yield client


def test_cypher_is_answered_by_the_store(server: httpx.Client) -> None:
    query = (
        "MATCH (a:Country)-[:borders]->(b:Country) "
        "RETURN a.name AS name, count(b) AS n ORDER BY n DESC, name LIMIT $rows"
    )
    found = server.post("/v1/cypher", json={"query": query, "parameters": {"rows": 2}})
    assert found.json() == {
        "columns": ["name", "n"], "rows": [["Turkey", 4], ["Algeria", 2]], "truncated": False,
    }  # fmt: skip
    for example in CYPHER.values():
        rows = server.post("/v1/cypher", json=example["value"]).json()["rows"]
        assert rows == [["Turkey", 4], ["Algeria", 2]]
    cut = server.post(
        "/v1/cypher", json={"query": "UNWIND range(1, 9) AS n RETURN n", "max_rows": 3}
    )
    assert cut.json() == {"columns": ["n"], "rows": [[1], [2], [3]], "truncated": True}


@pytest.mark.parametrize(
    ("query", "slug", "status"),
    [
        ("CREATE (n:Country {key: 'x'})", "read-only", 403),
        ("MATCH (n) DETACH DELETE n", "read-only", 403),
        ("LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row", "read-only", 403),
        ("MATCH (n) RETURN )", "query-syntax", 400),
        ("", "query-syntax", 400),
    ],
)
def test_cypher_that_may_not_run_is_a_problem(
    server: httpx.Client, query: str, slug: str, status: int
) -> None:
    problem(server.post("/v1/cypher", json={"query": query}), slug, status)


ENDLESS = (
    "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b "
    "WITH a, b WHERE a * b = -1 RETURN count(*) AS n"
)


def test_a_time_limit_ends_the_query_at_the_store(server: httpx.Client) -> None:
    found = server.post("/v1/cypher", json={"query": ENDLESS, "timeout_s": 0.3})
    problem(found, "query-timeout", 504)


def test_a_client_that_leaves_ends_its_query(server: httpx.Client, stored: Workspace) -> None:
    with open_store(stored.graph) as store:
        assert isinstance(store, BoltStore)
        body = json.dumps({"query": ENDLESS}).encode()
        host, port = server.base_url.host, server.base_url.port
        assert port is not None
        with socket.create_connection((host, port)) as line:
            head = f"POST /v1/cypher HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            until(lambda: any("request" in query.text for query in store.running_queries()))
        until(lambda: not store.running_queries())
    assert server.get("/healthz").status_code == 200


def test_the_server_stays_responsive_while_queries_run(server: httpx.Client) -> None:
    slow: list[Any] = []
    body = {"query": ENDLESS, "timeout_s": 1.5}
    threads = [
        threading.Thread(target=lambda: slow.append(server.post("/v1/cypher", json=body)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    assert server.get("/healthz").json() == {"status": "ok"}
    assert server.get("/v1/info").status_code == 200
    assert not slow  # they are still running
    for thread in threads:
        thread.join()
    assert [response.status_code for response in slow] == [504] * 3


HALF_A_QUESTION = (
    b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_streams_pauses_jobs_answers_who_is_there_and_exits_with_zero(
    tmp_path: Path, number: signal.Signals
) -> None:
    workspace = Workspace(tmp_path / ".umbra")
    workspace.create()
    with serving(workspace) as (client, process):
        body = {"kind": "link", "parameters": {"to": 500, "slow": True}}
        address = client.post("/v1/jobs", json=body).headers["location"]
        lines: list[str] = []
        place = (client.base_url.host, client.base_url.port)
        with socket.create_connection(place, timeout=30) as under_way:
            under_way.sendall(HALF_A_QUESTION)
            with client.stream("GET", f"{address}/events") as stream:
                for line in stream.iter_lines():
                    lines.append(line)
                    if line.startswith("data:") and len(events_of("\n".join(lines))) == 2:
                        process.send_signal(number)
            under_way.sendall(b"}")
            answer = under_way.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 422"), answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["errors"]
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    events = events_of("\n".join(lines))
    assert events[-1]["event"] == "progress"  # the stream ended, the job did not
    left = JobRunner(workspace.ledger.parent / "runs", runner_works.KINDS)  # the next server
    job_id = address.rpartition("/")[2]
    until(lambda: left.get(job_id).done > json.loads(events[-1]["data"])["done"])
    assert left.peek(job_id)[1] > int(events[-1]["id"])
    left.cancel(job_id)
    assert left.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.timeout(60)
def test_a_signal_that_comes_before_the_server_listens_to_it_ends_it(
    number: signal.Signals, world: WorldEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = uvicorn.Server.run

    def run(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        signal.raise_signal(number)
        begin(server, sockets)

    monkeypatch.setattr(uvicorn.Server, "run", run)
    before = signal.getsignal(number)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        run_server({HOME: world}, listener)
    assert signal.getsignal(number) is before
