"""The default link predictor as a whole: probabilities, determinism, checkpoint, reasons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation import mrr, ranks
from kg.errors import CheckpointMismatchError, ForeignFileError, SettingError
from kg.model import Entity, EntityKey
from kg.snapshot import build_snapshot
from reasoning.predictors import (
    CalibratedPredictor,
    ComplexConfig,
    LinkPredictorConfig,
    train_link_predictor,
)
from reasoning.predictors.folds import hidden_edges
from reasoning.predictors.typing import RelationTypes
from tests.reasoning.predictor_world import SMALL, WORLD, edges_of, made_world


@pytest.fixture(scope="module")
def trained() -> CalibratedPredictor:
    torch.set_num_threads(1)
    return train_link_predictor(WORLD, SMALL, seed=1)


def test_probabilities_are_probabilities_and_directions_agree(trained: CalibratedPredictor) -> None:
    everyone = np.arange(WORLD.num_entities, dtype=np.int32)
    for relation in range(WORLD.num_relations):
        forward = trained.rows(everyone, relation)
        assert forward.shape == (WORLD.num_entities, WORLD.num_entities)
        assert ((forward >= 0.0) & (forward <= 1.0)).all()
        np.testing.assert_array_equal(forward.T, trained.rows(everyone, relation, inverse=True))
        some = everyone[[5, 2, 5]]
        np.testing.assert_array_equal(forward[some], trained.rows(some, relation))
        allowed = RelationTypes(WORLD).allowed(relation, everyone, everyone)
        assert (forward[~allowed] == 0.0).all()
    assert {"speaks", "sells_to", "borders"} <= set(trained.predicted_relations)


def test_the_same_seed_gives_the_same_bytes(trained: CalibratedPredictor, tmp_path: Path) -> None:
    again = train_link_predictor(WORLD, SMALL, seed=1, resume_folder=tmp_path / "resume")
    assert again.fingerprint == trained.fingerprint
    trained.save(tmp_path / "one")
    again.save(tmp_path / "two")
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    third = train_link_predictor(WORLD, SMALL, seed=1, resume_folder=tmp_path / "resume")
    assert third.fingerprint == trained.fingerprint


def test_checkpoint_round_trip(trained: CalibratedPredictor, tmp_path: Path) -> None:
    trained.save(tmp_path)
    loaded = CalibratedPredictor.load(tmp_path, WORLD)
    assert loaded.fingerprint == trained.fingerprint
    assert loaded.config == SMALL
    assert loaded.rules("speaks") == trained.rules("speaks")
    edge = ("country:09", "speaks", "lang:2")
    assert loaded.reasons(*edge) == trained.reasons(*edge)
    other = made_world(seed=9)
    with pytest.raises(CheckpointMismatchError) as caught:
        CalibratedPredictor.load(tmp_path, other)
    assert caught.value.asked_for == other.hash


def test_a_checkpoint_without_a_tensor_is_refused(
    trained: CalibratedPredictor, tmp_path: Path
) -> None:
    from reasoning.checkpoint import load_checkpoint, save_checkpoint

    trained.save(tmp_path)
    kept = load_checkpoint(tmp_path, WORLD.hash, kind="link-predictor")
    fewer = {name: value for name, value in kept.tensors.items() if "indptr" not in name}
    save_checkpoint(tmp_path, fewer, kept.metadata, WORLD.hash, kind="link-predictor")
    with pytest.raises(ForeignFileError):
        CalibratedPredictor.load(tmp_path, WORLD)


def test_reasons_are_paths_of_the_graph(trained: CalibratedPredictor) -> None:
    names = {name: i for i, name in enumerate(WORLD.names)}
    found = trained.reasons("country:09", "speaks", "lang:2")
    assert found
    for sentence in found:
        for step in sentence.split(" (")[0].split(", and "):
            relation = next(
                name for name in WORLD.relation_names if f" {name.replace('_', ' ')} " in step
            )
            head, tail = step.split(f" {relation.replace('_', ' ')} ")
            assert WORLD.has_edge(names[head], WORLD.relation_id(relation), names[tail])
        facts = getattr(sentence, "facts", ())
        assert len(facts) == sentence.count(", and ") + 1
        for one, relation, other in facts:
            ends = (WORLD.entity_id(one), WORLD.entity_id(other))
            assert WORLD.has_edge(ends[0], WORLD.relation_id(relation), ends[1])
    assert trained.reasons("country:09", "in_block", "block:2") is not None


def test_it_ranks_held_out_edges_better_than_frequency() -> None:
    relation = WORLD.relation_id("sells_to")
    held = hidden_edges(WORLD, fold=77, share=0.2, relation=relation)
    graph = WORLD.keeping(~held)
    config = replace(SMALL, complex=ComplexConfig(rank=8, epochs=10), folds=3)
    predictor = train_link_predictor(graph, config, seed=0)
    heads, tails = WORLD.heads[held].astype(np.int32), WORLD.tails[held]
    possible = RelationTypes(graph).candidates(relation)
    filtered = np.ones((len(heads), WORLD.num_entities), dtype=np.bool_)
    filtered[:, possible] = False
    for row, head in enumerate(heads.tolist()):
        filtered[row, [head, *WORLD.neighbours(relation, head)]] = True
    filtered[np.arange(len(tails)), tails] = False
    ours = predictor.rows(heads, relation)
    counts = np.bincount(graph.tails[graph.edges_of(relation)], minlength=WORLD.num_entities)
    frequent = np.broadcast_to(counts.astype(np.float32), ours.shape)
    found = [mrr(ranks(scores, tails, filtered)) for scores in (ours, frequent)]
    assert found[0] > found[1]


def test_a_graph_without_enough_edges_predicts_nothing() -> None:
    snapshot = build_snapshot(
        [Entity(key=EntityKey(k), label="X", name=k) for k in "ab"], edges_of([("a", "r", "b")])
    )
    predictor = train_link_predictor(snapshot, SMALL)
    assert predictor.predicted_relations == ()
    assert predictor.reasons("a", "r", "b") == []
    assert predictor.rules("r") == []
    assert not predictor.rows(np.array([0], dtype=np.int32), 0).any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden_share": 0.0},
        {"hidden_share": 0.6},
        {"longest_body": 4},
        {"folds": 0},
        {"penalty": 0.0},
    ],
)
def test_settings_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        LinkPredictorConfig(**wrong)
    with pytest.raises(SettingError):
        ComplexConfig(rank=0)
    with pytest.raises(SettingError):
        ComplexConfig(regulariser=-1.0)


def test_configuration_round_trips_through_json() -> None:
    assert LinkPredictorConfig.from_json(SMALL.to_json()) == SMALL
    with pytest.raises(TypeError):
        LinkPredictorConfig.from_json({**SMALL.to_json(), "unknown": 1})
