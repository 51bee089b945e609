"""What is added to a graph after training is answered at once: `umbra build`, then `umbra ask`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

import reasoning.predictors.training as training
from api.engine import Engine
from api.schemas import AnswersOut
from api.settings import Settings
from api.steps.build import build_graph
from api.steps.snapshot import freeze
from api.steps.train import train_model
from api.workspace import Workspace
from kg.errors import CheckpointMismatchError
from kg.snapshot import save_snapshot
from tests.api.predictor_store import store_of
from tests.reasoning.predictor_world import SMALL, WORLD

NEW = "country:00-new"
BLOCK = 2
QUESTION = f'MATCH (:Country {{key: "{NEW}"}})-[:speaks]->(l:Language) RETURN l'
NEIGHBOURS = f'MATCH (:Country {{key: "{NEW}"}})-[:borders]->(c:Country) RETURN c'
MAPPING = """
format = 1

[[entities]]
file = "countries.csv"
label = "Country"
key = "{key}"
name = "{name}"

[entities.attributes]
latitude = { path = "latitude", type = "float" }
longitude = { path = "longitude", type = "float" }

[[edges]]
file = "countries.csv"
head = "{key}"
relation = "in_block"
tail = "{block}"

[[edges]]
file = "countries.csv"
head = "{key}"
relation = "borders"
tail = "{neighbour}"
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A world with a trained default model."""
    short = functools.partial(training.train_link_predictor, config=SMALL)
    monkeypatch.setattr(training, "train_link_predictor", short)
    workspace = Workspace(tmp_path / ".umbra")
    workspace.create()
    with Engine(workspace, settings=Settings(), store=store_of(WORLD)) as engine:
        freeze(engine)
        train_model(engine, "symbolic")
        yield engine


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """A file of one more country, of which the language is not told."""
    row = f"{NEW},New,40.0,63.0,block:{BLOCK},country:19"
    (tmp_path / "countries.csv").write_text(f"key,name,latitude,longitude,block,neighbour\n{row}\n")
    (tmp_path / "more.toml").write_text(MAPPING)
    return tmp_path / "more.toml"


def keys(answers: AnswersOut, status: str) -> list[str]:
    return [answer.key for answer in answers.answers if answer.status == status]


def test_a_country_added_after_training_is_answered_with_a_likely_edge(
    engine: Engine, mapping: Path
) -> None:
    assert not any(
        "folded" in text for text in engine.ask(NEIGHBOURS.replace(NEW, "country:01")).warnings
    )
    build_graph(engine, mapping)
    answers = engine.ask(QUESTION)
    assert keys(answers, "known") == []
    assert keys(answers, "likely")[0] == f"lang:{BLOCK}"
    assert any("folded in" in text for text in answers.warnings)
    assert keys(engine.ask(NEIGHBOURS), "known") == ["country:19"]


def test_what_was_folded_in_is_kept_until_the_next_training(engine: Engine, mapping: Path) -> None:
    build_graph(engine, mapping)
    first = engine.ask(QUESTION)
    kept = engine.workspace.model("full", "symbolic") / "folded" / "checkpoint.json"
    time = kept.stat().st_mtime_ns
    engine.forget()
    assert engine.ask(QUESTION) == first
    assert kept.stat().st_mtime_ns == time
    kept.write_text("{")  # a damaged one is made again
    engine.forget()
    assert engine.ask(QUESTION) == first
    train_model(engine, "symbolic")
    assert not kept.exists()
    assert not any("folded in" in text for text in engine.ask(QUESTION).warnings)


def test_a_graph_whose_model_kept_no_snapshot_is_refused_by_name(
    engine: Engine, mapping: Path
) -> None:
    (engine.workspace.model("full", "symbolic") / "graph" / "snapshot.json").unlink()
    before = engine.snapshot.hash
    build_graph(engine, mapping)
    assert engine.snapshot.hash == before  # a model that cannot follow keeps its snapshot
    save_snapshot(WORLD.keeping(WORLD.relations > 0), engine.workspace.snapshot("full"))
    engine.forget()
    with pytest.raises(CheckpointMismatchError):
        engine.ask(QUESTION.replace(NEW, "country:01"))
