"""Losses against double loops in numpy; they have a gradient where they should, and none else."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from linkers.losses import (
    contrastive_loss,
    distribution_loss,
    fused,
    matching_loss,
    similarity_distribution_matching,
)


def naive_contrastive(m, e, owners, tau, a, b):
    m = m / np.linalg.norm(m, axis=1, keepdims=True)
    e = e / np.linalg.norm(e, axis=1, keepdims=True)
    total = 0.0
    for x, y in ((e, m), (m, e)):
        losses = []
        for i in range(len(x)):
            terms = [
                math.exp(a * float(x[i] @ y[j]) / tau)
                for j in range(len(x))
                if owners[i] != owners[j] or i == j
            ]
            terms += [
                math.exp(b * float(x[i] @ x[j]) / tau)
                for j in range(len(x))
                if owners[i] != owners[j]
            ]
            losses.append(-math.log(math.exp(a * float(x[i] @ y[i]) / tau) / sum(terms)))
        total += np.mean(losses)
    return total / 2


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 6), kinds=st.integers(1, 4))
def test_contrastive_equals_a_double_loop(seed: int, size: int, kinds: int) -> None:
    generator = np.random.default_rng(seed)
    m, e = generator.normal(size=(2, size, 5))
    owners = generator.integers(kinds, size=size)
    ours = contrastive_loss(
        torch.from_numpy(m),
        torch.from_numpy(e),
        torch.from_numpy(owners),
        temperature=0.2,
        inter=1.0,
        intra=0.8,
    )
    assert float(ours) == pytest.approx(naive_contrastive(m, e, owners, 0.2, 1.0, 0.8), abs=1e-9)


def naive_matching(scores, present, owners):
    units, size, _ = scores.shape

    def entropy(logit, there):
        losses = []
        for i in range(size):
            if not there(i, i):
                continue
            terms = [
                math.exp(logit(i, j))
                for j in range(size)
                if there(i, j) and (i == j or owners[i] != owners[j])
            ]
            losses.append(-math.log(math.exp(logit(i, i)) / sum(terms)))
        return np.mean(losses) if losses else 0.0

    def mean(i, j):
        values = [scores[u, i, j] for u in range(units) if present[u, i, j]]
        return sum(values) / max(len(values), 1)

    total = entropy(mean, lambda i, j: present[:, i, j].any())
    for unit in range(units):
        total += entropy(
            lambda i, j, u=unit: scores[u, i, j], lambda i, j, u=unit: present[u, i, j]
        )
    return total


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 5))
def test_matching_equals_a_double_loop(seed: int, size: int) -> None:
    generator = np.random.default_rng(seed)
    sides = generator.random((2, 2, size)) < 0.7
    text, image = (sides[0, s][:, None] & sides[1, s][None] for s in range(2))
    present = np.stack([text, image, text & image])
    scores = generator.normal(size=(3, size, size)) * present
    owners = generator.integers(3, size=size)
    ours = matching_loss(
        torch.from_numpy(scores), torch.from_numpy(present), torch.from_numpy(owners)
    )
    assert float(ours) == pytest.approx(naive_matching(scores, present, owners), abs=1e-9)


def test_fused_is_the_mean_of_what_is_there() -> None:
    scores = torch.tensor([[[2.0, 0.0]], [[4.0, 0.0]]])
    present = torch.tensor([[[True, False]], [[True, False]]])
    assert fused(scores, present).tolist() == [[3.0, float("-inf")]]
    present = torch.tensor([[[True, False]], [[False, True]]])
    assert fused(scores * present, present).tolist() == [[2.0, 0.0]]


def test_losses_without_any_pair_are_zero_and_have_gradients() -> None:
    scores = torch.zeros(2, 3, 3, requires_grad=True)
    loss = matching_loss(scores, torch.zeros(2, 3, 3, dtype=torch.bool), torch.arange(3))
    assert loss.item() == 0.0
    loss.backward()
    empty = torch.zeros(0, 4)
    assert float(contrastive_loss(empty, empty, torch.arange(0), temperature=0.1)) == 0.0


def test_mentions_of_one_entity_do_not_push_each_other_away() -> None:
    scores = torch.zeros(1, 2, 2, requires_grad=True)
    present = torch.ones(1, 2, 2, dtype=torch.bool)
    matching_loss(scores, present, torch.tensor([7, 7])).backward()
    assert scores.grad is not None
    assert scores.grad.abs().max() == 0.0


def naive_sdm(similarity, positives):
    total = 0.0
    for values, right in ((similarity, positives), (similarity.T, positives.T)):
        losses = []
        for i in range(len(values)):
            known = [j for j in range(values.shape[1]) if np.isfinite(values[i, j])]
            own = [j for j in known if right[i, j]]
            if not own:
                continue
            whole = sum(math.exp(values[i, j]) for j in known)
            shares = {j: math.exp(values[i, j]) / whole for j in known}
            losses.append(
                sum(
                    share * (math.log(share) - math.log((j in own) / len(own) + 1e-8))
                    for j, share in shares.items()
                )
            )
        total += np.mean(losses) if losses else 0.0
    return total


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 5), kinds=st.integers(1, 4))
def test_distribution_matching_equals_a_double_loop(seed: int, size: int, kinds: int) -> None:
    generator = np.random.default_rng(seed)
    similarity = generator.normal(size=(size, size))
    similarity[generator.random((size, size)) < 0.2] = -np.inf
    owners = generator.integers(kinds, size=size)
    positives = owners[:, None] == owners[None, :]
    tensor = torch.from_numpy(similarity).requires_grad_()
    ours = similarity_distribution_matching(tensor, torch.from_numpy(positives))
    assert ours.item() == pytest.approx(naive_sdm(similarity, positives), abs=1e-9)
    ours.backward()
    assert tensor.grad is not None
    assert torch.isfinite(tensor.grad).all()


def test_a_distribution_of_absent_units_counts_nothing() -> None:
    scores = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    there = torch.ones(2, 3, 3, dtype=torch.bool)
    there[1] = False
    owners = torch.tensor([4, 5, 4])
    loss = distribution_loss(scores * there, there, owners, temperature=0.5)
    own = owners[:, None] == owners[None, :]
    one = similarity_distribution_matching(scores[0] / 0.5, own)
    assert loss.item() == pytest.approx(2 * one.item(), rel=1e-5)  # fused, and the unit
    loss.backward()
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
