"""Python, REST, the command line and the page give one question the same answers, in one order."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

import api.engine
from api.cli.main import main
from api.routes.examples import CRESCENT_QUESTION
from tests.api.browser import browsing, chromium
from tests.api.doors import Seen, seen_by_python, seen_in_json, seen_on_page
from tests.api.pages import listening
from tests.api.world import WorldEngine

K = 5
QUESTIONS = {
    "depicts": "MATCH (c:Country)-[:depicts]->(:Shape {key: 'shape:crescent'}) RETURN c",
    "crescent": CRESCENT_QUESTION,
    "chain": (
        "MATCH (c:Country)-[:borders]->(:Country)-[:borders]->(:Country {key: 'country:TR'}) "
        "RETURN c"
    ),
    "union": (
        "MATCH (c:Country)-[:borders]->(:Country {key: 'country:TR'}) RETURN c UNION "
        "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"
    ),
}


@pytest.fixture(params=QUESTIONS)
def question(request: pytest.FixtureRequest) -> str:
    return QUESTIONS[request.param]


@pytest.fixture
def by_python(world: WorldEngine, question: str) -> list[Seen]:
    return seen_by_python(world.ask(question, k=K))


def test_rest_says_what_python_says(
    client: TestClient, question: str, by_python: list[Seen]
) -> None:
    response = client.post("/v1/query", json={"query": question, "k": K})
    assert seen_in_json(response.json()) == by_python


def test_a_tree_in_json_says_what_its_text_says(
    client: TestClient, question: str, by_python: list[Seen]
) -> None:
    tree = client.post("/v1/query", json={"query": question, "k": K}).json()["query"]
    response = client.post("/v1/query", json={"query": tree, "k": K})
    assert seen_in_json(response.json()) == by_python


@pytest.fixture
def one_engine(world: WorldEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line open the test's engine and leave it open."""

    class Opened:
        @staticmethod
        def open(_folder: Path | None, *, snapshot: str = "full") -> Opened:
            assert snapshot == "full"
            return Opened()

        def __enter__(self) -> WorldEngine:
            return world

        def __exit__(self, *_error: object) -> None: ...

    monkeypatch.setattr(api.engine, "Engine", Opened)


@pytest.mark.usefixtures("one_engine")
def test_the_command_line_says_what_python_says(
    question: str, by_python: list[Seen], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "--json", "--k", str(K), question]) == 0
    assert seen_in_json(capsys.readouterr().out) == by_python


@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")
def test_the_page_says_what_python_says(world: WorldEngine, tmp_path: Path) -> None:
    program = chromium()
    assert program is not None
    with listening(world) as address, browsing(program, tmp_path / "profile") as browser:
        for question in QUESTIONS.values():
            expected = seen_by_python(world.ask(question, k=K))
            assert seen_on_page(browser, address, question, k=K) == expected


def test_the_demo_question_has_both_kinds_with_proofs_in_the_graph(world: WorldEngine) -> None:
    answers = world.ask(CRESCENT_QUESTION, k=K).answers
    assert [(a.status, a.name) for a in answers] == [
        ("known", "Bulgaria"), ("known", "Greece"), ("known", "Mali"),
        ("likely", "Georgia"), ("likely", "Armenia"), ("likely", "Russia"),
    ]  # fmt: skip
    for answer in answers:
        assert answer.proof is not None
        assert answer.proof.parts
        for edge in answer.proof.edges:
            stored = list(world.store.edges(head=edge.head, relation=edge.relation, tail=edge.tail))
            assert bool(stored) is (edge.status != "absent")
            assert bool(edge.records) is (edge.status != "absent")
            best = max((r.probability for e in stored for r in e.provenance), default=0.0)
            if edge.status == "known":
                assert best >= world.settings.known_probability
        assert any(edge.status == "predicted" for edge in answer.proof.edges) is (
            answer.status == "likely"
        )


def test_the_comparison_bites(world: WorldEngine) -> None:
    answers = world.ask(CRESCENT_QUESTION, k=K)
    turned = answers.model_copy(update={"answers": answers.answers[::-1]})
    assert seen_by_python(turned) != seen_by_python(answers)
    without = [a.model_copy(update={"status": "known"}) for a in answers.answers]
    assert seen_by_python(answers.model_copy(update={"answers": tuple(without)})) != (
        seen_by_python(answers)
    )
