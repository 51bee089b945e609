"""The benches of a graph folder's default model: queries, against QTO, and on links.

QTO with sparse rows is QTO with dense ones; figures on pages are those of the result files.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.against_qto import METHODS, main
from bench.answer_calibration import main as judge_answers
from bench.dense_answering import DenseAnswerer, DenseConfig
from bench.growth import synthetic_graph
from bench.held_out_queries import dealt_anew
from bench.model_links import MODELS
from bench.model_links import main as rank_links
from bench.qto import QtoAnswerer, QtoConfig
from bench.reasoning import BY_HAND
from bench.reasoning import main as answer_queries
from evaluation import read_result
from kg.graph_folder import SPLITS, load_graph_folder
from reasoning.folder_model import load_folder_model, train_folder_model
from reasoning.folder_model_config import FolderModelConfig
from reasoning.id_sets import directed_edges
from reasoning.predictors.ensemble import SoftmaxPredictor
from reasoning.sampling import sample_queries
from reasoning.structures import STRUCTURES
from tests.reasoning.folder_world import SETTINGS, write_folder

ENTITIES = 60


class RandomScores:
    """Scores of no meaning, the same for the same question."""

    num_entities = ENTITIES

    def __init__(self, seed: int) -> None:
        self.fingerprint = f"random-{seed}"
        self._seed = seed

    def scores(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        draw = np.random.default_rng((self._seed, relation, int(inverse)))
        table = draw.normal(0.0, 3.0, (ENTITIES, ENTITIES))
        return table[entities].astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(STRUCTURES)), st.integers(0, 20), st.sampled_from([1.5, 3.0, 6.0]))
def test_sparse_rows_change_nothing_of_qto(name: str, seed: int, scale: float) -> None:
    graph, model = synthetic_graph(ENTITIES, seed=seed), RandomScores(seed)
    draw = np.random.default_rng(seed)
    queries = sample_queries(STRUCTURES[name], 2, directed_edges(graph), generator=draw)
    trees = [queries.tree(row, graph) for row in range(len(queries))]
    dense = DenseAnswerer(
        graph,
        SoftmaxPredictor(model, graph),
        DenseConfig(negation="some entity without", negation_scale=scale),
    )
    config = QtoConfig(negation_scale=scale, floor=0.0, block=4)
    found = QtoAnswerer(graph, model, config).scores(trees)
    np.testing.assert_allclose(found, dense.scores(trees), atol=1e-5)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds a graph and its model."""
    folder = tmp_path_factory.mktemp("world")
    graph = write_folder(folder / "graph")
    config = FolderModelConfig.for_graph(60, 200).changed(SETTINGS)
    train_folder_model(graph, folder / "model", config=config)
    return folder


def test_the_page_of_queries_holds_its_figures_and_what_was_written_by_hand(
    world: Path, tmp_path: Path
) -> None:
    graph = load_graph_folder(world / "graph")
    entity, relation = graph.full.entities.name, graph.full.relation_names.name
    queries = [
        {"s": "1p", "q": [entity(head), [relation(r)]], "hard": [entity(tail)]}
        for head, r, tail in graph.edges("test").tolist()
    ]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    kept = "\n\n".join([BY_HAND[0], "## Why", BY_HAND[1]])
    (tmp_path / "reasoning.md").write_text(f"# Before\n\n{kept}\n\n## Figures of before\n")
    told = ["--folder", str(world / "graph"), "--model", str(world / "model"), "--quick"]
    told += ["--queries", str(tmp_path / "queries.jsonl"), "--out", str(tmp_path)]
    assert answer_queries(told) == 0
    page = (tmp_path / "reasoning.md").read_text()
    assert kept in page[: page.index("## Filtered MRR")]
    assert "Figures of before" not in page
    for known in ("train", "train-valid"):
        found = read_result(tmp_path / f"reasoning-graph-{known}-seed0.json")
        assert found.n == min(10, len(queries))
        assert f"|{100 * found.metrics['mrr']:.1f}|" in page


