"""The benches of answering on small graphs: both methods agree, figures are whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.answering_speed import measure
from bench.answering_speed_page import ORDER, PAIRS, page, paired_difference
from bench.dense_answering import DenseAnswerer, DenseConfig
from bench.growth import measured, synthetic_graph
from bench.growth import page as growth_page
from bench.random_links import RandomLinks
from kg.graph_folder import GraphFolder, load_graph_folder
from reasoning.id_sets import directed_edges
from reasoning.sampling import sample_queries
from reasoning.structures import STRUCTURES
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig
from tests.reasoning.dense_oracle import TablePredictor


def _folder(path: Path) -> GraphFolder:
    graph = synthetic_graph(120, seed=1)
    lines = [
        f"e{head}\tr{relation % 3}\te{tail}"
        for head, relation, tail in zip(
            graph.heads.tolist(), graph.relations.tolist(), graph.tails.tolist(), strict=True
        )
    ]
    split = np.random.default_rng(0).random(len(lines)) < 0.8
    for name, wanted in (("train", True), ("valid", False)):
        kept = [line for line, is_train in zip(lines, split, strict=True) if is_train == wanted]
        (path / f"{name}.tsv").write_text("\n".join(kept) + "\n")
    return load_graph_folder(path)


def test_sparse_and_dense_rank_alike_in_one_run(tmp_path: Path) -> None:
    graph = _folder(tmp_path)
    links = RandomLinks(graph.full.num_entities, rank=8, nearest=4)
    config = SymbolicConfig(epsilon=DenseConfig().epsilon)  # the rival's, so that nothing differs
    found = {name: measure(name, graph, links, config, count=2, seed=0) for name in ORDER}
    for ours, rival in PAIRS:
        assert set(found[ours]["structures"]) == set(STRUCTURES)
        mean, error, alike = paired_difference(found[ours], found[rival])
        assert abs(mean) < 0.002
        assert error < 0.002
        assert alike > 0.9
        for one in found[rival]["structures"].values():
            assert one["warm_p50_ms"] <= one["warm_p99_ms"]
    assert len({one["queries"] for one in found.values()}) == 1
    machine = {"cores": 2, "memory_gb": 1.0}
    head = {"command": "c", "commit": "x", "date": "d", "seed": 0, "answers": 10}
    text = page({**head, "machine": machine, "methods": found})
    assert all(f"| {name} |" in text for name in (*STRUCTURES, *ORDER))


def test_the_paired_difference_is_that_of_the_same_queries() -> None:
    ours = {"a": {"reciprocal": [1.0, 0.5]}, "b": {"reciprocal": [0.25, 0.25, 0.25]}}
    rival = {"a": {"reciprocal": [0.5, 0.4]}, "b": {"reciprocal": [0.25, 0.25, 0.25]}}
    mean, error, alike = paired_difference({"structures": ours}, {"structures": rival})
    assert mean == pytest.approx(0.3 / 2)
    assert error == pytest.approx(np.std([0.5, 0.1], ddof=1) / np.sqrt(2) / 2)
    assert alike == pytest.approx(3 / 5)


FORMULAS = (
    SymbolicConfig(epsilon=0.0, benefit_of_doubt=0.0),
    SymbolicConfig(epsilon=1e-3, noisy_or=True, negation_power=0.35),
    SymbolicConfig(epsilon=1e-2, benefit_of_doubt=1.0, negation_power=2.0),
    SymbolicConfig(epsilon=1e-3, noisy_or=True, max_support=3),
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(STRUCTURES)), st.sampled_from(FORMULAS), st.integers(0, 20))
def test_the_dense_formulation_ranks_as_the_sparse_one_does(
    name: str, config: SymbolicConfig, seed: int
) -> None:
    graph = synthetic_graph(60, seed=seed)
    draw = np.random.default_rng(seed)
    table = 10.0 ** -draw.uniform(0.0, 6.0, (graph.num_relations, 60, 60)).astype(np.float32)
    table[graph.relations, graph.heads, graph.tails] = 0.0
    links = TablePredictor(table)
    queries = sample_queries(STRUCTURES[name], 2, directed_edges(graph), generator=draw)
    trees = [queries.tree(row, graph) for row in range(len(queries))]
    sparse = SymbolicAnswerer(graph, links, config).scores(trees)
    formulas = DenseConfig.like(config, max_support=config.max_support)
    dense = DenseAnswerer(graph, links, formulas).scores(trees)
    np.testing.assert_allclose(dense, sparse, rtol=1e-3, atol=1e-12)
    for ours, rival in zip(sparse, dense, strict=True):
        # what the two round differently may lie on either side of its like
        better = (ours[None] > ours[:, None] * 1.001).sum(axis=1)
        as_good = (ours[None] >= ours[:, None] * 0.999).sum(axis=1)
        ranks = 1 + (rival[None] > rival[:, None]).sum(axis=1)
        assert (ranks > better).all()
        assert (ranks <= as_good).all()


def test_growth_measures_time_and_memory() -> None:
    found = measured(400, count=1)
    assert found["entities"] == 400
    assert found["peak_memory_mb"] >= found["memory_before_queries_mb"] > 0
    assert found["warm_ms"] > 0
    head = {"command": "c", "commit": "x", "date": "d", "seed": 0}
    head |= {"machine": {"cores": 2, "memory_gb": 1.0}, "sizes": [found]}
    exponent = {"cold_ms": 0.5, "warm_ms": 0.25}
    text = growth_page({**head, "exponent": exponent}, plot="growth.svg")
    assert f"| 400 | {found['edges']:,} | {found['cold_ms']:.1f} | {found['warm_ms']:.2f} |" in text
    assert "**0.25**" in text
    assert all(f"| {name} |" in text for name in found["structures"])
