"""Every route asks for its scope: the whole matrix of routes and scopes, and the log of changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.access.keys import SCOPES, KeyRing, Scope
from api.app import create_app
from api.job_parameters import JobKindName
from tests.api.test_guard import problem
from tests.api.test_openapi import operations
from tests.api.test_runner import KINDS
from tests.api.world import open_world

OPEN = {"/healthz", "/readyz"}
CHANGING = {
    "/v1/review/cases", "/v1/review/decisions", "/v1/review/duplicates", "/v1/review/import",
    "/v1/review/facts",
    "/v1/undo",
}  # fmt: skip


def needed(path: str, method: str) -> str:
    """The scope that a route is meant to need."""
    if path.startswith("/v1/jobs"):
        return "jobs"
    if path.startswith("/v1/queries"):
        return "admin"
    return "write" if path in CHANGING and method == "post" else "read"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, dict[str, str]]]:
    """An application that needs keys, and a key of each scope."""
    with open_world(tmp_path_factory.mktemp("guarded") / ".umbra") as engine:
        ring = KeyRing(engine.workspace.keys)
        keys = {scope: ring.create(f"for {scope}", [scope])[1] for scope in SCOPES}
        app = create_app(engine, job_kinds=KINDS)

        @app.post("/v1/forgotten")
        def forgotten() -> dict[str, Any]:
            return {}

        yield app, keys


@pytest.fixture(scope="module")
def client(guarded: tuple[FastAPI, dict[str, str]]) -> Iterator[TestClient]:
    with TestClient(guarded[0], base_url="http://127.0.0.1") as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_every_route_lets_its_scope_pass_and_no_other(
    guarded: tuple[FastAPI, dict[str, str]], client: TestClient
) -> None:
    document = client.get("/openapi.json").json()
    seen = set()
    for path, method, operation in operations(document):
        if path in OPEN:
            assert "security" not in operation
            assert client.request(method, path).status_code == 200
            continue
        scope = "admin" if path == "/v1/forgotten" else needed(path, method)
        address = path.format(key="x", sha256="0" * 64, id="0", kind="type")
        problem(client.request(method, address), "unauthorized", 401)
        for held, key in guarded[1].items():
            # a body that fits nothing: who may not pass is told so before it is read
            headers = bearer(key) | {"Content-Type": "application/json"}
            response = client.request(method, address, content=b"{", headers=headers)
            passes = held in (scope, "admin")
            assert (response.status_code != 403) is passes, (method, path, held, response.text)
            if not passes:
                assert scope in problem(response, "insufficient-scope", 403)["hint"]
        if path != "/v1/forgotten":
            assert operation["security"] == [{"key": [scope]}], (method, path)
            assert "insufficient-scope" in json.dumps(operation["responses"]["403"])
        seen.add(scope)
    assert seen == set(SCOPES)


HELD: tuple[tuple[Scope, ...], ...] = (
    ("read",), ("write",), ("jobs",), ("read", "jobs"), ("read", "write"), ("jobs", "write"),
    ("admin",),
)  # fmt: skip


@pytest.mark.parametrize("kind", get_args(JobKindName))
def test_a_job_that_changes_or_measures_the_graph_needs_write_too(
    guarded: tuple[FastAPI, dict[str, str]], kind: JobKindName
) -> None:
    engine = guarded[0].state.engine
    app = create_app(engine)  # with the kinds of a real server
    ring = KeyRing(engine.workspace.keys)
    needs = {"jobs"} if kind == "link" else {"jobs", "write"}
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for held in HELD:
            key = ring.create(f"{kind} {held}", held)[1]
            sent = {"kind": kind, "parameters": {"no such": 1}}  # nothing runs
            response = client.post("/v1/jobs", json=sent, headers=bearer(key))
            passes = held == ("admin",) or needs <= set(held)
            assert response.status_code == (400 if passes else 403), (kind, held, response.text)
            if not passes:
                assert needs - set(held), held
                problem(response, "insufficient-scope", 403)


def test_without_keys_the_document_says_that_none_is_needed(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra") as engine:
        document = create_app(engine).openapi()
    assert document["paths"]["/v1/jobs"]["post"]["security"] == [{}, {"key": ["jobs"]}]


def test_changes_are_noted_and_reading_is_not(
    guarded: tuple[FastAPI, dict[str, str]], client: TestClient
) -> None:
    app, keys = guarded
    audit: Path = app.state.engine.workspace.audit
    before = audit.read_text().splitlines() if audit.exists() else []
    client.get("/v1/info", headers=bearer(keys["admin"]))
    client.get("/v1/review/cases", headers=bearer(keys["read"]))
    client.get("/v1/jobs", headers=bearer(keys["jobs"]))
    made = {"kind": "link", "parameters": {"to": 1, "secret": "hunter2"}}
    client.post("/v1/jobs", json=made, headers=bearer(keys["jobs"]) | {"X-Request-Id": "mine"})
    client.post("/v1/jobs/a%0Aforged/pause", headers=bearer(keys["read"]))
    lines = audit.read_text().splitlines()[len(before) :]
    taken, refused = (json.loads(line) for line in lines)
    assert (taken["name"], taken["method"], taken["path"]) == ("for jobs", "POST", "/v1/jobs")
    assert (taken["status"], taken["request"], taken["from"]) == (202, "mine", "testclient")
    assert (refused["name"], refused["status"]) == ("for read", 403)
    assert refused["path"] == "/v1/jobs/a\nforged/pause"
    whole = audit.read_text()
    assert not [key for key in keys.values() if key in whole]
    assert "hunter2" not in whole
    assert audit.stat().st_mode & 0o777 == 0o600
