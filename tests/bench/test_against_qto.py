"""QTO with sparse rows is QTO with dense ones, and the bench runs both methods to a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.against_qto import METHODS, main
from bench.dense_answering import DenseAnswerer, DenseConfig
from bench.growth import synthetic_graph
from bench.qto import QtoAnswerer, QtoConfig
from evaluation import read_result
from reasoning.folder_model import train_folder_model
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


def test_both_methods_run_on_the_same_queries(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = write_folder(tmp_path / "graph")
    config = FolderModelConfig.for_graph(60, 200).changed(SETTINGS)
    train_folder_model(graph, tmp_path / "model", config=config)
    told = [str(tmp_path / "graph"), "--model", str(tmp_path / "model"), "--count", "4"]
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
