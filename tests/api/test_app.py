"""The routes over a small real graph: entities, pictures, info, health, problems."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.schemas import EntityOut
from api.settings import Settings
from api.workspace import Workspace
from kg.errors import UnknownEntityError
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.test_runner import until
from tests.api.world import CRESCENTS, NAMES, WorldEngine, flag


def test_an_entity_has_names_pictures_parts_and_edges_both_ways(client: TestClient) -> None:
    turkey = client.get("/v1/entities/country:TR").json()
    assert (turkey["name"], turkey["label"]) == ("Turkey", "Country")
    assert turkey["aliases"] == ["Republic of Turkey"]
    assert turkey["attributes"] == {"population": 1_000_000}
    assert [(i["width"], i["height"]) for i in turkey["images"]] == [(60, 40)]
    (part,) = turkey["parts"]
    assert (part["key"], part["image"]) == ("part:country:TR/0", turkey["images"][0]["sha256"])
    ways = {(edge["head"], edge["relation"], edge["tail"]) for edge in turkey["edges"]}
    assert ("country:TR", "borders", "country:GR") in ways
    assert ("country:GR", "borders", "country:TR") in ways
    doubtful = next(edge for edge in turkey["edges"] if edge["head"] == "country:GE")
    assert (doubtful["known"], doubtful["probability"]) == (False, 0.7)
    assert doubtful["records"][0]["text"].startswith("Land boundaries")


def test_only_the_engine_call_of_a_request_goes_to_a_thread(client: TestClient) -> None:
    question = "MATCH (c)-[:speaks]->({name: 'Arabic'}) RETURN c"
    before = set(threading.enumerate())
    assert client.get("/v1/entities/country:TR").status_code == 200
    assert client.get("/v1/info").status_code == 200
    assert client.post("/v1/query", json={"query": question}).status_code == 200
    assert client.get("/v1/sparql", params={"query": "ASK {}"}).status_code == 200
    assert client.get("/v1/review/facts").status_code == 200
    started = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in started if name.startswith("AnyIO")}  # FastAPI's own threads


def test_edges_come_in_pages_that_join_to_the_whole(client: TestClient) -> None:
    whole = client.get("/v1/entities/country:TR").json()["edges"]
    address, pages = "/v1/entities/country:TR?limit=4", []
    while address:
        response = client.get(address)
        pages.append(response.json()["edges"])
        address = response.links.get("next", {}).get("url", "")
    assert [len(page) for page in pages[:-1]] == [4] * (len(pages) - 1)
    assert [edge for page in pages for edge in page] == whole


@pytest.mark.parametrize("key", ["part:country:TR/0", "country:<b>&"])
def test_keys_with_slashes_and_signs(client: TestClient, key: str) -> None:
    found = client.get(f"/v1/entities/{quote(key, safe='')}").json()
    assert found["key"] == key
    if key.startswith("part"):
        assert found["part"]["box_xyxy"] == [14, 8, 38, 32]


def test_an_unknown_entity_names_the_nearest(client: TestClient) -> None:
    found = problem(client.get("/v1/entities/country:TT"), "unknown-entity", 404)
    assert found["nearest"]
    assert "did you mean" in found["hint"]


def test_pictures_come_as_they_are_and_for_ever(client: TestClient) -> None:
    sha = client.get("/v1/entities/country:TR").json()["images"][0]["sha256"]
    response = client.get(f"/v1/images/{sha}")
    assert response.content == flag("TR")
    assert response.headers["content-type"] == "image/png"
    assert "immutable" in response.headers["cache-control"]
    problem(client.get(f"/v1/images/{'0' * 64}"), "unknown-image", 404)
    for bad in ("..%2f..%2fetc%2fpasswd", "A" * 64, "0"):
        assert client.get(f"/v1/images/{bad}").status_code in (404, 422)


@pytest.mark.parametrize(("code", "shape"), [("TR", "path"), ("DZ", "rect")])
def test_a_part_is_outlined_by_its_mask_or_its_box(
    client: TestClient, code: str, shape: str
) -> None:
    country = client.get(f"/v1/entities/country:{code}").json()
    sha, part = country["images"][0]["sha256"], country["parts"][0]["key"]
    response = client.get(f"/v1/images/{sha}", params={"part": part})
    assert response.headers["content-type"] == "image/svg+xml"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    root = ET.fromstring(response.content)  # noqa: S314 - our own drawing
    assert [child.tag.rpartition("}")[2] for child in root] == ["title", "image", shape, shape]
    if shape == "rect":
        assert [root[2].attrib[name] for name in ("x", "y", "width", "height")] == [
            "14", "8", "24", "24",
        ]  # fmt: skip
    else:
        numbers = [float(n) for n in re.findall(r"[\d.]+", root[2].attrib["d"])]
        assert 7 <= min(numbers) < max(numbers) <= 39


def test_a_part_is_outlined_in_its_own_picture_only(client: TestClient) -> None:
    part = client.get("/v1/entities/country:TR").json()["parts"][0]
    other = client.get("/v1/entities/country:AZ").json()["images"][0]["sha256"]
    wrong = client.get(f"/v1/images/{other}", params={"part": part["key"]})
    problem(wrong, "unknown-image", 404)
    nobody = client.get(f"/v1/images/{part['image']}", params={"part": "x"})
    problem(nobody, "unknown-entity", 404)


def test_info_counts_the_graph(client: TestClient, world: WorldEngine) -> None:
    info = client.get("/v1/info").json()
    assert info["snapshot"] == world.snapshot.hash
    assert info["labels"] == {"Country": len(NAMES), "Language": 1, "Part": 4, "Shape": 1}
    assert info["relations"]["has_part"] == len(CRESCENTS)
    assert info["num_parts"] == len(CRESCENTS)
    assert info["num_edges"] == sum(info["relations"].values())
    assert info["limits"]["max_body_bytes"] == world.settings.max_body_bytes


def test_health_is_apart_from_readiness(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    with (
        WorldEngine(Workspace(tmp_path / "empty")) as empty,
        TestClient(create_app(empty), base_url=ADDRESS) as other,
    ):
        assert other.get("/healthz").status_code == 200
        found = problem(other.get("/readyz"), "missing-part", 503)
        assert "umbra" in found["hint"]
        assert str(tmp_path) not in json.dumps(found)


def test_what_is_nowhere_and_what_takes_no_post(client: TestClient) -> None:
    assert "/v1/nowhere" in problem(client.get("/v1/nowhere"), "not-found", 404)["detail"]
    refused = client.post("/v1/info", json={})
    problem(refused, "method-not-allowed", 405)
    assert refused.headers["allow"] == "GET, HEAD"
    problem(client.get("/explorer/../engine.py"), "not-found", 404)
    problem(client.get("/explorer/%2e%2e%2fengine.py"), "not-found", 404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"k": 3}, "/query"),
        ({"query": "x", "k": 0}, "/k"),
        ({"query": "x", "k": 10**9}, "/k"),
        ({"query": "x", "answerer": "oracle"}, "/answerer"),
        ({"query": "x", "secret~/": "hunter2"}, "/secret~0~1"),
    ],
)
def test_a_body_that_does_not_fit_is_told_where(
    client: TestClient, body: dict[str, Any], pointer: str
) -> None:
    found = problem(client.post("/v1/query", json=body), "invalid-request", 422)
    assert pointer in [error["pointer"] for error in found["errors"]]
    assert "hunter2" not in json.dumps(found)


def test_of_a_text_that_is_no_json_the_place_is_told(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/query", content=b'{"query" 7}', headers=headers)
    [told] = problem(answer, "invalid-request", 422)["errors"]
    assert told["detail"] == "no JSON at character 9: Expecting ':' delimiter"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 200_000, b'{"query": NaN}'])
def test_what_is_no_json_object_is_a_problem(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/query", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/query", '{"query": "\\ud800"}'),
        ("/v1/query", '{"query": {"anchor": "\\ud800"}}'),
        ("/v1/cypher", '{"query": "RETURN 1", "parameters": {"a": "\\ud800"}}'),
        ("/v1/jobs", '{"kind": "link", "parameters": {"a": "\\ud800"}}'),
    ],
)
def test_half_a_character_is_no_failure_of_the_server(
    client: TestClient, path: str, body: str
) -> None:
    kind = {"Content-Type": "application/json"}
    response = client.post(path, content=body.encode(), headers=kind)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.status_code != 500
    assert client.get("/v1/jobs").json() == {"jobs": [], "next": None}


def test_a_store_without_cypher_says_so(client: TestClient) -> None:
    found = problem(client.post("/v1/cypher", json={"query": "RETURN 1"}), "missing-part", 503)
    assert "Cypher" in found["detail"]


def test_a_limit_that_no_query_can_keep_is_refused(client: TestClient) -> None:
    body = {"query": "RETURN 1", "timeout_s": 5e-324}
    found = problem(client.post("/v1/cypher", json=body), "invalid-request", 422)
    assert "timeout_s" in str(found["errors"])


class StuckEngine(WorldEngine):
    """An engine whose entities never come."""

    go = threading.Event()

    def entity(self, key: str, *, limit: int = 100, after: str | None = None) -> EntityOut:
        del key, limit, after
        self.go.wait(60)
        raise UnknownEntityError("late")


def test_a_call_that_takes_too_long_is_told_and_goes_on_counting(tmp_path: Path) -> None:
    StuckEngine.go.clear()
    with (
        StuckEngine(Workspace(tmp_path), settings=Settings(timeout_s=0.01)) as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as client,
    ):
        problem(client.get("/v1/entities/x"), "query-timeout", 504)
        assert client.get("/healthz").status_code == 200
        workers = client.app.state.workers
        assert workers.open_calls == 1
        StuckEngine.go.set()
        until(lambda: workers.open_calls == 0)
