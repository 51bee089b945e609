"""The reconciliation service, held against the text of its protocol (version 0.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.held_linker import HeldLinker
from api.routes.examples import RECONCILED
from api.settings import Settings
from kg.model import EntityKey
from linkers.model import Candidate, Link, Mention
from tests.api.conftest import ADDRESS
from tests.api.reconciliation_schemas import EXTENDED, MANIFEST, RESULTS, SUGGESTED
from tests.api.test_guard import problem
from tests.api.world import NAMES, open_world

REFINE = "http://127.0.0.1:3333"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = Settings(text_encoder="tiny", reconcile_origins=(REFINE,))
    with (
        open_world(tmp_path_factory.mktemp("refine") / ".umbra", settings=settings) as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as client,
    ):
        yield client


def ask(service: TestClient, **queries: dict[str, Any]) -> Any:
    """Send a batch as OpenRefine does, and hold the answer against the protocol."""
    response = service.post("/v1/reconcile", data={"queries": json.dumps(queries)})
    assert response.status_code == 200, response.text
    found = response.json()
    jsonschema.validate(found, RESULTS)
    assert set(found) == set(queries)
    for of_one in found.values():
        scores = [candidate["score"] for candidate in of_one["result"]]
        assert scores == sorted(scores, reverse=True)
    return found


def test_the_manifest_leads_to_what_it_names(service: TestClient) -> None:
    manifest = service.get("/v1/reconcile").json()
    jsonschema.validate(manifest, MANIFEST)
    for kind, place in manifest["suggest"].items():
        address = place["service_url"] + place["service_path"]
        found = service.get(address, params={"prefix": "a"}).json()
        jsonschema.validate(found, SUGGESTED)
        assert found["result"], kind
    place = manifest["extend"]["propose_properties"]
    proposed = service.get(place["service_url"] + place["service_path"], params={"type": "Country"})
    assert {p["id"] for p in proposed.json()["properties"]} == {
        "attribute/population", "relation/borders", "relation/speaks", "relation/has_part",
        "relation/depicts",
    }  # fmt: skip
    page = service.get(manifest["preview"]["url"].replace("{{id}}", "country:TR"))
    assert "<strong>Turkey</strong>" in page.text
    assert page.headers["content-type"].startswith("text/html")
    viewed = service.get(manifest["view"]["url"].replace("{{id}}", "country:TR"))
    assert viewed.json()["name"] == "Turkey"


def test_rows_are_matched_by_names_where_no_linker_is_trained(service: TestClient) -> None:
    found = ask(
        service,
        a={"query": "turkey"},
        b={"query": "Tirkey"},
        c={"query": "Nowhere"},
        d={"query": "Republic of Mali", "limit": 1},
        e={"query": "Arabic", "type": "Country"},
        f={"query": "Arabic", "type": ["Country", "Language"], "type_strict": "should"},
        g={"query": "Arabic", "type": ["Country", "Language"], "type_strict": "all"},
    )
    first = {name: of_one["result"][:1] for name, of_one in found.items()}
    assert (first["a"][0]["id"], first["a"][0]["match"]) == ("country:TR", True)
    assert (first["b"][0]["id"], first["b"][0]["match"]) == ("country:TR", False)
    assert found["c"] == {"result": []}
    assert [one["id"] for one in found["d"]["result"]] == ["country:ML"]
    assert found["e"] == found["g"] == {"result": []}
    assert first["f"][0]["id"] == "language:ara"


class Linker:
    """Says Turkey with 0.9 where the row speaks of Ankara, else nothing."""

    def link(self, mentions: list[Mention]) -> list[Link]:
        return [self._link(mention) for mention in mentions]

    def _link(self, mention: Mention) -> Link:
        sure = "Ankara" in mention.context
        key = EntityKey("country:TR")
        candidate = Candidate(entity=key, score=1, probability=0.9, signals={"words": 0.5})
        gone = Candidate(entity=EntityKey("country:gone"), score=0, probability=0.1)
        return Link(
            mention=mention.id, state="linked" if sure else "nil", entity=key if sure else None,
            probability=0.9, nil_probability=0.1, candidates=(candidate, gone) if sure else (),
        )  # fmt: skip


def test_a_trained_linker_reads_the_whole_row(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra", settings=Settings(text_encoder="tiny")) as engine:
        app = create_app(engine)
        app.state.linker = HeldLinker(engine, opener=lambda _: Linker())  # type: ignore[arg-type,return-value]
        with TestClient(app, base_url=ADDRESS) as service:
            cities = [{"pid": "capital", "v": [{"id": "c:1", "name": "Ankara"}, 3]}]
            found = ask(service, a={"query": "Turkye", "properties": cities}, b={"query": "Turkye"})
    (candidate,) = found["a"]["result"]
    assert (candidate["id"], candidate["score"], candidate["match"]) == ("country:TR", 90, True)
    features = {feature["id"]: feature["value"] for feature in candidate["features"]}
    assert features == {"nil_probability": 0.1, "words": 0.5}
    assert found["b"] == {"result": []}


def test_properties_are_fetched(service: TestClient) -> None:
    wanted = {
        "ids": ["country:GR", "nobody"],
        "properties": [{"id": "attribute/population"}, {"id": "relation/borders"}],
    }
    response = service.post("/v1/reconcile", data={"extend": json.dumps(wanted)})
    found = response.json()
    jsonschema.validate(found, EXTENDED)
    population = 1_000_000 * (1 + list(NAMES).index("GR"))
    assert found["meta"][1]["type"] == {"id": "Country", "name": "Country"}
    assert found["rows"]["country:GR"]["attribute/population"] == [{"int": population}]
    assert {value["name"] for value in found["rows"]["country:GR"]["relation/borders"]} == {
        "Bulgaria", "Turkey",
    }  # fmt: skip
    assert found["rows"]["nobody"] == {"attribute/population": [], "relation/borders": []}
    assert service.get("/v1/reconcile", params={"extend": json.dumps(wanted)}).json() == found


def test_a_row_without_a_name_is_matched_by_its_values(service: TestClient) -> None:
    population = 1_000_000 * (1 + list(NAMES).index("GR"))
    told = [
        {"pid": "attribute/population", "v": population},
        {"pid": "borders", "v": [{"id": "country:BG", "name": "Bulgaria"}], "open": "field"},
    ]
    found = ask(
        service,
        q={"properties": told},
        none={"properties": [{"pid": "x", "v": "y"}]},
        e={"query": ""},
    )
    ranked = [(one["id"], one["score"], one["match"]) for one in found["q"]["result"]]
    assert ranked == [("country:GR", 100, True), ("country:TR", 50, False)]
    assert found["none"] == found["e"] == {"result": []}


def test_the_example_is_answered_by_get_too(service: TestClient) -> None:
    for example in RECONCILED.values():
        found = service.get("/v1/reconcile", params={"queries": example["value"]}).json()
        jsonschema.validate(found, RESULTS)
        assert all(of_one["result"][0]["match"] for of_one in found.values())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("queries", "{"),
        ("queries", "[]"),
        ("queries", '{"q": {"query": 3}}'),
        ("queries", '{"q": {"query": "x", "limit": 0}}'),
        ("queries", '{"q": {"limit": 1}}'),
        ("queries", '{"q": {"properties": []}}'),
        ("queries", '{"q": {"query": "x", "colour": "red"}}'),
        ("queries", '{"q": {"query": "x", "type_strict": "most"}}'),
        ("queries", json.dumps({str(n): {"query": "x"} for n in range(51)})),
        ("queries", "[" * 100_000),
        ("extend", '{"ids": ["x"]}'),
        ("extend", '{"ids": ["x"], "properties": [{"id": "secret"}]}'),
        ("extend", json.dumps({"ids": ["x"] * 999, "properties": [{"id": "attribute/x"}] * 2})),
    ],
)
def test_what_is_no_request_of_the_protocol_is_told(
    service: TestClient, field: str, value: str
) -> None:
    found = problem(service.post("/v1/reconcile", data={field: value}), "input-error", 400)
    assert field in found["detail"]


def test_a_preview_shows_names_and_runs_nothing(service: TestClient) -> None:
    page = service.get("/v1/reconcile/preview", params={"id": "country:<b>&"})
    assert "<img src=x" not in page.text
    assert "&lt;img src=x" in page.text
    policy = page.headers["content-security-policy"]
    assert policy == f"default-src 'none'; img-src 'self'; frame-ancestors {REFINE}"
    assert "<img" not in service.get("/v1/reconcile/preview?id=language:ara").text
    problem(service.get("/v1/reconcile/preview?id=nobody"), "unknown-entity", 404)


def test_only_named_addresses_may_read_and_only_this_service(service: TestClient) -> None:
    def readers(path: str, origin: str) -> str | None:
        return service.get(path, headers={"Origin": origin}).headers.get(
            "access-control-allow-origin"
        )

    assert readers("/v1/reconcile", REFINE) == REFINE
    assert readers("/v1/reconcile/suggest/type?prefix=c", REFINE) == REFINE
    assert readers("/v1/reconcile", "https://evil.example") is None
    assert readers("/v1/info", REFINE) is None
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/v1/query", "/v1/reconcile/suggest/type"):
        problem(service.post(path, content=b"a=b", headers=form), "unsupported-media-type", 415)
