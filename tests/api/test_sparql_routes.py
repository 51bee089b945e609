"""`/v1/sparql` by the W3C protocol, and `umbra sparql`."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import api.engine
from api.cli.main import main
from api.routes.sparql import EXAMPLE, FORM, QUERY
from kg.cypher import check
from tests.api.test_guard import problem
from tests.api.world import WorldEngine

BORDERS = (
    "PREFIX r: <urn:umbra:relation:> PREFIX a: <urn:umbra:attribute:> "
    "SELECT ?name { ?x r:borders <urn:umbra:entity:country:TR> ; a:name ?name } ORDER BY ?name"
)


def names(answer: dict[str, Any]) -> list[str]:
    return [row["name"]["value"] for row in answer["results"]["bindings"]]


@pytest.fixture(scope="module")
def expected(world: WorldEngine) -> list[str]:
    heads = [edge.head for edge in world.store.edges(relation="borders", tail="country:TR")]
    return sorted(world.store.entity(key).name for key in heads)


def test_every_way_of_the_protocol_gives_the_same_rows(
    client: TestClient, expected: list[str]
) -> None:
    assert expected
    answers = [
        client.get("/v1/sparql", params={"query": BORDERS}),
        client.post("/v1/sparql", data={"query": BORDERS}),
        client.post("/v1/sparql", content=BORDERS.encode(), headers={"Content-Type": QUERY}),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/sparql-results+json"
        assert names(answer.json()) == expected
    text = client.get("/v1/sparql", params={"query": BORDERS}, headers={"Accept": "text/csv"})
    assert text.headers["content-type"].startswith("text/csv")
    assert [row[0] for row in csv.reader(io.StringIO(text.text))] == ["name", *expected]


def test_triples_and_graphs(client: TestClient) -> None:
    one = {"query": "DESCRIBE <urn:umbra:entity:country:TR>"}
    answer = client.get("/v1/sparql", params=one)
    assert answer.headers["content-type"].startswith("text/turtle")
    assert "relation:borders" in answer.text
    records = {
        "query": "ASK { ?s <urn:umbra:term:source> ?o }",
        "default-graph-uri": "urn:umbra:graph:provenance",
    }
    assert client.get("/v1/sparql", params=records).json()["boolean"] is True
    assert client.post("/v1/sparql", data=records).json()["boolean"] is True
    assert client.get("/v1/sparql", params={"query": records["query"]}).json()["boolean"] is False


def test_refusals_are_problems(client: TestClient) -> None:
    def got(query: str | None = None, **headers: str) -> Any:
        return client.get("/v1/sparql", params=query and {"query": query}, headers=headers)

    assert problem(got("SELECT * { ?s ?p\n oh }"), "query-syntax", 400)["line"] == 2
    problem(got(), "input-error", 400)
    problem(got("ASK { SERVICE <http://x/> {} }"), "read-only", 403)
    problem(got("INSERT DATA { <x:a> <x:b> 1 }"), "read-only", 403)
    problem(got("ASK {}", accept="image/png"), "not-acceptable", 406)
    problem(got("ASK {}", accept="text/turtle"), "not-acceptable", 406)
    problem(got("ASK {} #" + "x" * 20_000), "limit", 422)
    problem(client.post("/v1/sparql", data={"update": "CLEAR ALL"}), "read-only", 403)
    problem(client.post("/v1/sparql", data={"query": ["ASK {}", "ASK {}"]}), "bad-request", 400)
    bad = {"Content-Type": QUERY}
    problem(client.post("/v1/sparql", content=b"\xff", headers=bad), "bad-request", 400)
    form = {"Content-Type": FORM}
    problem(client.post("/v1/sparql", content=b"query=%ff", headers=form), "bad-request", 400)
    xml = {"Content-Type": "text/xml"}
    problem(client.post("/v1/sparql", content=b"<a/>", headers=xml), "unsupported-media-type", 415)
    problem(client.post("/v1/query", data={"query": "x"}), "unsupported-media-type", 415)


def test_the_example_is_answered(client: TestClient) -> None:
    assert (
        len(client.get("/v1/sparql", params={"query": EXAMPLE}).json()["results"]["bindings"]) == 3
    )


@pytest.fixture
def one_engine(world: WorldEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line open the test's engine and leave it open."""
    monkeypatch.setattr(api.engine.Engine, "open", lambda *_args, **_kwargs: world)
    monkeypatch.setattr(WorldEngine, "close", lambda _self: None)


@pytest.mark.usefixtures("one_engine")
def test_the_command_says_what_rest_says(
    expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sparql", BORDERS]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [f'"{name}"' for name in expected]
    assert main(["sparql", "--json", BORDERS]) == 0
    assert names(json.loads(capsys.readouterr().out)) == expected
    assert main(["sparql", "DESCRIBE <urn:umbra:entity:country:TR>"]) == 0
    assert "relation:borders" in capsys.readouterr().out
    assert main(["sparql", "--format", "text/turtle", "ASK {}"]) == 2
    assert "cannot be written as text/turtle" in capsys.readouterr().err
    assert main(["sparql", "SELECT"]) == 2
    assert "in line 1, column" in capsys.readouterr().err
    assert main(["sparql", "CLEAR ALL"]) == 2
    assert main(["sparql", "--max-rows", "1", BORDERS]) == 4


GUIDE = Path(__file__).resolve().parents[2] / "docs" / "cypher-and-sparql.md"


def test_the_guide_shows_queries_that_run_and_find_something(client: TestClient) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    found = []
    for query in re.findall(r"```sparql\n(.*?)```", text, re.DOTALL):
        answer = client.get("/v1/sparql", params={"query": query})
        assert answer.status_code == 200, answer.text
        found.append(len(answer.json()["results"]["bindings"]))
    assert found[0] == 1
    assert found[1:4] == [5, 2, 3]
    assert found[4] >= 1
    for query in re.findall(r"```cypher\n(.*?)```", text, re.DOTALL):
        check(query)
