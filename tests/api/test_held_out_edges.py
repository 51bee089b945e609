"""Held-out edges and their baselines: the constants of the protocol hold on made-up graphs."""

from __future__ import annotations

import numpy as np
import pytest

from api.steps.edge_baselines import baselines, frequent_tail, frequent_tail_in_group
from api.steps.held_out_edges import edge_figures, held_out_edges
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot

SOURCE = (Provenance(kind="asserted", source="test"),)


def graph(edges: list[tuple[str, str, str]]) -> Snapshot:
    keys = sorted({key for head, _, tail in edges for key in (head, tail)})
    entities = [
        Entity(key=EntityKey(key), label="Place" if key[0] == "p" else "Group", name=key)
        for key in keys
    ]
    facts = [
        Edge(head=EntityKey(h), relation=r, tail=EntityKey(t), provenance=SOURCE)
        for h, r, t in edges
    ]
    return build_snapshot(entities, facts)


class Oracle:
    """Scores the right tails of the full graph above all others."""

    def __init__(self, full: Snapshot) -> None:
        self.full = full

    def scores(self, trees):  # type: ignore[no-untyped-def]
        scores = np.zeros((len(trees), self.full.num_entities), dtype=np.float32)
        for row, tree in enumerate(trees):
            relation = self.full.relation_id(tree.relation)
            head = self.full.entity_id(tree.child.entity)
            scores[row, self.full.neighbours(relation, head)] = 1.0
        return scores


class Constant:
    def __init__(self, count: int) -> None:
        self.count = count

    def scores(self, trees):  # type: ignore[no-untyped-def]
        return np.zeros((len(trees), self.count), dtype=np.float32)


@pytest.fixture
def full() -> Snapshot:
    rng = np.random.default_rng(0)
    edges = [(f"p{i:02}", "in", f"g{i % 3}") for i in range(40)]
    edges += [
        (f"p{i:02}", "trades", f"p{j:02}") for i in range(40) for j in rng.choice(40, 6) if i != j
    ]
    return graph(sorted(set(edges)))


@pytest.fixture
def kept(full: Snapshot) -> Snapshot:
    trades = full.relations == full.relation_id("trades")
    return full.keeping(~(trades & (np.arange(full.num_edges) % 7 == 0)))


def test_held_out_edges_are_those_that_are_missing(full: Snapshot, kept: Snapshot) -> None:
    (held,) = held_out_edges(full, kept)
    assert held.relation == "trades"
    assert len(held.heads) == full.num_edges - kept.num_edges
    assert {full.label_of(int(c)) for c in held.candidates} == {"Place"}


def test_an_oracle_is_first_and_chance_lands_where_it_must(full: Snapshot, kept: Snapshot) -> None:
    held = held_out_edges(full, kept)
    scorers = {"oracle": Oracle(full), "constant": Constant(full.num_entities)}
    (figures,) = edge_figures(kept, held, scorers, baselines("in"), seed=0)
    assert figures["mrr"]["oracle"] == 1.0
    assert figures["gain"]["better"]
    sizes = [len(held[0].candidates) - len(row) + 1 for row in held[0].correct]
    assert figures["mrr"]["constant"] == pytest.approx(np.mean([2 / (n + 1) for n in sizes]))
    draws = [
        edge_figures(kept, held, {"oracle": Oracle(full)}, baselines("in"), seed=s)[0]["mrr"]
        for s in range(30)
    ]
    mean = np.mean([draw["random"] for draw in draws])
    assert mean == pytest.approx(figures["expected_random"], rel=0.15)


def test_frequency_baselines_count_by_hand() -> None:
    small = graph(
        [
            ("pa", "in", "gx"),
            ("pb", "in", "gx"),
            ("pc", "in", "gy"),
            ("pb", "trades", "pd"),
            ("pc", "trades", "pe"),
            ("pd", "trades", "pe"),
        ]
    )
    relation = small.relation_id("trades")
    heads = np.array([small.entity_id("pa")], dtype=np.int32)
    overall = frequent_tail(small, relation, heads, 0)[0]
    assert overall[small.entity_id("pe")] == 2
    assert overall[small.entity_id("pd")] == 1
    nearby = frequent_tail_in_group(small, relation, heads, 0, group_relation="in")[0]
    assert nearby[small.entity_id("pd")] > nearby[small.entity_id("pe")] > 0
