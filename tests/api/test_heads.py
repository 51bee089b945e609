"""HEAD answers as GET does, without a body."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.access.keys import KeyRing
from api.app import create_app
from tests.api.conftest import ADDRESS
from tests.api.test_runner import KINDS
from tests.api.test_scopes import bearer
from tests.api.world import open_world

OWN = ("x-request-id",)
"""Headers that no two answers share."""


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/explorer/page.js", "/healthz", "/openapi.json", "/v1/info"),
        *("/v1/entities?limit=3", "/v1/entities?label=No"),
        *("/v1/entities/country:TR?limit=1", "/v1/search?q=turkey&k=1", "/v1/jobs"),
        *("/v1/nowhere", "/v1/query", "/v1/entities/none", "/v1/entities/country:TR?limit=0"),
    ],
)
def test_what_get_answers_without_its_body(client: TestClient, path: str) -> None:
    client.get(path)  # what is kept, is kept now
    whole, head = client.get(path), client.head(path)
    assert head.status_code == whole.status_code
    assert head.content == b""
    told, said = ({k: v for k, v in one.headers.items() if k not in OWN} for one in (whole, head))
    assert said == told


def test_an_entity_that_has_not_changed_is_told_so(client: TestClient) -> None:
    client.get("/v1/entities/country:TR")
    tag = client.head("/v1/entities/country:TR").headers["etag"]
    again = client.head("/v1/entities/country:TR", headers={"If-None-Match": tag})
    assert again.status_code == 304


def test_a_key_needs_the_scope_that_get_needs(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra") as engine:
        key = KeyRing(engine.workspace.keys).create("ada", ["read"])[1]
        with TestClient(create_app(engine), base_url=ADDRESS) as client:
            assert client.head("/v1/info").status_code == 401
            assert client.head("/v1/info", headers=bearer(key)).status_code == 200
            assert client.head("/v1/jobs", headers=bearer(key)).status_code == 403
        assert not engine.workspace.audit.exists()


def test_a_stream_of_events_ends_with_its_head(tmp_path: Path) -> None:
    with (
        open_world(tmp_path / ".umbra") as engine,
        TestClient(create_app(engine, job_kinds=KINDS), base_url=ADDRESS) as client,
    ):
        made = client.post("/v1/jobs", json={"kind": "link", "parameters": {"to": 3}})
        client.post(f"{made.headers['location']}/pause")
        head = client.head(f"{made.headers['location']}/events")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")


def test_heads_are_counted_as_heads(client: TestClient) -> None:
    client.head("/v1/info")
    assert 'method="HEAD",route="/v1/info"' in client.get("/metrics").text
