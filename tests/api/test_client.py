"""The typed client: one method an operation of the document, and a whole session over a socket."""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Iterator
from typing import Any, get_type_hints

import httpx
import pytest
import uvicorn
from pydantic import ValidationError
from starlette.testclient import TestClient

from api.app import create_app
from api.client import OPERATIONS, Client
from api.client.connection import RefusedError, path_of
from api.routes.examples import JOB
from kg.errors import MissingPartError, QuerySyntaxError, UnknownEntityError
from tests.api.test_openapi import operations
from tests.api.world import WorldEngine

ARABIC = "MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c"


@pytest.fixture(scope="module")
def address(world: WorldEngine) -> Iterator[str]:
    """A server on a socket of its own, over the shared world."""
    config = uvicorn.Config(create_app(world), host="127.0.0.1", port=0, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_there_is_a_method_for_every_operation_and_its_models(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    named = {
        f"{method.upper()} {path}": operation for path, method, operation in operations(document)
    }
    others = ("GET /v1/sparql", "GET /metrics")  # for SPARQL's clients and Prometheus
    own = {place for place in named if "/v1/reconcile" in place or place in others}
    assert set(OPERATIONS) == set(named) - own
    for place, name in OPERATIONS.items():
        answer = next(a for s, a in named[place]["responses"].items() if s < "300")
        schema = answer["content"].get("application/json", {}).get("schema", {}).get("$ref")
        returned = get_type_hints(getattr(Client, name))["return"]
        if schema is not None:
            assert returned.__name__ == schema.rpartition("/")[2], place
        else:
            assert returned in (bytes, dict[str, Any]) or "Iterator" in repr(returned), place


SAID_OTHERWISE = {"q": "text", "key": "keys", "label": "labels", "kind": "kinds"}
"""Parameters that a method calls by a clearer name."""
LEFT_OUT = {"default-graph-uri", "named-graph-uri"}
"""Of SPARQL's protocol: there is one graph."""


def test_a_method_takes_every_parameter_of_its_operation(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    named = {f"{method.upper()} {path}": one for path, method, one in operations(document)}
    for place, name in OPERATIONS.items():
        taken = inspect.signature(getattr(Client, name)).parameters
        if any(one.kind is one.VAR_KEYWORD for one in taken.values()):
            continue  # it hands on what it is given, and the model refuses the rest
        for one in named[place].get("parameters", ()):
            own = one["name"].lower().replace("-", "_")
            assert one["name"] in LEFT_OUT or {own, SAID_OTHERWISE.get(own)} & set(taken), place


def test_a_session_from_a_question_to_its_picture(address: str, world: WorldEngine) -> None:
    with Client(address) as graph:
        assert graph.healthz().status
        assert graph.readyz().status
        info = graph.info()
        assert info.relations
        read = graph.plain("Which countries border Turkey but do not speak Arabic?")
        found = graph.query(read.query, k=5)
        assert found == world.ask(read.query, k=5)
        assert {one.name for one in found.answers} == {"Greece", "Bulgaria", "Georgia"}
        likely = next(one for one in found.answers if one.status == "likely")
        assert likely.proof is not None
        assert likely.proof.edges[0].records[0].text
        lack = graph.why_not(ARABIC, "Greece")
        assert lack == world.why_not(ARABIC, "Greece")
        hit = graph.search("turkey", k=1, labels=["Country"]).hits[0]
        entity = graph.entity(hit.key, limit=20)
        assert entity == world.entity(hit.key, limit=20)
        assert graph.image(entity.images[0].sha256).startswith(b"\x89PNG")
        assert b"<svg" in graph.image(entity.images[0].sha256, part=entity.parts[0].key)
        assert b"white crescent" in graph.sheet([entity.key])
        assert graph.sheet(labels=["Country"], side=32, format="png").startswith(b"\x89PNG")
        assert graph.jobs().jobs == ()
        assert graph.review_decisions().decisions == ()


def test_problems_are_told_as_the_engine_tells_them(address: str) -> None:
    with Client(address) as graph:
        with pytest.raises(RefusedError) as refused:
            graph.query("MATCH (c:Country RETURN c")
        assert refused.value.kind is QuerySyntaxError
        assert (refused.value.problem.status, refused.value.problem.position) == (400, 17)
        with pytest.raises(RefusedError) as refused:
            graph.entity("no/such key")
        assert refused.value.kind is UnknownEntityError
        with pytest.raises(ValidationError):
            graph.query(ARABIC, colour="red")


def test_only_reads_and_writes_with_a_key_are_sent_again() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) % 2:
            return httpx.Response(503, headers={"Retry-After": "0"}, content=b"not yet")
        found = {"jobs": []} if request.method == "GET" else JOB
        return httpx.Response(200, content=json.dumps(found).encode())

    http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://x")
    with http, Client(key="the-key", client=http) as graph:
        assert graph.jobs().jobs == ()
        assert seen[0].headers["Authorization"] == "Bearer the-key"
        with pytest.raises(RefusedError) as refused:
            graph.start_job("link", {"a": 1})
        assert len(seen) == 3
        assert "Idempotency-Key" not in seen[2].headers
        assert refused.value.problem.status == 503
        assert refused.value.kind is None
        http.get("/")  # the next one is refused again
        assert graph.start_job("link", {"a": 1}, idempotency_key="once").id == JOB["id"]
        assert [one.headers["Idempotency-Key"] for one in seen[4:]] == ["once", "once"]


def test_a_key_of_any_form_stays_one_part_of_its_path() -> None:
    assert (
        path_of("/v1/jobs/{id}", id="../../v1/info?x=1#y")
        == "/v1/jobs/..%2F..%2Fv1%2Finfo%3Fx%3D1%23y"
    )


def test_without_httpx_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    with pytest.raises(MissingPartError, match="httpx"):
        Client()
