"""Answers that are kept are those of now: a write, a newer snapshot or a model ends them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from weakref import ref

import pytest
from fastapi import FastAPI
from httpx import Response
from starlette.testclient import TestClient

from api.access.keys import KeyRing
from api.app import create_app
from api.engine import Engine
from api.serving.garbage import settle
from api.serving.kept_answers import Token
from api.serving.reloading import Reloading
from api.settings import Settings
from api.workspace import Workspace
from kg.errors import StoreUnavailableError
from kg.model import Edge, Entity, EntityKey
from kg.snapshot import build_snapshot, save_snapshot
from tests.api.test_guard import problem
from tests.api.test_scopes import bearer
from tests.api.world import WorldEngine, asserted, country, edges, entities, open_world

QUESTION = {
    "query": "MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c",
    "proofs": False,
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WorldEngine]:
    with open_world(tmp_path / ".umbra", settings=Settings(fresh_s=0)) as engine:
        yield engine


@pytest.fixture
def client(engine: WorldEngine) -> Iterator[TestClient]:
    with TestClient(create_app(engine), base_url="http://127.0.0.1") as client:
        client.get("/readyz")
        yield client


def counted(client: TestClient, found: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    name = f'umbra_cached_answers_total{{found="{found}",graph="home"}} '
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


@pytest.mark.parametrize("path", ["/v1/info", "/v1/entities/country:TR?limit=2"])
def test_the_same_read_is_answered_once_and_not_at_all_to_who_has_it(
    client: TestClient, path: str
) -> None:
    first, second = client.get(path), client.get(path)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    assert counted(client, "hit") == 1
    same = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    assert same.headers["content-security-policy"]
    assert client.get(path, headers={"If-None-Match": "*"}).status_code == 304
    other = client.get(path, headers={"If-None-Match": '"another"'})
    assert other.content == first.content


@pytest.mark.parametrize("path", ["/v1/info", "/v1/entities/country:TR?limit=2"])
def test_the_very_first_read_of_a_server_has_the_tag_of_the_next(
    stored: Workspace, path: str
) -> None:
    with (
        Engine(stored) as engine,
        TestClient(create_app(engine), base_url="http://127.0.0.1") as client,
    ):
        first = client.get(path)
        assert engine.has_open_store is (
            "entities" in path
        )  # none is opened to tag what needs none
        tag = first.headers["etag"]
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
        client.get("/v1/entities/country:GR")
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    "limit",
    [
        {"timeout_s": 7},
        {"max_answers": 7},
        {"max_rows": 7},
        {"max_streamed_rows": 7},
        {"max_body_bytes": 7_777},
    ],
)
def test_a_server_with_another_limit_has_another_tag(
    stored: Workspace, limit: dict[str, float]
) -> None:
    def told(settings: Settings, tag: str) -> Response:
        with (
            Engine(stored, settings=settings) as engine,
            TestClient(create_app(engine), base_url="http://127.0.0.1") as client,
        ):
            client.get("/v1/info")  # another client: what it was told is kept
            return client.get("/v1/info", headers={"If-None-Match": tag})

    before = told(Settings(), "")
    tag = before.headers["etag"]
    assert told(Settings(), tag).status_code == 304
    after = told(Settings.model_validate(limit), tag)
    assert after.status_code == 200
    assert after.json()["limits"] == before.json()["limits"] | limit


def test_what_the_graph_counts_is_kept_over_a_write_to_the_store(
    client: TestClient, engine: WorldEngine
) -> None:
    tag = client.get("/v1/info").headers["etag"]
    new = Entity(key=EntityKey("country:ZZ"), label="Country", name="New", provenance=asserted(1))
    engine.store.upsert_entities([new])
    assert client.get("/v1/info", headers={"If-None-Match": tag}).status_code == 304
    grown(engine)
    engine.reload()
    newer = client.get("/v1/info", headers={"If-None-Match": tag})
    assert newer.status_code == 200
    assert newer.json()["snapshot"] == engine.snapshot.hash


def test_questions_are_kept_by_all_that_is_asked(client: TestClient) -> None:
    answers = [client.post("/v1/query", json=QUESTION).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert counted(client, "hit") == 1
    fewer = client.post("/v1/query", json=QUESTION | {"k": 1}).json()
    assert len(fewer["answers"]) == 1 < len(answers[0]["answers"])
    client.post("/v1/query", json=QUESTION, headers={"Cache-Control": "no-cache"})
    assert counted(client, "hit") == 1
    problem(client.post("/v1/query", json={"query": "MATCH ("}), "query-syntax", 400)
    problem(client.post("/v1/query", json={"query": "MATCH ("}), "query-syntax", 400)
    assert counted(client, "hit") == 1


def test_a_write_by_anybody_ends_what_is_kept(client: TestClient, engine: WorldEngine) -> None:
    before = client.get("/v1/entities/country:TR")
    named = {"key": country("TR"), "label": "Country", "name": "Turkey"}
    engine.store.upsert_entities([Entity(**named, aliases=("Anatolia",), provenance=asserted(1))])
    after = client.get("/v1/entities/country:TR", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert "Anatolia" in after.json()["aliases"]
    assert after.headers["etag"] != before.headers["etag"]


def grown(engine: WorldEngine) -> None:
    """Make a newer snapshot, in which Mali's neighbour Greece speaks Arabic too."""
    more = Edge(head=country("GR"), relation="speaks", tail=EntityKey("language:ara"),
                provenance=asserted(9))  # fmt: skip
    graph = build_snapshot(entities(engine.images), [*edges(), more])
    save_snapshot(graph, engine.workspace.snapshot("full"))


