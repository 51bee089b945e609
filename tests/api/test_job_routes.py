"""The routes of jobs: started, watched, read, paused, resumed, retried, cancelled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.test_runner import KINDS, until
from tests.api.world import open_world


@pytest.fixture
def with_jobs(tmp_path: Path) -> Iterator[TestClient]:
    with (
        open_world(tmp_path / ".umbra") as engine,
        TestClient(create_app(engine, job_kinds=KINDS), base_url=ADDRESS) as client,
    ):
        yield client


def test_a_job_is_taken_in_watched_and_read(with_jobs: TestClient) -> None:
    started = with_jobs.post("/v1/jobs", json={"kind": "link", "parameters": {"to": 3}})
    assert started.status_code == 202
    address = started.headers["location"]
    until(lambda: with_jobs.get(address).json()["state"] == "done")
    job = with_jobs.get(address).json()
    assert with_jobs.get(job["output"]).text == "0\n1\n2\n"
    assert with_jobs.get("/v1/jobs").json()["jobs"] == [job]
    problem(with_jobs.get("/v1/jobs/0123456789abcdef"), "unknown-job", 404)
    problem(with_jobs.post("/v1/jobs", json={"kind": "rm"}), "invalid-request", 422)


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({}, "mentions"),
        ({"mentions": []}, "mentions"),
        ({"mentions": "m.jsonl"}, "mentions"),
        ({"mentions": [{"id": "a"}, "b"]}, "mentions[1]"),
        ({"mentions": [{}], "path": "/etc/passwd"}, "'path'"),
        ({"mentions": [{}], "columns": {"image": "file"}}, "'image'"),
        ({"mentions": [{}], "columns": {"surface": 3}}, "'surface'"),
        ({"mentions": [{}], "columns": []}, "columns"),
    ],
)
def test_a_link_job_that_can_never_work_is_refused_at_once(
    client: TestClient, parameters: dict[str, Any], where: str
) -> None:
    sent = client.post("/v1/jobs", json={"kind": "link", "parameters": parameters})
    assert where in problem(sent, "input-error", 400)["detail"]


def test_the_same_idempotency_key_is_one_job(with_jobs: TestClient) -> None:
    body = {"kind": "link", "parameters": {"to": 1}}
    key = {"Idempotency-Key": "monday"}
    ids = {with_jobs.post("/v1/jobs", json=body, headers=key).json()["id"] for _ in range(3)}
    assert len(ids) == 1
    other = with_jobs.post("/v1/jobs", json={"kind": "link"}, headers=key)
    problem(other, "idempotency-key-reused", 422)


def events_of(text: str) -> list[dict[str, str]]:
    blocks = [block for block in text.replace("\r\n", "\n").split("\n\n") if "event:" in block]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def test_events_tell_progress_and_the_end_and_go_on_after_an_id(with_jobs: TestClient) -> None:
    body = {"kind": "link", "parameters": {"to": 60, "slow": True}}
    address = with_jobs.post("/v1/jobs", json=body).headers["location"]
    events = events_of(with_jobs.get(f"{address}/events").text)
    assert {event["event"] for event in events[:-1]} == {"progress"}
    assert events[-1]["event"] == "end"
    assert json.loads(events[-1]["data"])["state"] == "done"
    ids = [int(event["id"]) for event in events]
    assert ids == sorted(set(ids))
    done = [json.loads(event["data"])["done"] for event in events]
    assert done == sorted(done)
    assert len(set(done)) > 2
    again = with_jobs.get(f"{address}/events", headers={"Last-Event-ID": str(ids[-1])})
    assert [event["event"] for event in events_of(again.text)] == ["end"]


def test_a_job_is_cancelled(with_jobs: TestClient) -> None:
    body = {"kind": "link", "parameters": {"to": 10**6, "slow": True}}
    address = with_jobs.post("/v1/jobs", json=body).headers["location"]
    until(lambda: with_jobs.get(address).json()["state"] == "running")
    assert with_jobs.delete(address).status_code == 200
    until(lambda: with_jobs.get(address).json()["state"] == "cancelled")


JSON = {"Content-Type": "application/json"}


def test_a_job_is_paused_resumed_and_retried(with_jobs: TestClient) -> None:
    body = {"kind": "link", "parameters": {"to": 40, "slow": True}}
    address = with_jobs.post("/v1/jobs", json=body).headers["location"]
    assert with_jobs.post(f"{address}/retry", headers=JSON).status_code == 409
    assert with_jobs.post(f"{address}/pause", headers=JSON).status_code == 200
    until(lambda: with_jobs.get(address).json()["state"] == "paused")
    assert with_jobs.post(f"{address}/resume", headers=JSON).json()["state"] == "pending"
    until(lambda: with_jobs.get(address).json()["state"] == "done")
    refused = with_jobs.post(f"{address}/pause", headers=JSON)
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:umbra:problem:job"
    assert with_jobs.post(f"{address}/retry", headers=JSON).status_code == 200
    until(lambda: with_jobs.get(address).json()["state"] == "done")
    assert with_jobs.post("/v1/jobs/0123456789abcdef/pause", headers=JSON).status_code == 404
