"""A checkpoint gives the same model back, and nothing else is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kg.errors import CheckpointMismatchError, EngineError, ForeignFileError, MissingPartError
from reasoning.checkpoint import save_checkpoint
from reasoning.predictors.embeddings import ComplexConfig, EmbeddingModel, TuckerConfig
from reasoning.predictors.embeddings.architecture import architecture_of
from tests.reasoning.predictor_world import WORLD, made_world


def _model(config: ComplexConfig | TuckerConfig) -> EmbeddingModel:
    random, architecture = np.random.default_rng(0), architecture_of(config)
    shapes = architecture.shapes(2 * WORLD.num_relations)
    return EmbeddingModel(
        config=config,
        entity=random.random((WORLD.num_entities, architecture.entity_width), dtype=np.float32),
        parameters={n: random.random(s, dtype=np.float32) for n, s in shapes.items()},
    )


@pytest.mark.parametrize("config", [ComplexConfig(rank=2), TuckerConfig(dimension=3)])
def test_a_round_trip_keeps_every_byte(
    tmp_path: Path, config: ComplexConfig | TuckerConfig
) -> None:
    model = _model(config)
    model.save(tmp_path, WORLD)
    read = EmbeddingModel.load(tmp_path, WORLD)
    assert read.config == config
    assert read.fingerprint == model.fingerprint
    ids = np.arange(5, dtype=np.int32)
    np.testing.assert_array_equal(read.scores(ids, 1), model.scores(ids, 1))


def test_another_graph_is_named(tmp_path: Path) -> None:
    _model(ComplexConfig(rank=2)).save(tmp_path, WORLD)
    with pytest.raises(CheckpointMismatchError, match=WORLD.hash[:8]):
        EmbeddingModel.load(tmp_path, made_world(1))
    with pytest.raises(MissingPartError):
        EmbeddingModel.load(tmp_path / "nothing", WORLD)


def test_damaged_and_hostile_files_are_refused(tmp_path: Path) -> None:
    model = _model(ComplexConfig(rank=2))
    model.save(tmp_path, WORLD)
    (tensors,) = tmp_path.glob("*.safetensors")
    whole = tensors.read_bytes()
    for damaged in (whole[:100], whole[:-1], b"", whole[:-1] + b"x"):
        tensors.write_bytes(damaged)
        with pytest.raises(ForeignFileError, match=tensors.name):
            EmbeddingModel.load(tmp_path, WORLD)
    tensors.write_bytes(whole)
    head = tmp_path / "checkpoint.json"
    good = json.loads(head.read_text())
    wrong = (
        {"model": "transformer"},
        {**good["metadata"]["config"], "rank": 3},
        {**good["metadata"]["config"], "rank": -1},
        {**good["metadata"]["config"], "run": "rm"},
        [],
    )
    for config in wrong:
        head.write_text(json.dumps({**good, "metadata": {"config": config}}))
        with pytest.raises(EngineError):
            EmbeddingModel.load(tmp_path, WORLD)
    head.write_text(json.dumps({**good, "tensors": "../other.safetensors"}))
    with pytest.raises(ForeignFileError):
        EmbeddingModel.load(tmp_path, WORLD)


@pytest.mark.parametrize(
    ("entity", "relation"),
    [
        ((WORLD.num_entities - 1, 4), (2 * WORLD.num_relations, 4)),
        ((WORLD.num_entities, 4), (2 * WORLD.num_relations - 2, 4)),
        ((WORLD.num_entities, 4), (2 * WORLD.num_relations - 1, 4)),
        ((WORLD.num_entities, 5), (2 * WORLD.num_relations, 4)),
        ((WORLD.num_entities, 4, 1), (2 * WORLD.num_relations, 4)),
    ],
)
def test_tensors_of_other_shapes_are_refused(
    tmp_path: Path, entity: tuple[int, ...], relation: tuple[int, ...]
) -> None:
    tensors = {
        "entity": np.zeros(entity, dtype=np.float32),
        "relation": np.zeros(relation, dtype=np.float32),
    }
    metadata = {"config": ComplexConfig(rank=2).to_json()}
    save_checkpoint(tmp_path, tensors, metadata, WORLD.hash, kind="embedding")
    with pytest.raises(ForeignFileError, match="not a whole embedding"):
        EmbeddingModel.load(tmp_path, WORLD)


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    tensors = {
        "entity": np.full((WORLD.num_entities, 4), np.nan, dtype=np.float32),
        "relation": np.zeros((2 * WORLD.num_relations, 4), dtype=np.float32),
    }
    metadata = {"config": ComplexConfig(rank=2).to_json()}
    save_checkpoint(tmp_path, tensors, metadata, WORLD.hash, kind="embedding")
    with pytest.raises(ForeignFileError, match="finite"):
        EmbeddingModel.load(tmp_path, WORLD)
