"""Several graphs in one server: no key, address, cache or job leads from one into another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.access.graph_keys import HOME
from api.access.keys import KeyRing
from api.app import create_app
from api.cli.main import main
from api.serving.graphs import Graphs
from api.serving.role import Role
from kg.model import Entity
from tests.api.test_guard import problem
from tests.api.test_runner import KINDS
from tests.api.test_scopes import bearer
from tests.api.world import WorldEngine, asserted, country, open_world

TOLD = "only the other graph knows this"
WORLD = "/graphs/world"


@dataclass(frozen=True)
class Two:
    """A server of two graphs, and keys by whom they were made for."""

    client: TestClient
    keys: dict[str, str]
    engines: dict[str, WorldEngine]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    with ExitStack() as stack:
        engines = {
            name: stack.enter_context(open_world(folder / name / ".umbra"))
            for name in (HOME, "world")
        }
        engines["world"].store.upsert_entities(
            [Entity(key=country("TR"), label="Country", name="Turkey", aliases=(TOLD,),
                    provenance=asserted(1))]
        )  # fmt: skip
        home, world = (KeyRing(engine.workspace.keys) for engine in engines.values())
        scopes = ("read", "jobs")
        keys = {
            "home": home.create("home", scopes)[1],
            "world": world.create("world", scopes)[1],
            "both": home.create("both", scopes, graphs=("home", "world"))[1],
            "world by name": home.create("world by name", scopes, graphs=("world",))[1],
            "another by name": home.create("another", scopes, graphs=("elsewhere",))[1],
        }
        place = engines[HOME].workspace.keys
        apps = {
            name: create_app(
                engine,
                job_kinds=KINDS,
                role=Role(graph=name, keyed=True, home_keys=None if name == HOME else place),
            )
            for name, engine in engines.items()
        }
        app = Graphs(apps.pop(HOME), apps)
        yield Two(stack.enter_context(TestClient(app, base_url="http://127.0.0.1")), keys, engines)


OPENS = {
    "home": {""}, "world": {WORLD}, "both": {"", WORLD}, "world by name": {WORLD},
    "another by name": set(),
}  # fmt: skip


@pytest.mark.parametrize("key", OPENS)
@pytest.mark.parametrize("graph", ["", WORLD])
def test_a_key_opens_its_graphs_and_no_other(two: Two, key: str, graph: str) -> None:
    for path in ("/v1/info", "/v1/entities/country:TR", "/v1/jobs", "/metrics"):
        answer = two.client.get(graph + path, headers=bearer(two.keys[key]))
        if graph in OPENS[key]:
            assert answer.status_code == 200
            assert (TOLD in answer.text) is (graph == WORLD and "entities" in path)
        else:
            problem(answer, "unauthorized", 401)
            assert TOLD not in answer.text


CROOKED = (
    "/graphs/home/v1/entities/country:TR",
    "/graphs/v1/entities/country:TR",
    "/graphs//v1/entities/country:TR",
    "/graphs/World/v1/entities/country:TR",
    "//graphs/world/v1/entities/country:TR",
    "/v1/../graphs/world/v1/entities/country:TR",
    "/graphs/x/../world/v1/entities/country:TR",
    "/graphs/%77orld/v1/entities/country:TR",
    "/graphs%2Fworld/v1/entities/country:TR",
    "/graphs/world/graphs/world/v1/entities/country:TR",
    "/graphs/world/..%2F..%2Fv1/entities/country:TR",
    "/graphs/world",
    "/v1/entities/country:TR?root_path=/graphs/world",
    "/explorer/../graphs/world/v1/entities/country:TR",
    "/healthz/../graphs/world/v1/entities/country:TR",
)


@pytest.mark.parametrize("path", CROOKED)
def test_no_crooked_address_leads_across(two: Two, path: str) -> None:
    for headers in ({}, bearer(two.keys["home"]), {"X-Forwarded-Prefix": WORLD}):
        answer = two.client.get(path, headers=headers)
        assert TOLD not in answer.text
        assert answer.status_code in (200, 400, 401, 404), answer.text


def test_what_one_keeps_another_does_not_give(two: Two) -> None:
    key = bearer(two.keys["both"])
    path = "/v1/entities/country:TR"
    for graph in ("", WORLD, "", WORLD):
        answer = two.client.get(graph + path, headers=key)
        assert (TOLD in answer.text) is (graph == WORLD)
    tag = two.client.get(path, headers=key).headers["etag"]
    other = two.client.get(WORLD + path, headers=key | {"If-None-Match": tag})
    assert other.status_code == 200


def test_jobs_and_their_addresses_stay_in_their_graph(two: Two) -> None:
    key = bearer(two.keys["both"])
    body = {"kind": "link", "parameters": {"to": 1}}
    made = two.client.post(f"{WORLD}/v1/jobs", json=body, headers=key)
    place = made.headers["location"]
    assert place == f"{WORLD}/v1/jobs/{made.json()['id']}"
    assert two.client.get(place, headers=key).status_code == 200
    away = problem(two.client.get(place.removeprefix(WORLD), headers=key), "unknown-job", 404)
    assert away["instance"] == place.removeprefix(WORLD)
    audits = {name: engine.workspace.audit for name, engine in two.engines.items()}
    assert made.json()["id"] not in (audits[HOME].read_text() if audits[HOME].exists() else "")
    assert '"/v1/jobs"' in audits["world"].read_text()
    page = two.client.get(f"{WORLD}/v1/entities/country:TR?limit=1", headers=key)
    assert page.headers["link"].startswith(f"<{WORLD}/v1/entities/")


def test_a_graph_that_has_no_key_is_not_open_beside_one_that_has(tmp_path: Path) -> None:
    with open_world(tmp_path / "a" / ".umbra") as home, open_world(tmp_path / "b" / ".umbra") as b:
        key = KeyRing(home.workspace.keys).create("ada", ["read"])[1]
        other = create_app(b, role=Role(graph="b", keyed=True, home_keys=home.workspace.keys))
        app = Graphs(create_app(home, role=Role(keyed=True)), {"b": other})
        with TestClient(app, base_url="http://127.0.0.1") as client:
            assert client.get("/v1/info", headers=bearer(key)).status_code == 200
            problem(client.get("/graphs/b/v1/info"), "unauthorized", 401)
            problem(client.get("/graphs/b/v1/info", headers=bearer(key)), "unauthorized", 401)
            assert client.get("/graphs/b/healthz").status_code == 200


@pytest.mark.parametrize("given", ["world", "=x", "home=x", "A=x", "a/b=x", "../a=x", "a="])
def test_a_name_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    assert main(["serve", "--folder", str(tmp_path), "--graph", given, "--port", "0"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_preview_shows_the_picture_of_its_own_graph(two: Two) -> None:
    key = bearer(two.keys["world"])
    page = two.client.get(f"{WORLD}/v1/reconcile/preview?id={country('TR')}", headers=key)
    (picture,) = re.findall(r'<img src="([^"]+)"', page.text)
    address = page.url.join(picture)
    assert address.path.startswith(f"{WORLD}/v1/images/")
    assert two.client.get(address, headers=key).headers["content-type"] == "image/png"
