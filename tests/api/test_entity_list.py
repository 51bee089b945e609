"""`GET /v1/entities`: the whole graph in pages by key, told apart by snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api import entity_list
from api.app import create_app
from api.client import Client
from api.cursors import cursor_of
from kg.model import Entity, EntityKey
from kg.snapshot import build_snapshot, save_snapshot
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.world import WorldEngine, edges, entities, open_world

PATH = "/v1/entities"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WorldEngine]:
    with open_world(tmp_path / ".umbra") as engine:
        yield engine


@pytest.fixture
def http(engine: WorldEngine) -> Iterator[TestClient]:
    with TestClient(create_app(engine), base_url=ADDRESS) as client:
        yield client


def told(engine: WorldEngine, label: str | None = None) -> list[tuple[str, str, str]]:
    """Return what the list of the world should hold, from what the world is made of."""
    found: list[tuple[str, str, str]]
    found = [(one.key, one.label, one.name) for one in entities(engine.images)]
    return sorted(one for one in found if label in (None, one[1]))


@pytest.mark.parametrize("at_once", [4, 65_536])
def test_a_client_reads_the_whole_graph(
    http: TestClient, engine: WorldEngine, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entity_list, "AT_ONCE", at_once)
    for label in (None, "Country", "Part", "Shape"):
        found: list[tuple[str, str, str]] = []
        after: str | None = None
        with Client(client=http) as graph:
            while True:
                page = graph.entities(label, limit=3, after=after)
                assert page.snapshot == engine.snapshot.hash
                assert page == engine.entities(label=label, limit=3, after=after)
                found += [(one.key, one.label, one.name) for one in page.entities]
                after = page.next
                if after is None:
                    break
        assert found == told(engine, label)


def grow(engine: WorldEngine, *more: Entity) -> str:
    """Put a newer snapshot into the folder, without Bulgaria, and return its hash."""
    kept = (one for one in entities(engine.images) if one.key != "country:BG")
    of_bulgaria = (e for e in edges() if "country:BG" in (e.head, e.tail))
    gone = {edge.key for edge in of_bulgaria}
    graph = build_snapshot([*kept, *more], [edge for edge in edges() if edge.key not in gone])
    save_snapshot(graph, engine.workspace.snapshot("full"))
    engine.reload()
    return graph.hash


def test_a_cursor_goes_on_after_its_key_in_a_newer_snapshot(
    http: TestClient, engine: WorldEngine
) -> None:
    before = [key for key, *_ in told(engine, "Country")]
    place = before.index("country:BG") + 1
    first = http.get(PATH, params={"label": "Country", "limit": place}).json()
    assert first["entities"][-1]["key"] == "country:BG"
    early, late = (
        Entity(key=EntityKey(f"country:{one}"), label="Country", name=one) for one in ("AA", "ZZ")
    )
    newer = grow(engine, early, late)
    rest = http.get(PATH, params={"label": "Country", "after": first["next"]}).json()
    assert [one["key"] for one in rest["entities"]] == [*before[place:], "country:ZZ"]
    assert first["snapshot"] != rest["snapshot"] == newer


def test_what_the_store_alone_holds_is_not_listed(http: TestClient, engine: WorldEngine) -> None:
    before = http.get(PATH).json()
    new = Entity(key=EntityKey("country:ZZ"), label="Country", name="New")
    engine.store.upsert_entities([new])
    assert http.get(PATH).json() == before


def test_who_has_the_page_of_this_snapshot_is_told_so(
    http: TestClient, engine: WorldEngine
) -> None:
    params = {"label": "Country", "limit": 2}
    first = http.get(PATH, params=params)  # the first read of this server: no store is open yet
    tag = first.headers["etag"]
    assert engine.snapshot.hash in tag
    assert first.headers["cache-control"] == "private, no-cache"
    for held in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        same = http.get(PATH, params=params, headers={"If-None-Match": held})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag), held
    grow(engine)
    newer = http.get(PATH, params=params, headers={"If-None-Match": tag})
    assert newer.status_code == 200
    assert newer.headers["etag"] != tag


def test_the_next_page_is_named_with_all_that_was_asked(http: TestClient) -> None:
    page = http.get(PATH, params={"label": "Country", "limit": 2})
    assert page.links["next"]["url"].startswith(f"{PATH}?label=Country&limit=2&after=")
    assert "next" not in http.get(PATH, params={"limit": 1000}).links


def test_an_unknown_label_and_a_foreign_cursor_are_refused(http: TestClient) -> None:
    told = problem(http.get(PATH, params={"label": "Contry"}), "input-error", 400)
    assert "Contry" in told["detail"]
    assert "'Country'" in told["hint"]
    far = problem(http.get(PATH, params={"label": "§"}), "input-error", 400)
    assert far["hint"] == "labels that there are: 'Country', 'Language', 'Part', 'Shape'"
    held = {"If-None-Match": "*"}
    problem(http.get(PATH, params={"label": "Contry"}, headers=held), "input-error", 400)
    edges_of = http.get("/v1/entities/country:TR", params={"limit": 1}).json()["next"]
    hits_of = cursor_of(("1", "country:TR"))
    for cursor in (edges_of, hits_of, "x", ""):
        found = problem(http.get(PATH, params={"after": cursor}), "input-error", 400)
        assert "`next`" in found["hint"]
    for limit in ("0", "1001", "x"):
        problem(http.get(PATH, params={"limit": limit}), "invalid-request", 422)


def test_without_a_snapshot_the_command_is_named(http: TestClient, engine: WorldEngine) -> None:
    (engine.workspace.snapshot("full") / "snapshot.json").unlink()
    engine.forget()
    assert "umbra train" in problem(http.get(PATH), "missing-part", 503)["hint"]
