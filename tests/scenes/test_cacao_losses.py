"""Clusters, soft targets, the cluster loss and the mapping of CaCao."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from encoders import TinyTextEncoder
from kg.errors import InputError, SettingError
from scenes.cacao.cluster_loss import FrequencyRatio, adaptive_cluster_loss
from scenes.cacao.clusters import predicate_clusters, soft_targets
from scenes.cacao.mapping import map_predicates


def slow_loss(
    logits: list[list[float]],
    labels: list[int],
    targets: list[list[float]],
    counts: list[int],
    theta: float,
    ratio: FrequencyRatio,
) -> float:
    """The formula, term by term."""
    total = 0.0
    for z, i in zip(logits, labels, strict=True):
        low, high = min(z), max(z)
        u = [(value - low) / (high - low) + 1 for value in z]
        denominator = 0.0
        for j, value in enumerate(z):
            if j == i:
                weight = 1.0
            else:
                n_j, n_i = max(counts[j], 1), max(counts[i], 1)
                frequency = n_j / n_i if ratio == "direct" else n_i / n_j
                weight = theta * (u[j] / u[i]) * frequency
            denominator += weight * math.exp(value)
        for k, value in enumerate(z):
            total -= targets[i][k] * math.log(math.exp(value) / denominator)
    return total / len(labels)


@pytest.mark.parametrize("ratio", ["direct", "inverse"])
@pytest.mark.parametrize("seed", range(4))
def test_the_loss_is_the_formula(seed: int, ratio: FrequencyRatio) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(7, 5)) * 3, rng.integers(0, 5, 7)
    targets, counts = rng.random((5, 5)), rng.integers(0, 50, 5)
    found = adaptive_cluster_loss(
        torch.from_numpy(logits),
        torch.from_numpy(labels),
        targets=torch.from_numpy(targets),
        counts=torch.from_numpy(counts),
        theta=9.0,
        ratio=ratio,
    )
    slow = slow_loss(
        logits.tolist(), labels.tolist(), targets.tolist(), counts.tolist(), 9.0, ratio
    )
    assert float(found) == pytest.approx(slow, rel=1e-9)


def test_without_weights_and_clusters_it_is_cross_entropy_at_equal_logits() -> None:
    logits, labels = torch.zeros(3, 4, requires_grad=True), torch.tensor([0, 1, 3])
    loss = adaptive_cluster_loss(
        logits, labels, targets=torch.eye(4), counts=torch.full((4,), 6), theta=1.0
    )
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, labels))
    loss.backward()
    assert bool(torch.isfinite(logits.grad).all())


def test_a_frequent_label_pushes_a_rare_predicate_less_and_theta_spares_the_label() -> None:
    logits = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    counts = torch.tensor([100, 100, 1])
    adaptive_cluster_loss(
        logits,
        torch.tensor([0]),
        targets=torch.eye(3),
        counts=counts,
        theta=9.0,
        ratio="direct",
    ).backward()
    label, frequent, rare = logits.grad[0].tolist()
    assert frequent > 50 * rare > 0
    assert label == pytest.approx(1 / (1 + 9 + 0.09) - 1)


def test_large_logits_stay_finite_and_theta_is_checked() -> None:
    given = {"targets": torch.eye(2), "counts": torch.ones(2)}
    loss = adaptive_cluster_loss(torch.tensor([[900.0, -900.0]]), torch.tensor([1]), **given)
    assert bool(torch.isfinite(loss))
    with pytest.raises(SettingError, match="theta"):
        adaptive_cluster_loss(torch.zeros(1, 2), torch.tensor([0]), theta=0.0, **given)


def test_soft_targets() -> None:
    vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.96, 0.28]])
    clusters = predicate_clusters(vectors, threshold=0.7)
    assert clusters.tolist() == [0, 0, 1, 0]
    targets = soft_targets(vectors, clusters)
    assert targets[0] == pytest.approx([1.0, 0.8 / 3, 0.0, 0.96 / 3])
    assert targets[2] == pytest.approx([0.0, 0.0, 1.0, 0.0])
    assert targets[1, 3] == pytest.approx((0.8 * 0.96 + 0.6 * 0.28) / 3)


def test_clusters_of_equal_and_of_single_predicates() -> None:
    same = np.tile([[0.3, 0.4, 0.5]], (4, 1))
    assert predicate_clusters(same, threshold=1.0).tolist() == [0, 0, 0, 0]
    assert predicate_clusters(np.eye(3), threshold=0.7).tolist() == [0, 1, 2]
    assert predicate_clusters(np.eye(1)).tolist() == [0]


@pytest.mark.parametrize("vectors", [np.empty((0, 3)), np.ones(3), np.array([[1.0], [0.0]])])
def test_clusters_need_vectors(vectors: np.ndarray) -> None:
    with pytest.raises(InputError):
        predicate_clusters(vectors)
    with pytest.raises(SettingError):
        predicate_clusters(np.eye(2), threshold=0.0)


def test_mapping_prefers_the_rare_of_near_targets() -> None:
    encoder = TinyTextEncoder()
    targets = ["sit on", "sitting", "wear"]
    counts = np.array([900, 3, 50])
    open_names = ["wear", "sits on", "xylophone"]
    assert map_predicates(open_names, targets, counts, encoder, rarity=0.0).tolist() == [2, 0, -1]
    rare = map_predicates(open_names, targets, counts, encoder, rarity=2.0, least=0.3)
    assert rare.tolist() == [2, 1, -1]
    assert map_predicates([], targets, counts, encoder).tolist() == []
    with pytest.raises(InputError, match="2 counts for 3"):
        map_predicates(open_names, targets, counts[:2], encoder)
    with pytest.raises(SettingError):
        map_predicates(open_names, targets, counts, encoder, rarity=-1.0)
