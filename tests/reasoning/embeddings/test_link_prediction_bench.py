"""The bench of link prediction on a tiny folder; its ranks against a naive loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.link_prediction import main
from bench.link_prediction_page import main as write_page
from evaluation import read_result
from kg.graph_folder import load_graph_folder
from reasoning.predictors.embeddings import EmbeddingModel, link_ranks
from reasoning.predictors.folds import hidden_edges
from tests.reasoning.predictor_world import WORLD


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph")
    names, relations = WORLD.entities.names, WORLD.relation_names.names
    held = {fold: hidden_edges(WORLD, fold=fold, share=0.15) for fold in (0, 1)}
    parts = {"test": held[0], "valid": held[1] & ~held[0], "train": ~held[0] & ~held[1]}
    for name, keep in parts.items():
        ends = zip(WORLD.heads[keep], WORLD.relations[keep], WORLD.tails[keep], strict=True)
        lines = [f"{names[h]}\t{relations[r]}\t{names[t]}\n" for h, r, t in ends]
        (path / f"{name}.tsv").write_text("".join(lines))
    return path


def test_it_writes_figures_and_a_checkpoint_and_goes_on(folder: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "link-prediction-small.json", tmp_path / "model"
    words = [str(folder), "--rank", "4", "--epochs", "3", "--batch", "50", "--threads", "1"]
    words += ["--regulariser", "0.01", "0.1", "--state", str(tmp_path / "state")]
    words += ["--out", str(out), "--checkpoint", str(model), "--scale", "0.1"]
    assert main(words) == 0
    result, graph = read_result(out), load_graph_folder(folder)
    assert result.n == 2 * len(graph.edges("test"))
    trained = EmbeddingModel.load(model, graph.train)
    assert result.inputs["model"] == trained.fingerprint
    known = [graph.edges(name) for name in ("train", "valid", "test")]
    expected = _naive(trained, graph.edges("test"), np.concatenate(known))
    assert result.metrics["mrr"] == pytest.approx(expected)
    both = result.by["direction"]
    assert (both["head"]["mrr"] + both["tail"]["mrr"]) / 2 == pytest.approx(expected)
    assert sum(part["n"] for part in result.by["relation"].values()) == result.n
    assert write_page([str(tmp_path)]) == 0
    shown = [result.metrics["mrr"], result.metrics["standard_error"], result.metrics["hits_at_1"]]
    row = " | ".join([folder.name, str(result.n), *(f"{100 * value:.1f}" for value in shown)])
    page = (tmp_path / "link-prediction.md").read_text()
    assert f"| {row} |" in page
    assert result.command in page
    assert main(words) == 0  # all epochs are kept: nothing is trained again
    assert read_result(out).inputs["model"] == trained.fingerprint


def _naive(model: EmbeddingModel, edges: np.ndarray, known: np.ndarray) -> float:
    known_edges, everyone = set(map(tuple, known.tolist())), range(model.num_entities)
    found = []
    for head, relation, tail in edges.tolist():
        for inverse in (False, True):
            start, end = (tail, head) if inverse else (head, tail)
            scores = model.scores(np.array([start], dtype=np.int32), relation, inverse=inverse)[0]
            rivals = [
                scores[other]
                for other in everyone
                if other != end
                and ((other, relation, tail) if inverse else (head, relation, other))
                not in known_edges
            ]
            better = sum(rival > scores[end] for rival in rivals)
            equal = sum(rival == scores[end] for rival in rivals)
            found.append(1 / (1 + better + equal / 2))
    return float(np.mean(found))


def test_a_model_that_scores_all_alike_stands_in_the_middle(folder: Path) -> None:
    from reasoning.predictors.embeddings import ComplexConfig

    graph = load_graph_folder(folder)
    size, count = graph.full.num_entities, 2 * graph.full.num_relations
    model = EmbeddingModel(
        config=ComplexConfig(rank=1),
        entity=np.zeros((size, 2), dtype=np.float32),
        parameters={"relation": np.zeros((count, 2), dtype=np.float32)},
    )
    edges = graph.edges("test")
    np.testing.assert_array_equal(link_ranks(model, edges, [edges[:0]]).realistic, (size + 1) / 2)
