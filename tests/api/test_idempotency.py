"""Every route that changes something takes an idempotency key, and is then done once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from api.access.keys import KeyRing
from api.access.once import KeptReply, Once
from api.access.scopes import scoped
from api.app import create_app
from api.errors import HttpProblem
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.test_openapi import operations
from tests.api.test_runner import KINDS
from tests.api.world import open_world

ASKING = {
    "/v1/query", "/v1/why-not", "/v1/plain", "/v1/cypher", "/v1/sparql", "/v1/suggestions",
    "/v1/link/text", "/v1/reconcile",
}  # fmt: skip
"""What POST only asks."""
FACT = {
    "head": "country:GE", "relation": "borders", "tail": "country:RU", "verdict": "accept",
    "who": "ada",
}  # fmt: skip
WRITES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "/v1/review/facts": (FACT, {**FACT, "verdict": "reject"}),
    "/v1/review/decisions": (
        {"kind": "merge", "entity": "country:TR", "keys": ["country:GR"], "who": "ada"},
        {"kind": "undo", "who": "ada"},
    ),
    "/v1/review/duplicates": ({"least": 0.0, "limit": 3}, {"least": 0.0, "limit": 4}),
    "/v1/review/import": (
        {"format": "label-studio", "who": "ada", "content": [{"data": {}}]},
        {"format": "label-studio", "who": "eve", "content": [{"data": {}}]},
    ),
    "/v1/undo": ({"source": "countries.jsonl", "confirm": True}, {"source": "x", "confirm": True}),
    "/v1/jobs": (
        {"kind": "link", "parameters": {"to": 1}}, {"kind": "link", "parameters": {"to": 2}},
    ),
}  # fmt: skip
"""Two bodies a route; the second one is another request."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    with open_world(tmp_path / ".umbra") as engine:
        yield create_app(engine, job_kinds=KINDS)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=ADDRESS) as client:
        yield client


