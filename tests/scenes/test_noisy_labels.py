"""Weights of doubtful labels, against plain loops, and branches that learn from them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from encoders import TinyTextEncoder
from kg.errors import InputError, SettingError
from scenes.noisy_labels import consistency, prediction_confidence, sample_weights, smoothed
from scenes.relations.branches import NOISY, Doubt, label_weights
from scenes.relations.network import BRANCHES, NetworkLearner
from scenes.relations.recall import figures_of, rank_relations
from tests.scenes.relation_world import VOCABULARY, made_images

TRAIN, TEST = made_images(60), made_images(30, seed=1)


def probabilities(seed: int, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    first, second = (rng.dirichlet(np.ones(classes), rows) for _ in range(2))
    return first, second


def slow_weights(
    own: np.ndarray, other: np.ndarray, y: list[int], share: float, least: int
) -> list[float]:
    """The rule, label by label."""
    sure = [(own[i, c] + own[i, c] * other[i, c]) / 2 for i, c in enumerate(y)]
    weights = []
    for i, c in enumerate(y):
        of_class = sorted((sure[j] for j, d in enumerate(y) if d == c), reverse=True)
        kept = min(max(math.ceil(share * len(of_class)), least), len(of_class))
        weights.append(min(sure[i] / of_class[kept - 1], 1.0))
    return weights


@given(st.integers(0, 10_000), st.floats(0.05, 1), st.integers(1, 6), st.integers(1, 40))
def test_weights_are_those_of_a_loop(seed, share, least, rows):
    first, second = probabilities(seed, rows, 4)
    y = np.random.default_rng(seed + 1).integers(0, 4, rows)
    found = sample_weights(first, second, y, share=share, min_per_class=least)
    pairs = ((first, second), (second, first))
    for weights, (own, other) in zip(found, pairs, strict=True):
        assert weights == pytest.approx(slow_weights(own, other, y.tolist(), share, least))
        kept = np.bincount(y, weights=weights == 1, minlength=4)
        assert (kept >= np.minimum(np.bincount(y, minlength=4), least)).all()


def test_a_branch_alone_does_not_look_at_the_other():
    first, second = probabilities(0, 30, 3)
    y = np.zeros(30, dtype=int)
    alone, _ = sample_weights(first, second, y, share=0.5, entangled=False)
    other, _ = sample_weights(first, second[::-1], y, share=0.5, entangled=False)
    assert np.array_equal(alone, other)
    both, _ = sample_weights(first, second, y, share=0.5)
    assert not np.array_equal(alone, both)


def test_labels_that_nobody_believes_keep_what_each_class_keeps():
    none = np.zeros((8, 2))
    weights, _ = sample_weights(none, none, np.zeros(8, dtype=int), share=0.5)
    assert weights.tolist() == [1.0] * 5 + [0.0] * 3


def test_wrong_weights_are_refused():
    first, second = probabilities(0, 4, 2)
    y = np.zeros(4, dtype=int)
    with pytest.raises(SettingError, match="share"):
        sample_weights(first, second, y, share=0)
    with pytest.raises(InputError, match="for 3 labels"):
        sample_weights(first, second, y[:3], share=1)
    with pytest.raises(InputError, match="finite"):
        sample_weights(first * np.nan, second, y, share=1)


def test_consistency_is_the_formula_and_teaches_each_branch_by_the_other():
    first, second = (np.log(one) for one in probabilities(3, 6, 4))
    w_a, w_b = np.random.default_rng(0).random((2, 6))
    slow = 0.0
    for learns, shows, weight in ((first, second, w_b), (second, first, w_a)):
        each = [-(np.exp(shows[i]) * learns[i]).sum() * weight[i] for i in range(6)]
        slow += sum(each) / weight.sum()
    logs = [torch.from_numpy(one).requires_grad_() for one in (first, second)]
    found = consistency(logs[0], logs[1], torch.from_numpy(w_a), torch.from_numpy(w_b))
    assert float(found.detach()) == pytest.approx(slow)
    found.backward()
    expected = -np.exp(second) * (w_b / w_b.sum())[:, None]  # what shows is not changed
    assert logs[0].grad.numpy() == pytest.approx(expected)


def test_a_sure_prediction_is_believed_and_an_even_one_is_not():
    sure, even = (
        torch.log(torch.tensor([[1 - 3e-9, 1e-9, 1e-9, 1e-9]])),
        torch.full((1, 4), -1.386294),
    )
    first, second = prediction_confidence(sure, even)
    assert float(first) == pytest.approx(0.5, abs=1e-4)
    assert float(second) == pytest.approx(0, abs=1e-4)
    assert float(prediction_confidence(sure, sure)[0]) == pytest.approx(1, abs=1e-4)


def test_smoothed_labels_still_add_up_to_one():
    said, usual = torch.eye(4), torch.full((4, 4), 0.25)
    soft = smoothed(said, usual)
    assert soft.sum(dim=1).tolist() == pytest.approx([1] * 4)
    assert float(soft[0, 0]) == pytest.approx(0.88 + 0.025 + 0.005)
    assert float(soft[0, 1]) == pytest.approx(0.1 * 0.25 + 0.02 / 4)


def test_only_doubtful_labels_are_weighed():
    said = np.array([[True, True, False]] * 12)
    doubted = said & (np.arange(3) == 1)
    first, second = (torch.from_numpy(np.log(one)) for one in probabilities(0, 12, 3))
    weights, _ = label_weights(first, second, Doubt(said=said, doubted=doubted), share=0.25)
    assert (weights[:, 0] == 1).all()
    assert (weights[:, 2] == 0).all()
    assert int((weights[:, 1] == 1).sum()) == 5


@pytest.fixture(scope="module")
def learnt():
    few = {"hidden": 24, "batch": 32, "epochs": 14, "rate": 1e-2, "dropout": 0.1}
    config = replace(
        BRANCHES,
        pair=tuple(replace(one, **{**few, "epochs": 2}) for one in BRANCHES.pair),
        predicate=tuple(replace(one, **few) for one in BRANCHES.predicate),
    )
    rng = np.random.default_rng(0)
    wrong = []
    for image in TRAIN:
        triplets = image.triplets.copy()
        lies = rng.random(len(triplets)) < 0.2
        triplets[lies, 1] = rng.integers(0, 5, lies.sum())
        wrong.append(image.with_triplets(triplets))
    return {
        noisy: NetworkLearner(encoder=TinyTextEncoder(), config=config, noisy=noisy).fit(
            wrong, VOCABULARY, seed=0
        )
        for noisy in NOISY
    }


def test_branches_learn_from_wrong_labels_in_every_way(learnt):
    scores = [model.score(TEST)[0] for model in learnt.values()]
    for number, one in enumerate(scores):
        assert all(not np.allclose(one, other) for other in scores[:number])
    untrained = learnt["plain"].config
    untrained = replace(
        untrained, predicate=tuple(replace(one, epochs=0) for one in untrained.predicate)
    )
    learner = NetworkLearner(encoder=TinyTextEncoder(), config=untrained)
    nothing = figures_of(rank_relations(learner.fit(TRAIN, VOCABULARY, seed=0), TEST)).metrics
    for model in learnt.values():
        found = figures_of(rank_relations(model, TEST)).metrics
        assert found["recall_at_20"] > nothing["recall_at_20"] + 0.1


def test_doubt_needs_two_branches_of_one_training_and_the_same_images():
    encoder = TinyTextEncoder()
    single = replace(BRANCHES, predicate=BRANCHES.predicate[:1])
    with pytest.raises(SettingError, match="two members"):
        NetworkLearner(encoder=encoder, config=single, noisy="cromss").fit(
            TRAIN, VOCABULARY, seed=0
        )
    first, second = (replace(one, epochs=1, hidden=8) for one in BRANCHES.predicate)
    still = tuple(replace(one, epochs=0) for one in BRANCHES.pair)
    uneven = replace(BRANCHES, pair=still, predicate=(first, replace(second, epochs=2)))
    with pytest.raises(SettingError, match="different training"):
        NetworkLearner(encoder=encoder, config=uneven, noisy="own").fit(TRAIN, VOCABULARY, seed=0)
    even = replace(BRANCHES, pair=still, predicate=(first, second))
    learner = NetworkLearner(encoder=encoder, config=even, noisy="own", annotated=TRAIN[1:])
    with pytest.raises(InputError, match="not those to learn from"):
        learner.fit(TRAIN, VOCABULARY, seed=0)
