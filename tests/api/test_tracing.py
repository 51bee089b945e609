"""Traces: a span for each request with its steps below, none when off, no texts of users."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from api.app import create_app
from api.serving.tracing import tracing
from api.settings import Settings
from kg.backends.bolt import BoltStore
from kg.errors import MissingPartError
from kg.model import Entity, EntityKey
from kg.spans import span
from tests.api.conftest import ADDRESS
from tests.api.world import WorldEngine, open_world

QUESTION = "MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldEngine]:
    settings = Settings(text_encoder="tiny", traces=True)
    with open_world(tmp_path_factory.mktemp("traced") / ".umbra", settings=settings) as engine:
        yield engine


def spans_of(engine: WorldEngine, *, parent: str | None = None) -> dict[str, ReadableSpan]:
    exporter = InMemorySpanExporter()
    headers = {} if parent is None else {"traceparent": parent}
    with tracing(exporter), TestClient(create_app(engine), base_url=ADDRESS) as client:
        sent = {"query": QUESTION, "proofs": False}
        assert client.post("/v1/query", json=sent, headers=headers).status_code == 200
        assert client.get("/v1/search?q=turkey").status_code == 200
        assert client.get("/v1/entities/nobody").status_code == 404
    return {one.name: one for one in exporter.get_finished_spans()}


def test_a_request_is_a_span_with_its_steps(engine: WorldEngine) -> None:
    trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    found = spans_of(engine, parent=f"00-{trace}-{caller}-01")
    asked = found["POST /v1/query"]
    assert asked.context.trace_id == int(trace, 16)
    assert asked.parent is not None
    assert asked.parent.span_id == int(caller, 16)
    assert asked.attributes is not None
    assert asked.attributes["http.response.status_code"] == 200
    assert asked.attributes["umbra.request_id"]
    for step in ("question.read", "question.answer", "question.records"):
        assert found[step].parent is not None
        assert found[step].parent.span_id == asked.context.span_id
    searched = found["GET /v1/search"]
    assert found["search.words"].parent is not None
    assert found["search.words"].parent.span_id == searched.context.span_id
    missing = found["GET /v1/entities/{key:path}"].attributes
    assert missing is not None
    assert missing["http.response.status_code"] == 404
    told = repr([(one.name, dict(one.attributes or {})) for one in found.values()])
    assert not [text for text in ("Arabic", "turkey", "nobody") if text in told]


def test_calls_of_the_store_are_spans(bolt_store: BoltStore) -> None:
    store, key = bolt_store, EntityKey("country:TR")
    store.upsert_entities([Entity(key=key, label="Country", name="Turkey")])
    exporter = InMemorySpanExporter()
    with tracing(exporter), span("step"):
        store.neighbours(key)
        store.query("MATCH (n:Country) RETURN count(n)")
        store.delete_edges([])
    found = exporter.get_finished_spans()
    step = next(one for one in found if one.name == "step")
    below = {one.name for one in found if one.parent and one.parent.span_id == step.context.span_id}
    assert below == {"store.read", "store.query", "store.write"}


def test_nothing_is_recorded_when_off() -> None:
    exporter = InMemorySpanExporter()
    with tracing(exporter):
        pass
    with open_off() as client:
        client.get("/healthz")
    assert exporter.get_finished_spans() == ()
    assert isinstance(span("x"), nullcontext)


def open_off() -> TestClient:
    from fastapi import FastAPI

    from api.serving.tracing import Traced

    app = FastAPI()
    app.add_middleware(Traced)
    return TestClient(app)


def test_without_the_extra_the_setting_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(MissingPartError, match=r"umbra-kg\[otel\]"), tracing():
        pass