def test_both_methods_run_on_the_same_queries(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [str(world / "graph"), "--model", str(world / "model"), "--count", "4"]
    told += ["--valid-count", "2", "--work", str(tmp_path / "work"), "--out", str(tmp_path)]
    assert main(told) == 0
    qto, ours = (read_result(tmp_path / f"against-qto-graph-{name}.json") for name in METHODS)
    assert qto.inputs["queries"] == ours.inputs["queries"]
    assert qto.n == ours.n > 0
    page = (tmp_path / "against-qto-graph.md").read_text()
    assert page == capsys.readouterr().out
    for name, part in ours.by["structure"].items():
        theirs = qto.by["structure"][name]
        assert f"|{name}|{part['n']}|{100 * theirs['mrr']:.1f}|{100 * part['mrr']:.1f}|" in page
    assert f"{100 * (ours.metrics['negation_mrr'] - qto.metrics['negation_mrr']):+.1f}" in page


def test_links_are_ranked_as_one_hop_queries_are(world: Path, tmp_path: Path) -> None:
    told = [str(world / "graph"), "--model", str(world / "model"), "--out"]
    assert rank_links([*told, str(tmp_path / "links.json")]) == 0
    found = read_result(tmp_path / "links.json")
    graph = load_graph_folder(world / "graph")
    predictor = load_folder_model(world / "model", graph.train).predictor
    right = {(h, r, t) for split in SPLITS for h, r, t in graph.edges(split).tolist()}
    reciprocal = []
    for head, relation, tail in graph.edges("test").tolist():
        for start, end, inverse in ((head, tail, False), (tail, head, True)):
            row = predictor.rows(np.array([start], dtype=np.int32), relation, inverse=inverse)[0]
            rivals = [
                value
                for other, value in enumerate(row.tolist())
                if ((other, relation, start) if inverse else (start, relation, other)) not in right
            ]
            better = sum(value > row[end] for value in rivals)
            even = sum(value == row[end] for value in rivals)
            reciprocal.append(1.0 / (1 + better + even / 2))
    assert found.metrics["mrr"] == pytest.approx(np.mean(reciprocal), abs=1e-6)
    assert set(found.by["model"]) == set(MODELS)
    assert found.by["model"]["embedding"]["n"] == found.n == 2 * len(graph.edges("test"))


def test_answers_are_judged_with_the_maps_of_the_model_fitted_again(
    world: Path, tmp_path: Path
) -> None:
    asked = ["--model", str(world / "model"), "--count", "6", "--refits", "2"]
    assert judge_answers([str(world / "graph"), *asked, "--out", str(tmp_path)]) == 0
    metrics = read_result(tmp_path / "answer-calibration.json").metrics
    assert metrics["half_band"] > 0.0
    page = (tmp_path / "answer-calibration.md").read_text()
    assert f"{metrics['risk_promised']:.1%} are promised to be wrong" in page
    assert f"± {metrics['half_band']:.1%} are" in page
    assert (tmp_path / "answer-calibration.svg").is_file()


def test_answers_are_judged_with_validation_edges_known(world: Path, tmp_path: Path) -> None:
    asked = ["--model", str(world / "model"), "--count", "6", "--refits", "0", "--sampled"]
    folder = str(world / "graph")
    assert judge_answers([folder, *asked, "--out", str(tmp_path)]) == 0
    assert judge_answers([folder, *asked, "--known", "train+valid", "--out", str(tmp_path)]) == 0
    without = read_result(tmp_path / "answer-calibration-sampled.json")
    known = read_result(tmp_path / "answer-calibration-valid-known-sampled.json")
    # what validation edges prove is known then, so that other answers are judged
    assert without.metrics["risk_observed"] != known.metrics["risk_observed"]
    page = (tmp_path / "answer-calibration-valid-known-sampled.md").read_text()
    assert "training and validation, as a user runs" in page


def test_answers_are_judged_on_held_out_edges_dealt_anew(world: Path, tmp_path: Path) -> None:
    graph = load_graph_folder(world / "graph")
    dealt = dealt_anew(graph, 3)
    assert np.bincount(dealt.split).tolist() == np.bincount(graph.split).tolist()
    assert dealt.train.hash == graph.train.hash
    assert (dealt.split != graph.split).any()
    asked = ["--model", str(world / "model"), "--count", "6", "--refits", "0", "--deal", "3"]
    assert judge_answers([str(world / "graph"), *asked, "--out", str(tmp_path)]) == 0
    assert read_result(tmp_path / "answer-calibration-dealt.json").n > 0
    page = (tmp_path / "answer-calibration-dealt.md").read_text()
    assert "mix and maps were fitted again" in page
