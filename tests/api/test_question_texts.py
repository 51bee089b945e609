"""One question in every notation, counts and several variables, through engine, REST and CLI."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from api.cli import main
from api.engine import Engine
from api.schemas import AnswersOut
from tests.api.world import WorldEngine

ARABIC = (
    "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c",
    "SELECT ?c { ?c a label:Country ; relation:speaks entity:language:ara }",
    json.dumps(
        {
            "all": [
                {"label": "Country"},
                {"relation": "speaks", "inverse": True, "of": {"anchor": "language:ara"}},
            ]
        }
    ),
)
PAIRS = (
    "MATCH (a)-[:borders]->(b)-[:speaks]->(l) MATCH (a)-[:speaks]->(l) RETURN a, b",
    "SELECT ?a ?b { ?a relation:borders ?b ; relation:speaks/^relation:speaks ?b }",
)
COUNTS = (
    "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN count(DISTINCT c)",
    "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?c relation:speaks entity:language:ara }",
)


def edges_of(world: WorldEngine, relation: str) -> set[tuple[str, str]]:
    """Return the known edges of a relation as pairs of keys."""
    snapshot = world.snapshot
    span = snapshot.edges_of(snapshot.relation_id(relation))
    pairs = zip(
        snapshot.heads[span], snapshot.tails[span], snapshot.probabilities[span], strict=True
    )
    name = snapshot.entities.name
    return {(name(int(head)), name(int(tail))) for head, tail, p in pairs if p >= 0.9}


def test_each_notation_gets_the_same_answers(client: TestClient, world: WorldEngine) -> None:
    found = [world.ask(text).answers for text in ARABIC]
    assert found[0]
    assert found[1:] == found[:1] * 2
    tuples = "('language:ara', ('-speaks',))"
    wider = world.ask(tuples, answerer="exact")
    assert {answer.key for answer in found[0] if answer.status == "known"} <= {
        answer.key for answer in wider.answers
    }
    response = client.post("/v1/query", json={"query": ARABIC[1]})
    assert response.status_code == 200, response.text
    assert AnswersOut.model_validate(response.json()).answers == found[0]


@pytest.mark.parametrize("text", COUNTS)
def test_counts_are_those_of_the_answers(world: WorldEngine, text: str) -> None:
    answers = world.ask(ARABIC[0], k=1000)
    count = world.ask(text).count
    assert count is not None
    assert count.known == answers.total_known
    likely = [answer.probability for answer in answers.answers if answer.status == "likely"]
    assert count.expected_likely == pytest.approx(sum(likely))


@pytest.mark.parametrize("text", PAIRS)
def test_several_variables_are_rows_over_known_edges(world: WorldEngine, text: str) -> None:
    rows = world.ask(text, k=1000).rows
    assert rows is not None
    assert rows.total == len(rows.rows) > 0
    spoken = edges_of(world, "speaks")
    expected = {
        (a, b)
        for a, b in edges_of(world, "borders")
        if {language for who, language in spoken if who == a}
        & {language for who, language in spoken if who == b}
    }
    assert {tuple(cell.key for cell in row) for row in rows.rows} == expected
    for row, proof in zip(rows.rows, rows.proofs, strict=True):
        assert {cell.key for cell in row} <= {cell.key for cell in proof.bindings.values()}
        shown = {edge.relation for edge in proof.edges}
        assert shown == {"borders", "speaks"}
        for edge in proof.edges:
            assert (edge.head, edge.tail) in edges_of(world, edge.relation)
            assert edge.status == "known"
            assert edge.records
    assert world.ask(text, k=1000, proofs=False).rows == rows.model_copy(update={"proofs": ()})
    again = world.ask(json.loads(json.dumps(world.ask(text).query)), k=1000)
    assert again.rows is not None
    assert {frozenset(row) for row in again.rows.rows} == {frozenset(row) for row in rows.rows}


def test_the_command_prints_counts_and_rows(
    world: WorldEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "open", classmethod(lambda *_, **__: world))
    assert main.main(["ask", COUNTS[1]]) == 0
    assert capsys.readouterr().out.startswith("Count: ")
    assert main.main(["ask", PAIRS[1]]) == 0
    out = capsys.readouterr().out
    assert "known rows" in out
    assert "= " in out.partition("known rows")[2]
    assert "asserted: countries.jsonl" in out
    assert main.main(["ask", ARABIC[1]]) == 0
    assert capsys.readouterr().out.startswith("Known (")
