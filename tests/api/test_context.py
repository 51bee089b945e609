"""Contexts for language models: within the budget, each line with its source, by every door."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.main import main
from api.retrieval.context import context_for, line_of
from api.retrieval.evidence import evidence_of, tokens_of
from api.retrieval.schemas import ContextOut, EvidenceKind
from api.settings import Settings
from kg.errors import InputError
from kg.model import Entity, EntityKey
from kg.provenance import Provenance
from tests.api.conftest import ADDRESS
from tests.api.world import WorldEngine, open_world

QUESTION = "Which countries border Turkey but do not speak Arabic?"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> WorldEngine:
    settings = Settings(text_encoder="tiny")
    return open_world(tmp_path_factory.mktemp("context") / ".umbra", settings=settings)


def test_answers_come_first_and_say_how_sure_they_are(engine: WorldEngine) -> None:
    found = context_for(engine, QUESTION)
    answers = {one.entity: one for one in found.evidence if one.kind == "answer"}
    assert {one.kind for one in found.evidence[:3]} == {"answer"}
    assert {key: one.status for key, one in answers.items()} == {
        "country:GR": "known", "country:BG": "known", "country:GE": "likely",
    }  # fmt: skip
    doubtful = next(
        one for one in found.evidence if one.key == "fact/country:GE/borders/country:TR"
    )
    assert (doubtful.status, doubtful.probability) == ("likely", 0.7)
    assert "linked factbook/georgia chars 30-36" in doubtful.source
    assert "[likely 0.70; linked factbook/georgia" in line_of(doubtful)


def test_pictures_and_parts_are_tied_to_what_they_belong_to(engine: WorldEngine) -> None:
    turkey = engine.store.entity(EntityKey("country:TR"))
    assert turkey is not None
    found = {one.kind: one for one in evidence_of(engine, turkey)}
    assert found["part"].box is not None
    assert found["part"].image == found["image"].image == turkey.images[0].sha256
    assert found["part"].links == found["image"].links == ("part:country:TR/0",)
    assert "white crescent" in found["image"].text
    assert {one.entity for one in evidence_of(engine, turkey)} == {"country:TR"}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(budget=st.integers(1, 1500), text=st.sampled_from((QUESTION, "arabic", "white crescent")))
def test_no_context_is_larger_than_its_budget(engine: WorldEngine, budget: int, text: str) -> None:
    found = context_for(engine, text, budget=budget)
    assert sum(tokens_of(f"{line_of(one)}\n") for one in found.evidence) == found.tokens <= budget
    assert found.text == "".join(f"{line_of(one)}\n" for one in found.evidence)
    whole = context_for(engine, text, budget=100_000)
    assert whole.left_out == 0
    assert {one.key for one in found.evidence} <= {one.key for one in whole.evidence}
    assert found.left_out == len(whole.evidence) - len(found.evidence)


@pytest.mark.parametrize("kinds", [("answer",), ("passage",), ("image", "part"), ("fact",)])
def test_only_the_kinds_that_are_asked_for_use_the_budget(
    engine: WorldEngine, kinds: tuple[EvidenceKind, ...]
) -> None:
    whole = context_for(engine, QUESTION, budget=100_000)
    some = context_for(engine, QUESTION, budget=100_000, kinds=kinds)
    assert some.evidence == tuple(one for one in whole.evidence if one.kind in kinds)
    assert some.left_out == 0


def test_a_source_that_is_taken_away_takes_its_evidence_and_no_other(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra", settings=Settings(text_encoder="tiny")) as engine:
        before = {one.key for one in context_for(engine, "Turkey", budget=100_000).evidence}
        told = (Provenance(kind="asserted", source="essay.txt", locator="page 2"),)
        essay = Entity(
            key=EntityKey("essay:1"), label="Essay", name="Turkey in winter",
            attributes={"text": "Snow falls. " * 200}, provenance=told,
        )  # fmt: skip
        engine.store.upsert_entities([essay])
        after = context_for(engine, "Turkey", budget=100_000).evidence
        ours = [one for one in after if one.entity == "essay:1"]
        assert len([one for one in ours if one.kind == "passage"]) == 4
        assert all("asserted essay.txt page 2" in one.source for one in ours)
        engine.store.delete_entities([essay.key])
        assert {one.key for one in context_for(engine, "Turkey", budget=100_000).evidence} == before


def test_every_door_gives_the_same(engine: WorldEngine, capsys: pytest.CaptureFixture[str]) -> None:
    with TestClient(create_app(engine), base_url=ADDRESS) as client:
        sent = {"q": QUESTION, "budget": 300}
        found = ContextOut.model_validate(client.get("/v1/context", params=sent).json())
        assert found == context_for(engine, QUESTION, budget=300)
        some = client.get("/v1/context", params={**sent, "kind": ["fact", "part"]}).json()
        assert {one["kind"] for one in some["evidence"]} <= {"fact", "part"}
        assert client.get("/v1/context?q=x&kind=video").status_code == 422
    for budget in (0, 100_001):
        with pytest.raises(InputError, match="budget"):
            context_for(engine, QUESTION, budget=budget)
    assert main(["context", "x", "--folder", "/nowhere"]) == 3
    assert capsys.readouterr().err
