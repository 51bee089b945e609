"""Symbolic answering on a graph so small that a person can work it out; refusals."""

from __future__ import annotations

import numpy as np
import pytest

from kg.errors import (
    SettingError,
    UnknownEntityError,
    UnknownRelationError,
    UnsafeQueryError,
)
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.predictors import NoPredictor
from reasoning.query import (
    Anchor,
    Labelled,
    Negation,
    Projection,
)
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig
from tests.reasoning.dense_oracle import TablePredictor, random_table
from tests.reasoning.symbolic.symbolic_world import four_edges


def test_scores_are_finite_and_ties_follow_frequency_not_id() -> None:
    snapshot = four_edges()
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    [row] = answerer.scores([Projection("r", Anchor(EntityKey("e0")))])
    assert np.isfinite(row).all()
    assert row.argmax() == 1
    # e2 is a tail of r three times, e0 never
    assert row[1] > row[2] > row[0] == row[5]


def test_rows_are_computed_once_and_in_blocks() -> None:
    snapshot = four_edges()
    predictor = TablePredictor(random_table(snapshot, 0))
    answerer = SymbolicAnswerer(snapshot, predictor, SymbolicConfig(block_cells=12))
    tree = Projection("r", Labelled("X"))
    first = answerer.answer([tree], 6)
    assert predictor.calls == 3  # six rows of six entities, two rows a block
    assert answerer.answer([tree], 6) == first
    assert predictor.calls == 3
    small = SymbolicAnswerer(snapshot, predictor, SymbolicConfig(memory_bytes=1))
    assert small.answer([tree, tree], 6) == first * 2


def test_an_owner_of_a_likely_part_lies_in_the_rim() -> None:
    from kg.model import ImagePart

    part = Entity(
        key=EntityKey("p"),
        label="Part",
        name="p",
        part=ImagePart(parent=EntityKey("a"), image="i", box_xyxy=(0, 0, 1, 1)),
    )
    whole = Entity(key=EntityKey("a"), label="Country", name="A")
    label = Entity(key=EntityKey("s"), label="Shape", name="S")
    weak = Provenance(kind="generated", source="i", probability=0.6)
    edge = Edge(head=part.key, relation="has_label", tail=label.key, provenance=(weak,))
    snapshot = build_snapshot([part, whole, label], [edge])
    answerer = SymbolicAnswerer(snapshot, NoPredictor(3))
    found = answerer.rough_truth(Projection("has_label", Anchor(label.key), inverse=True))
    values = dict(zip(found.ids.tolist(), found.values.T.tolist(), strict=True))
    assert values[snapshot.entity_id("p")] == pytest.approx([0.0, 0.6, 0.6])
    assert values[snapshot.entity_id("a")] == pytest.approx([0.0, 0.0, 0.6])


def test_refusals() -> None:
    snapshot = four_edges()
    answerer = SymbolicAnswerer(snapshot, NoPredictor(6))
    with pytest.raises(UnsafeQueryError):
        answerer.answer([Negation(Labelled("X"))], 1)
    with pytest.raises(UnknownEntityError):
        answerer.answer([Anchor(EntityKey("nobody"))], 1)
    with pytest.raises(UnknownRelationError):
        answerer.answer([Projection("nothing", Labelled("X"))], 1)
    with pytest.raises(SettingError):
        answerer.answer([Labelled("X")], 0)
    with pytest.raises(SettingError):
        SymbolicAnswerer(snapshot, NoPredictor(7))
    for wrong in (
        {"delta": 0.0},
        {"epsilon": 1.0},
        {"floor": -0.1},
        {"negation_power": 0.0},
        {"max_support": 0},
        {"row_entries": 0},
        {"known_probability": 2},
    ):
        with pytest.raises(SettingError):
            SymbolicConfig(**wrong)


def test_noisy_or_counts_all_ways_and_only_where_entities_are_ranked() -> None:
    snapshot = four_edges().keeping(np.zeros(4, dtype=np.bool_))
    table = np.zeros((1, 6, 6), dtype=np.float32)
    table[0, 0, :3] = 0.5
    table[0, 0, 3] = 0.7
    table[0, :3, 4] = 0.6
    table[0, 3, 5] = 0.6
    tree = Projection("r", Projection("r", Anchor(EntityKey("e0"))))
    found = {}
    for noisy_or in (False, True):
        config = SymbolicConfig(noisy_or=noisy_or)
        answerer = SymbolicAnswerer(snapshot, TablePredictor(table), config)
        [answers] = answerer.answer([tree], 6)
        found[noisy_or] = (answers, answerer.scores([tree])[0])
    assert found[True][0] == found[False][0]
    assert found[False][1][[4, 5]] == pytest.approx([0.3, 0.42], abs=1e-5)
    # e4 is reached by three ways of 0.5 · 0.6, e5 by one of 0.7 · 0.6
    assert found[True][1][[4, 5]] == pytest.approx([1 - 0.7**3, 0.42], abs=1e-5)
