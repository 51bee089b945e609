"""Suggestions through every door: a click on one leads to as many results as it said."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from api.cli.main import main
from api.client import Client
from api.engine import Engine
from api.suggestion_schemas import QuerySuggestionsOut
from api.suggestions import suggest_for_question, suggest_for_search
from api.workspace import Workspace
from kg.errors import InputError
from tests.api.test_guard import problem
from tests.api.world import WorldEngine

COUNTRIES = "MATCH (c:Country) RETURN c"
NOBODY = (
    "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) "
    "MATCH (c)-[:borders]->(:Country {key: 'country:BG'}) RETURN c"
)


def test_each_suggestion_leads_to_as_many_answers_as_it_says(world: WorldEngine) -> None:
    found = suggest_for_question(world, COUNTRIES, limit=6)
    assert found.total == 13
    told = {one.text: one.results for one in found.suggestions}
    assert told["that speaks Arabic"] == 4
    assert told["that depicts crescent"] == 3
    assert len({one.results for one in found.suggestions}) > 1
    for one in found.suggestions:
        again = world.ask(one.query, answerer="exact", k=50)
        assert again.total_known == one.results
        assert set(one.examples) <= {answer.name for answer in again.answers}
        assert 0 < one.closeness < 1
        assert 0 < one.specificity <= 1


def test_what_if_counts_with_its_own_edges(world: WorldEngine) -> None:
    edge = ("Greece", "speaks", "language:ara")
    found = suggest_for_question(world, COUNTRIES, assume=[edge], limit=20)
    assert {one.text: one.results for one in found.suggestions}["that speaks Arabic"] == 5


def test_a_question_without_an_answer_is_asked_a_little_less(world: WorldEngine) -> None:
    found = suggest_for_question(world, NOBODY)
    assert found.total == 0
    assert {one.change for one in found.suggestions} == {"widen", "drop"}
    assert found.suggestions[0].change == "widen"
    for one in found.suggestions:
        assert world.ask(one.query, answerer="exact", k=50).total_known == one.results


def test_a_narrowed_search_has_as_many_hits_as_told_and_can_be_narrowed_again(
    world: WorldEngine,
) -> None:
    found = suggest_for_search(world, "republic", labels=["Country"])
    assert found.total == 13
    first = next(one for one in found.suggestions if one.results > 4)
    narrowed = world.search("republic", k=100, labels=["Country"], within=first.query)
    whole = [hit.key for hit in world.search("republic", k=100, labels=["Country"]).hits]
    assert len(narrowed.hits) == first.results
    keys = [hit.key for hit in narrowed.hits]
    assert keys == [key for key in whole if key in keys]
    again = suggest_for_search(world, "republic", labels=["Country"], within=first.query)
    assert again.total == first.results
    for one in again.suggestions:
        twice = world.search("republic", k=100, labels=["Country"], within=one.query)
        assert len(twice.hits) == one.results


@pytest.mark.parametrize("limit", [0, 21])
def test_a_limit_out_of_range_is_refused(world: WorldEngine, limit: int) -> None:
    with pytest.raises(InputError, match="1 to 20"):
        suggest_for_search(world, "republic", limit=limit)
    with pytest.raises(InputError, match="1 to 20"):
        suggest_for_question(world, COUNTRIES, limit=limit)


def test_rest_and_client_say_what_the_engine_says(client: TestClient, world: WorldEngine) -> None:
    graph = Client(client=client)
    asked = graph.suggest_next(COUNTRIES, limit=4)
    assert asked == suggest_for_question(world, COUNTRIES, limit=4)
    searched = graph.suggest("republic", labels=["Country"])
    assert searched == suggest_for_search(world, "republic", labels=["Country"], patient=False)
    within = searched.suggestions[0].query
    found = graph.search("republic", k=100, labels=["Country"], within=within)
    assert len(found.hits) == searched.suggestions[0].results
    broken = client.get("/v1/search", params={"q": "republic", "within": "MATCH (c:"})
    assert problem(broken, "query-syntax", 400)["position"] == 9
    pattern = {"query": "MATCH (a)-[:borders]->(b) RETURN a, b"}
    assert client.post("/v1/suggestions", json=pattern).status_code == 422


def test_the_command_prints_the_same(
    stored: Workspace, world: WorldEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--folder", str(stored.folder)]
    assert main(["suggest", "--question", COUNTRIES, "--json", *place]) == 0
    printed = QuerySuggestionsOut.model_validate(json.loads(capsys.readouterr().out))
    assert printed == suggest_for_question(world, COUNTRIES)
    assert main(["suggest", "republic", "--label", "Country", *place]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "13 known results"
    count, words = lines[1].split(maxsplit=1)
    assert words.startswith("that ")
    within = ["--within", lines[2].strip()]
    search = ["search", "republic", "-k", "100", "--label", "Country"]
    assert main([*search, *within, "--json", *place]) == 0
    assert len(json.loads(capsys.readouterr().out)["hits"]) == int(count)
    assert main(["suggest", *place]) == 2
    with Engine(stored) as engine:
        assert suggest_for_search(engine, "republic", labels=["Country"]).total == 13
