"""Several processes behind one address: one owner of the jobs, replaced without a lost request."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from api.workspace import Workspace
from tests.api.test_guard import problem
from tests.api.test_job_routes import events_of
from tests.api.test_runner import until
from tests.api.test_serve import serving

WORKERS = 2


@pytest.fixture(scope="module")
def server(stored: Workspace) -> Iterator[tuple[str, int]]:
    with serving(stored, "--workers", str(WORKERS)) as (client, process):
        yield str(client.base_url).rstrip("/"), process.pid
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors


def children(pid: int) -> set[int]:
    return {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def test_jobs_are_the_same_whichever_process_is_asked(server: tuple[str, int]) -> None:
    address, _ = server
    body = {"kind": "link", "parameters": {"to": 5}}
    made = [
        httpx.post(f"{address}/v1/jobs", json=body, headers={"Idempotency-Key": "one"})
        for _ in range(6)  # each on a connection of its own
    ]
    assert {response.status_code for response in made} == {202}
    (place,) = {response.headers["location"] for response in made}
    with httpx.Client(base_url=address) as line:  # a connection goes on after a head
        for path in (place, f"{place}/events", "/v1/info", place):
            head = line.head(path)
            assert (head.status_code, head.content) == (200, b"")
    with httpx.stream("GET", f"{address}{place}/events", timeout=30) as stream:
        events = events_of("\n".join(stream.iter_lines()))
    assert events[-1]["event"] == "end"
    for _ in range(6):
        read = httpx.get(f"{address}{place}")
        assert read.json()["state"] == "done"
        assert read.headers["content-length"] == str(len(read.content))
        assert len(read.headers.get_list("x-request-id")) == 1
    problem(httpx.get(f"{address}/v1/jobs/none"), "unknown-job", 404)
    refused = httpx.post(f"{address}/v1/jobs", content=b"{", headers={"Content-Type": "text/plain"})
    problem(refused, "unsupported-media-type", 415)


def test_counts_are_of_all_processes(server: tuple[str, int]) -> None:
    def seen() -> float:
        text = httpx.get(f"{server[0]}/metrics").text
        found = re.search(
            r'umbra_requests_total{.*method="GET",route="/v1/info",status="200"} (\S+)', text
        )
        return float(found[1]) if found else 0.0

    before = seen()
    for _ in range(10):
        httpx.get(f"{server[0]}/v1/info")
    assert seen() == before + 10


def test_all_workers_are_replaced_and_no_request_is_lost(server: tuple[str, int]) -> None:
    address, pid = server
    before, done = children(pid), threading.Event()
    assert len(before) == WORKERS + 1
    statuses: Counter[int] = Counter()

    def ask(*, kept: bool) -> None:
        with httpx.Client(timeout=60) as own:
            while not done.is_set():
                get = own.get if kept else partial(httpx.get, timeout=60)
                statuses[get(f"{address}/v1/info").status_code] += 1
                time.sleep(0.01)

    threads = [threading.Thread(target=ask, kwargs={"kept": kept}) for kept in (True, False)]
    for thread in threads:
        thread.start()
    os.kill(pid, signal.SIGHUP)
    try:
        until(lambda: len(children(pid)) == WORKERS + 1 and not children(pid) & before, 60)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200}
    assert statuses[200] > 20


def test_a_worker_that_is_killed_is_followed_by_another(server: tuple[str, int]) -> None:
    address, pid = server
    before = children(pid)
    os.kill(max(before), signal.SIGKILL)
    until(lambda: len(children(pid)) == WORKERS + 1 and children(pid) != before)
    until(lambda: httpx.get(f"{address}/healthz").status_code == 200)
