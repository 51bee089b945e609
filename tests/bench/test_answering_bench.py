"""The benches of answering on small graphs: both methods agree, figures are whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.answering_speed import METHODS, measure, page
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


def test_sparse_and_dense_find_the_same_in_one_run(tmp_path: Path) -> None:
    graph = _folder(tmp_path)
    links = RandomLinks(graph.full.num_entities, rank=8, nearest=4)
    config = SymbolicConfig()
    found = {name: measure(name, graph, links, config, count=2, seed=0) for name in METHODS}
    plain = found["sparse, plain"]["structures"]
    assert set(plain) == set(STRUCTURES)
    for method in METHODS[2:]:
        dense = found[method]["structures"]
        for name, one in plain.items():
            # ties among entities without evidence are told apart by one of the two only
            assert one["mrr"] == pytest.approx(dense[name]["mrr"], abs=0.02)
            assert one["warm_p50_ms"] <= one["warm_p99_ms"]
    assert len({one["queries"] for one in found.values()}) == 1
    machine = {"cores": 2, "memory_gb": 1.0}
    head = {"command": "c", "commit": "x", "date": "d", "seed": 0, "machine": machine}
    text = page({**head, "methods": found})
    assert all(f"| {name} |" in text for name in (*STRUCTURES, *METHODS))


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(sorted(STRUCTURES)), st.integers(0, 20))
def test_the_dense_formulation_is_the_sparse_one_without_pruning(name: str, seed: int) -> None:
    graph = synthetic_graph(60, seed=seed)
    links = RandomLinks(60, rank=8, nearest=5, seed=seed)
    draw = np.random.default_rng(seed)
    queries = sample_queries(STRUCTURES[name], 2, directed_edges(graph), generator=draw)
    trees = [queries.tree(row, graph) for row in range(len(queries))]
    dense = DenseAnswerer(graph, links, DenseConfig(epsilon=0.0)).scores(trees)
    sparse = SymbolicAnswerer(graph, links, SymbolicConfig(epsilon=0.0)).scores(trees)
    np.testing.assert_allclose(dense, sparse, atol=1e-5)


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
