"""The model of a graph folder: resumed like uninterrupted, bound to its graph, tuned on valid."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kg.errors import (
    CheckpointMismatchError,
    ConflictError,
    ForeignFileError,
    MissingPartError,
    SettingError,
)
from kg.graph_folder import GraphFolder, load_graph_folder
from kg.progress import Progress
from reasoning.folder_model import FolderModel, load_folder_model, train_folder_model
from reasoning.folder_model_config import FolderModelConfig
from tests.reasoning.folder_world import SETTINGS, write_folder

CONFIG = FolderModelConfig.for_graph(60, 200).changed(SETTINGS)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> GraphFolder:
    return write_folder(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="module")
def trained(graph: GraphFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    train_folder_model(graph, folder, config=CONFIG)
    return folder


def probabilities(model: FolderModel) -> np.ndarray:
    return model.predictor.rows(np.arange(10, dtype=np.int32), 0)


def test_the_model_answers_better_than_chance(graph: GraphFolder, trained: Path) -> None:
    model = load_folder_model(trained, graph.train)
    ranks = []
    for head, relation, tail in graph.edges("test"):
        row = model.predictor.rows(np.array([head], dtype=np.int32), int(relation))[0]
        ranks.append(1 + (row > row[tail]).sum())
    assert np.mean(1 / np.array(ranks)) > 0.3
    manifest = model.manifest
    assert set(manifest["seconds"]) == {"embedding", "rules", "ensemble", "answers"}
    assert manifest["plan"]["snapshot"] == graph.train.hash
    assert not (trained / "unfinished").exists()


def test_a_training_stopped_in_every_part_goes_on_to_the_same_model(
    graph: GraphFolder, trained: Path, tmp_path: Path
) -> None:
    parts = ("training the embedding", "mining rules", "calibrating", "calibrating answers")
    for stop in parts:
        begun: list[str] = []

        def bars(title: str, _unit: str, stop: str = stop, begun: list[str] = begun) -> Progress:
            begun.append(title)

            def progress(done: int, _total: int) -> None:
                if title == stop and done >= 1:
                    raise KeyboardInterrupt

            return progress

        with pytest.raises(KeyboardInterrupt):
            train_folder_model(graph, tmp_path, config=CONFIG, bars=bars)
        with pytest.raises(MissingPartError, match="no trained model"):
            load_folder_model(tmp_path, graph.train)
        # what came before was done by the run before
        assert begun == [*parts[max(0, parts.index(stop) - 1) : parts.index(stop)], stop]
    model = train_folder_model(graph, tmp_path, config=CONFIG)
    whole = load_folder_model(trained, graph.train)
    assert model.fingerprint == whole.fingerprint
    np.testing.assert_array_equal(probabilities(model), probabilities(whole))


def test_an_unfinished_training_keeps_what_other_settings_leave_as_it_is(
    graph: GraphFolder, tmp_path: Path
) -> None:
    begun: list[str] = []

    def stopped(title: str, _unit: str) -> Progress:
        def progress(_done: int, _total: int) -> None:
            if title == "calibrating answers":
                raise KeyboardInterrupt

        return progress

    def watched(title: str, _unit: str) -> Progress:
        begun.append(title)
        return lambda _done, _total: None

    with pytest.raises(KeyboardInterrupt):
        train_folder_model(graph, tmp_path, config=CONFIG, bars=stopped)
    other = CONFIG.changed({"ensemble": {"completeness": 0.5}})
    model = train_folder_model(graph, tmp_path, config=other, bars=watched)
    assert begun == ["calibrating", "calibrating answers"]
    assert model.predictor.config.completeness == 0.5


def test_a_finished_model_is_only_opened(graph: GraphFolder, trained: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    train_folder_model(graph, trained, config=CONFIG)
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


def test_another_seed_or_setting_is_refused(graph: GraphFolder, trained: Path) -> None:
    with pytest.raises(ConflictError, match="another"):
        train_folder_model(graph, trained, config=CONFIG, seed=1)
    other = CONFIG.changed({"rules": {"combined": 2}})
    with pytest.raises(ConflictError, match="another"):
        train_folder_model(graph, trained, config=other)


def test_another_graph_is_refused_by_name(trained: Path, tmp_path: Path) -> None:
    other = write_folder(tmp_path, seed=9)
    with pytest.raises(CheckpointMismatchError) as caught:
        load_folder_model(trained, other.train)
    assert other.train.hash[:8] in str(caught.value)


def test_damaged_models_are_refused(graph: GraphFolder, trained: Path, tmp_path: Path) -> None:
    for text in (
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 1, "plan": {"snapshot": 3, "config": 4}}',
    ):
        copy = tmp_path / "copy"
        shutil.copytree(trained, copy, dirs_exist_ok=True)
        (copy / "model.json").write_text(text)
        with pytest.raises((ForeignFileError, ConflictError)):
            load_folder_model(copy, graph.train)
    shutil.copytree(trained, copy, dirs_exist_ok=True)
    (tensors,) = (copy / "embedding").glob("*.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:-9])
    with pytest.raises(ForeignFileError):
        load_folder_model(copy, graph.train)


def test_without_validation_edges_nothing_is_trained(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("a\tr\tb\n")
    with pytest.raises(MissingPartError, match="no validation edges"):
        train_folder_model(load_graph_folder(tmp_path), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_settings_round_trip_and_wrong_ones_are_named() -> None:
    assert FolderModelConfig.from_json(json.loads(json.dumps(CONFIG.to_json()))) == CONFIG
    for entities, edges in ((10, 20), (20_000, 400_000), (60_000, 100_000), (500_000, 10**6)):
        config = FolderModelConfig.for_graph(entities, edges)
        assert FolderModelConfig.from_json(config.to_json()) == config
    tucker = CONFIG.changed({"embedding": {"model": "tucker", "dimension": 8}})
    assert tucker.embedding.to_json()["model"] == "tucker"
    for changes in (
        {"embeddings": {}},
        {"rules": 3},
        {"rules": {"nothing": 1}},
        {"embedding": {"model": "unheard-of"}},
        {"rules": {"longest_body": 9}},
    ):
        with pytest.raises(SettingError):
            CONFIG.changed(changes)
