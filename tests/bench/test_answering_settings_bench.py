"""The bench of answering settings: what its queries know and need, and what it says of a change."""

from __future__ import annotations

import numpy as np
import pytest

from bench.answering_settings import dealt_queries, differences, measured, page
from bench.growth import synthetic_graph
from bench.random_links import RandomLinks
from kg.graph_folder import GraphFolder, load_graph_folder
from reasoning.answer_calibration_fitting import half_of_validation
from reasoning.exact import evaluate
from reasoning.structures import STRUCTURES
from reasoning.symbolic.config import SymbolicConfig

DEALS, COUNT = 2, 3


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> GraphFolder:
    folder = tmp_path_factory.mktemp("graph")
    whole = synthetic_graph(120, seed=1)
    split = np.random.default_rng(0).random(whole.num_edges) < 0.6
    for name, wanted in (("train", True), ("valid", False)):
        kept = np.flatnonzero(split == wanted).tolist()
        lines = [f"e{whole.heads[e]}\tr{whole.relations[e] % 3}\te{whole.tails[e]}\n" for e in kept]
        (folder / f"{name}.tsv").write_text("".join(lines))
    return load_graph_folder(folder)


def test_easy_answers_need_one_half_at_most_and_hard_ones_the_other(graph: GraphFolder) -> None:
    beyond_training = 0
    for deal, asked in enumerate(dealt_queries(graph, deals=DEALS, count=COUNT, seed=0)):
        half = half_of_validation(graph, seed=deal)
        assert graph.train.num_edges < half.num_edges < graph.train_valid.num_edges
        for queries in asked:
            for row in range(len(queries)):
                tree = queries.tree(row, graph.train)
                easy = set(evaluate(tree, half).tolist())
                assert set(queries.easy[row].tolist()) == easy
                assert set(queries.hard[row].tolist()) == (
                    set(evaluate(tree, graph.train_valid).tolist()) - easy
                )
                beyond_training += bool(easy - set(evaluate(tree, graph.train).tolist()))
    # the answerer, over the training edges, lacks what makes some of the easy answers easy
    assert beyond_training > 0


def test_each_setting_is_compared_with_the_one_before(graph: GraphFolder) -> None:
    links = RandomLinks(graph.full.num_entities, rank=8, nearest=4)
    asked = list(dealt_queries(graph, deals=DEALS, count=COUNT, seed=0))
    tried = {"nothing": {}, "another power": {"negation_power": 3.0}}
    found = measured(graph, links, SymbolicConfig(epsilon=1e-3), asked, tried)
    drawn = dict.fromkeys(STRUCTURES, 0)
    for queries in (one for deal in asked for one in deal):
        [name] = [n for n, one in STRUCTURES.items() if one.tree == queries.structure.tree]
        drawn[name] += len(queries)
    assert found["queries"] == {name: count for name, count in drawn.items() if count}
    assert found["before"].keys() == found["queries"].keys()
    assert set(found["changed"]["nothing"].values()) == {(0.0, 0.0)}
    other = found["changed"]["another power"]
    assert other["EPFO"] == (0.0, 0.0)
    assert other["negation"][1] > 0.0
    head = {"command": "c", "commit": "x", "date": "d", "seed": 0, "graph": "g", "deals": DEALS}
    text = page({**head, "machine": {"cores": 2, "memory_gb": 1.0}, **found})
    assert f"| {other['2in'][0]:+.2f} ± {other['2in'][1]:.2f} |" in text


def test_differences_are_those_of_the_same_queries() -> None:
    before = {"2p": np.array([0.5, 0.25]), "2in": np.array([0.5, 0.5])}
    after = {"2p": np.array([0.75, 0.25]), "2in": np.array([0.25, 0.5])}
    found = differences(before, after)
    assert found["2p"] == found["EPFO"] == pytest.approx((12.5, 12.5))
    assert found["2in"] == found["negation"] == pytest.approx((-12.5, 12.5))
