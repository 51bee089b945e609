"""Verdicts on single edges: an accepted one enters the graph, each can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.fact_desk import FactDesk
from api.fact_schemas import FactIn, FactOut, FactsOut
from api.routes.facts import VERDICTS
from api.steps.build import build_graph
from api.steps.undo import undo_in_graph
from kg.errors import MissingPartError
from kg.model import EntityKey
from kg.provenance import Provenance
from kg.upkeep.undo import Undo
from reasoning.predictors.rules.rule import RuleReason
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.world import WorldEngine, open_world

NEW = {"head": "Greece", "relation": "borders", "tail": "country:GE", "who": "ada"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WorldEngine]:
    with open_world(tmp_path / ".umbra") as engine:
        yield engine


@pytest.fixture
def server(engine: WorldEngine) -> Iterator[TestClient]:
    with TestClient(create_app(engine), base_url=ADDRESS) as client:
        yield client


def records(engine: WorldEngine, head: str, tail: str) -> list[Provenance]:
    edges = engine.store.edges(head=EntityKey(head), relation="borders", tail=EntityKey(tail))
    return [record for edge in edges for record in edge.provenance]


def give(server: TestClient, verdict: str, **more: Any) -> FactOut:
    response = server.post("/v1/review/facts", json=NEW | {"verdict": verdict} | more)
    assert response.status_code == 200, response.text
    return FactOut.model_validate(response.json())


def test_an_accepted_edge_enters_the_graph_once_with_who_said_so(
    server: TestClient, engine: WorldEngine
) -> None:
    first = give(server, "accept", comment="seen on a map")
    assert (first.head, first.head_name, first.tail_name) == ("country:GR", "Greece", "Georgia")
    assert give(server, "accept") == first
    (record,) = records(engine, "country:GR", "country:GE")
    assert (record.kind, record.source, record.text) == ("accepted", "ada", "seen on a map")
    assert FactsOut.model_validate(server.get("/v1/review/facts").json()).facts == (first,)


def test_the_history_tells_when_a_person_accepted_an_edge(server: TestClient) -> None:
    said = give(server, "accept")
    events = server.get("/v1/history/country:GR").json()["events"]
    (told,) = [event for event in events if event["kind"] == "accepted"]
    assert (told["at"], told["source"]) == (said.at, "ada")
    give(server, "undo")
    again = give(server, "accept", who="bob")
    (last,) = [e for e in server.get("/v1/history/country:GR").json()["events"] if e["at"]]
    assert (last["at"], last["source"]) == (again.at, "bob")


def test_an_accepted_edge_goes_with_what_it_rests_on(
    server: TestClient, engine: WorldEngine
) -> None:
    base = ["country:TR", "borders", "Greece"]
    said = give(server, "accept", because=[base])
    assert said.because == (("country:TR", "borders", "country:GR"),)
    (record,) = records(engine, "country:GR", "country:GE")
    assert record.derived_from == ("country:TR borders country:GR",)
    body = {"edge": said.because[0], "confirm": True}
    assert server.post("/v1/undo", json=body).json()["derived"] >= 1
    assert records(engine, "country:GR", "country:GE") == []
    sent = NEW | {"verdict": "accept", "tail": "country:TR", "because": [base]}
    problem(server.post("/v1/review/facts", json=sent), "input-error", 400)


def test_what_rests_on_an_accepted_edge_goes_with_it_and_comes_back(
    server: TestClient, engine: WorldEngine
) -> None:
    first = give(server, "accept", because=[])
    assert first.rests_on == ()
    later = {"head": "country:GE", "tail": "country:GR"}
    said = give(server, "accept", because=[["Greece", "borders", "Georgia"]], **later)
    assert said.rests_on == ("country:GR borders country:GE",)
    undone = give(server, "undo")
    assert undone.gone == (
        "country:GE borders country:GR (rested on country:GR borders country:GE)",
    )
    assert records(engine, "country:GE", "country:GR") == []
    assert give(server, "accept", **later, because=[]).who == "ada"
    assert len(records(engine, "country:GE", "country:GR")) == 1
    give(server, "undo", **later)
    build_graph(engine, engine.workspace.folder / str(undone.brought_back_by))
    assert len(records(engine, "country:GE", "country:GR")) == 1


def test_a_confirmed_guess_rests_on_what_it_was_guessed_from(
    server: TestClient, engine: WorldEngine
) -> None:
    (guess,) = records(engine, "country:GE", "country:TR")
    said = give(server, "accept", head="country:GE", tail="country:TR")
    assert said.rests_on == (guess.source,)
    undo_in_graph(engine, Undo(source=guess.source), confirm=True)
    assert records(engine, "country:GE", "country:TR") == []


def test_an_accepted_prediction_rests_on_the_edges_that_its_rule_fires_by(
    server: TestClient, engine: WorldEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = (EntityKey("country:TR"), "borders", EntityKey("country:GR"))
    rule = RuleReason(rule="a rule", confidence=0.5, support=3, facts=(base,))
    told = {"reasons": lambda *_: ("the model alone", rule)}
    monkeypatch.setattr(engine, "answerer", lambda _: (SimpleNamespace(**told), ()))
    assert give(server, "accept").rests_on == ("country:TR borders country:GR",)
    give(server, "undo")

    def broken(_: str) -> None:
        raise MissingPartError("no model")

    monkeypatch.setattr(engine, "answerer", broken)
    assert give(server, "accept").rests_on == ()


def test_taking_back_leaves_what_others_say(server: TestClient, engine: WorldEngine) -> None:
    weak = {"head": "country:GE", "tail": "country:TR"}
    before = records(engine, "country:GE", "country:TR")
    give(server, "accept", **weak)
    assert len(records(engine, "country:GE", "country:TR")) == len(before) + 1
    give(server, "undo", **weak)
    assert records(engine, "country:GE", "country:TR") == before
    assert FactsOut.model_validate(server.get("/v1/review/facts").json()).facts == ()


def test_a_rejected_edge_can_be_left_out_of_a_question(
    server: TestClient, engine: WorldEngine
) -> None:
    give(server, "accept")
    said = give(server, "reject")
    assert records(engine, "country:GR", "country:GE") == []
    weak = give(server, "reject", head="country:GE", tail="country:TR")
    held = FactsOut.model_validate(server.get("/v1/review/facts").json()).facts
    assert held == (weak, said)
    question = {
        "query": "MATCH (c)-[:borders]->(:Country {key: 'country:TR'}) RETURN c",
        "without": [[fact.head, fact.relation, fact.tail] for fact in held],
    }
    answers = server.post("/v1/query", json=question).json()["answers"]
    assert "country:GE" not in {answer["key"] for answer in answers}


def test_verdicts_outlive_the_server(engine: WorldEngine) -> None:
    said = FactDesk(engine).decide(FactIn(verdict="reject", **NEW))
    other = FactDesk(engine)
    assert other.facts().facts == (said,)
    other.decide(FactIn(verdict="undo", **NEW))
    assert FactDesk(engine).facts().facts == ()


def test_what_fits_nothing_is_refused(server: TestClient, engine: WorldEngine) -> None:
    sent = NEW | {"verdict": "accept"}
    for wrong, slug in (
        ({"head": "Atlantis"}, "unknown-entity"),
        ({"relation": "bordrs"}, "unknown-relation"),
        ({"verdict": "undo"}, "conflict"),
        ({"verdict": "perhaps"}, "invalid-request"),
    ):
        response = server.post("/v1/review/facts", json=sent | wrong)
        problem(response, slug, response.status_code)
    assert not engine.workspace.facts.exists()


@pytest.mark.parametrize("name", VERDICTS)
def test_the_examples_are_taken(server: TestClient, name: str) -> None:
    if name == "undo":
        server.post("/v1/review/facts", json=VERDICTS["accept"]["value"])
    assert server.post("/v1/review/facts", json=VERDICTS[name]["value"]).status_code == 200