def test_every_operation_that_changes_something_declares_the_header(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path, method, operation in operations(document):
        names = {one["name"].lower() for one in operation.get("parameters", ())}
        changes = method != "get" and path not in ASKING
        assert ("idempotency-key" in names) is changes, (method, path)
        if changes:
            assert "idempotency-key-reused" in repr(operation["responses"]["422"]), path
    of_job = {path for path in document["paths"] if path.startswith("/v1/jobs/")}
    assert {p for p, m, _ in operations(document) if m in ("post", "put", "delete", "patch")} == (
        ASKING | set(WRITES) | {"/v1/review/cases", "/v1/queries/{id}"} | (of_job & {
            "/v1/jobs/{id}", "/v1/jobs/{id}/pause", "/v1/jobs/{id}/resume", "/v1/jobs/{id}/retry",
        })
    )  # fmt: skip


@pytest.mark.parametrize("path", WRITES)
def test_the_same_key_writes_once_and_answers_the_same(
    app: FastAPI, client: TestClient, path: str
) -> None:
    body, other = WRITES[path]
    store = app.state.engine.store
    headers = {"Idempotency-Key": f"monday {path}"}
    first = client.post(path, json=body, headers=headers)
    assert first.status_code < 300, first.text
    version = store.version
    again = client.post(path, json=dict(reversed(body.items())), headers=headers)
    if path != "/v1/jobs":  # which answers how far its job is now
        assert again.content == first.content
        assert again.headers["Idempotency-Replayed"] == "true"
    else:
        assert again.json()["id"] == first.json()["id"]
    assert again.status_code == first.status_code
    assert again.headers["content-type"] == first.headers["content-type"]
    assert store.version == version
    problem(client.post(path, json=other, headers=headers), "idempotency-key-reused", 422)
    assert store.version == version
    long = {"Idempotency-Key": "x" * 201}
    problem(client.post(path, json=body, headers=long), "invalid-request", 422)


def test_jobs_take_it_where_they_are_paused_and_cancelled(client: TestClient) -> None:
    made = client.post("/v1/jobs", json={"kind": "link", "parameters": {"to": 3}}).json()
    headers = {"Idempotency-Key": "stop it"}
    first = client.delete(f"/v1/jobs/{made['id']}", headers=headers)
    assert first.status_code == 200
    assert client.delete(f"/v1/jobs/{made['id']}", headers=headers).content == first.content
    paused = client.post(f"/v1/jobs/{made['id']}/pause", headers=headers)
    problem(paused, "idempotency-key-reused", 422)


def test_what_failed_frees_its_key_and_cases_of_a_job_are_made_once(client: TestClient) -> None:
    headers = {"Idempotency-Key": "cases"}
    nothing = client.post("/v1/review/cases", json={"job": "none"}, headers=headers)
    problem(nothing, "unknown-job", 404)
    problem(
        client.post("/v1/review/cases", json={"job": "other"}, headers=headers), "unknown-job", 404
    )


def test_keys_of_two_users_are_two_and_a_key_needs_its_scope(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra") as engine:
        ring = KeyRing(engine.workspace.keys)
        ada, eve, reader = (
            {"Authorization": f"Bearer {ring.create(name, [scope])[1]}", "Idempotency-Key": "1"}
            for name, scope in (("ada", "write"), ("eve", "write"), ("reader", "read"))
        )
        with TestClient(create_app(engine), base_url=ADDRESS) as client:
            first = client.post("/v1/review/facts", json=FACT, headers=ada)
            assert first.status_code == 200
            own = client.post("/v1/review/facts", json={**FACT, "who": "eve"}, headers=eve)
            assert own.status_code == 200
            assert "Idempotency-Replayed" not in own.headers
            refused = client.post("/v1/review/facts", json=FACT, headers=reader)
            problem(refused, "insufficient-scope", 403)


def test_a_request_that_runs_holds_its_key(tmp_path: Path) -> None:
    app = FastAPI()
    router = APIRouter(route_class=scoped("read", changes="write"))
    begun, ends, runs = threading.Event(), threading.Event(), []

    @router.post("/slow")
    def slow() -> dict[str, int]:
        runs.append(1)
        begun.set()
        ends.wait(10)
        return {"runs": len(runs)}

    with open_world(tmp_path / ".umbra") as engine:
        app = create_app(engine)
        app.include_router(router)
        headers = {"Idempotency-Key": "slow"}
        with TestClient(app, base_url=ADDRESS) as client:
            found: list[Any] = []
            first = threading.Thread(
                target=lambda: found.append(client.post("/slow", headers=headers))
            )
            first.start()
            assert begun.wait(10)
            problem(client.post("/slow", headers=headers), "idempotency-key-in-use", 409)
            ends.set()
            first.join()
            assert client.post("/slow", headers=headers).json() == found[0].json() == {"runs": 1}


def test_answers_are_kept_for_a_time_and_half_a_one_is_none(tmp_path: Path) -> None:
    once, reply = Once(tmp_path / "replies"), KeptReply("r", 200, {}, "{}")
    with once.claim("ada", "k", "r") as claim:
        assert claim.reply is None
        claim.keep(reply)
    with once.claim("ada", "k", "r") as claim, once.claim("eve", "k", "other") as other:
        assert (claim.reply, other.reply) == (reply, None)
    with pytest.raises(HttpProblem) as refused, once.claim("ada", "k", "other"):
        pass
    assert refused.value.slug == "idempotency-key-reused"
    first = next(p for p in (tmp_path / "replies").iterdir() if p.stat().st_size)
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) // 2])  # as a kill leaves it
    with once.claim("ada", "k", "r") as claim:
        assert claim.reply is None
        claim.keep(reply)
    with Once(tmp_path / "replies", kept_s=-1).claim("ada", "k", "other") as claim:
        assert claim.reply is None
    assert len(list((tmp_path / "replies").iterdir())) == 1  # the old ones were swept
