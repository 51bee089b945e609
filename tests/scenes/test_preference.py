"""SENTINEL's preference loss, against the formula, and which guesses are refuted by both sides."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from kg.errors import InputError
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts
from scenes.relations.inputs import PairInputs
from scenes.relations.network import ENSEMBLE
from scenes.relations.pairs import pair_table
from scenes.relations.perceptron import Perceptron, outputs
from scenes.relations.preference import Preferences, prefer, preference_loss, refuted_guesses

VOCABULARY = Vocabulary(("cup", "table"), ("on", "above", "near", "below"))
ON, ABOVE, NEAR, BELOW = range(4)


def scene(name: str, predicate: int, *, count: int = 1) -> AnnotatedImage:
    """Cups high over a table."""
    boxes = [[10.0 * n, 0, 10.0 * n + 5, 5] for n in range(count)] + [[0, 50, 100, 60]]
    return AnnotatedImage(
        name=name,
        boxes=np.array(boxes),
        labels=np.array([0] * count + [1]),
        triplets=np.array([(n, predicate, count) for n in range(count)]),
    )


def test_the_loss_is_the_formula():
    numbers = np.log(np.random.default_rng(0).random((4, 5)))
    slow = [
        -math.log(1 / (1 + math.exp(-0.3 * ((w - w0) - (l - l0)))))
        for w, l, w0, l0 in numbers.T.tolist()  # noqa: E741
    ]
    found = preference_loss(*torch.from_numpy(numbers), beta=0.3)
    assert float(found) == pytest.approx(np.mean(slow))
    none = torch.empty(0)
    assert float(preference_loss(none, none, none, none)) == 0


def refuted(images, counted, scores, among=4):
    table = pair_table(images, predicates=4)
    counts = TripletCounts.of(counted, VOCABULARY)
    told = np.tile(np.array(scores, dtype=float), (len(table), 1))
    return refuted_guesses(images, table, counts, told, VOCABULARY, among=among)


def test_only_what_boxes_and_counts_refute_is_taken_for_wrong():
    asked = [scene("asked", NEAR)]
    many = [scene(str(n), ABOVE, count=5) for n in range(5)]
    # the boxes rule out "on" and "below"; the counts know cups and tables and saw neither
    found = refuted(asked, many, [0.3, 0.4, 0.2, 0.1])
    assert list(zip(found.rows, found.better, found.worse, strict=True)) == [(0, NEAR, ON)]
    found = refuted(asked, many, [0.1, 0.4, 0.2, 0.3])
    assert found.worse.tolist() == [BELOW]
    assert len(refuted(asked, many, [0.2, 0.4, 0.3, 0.1], among=2)) == 0  # not ranked high
    assert len(refuted(asked, many[:3], [0.3, 0.4, 0.2, 0.1])) == 0  # too few seen
    said = [*many, scene("said", ON), scene("so", BELOW)]
    assert len(refuted(asked, said, [0.3, 0.4, 0.2, 0.1])) == 0  # counts saw both
    assert len(refuted([scene("a", ON)], many, [0.3, 0.4, 0.2, 0.0])) == 1  # BELOW; ON is said
    table, counts = pair_table(asked, predicates=4), TripletCounts.of(many, VOCABULARY)
    with pytest.raises(InputError, match="rows of scores"):
        refuted_guesses(asked, table, counts, np.zeros((1, 4)), VOCABULARY)


def test_a_network_comes_to_prefer_what_is_better():
    config = replace(ENSEMBLE.predicate[0], columns=2, hidden=8, depth=1, batch=4)
    torch.manual_seed(0)
    network = Perceptron(config, np.eye(2, dtype=np.float32), columns=2, frequency=np.ones(4))
    network.eval()
    inputs = PairInputs(
        labels=np.array([[0, 1]] * 12),
        numbers=np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32),
        shares=np.zeros((12, 3, 4), dtype=np.float32),
    )
    wanted = Preferences(rows=np.arange(12), better=np.full(12, NEAR), worse=np.full(12, ON))
    before = outputs(network, inputs).log_softmax(dim=1)
    prefer(network, inputs, wanted, seed=0, epochs=20, rate=1e-2)
    after = outputs(network, inputs).log_softmax(dim=1)
    lead = [one[:, NEAR] - one[:, ON] for one in (before, after)]
    assert (lead[1] > lead[0] + 1).all()
    with pytest.raises(InputError, match="12 inputs for 0"):
        prefer(network, inputs, refuted([], [scene("a", ON)], [0, 0, 0, 0]), seed=0)