def test_a_newer_snapshot_is_opened_while_questions_run(
    client: TestClient, engine: WorldEngine
) -> None:
    before = client.post("/v1/query", json=QUESTION).json()
    steady = engine.at_once()
    told: list[str] = []
    reloading = Reloading(engine, every_s=60, when_done=lambda: told.append("newer"))
    assert not reloading.look()
    assert not told
    grown(engine)
    assert reloading.look()
    assert told == ["newer"]
    after = client.post("/v1/query", json=QUESTION).json()
    assert after["snapshot"] != before["snapshot"]
    assert after["total_known"] == before["total_known"] + 1
    assert steady.snapshot.hash == before["snapshot"]  # who began before goes on with the old one
    assert reloading.close(timeout_s=10)


def test_what_has_been_replaced_goes_though_it_was_set_aside() -> None:
    class Model:
        def __init__(self) -> None:
            self.itself = self  # only a search for garbage finds it

    before = gc.get_threshold()
    try:
        model = Model()
        seen = ref(model)
        settle()
        assert gc.get_freeze_count() > 1000
        del model
        gc.collect()
        assert seen() is not None  # it is not looked through any more …
        settle()
        assert seen() is None  # … until something newer has been loaded
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_a_snapshot_that_cannot_be_opened_changes_nothing(
    client: TestClient, engine: WorldEngine
) -> None:
    before = client.post("/v1/query", json=QUESTION).json()
    place = engine.workspace.snapshot("full") / "snapshot.json"
    whole = place.read_text()
    place.write_text(whole[:100])
    reloading = Reloading(engine, every_s=60)
    assert not reloading.look()
    assert not reloading.look()  # left alone until it changes
    assert client.post("/v1/query", json=QUESTION).json() == before
    grown(engine)
    assert reloading.look()
    assert client.post("/v1/query", json=QUESTION).json()["snapshot"] != before["snapshot"]
    assert reloading.close(timeout_s=10)


def test_a_key_gets_nothing_from_what_was_kept_for_another(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra") as engine:
        ring = KeyRing(engine.workspace.keys)
        reader, runner = (ring.create(name, [name])[1] for name in ("read", "jobs"))
        app: FastAPI = create_app(engine)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            for _ in range(2):
                assert client.get("/v1/info", headers=bearer(reader)).status_code == 200
                refused = client.get("/v1/info", headers=bearer(runner))
                problem(refused, "insufficient-scope", 403)
                problem(client.get("/v1/info"), "unauthorized", 401)


def test_a_token_that_was_asked_before_a_write_does_not_count_after_it() -> None:
    async def order() -> list[bytes | None]:
        store, go = [b"before"], asyncio.Event()

        async def find() -> bytes:
            found = store[0]
            await go.wait()
            return found

        token = Token(find, fresh_s=60)
        slow = asyncio.ensure_future(token.now())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        store[0] = b"after"
        token.forget()
        go.set()
        return [await slow, await token.now(), await token.now()]

    assert asyncio.run(order()) == [b"before", b"after", b"after"]


def test_a_token_is_asked_for_anew_before_it_is_old_and_nobody_waits() -> None:
    async def order() -> list[bytes | None]:
        answers = asyncio.Queue[bytes]()
        clock = [0.0]
        token = Token(answers.get, fresh_s=2, clock=lambda: clock[0])
        answers.put_nowait(b"first")
        told = [await token.now()]
        clock[0] = 1.5
        told.append(await token.now())  # asks; no answer has come
        answers.put_nowait(b"second")
        await asyncio.sleep(0.01)
        told.append(await token.now())
        clock[0] = 3.4  # the second one is fresh from when it came
        return [*told, await token.now()]

    assert asyncio.run(order()) == [b"first", b"first", b"second", b"second"]


def test_a_token_that_cannot_be_asked_for_ahead_is_asked_for_when_it_is_old() -> None:
    async def order() -> list[bytes | None]:
        clock, failing = [0.0], [False]

        async def find() -> bytes | None:
            if failing[0]:
                raise StoreUnavailableError("away")
            return b"there"

        token = Token(find, fresh_s=2, clock=lambda: clock[0])
        told = [await token.now()]
        failing[0], clock[0] = True, 1.5
        told.append(await token.now())
        await asyncio.sleep(0.01)
        clock[0] = 2.5
        with pytest.raises(StoreUnavailableError):
            await token.now()
        failing[0] = False
        return [*told, await token.now()]

    assert asyncio.run(order()) == [b"there"] * 3
