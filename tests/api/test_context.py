"""Contexts for language models: within the budget, each line with its source, by every door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.main import main
from api.retrieval.context import context_for
from api.retrieval.evidence import evidence_of, tokens_of
from api.retrieval.lines import line_of
from api.retrieval.schemas import ContextOut, EvidenceKind
from api.search.granularity import SUITED, asks
from api.settings import Settings
from kg.errors import InputError
from kg.model import Entity, EntityKey
from kg.provenance import Provenance
from kg.text_units import Granularity
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
    sources = {answers[f"country:{code}"].source.partition(" ")[0] for code in ("GR", "BG")}
    assert sources == {"asserted"}  # what is known is not predicted
    assert answers["country:GE"].source == "predicted by symbolic"
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


LETTER = "Ada left Paris in 1815. She was ill. Her friends wrote. " * 12
"""36 sentences in one paragraph."""


@pytest.fixture(scope="module")
def written(engine: WorldEngine) -> Iterator[Entity]:
    """A letter in the graph of this module's engine."""
    letter = Entity(
        key=EntityKey("letter:1"), label="Letter", name="Letter to Georgia",
        attributes={"body": f"{LETTER}\n\nPS: Zinnias need rain.", "notes": ("One.", "Two.")},
    )  # fmt: skip
    engine.store.upsert_entities([letter])
    yield letter
    engine.store.delete_entities([letter.key])


@pytest.mark.parametrize("granularity", ["sentence", "passage", "page"])
@pytest.mark.parametrize("budget", [60, 600, 6_000])
def test_prose_is_cut_as_fine_as_asked_and_each_line_names_its_place(
    engine: WorldEngine, written: Entity, granularity: Granularity, budget: int
) -> None:
    found = context_for(
        engine, "zinnias rain", budget=budget, kinds=["passage"], granularity=granularity
    )
    assert found.granularity == granularity
    ours = [one for one in found.evidence if one.entity == written.key]
    assert ours
    for one in ours:
        assert one.place is not None
        place, _, span = one.place.partition(" chars ")
        start, end = map(int, span.split("-"))
        texts = {"body": written.attributes["body"], "notes[0]": "One.", "notes[1]": "Two."}
        said = " ".join(str(texts[place])[start:end].split())
        assert one.text == f"{written.name}, {place}: {said}"
        assert one.key == f"passage/{written.key}/{place}/{start}-{end}"
        if granularity == "sentence":
            assert "ill. Her" not in said
    whole = any("1815" in one.text and "Zinnias" in one.text for one in ours)
    assert whole == (granularity == "page" and budget > 60)


def test_what_a_text_asks_for_decides_unless_the_caller_does(
    engine: WorldEngine, written: Entity
) -> None:
    del written
    for text in ("Describe the letter", "When did Ada leave?", "Ada Paris"):
        assert context_for(engine, text, granularity="auto").granularity == SUITED[asks(text)]
        assert engine.search(text, granularity="auto").granularity == SUITED[asks(text)]
        assert context_for(engine, text, granularity="page").granularity == "page"


def test_a_search_shows_the_piece_of_prose_that_says_most(
    engine: WorldEngine, written: Entity
) -> None:
    for granularity, shown in {"sentence": "PS: Zinnias need rain.", "page": None}.items():
        (hit,) = engine.search("zinnias rain", labels=["Letter"], granularity=granularity).hits
        (told,) = [one for one in hit.highlights if one.field == "prose"]
        assert told.place is not None
        start, end = map(int, told.place.removeprefix("body chars ").split("-"))
        assert told.text == str(written.attributes["body"])[start:end]
        assert shown in (None, told.text)
        assert {told.text[a:b] for a, b in told.spans} == {"Zinnias", "rain"}


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
        said = [one for one in ours if one.kind == "passage"]
        assert "".join(one.text.partition(": ")[2] for one in said).count("Snow falls.") == 200
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
        assert client.get("/v1/context?q=x&granularity=word").status_code == 422
        fine = client.get("/v1/context", params={**sent, "granularity": "sentence"}).json()
        assert fine["granularity"] == "sentence"
        asked = client.get("/v1/search?q=turkey&granularity=page").json()
        assert asked["granularity"] == "page"
    for budget in (0, 100_001):
        with pytest.raises(InputError, match="budget"):
            context_for(engine, QUESTION, budget=budget)
    assert main(["context", "x", "--folder", "/nowhere"]) == 3
    assert capsys.readouterr().err
