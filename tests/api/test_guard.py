"""What every request passes: host, key, body; and what no response ever shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import LOOPBACK, create_app
from api.guard import CONTENT_SECURITY_POLICY
from api.settings import Settings
from tests.api.world import open_world

KEY = "a-long-enough-key-that-is-secret"


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(api_key=KEY, max_body_bytes=2000)
    with open_world(tmp_path / ".umbra", settings=settings) as engine:
        app = create_app(engine, hosts=frozenset())
        _plant_failures(app)
        with TestClient(app, base_url="http://umbra.example") as client:
            yield client


def _plant_failures(app: FastAPI) -> None:
    @app.get("/v1/broken")
    def broken() -> dict[str, Any]:
        raise RuntimeError("the secret of the machine")


def problem(response: Any, slug: str, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["type"] == f"urn:umbra:problem:{slug}"
    assert found["status"] == status
    assert found["title"]
    assert found["request_id"] == response.headers["x-request-id"]
    return found


def test_a_key_is_asked_for_and_given_either_way(keyed: TestClient) -> None:
    refused = keyed.get("/v1/info")
    problem(refused, "unauthorized", 401)
    assert refused.headers["www-authenticate"] == "Bearer"
    assert keyed.get("/v1/info", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
    assert keyed.get("/v1/info", headers={"X-Api-Key": KEY}).status_code == 200
    problem(keyed.get("/v1/info", headers={"X-Api-Key": KEY[:-1]}), "unauthorized", 401)
    problem(keyed.get(f"/v1/info?key={KEY}"), "unauthorized", 401)
    problem(keyed.get("/v1/info", headers={"X-Api-Key": b"\xe9"}), "unauthorized", 401)


def test_the_page_and_health_need_no_key(keyed: TestClient) -> None:
    for path in ("/", "/healthz", "/readyz", "/openapi.json", "/explorer/page.js"):
        assert keyed.get(path).status_code == 200, path
    problem(keyed.get("/explorer"), "unauthorized", 401)


def test_keys_and_bodies_are_never_logged(
    keyed: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keyed.post("/v1/cypher", json={"query": "MATCH (private) RETURN 1"}, headers={"X-Api-Key": KEY})
    assert "POST /v1/cypher" in caplog.text
    assert KEY not in caplog.text
    assert "private" not in caplog.text


def test_a_large_body_is_refused_with_and_without_its_length(keyed: TestClient) -> None:
    headers = {"X-Api-Key": KEY, "Content-Type": "application/json"}
    body = json.dumps({"query": "x" * 3000}).encode()
    problem(keyed.post("/v1/query", content=body, headers=headers), "body-too-large", 413)
    parts = iter([body[:1500], body[1500:]])
    problem(keyed.post("/v1/query", content=parts, headers=headers), "body-too-large", 413)
    claimed = headers | {"Content-Length": "9" * 5000}
    problem(keyed.post("/v1/query", content=b"{}", headers=claimed), "body-too-large", 413)


def test_a_failure_shows_no_traceback(keyed: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    response = keyed.get("/v1/broken", headers={"X-Api-Key": KEY, "X-Request-Id": "mine-7"})
    found = problem(response, "internal", 500)
    assert found["request_id"] == "mine-7"
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    assert "the secret of the machine" in caplog.text  # the operator's log has it


def test_a_forged_request_id_is_replaced(client: TestClient) -> None:
    for forged in ("a" * 65, "a b", "<script>"):
        assert (
            client.get("/healthz", headers={"X-Request-Id": forged}).headers["x-request-id"]
            != forged
        )
    assert (
        client.get("/healthz").headers["x-request-id"]
        != client.get("/healthz").headers["x-request-id"]
    )


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil", ""])
def test_other_host_names_are_refused(client: TestClient, host: str) -> None:
    problem(client.get("/v1/info", headers={"Host": host}), "wrong-host", 421)


@pytest.mark.parametrize("host", [*sorted(LOOPBACK), "localhost:9", "[::1]:8321", "LOCALHOST"])
def test_names_of_loopback_are_taken(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_form_of_another_site_is_refused(client: TestClient, kind: str) -> None:
    sent = client.post("/v1/query", content=b'{"query": "x"}', headers={"Content-Type": kind})
    problem(sent, "unsupported-media-type", 415)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 404),
        ({"Origin": "http://127.0.0.1:8321"}, 404),  # the page itself
        ({"Origin": "https://evil.example"}, 415),
        ({"Origin": "http://127.0.0.1:9999"}, 415),
        ({"Origin": "null"}, 415),
    ],
)
def test_without_a_body_no_type_is_needed_but_other_sites_stay_out(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert client.post("/v1/jobs/0/pause", headers=headers).status_code == status


def test_all_methods_of_an_address_are_named(client: TestClient) -> None:
    for path, allowed in (("/v1/jobs", "GET, HEAD, POST"), ("/v1/jobs/0", "DELETE, GET, HEAD")):
        assert client.put(path, json={}).headers["allow"] == allowed


@pytest.mark.parametrize("k", ["5", True, 1.5, "x"])
def test_only_a_number_is_a_number(client: TestClient, k: Any) -> None:
    sent = client.post("/v1/query", json={"query": "x", "k": k})
    assert problem(sent, "invalid-request", 422)["errors"][0]["pointer"] == "/k"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"query": 3}, {"/query"}),  # a text or a tree: two reasons, one field
        ({"k": 1}, {"/query"}),
        ({"query": "x", "assume": [["a", "b", "c"], ["a", 2, "c"]]}, {"/assume/1", "/assume/1/1"}),
        ({"query": "x", "a/b~": 1}, {"/a~1b~0"}),
        ([1], {""}),
    ],
)
def test_a_pointer_leads_to_the_field_that_is_wrong(
    client: TestClient, body: Any, pointers: set[str]
) -> None:
    told = problem(client.post("/v1/query", json=body), "invalid-request", 422)
    assert {error["pointer"] for error in told["errors"]} <= pointers


def test_cors_is_off(client: TestClient) -> None:
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/query", headers=origin)
    assert answer.status_code == 405
    for response in (answer, client.get("/v1/info", headers=origin)):
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/v1/info", "/nowhere", "/explorer/page.js"])
def test_every_response_carries_the_safety_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
