"""The distillation loss by hand, its weights, and a student that learns what its teacher knows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError, SettingError
from linkers.distillation import (
    DistillationConfig,
    Lists,
    Student,
    distillation_loss,
    train_student,
)
from linkers.training import Pairs
from tests.linkers.test_matching import items


def softmax(values):
    weights = np.exp(values - values.max())
    return weights / weights.sum()


def naive(cosines, teacher, gold, tau, kind):
    fits, gaps, weights = [], [], []
    for row, place in enumerate(gold):
        student = softmax(cosines[row] / tau)
        fits.append(-np.log(student[place]))
        there = np.isfinite(teacher[row])
        belief = np.zeros(len(student))
        if there.any():
            belief[there] = softmax(teacher[row][there])
        some = belief > 0
        gaps.append(tau**2 * (belief[some] * np.log(belief[some] / student[some])).sum())
        weights.append(belief[place] * (1 - student[place]))
    mean = np.mean(weights)
    dynamic = np.clip(np.array(weights) / max(mean, 1e-12), 0.1, 3.0)
    share = {"dynamic": dynamic, "static": 1.0, "none": 0.0}[kind]
    return float(np.mean(np.array(fits) + share * np.array(gaps)))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    rows=st.integers(1, 4),
    kind=st.sampled_from(["dynamic", "static", "none"]),
)
def test_the_loss_equals_its_formula(seed: int, rows: int, kind: str) -> None:
    generator = np.random.default_rng(seed)
    cosines, teacher = generator.uniform(-1, 1, size=(2, rows, 5))
    gold = generator.integers(5, size=rows)
    teacher = 4 * teacher
    teacher[generator.random((rows, 5)) < 0.4] = -np.inf
    cosines[:, 4] = teacher[:, 4] = -np.inf  # off every list
    gold[gold == 4] = 0
    student = torch.from_numpy(cosines).requires_grad_()
    config = DistillationConfig(weights=kind, temperature=0.3)
    loss = distillation_loss(student, torch.from_numpy(teacher), torch.from_numpy(gold), config)
    assert loss.item() == pytest.approx(naive(cosines, teacher, gold, 0.3, kind), abs=1e-6)
    loss.backward()
    assert student.grad.isfinite().all()


def test_what_the_teacher_has_wrong_counts_little() -> None:
    cosines = torch.zeros(2, 3)
    teacher = torch.tensor([[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]])  # right of the first alone
    gold = torch.tensor([0, 0])
    dynamic, static = (
        distillation_loss(cosines, teacher, gold, DistillationConfig(weights=kind, temperature=1))
        for kind in ("dynamic", "static")
    )
    apart = float(np.log(3) - 0.0025)  # both gaps are about this; 1.9 + 0.1 of them, or 1 + 1
    assert dynamic.item() == pytest.approx(float(np.log(3)) + apart * (1.9998 + 0.1) / 2, abs=0.02)
    assert static.item() == pytest.approx(float(np.log(3)) + apart, abs=0.02)


def world():
    entities, gold = items(12, 1), np.arange(12)
    mentions = items(12, 2)
    ids = np.array([[n, (n + 1) % 12, -1] for n in range(12)])
    logits = np.tile(np.array([3.0, 1.0, 0.0], np.float32), (12, 1))
    return entities, Pairs(mentions=mentions, gold=gold), Lists(ids=ids, logits=logits)


@pytest.mark.parametrize("kind", ["dynamic", "none"])
def test_a_student_learns_its_list(kind: str) -> None:
    entities, pairs, lists = world()
    config = DistillationConfig(weights=kind, dimension=8, hard=1, epochs=40, learning_rate=0.03)
    student = train_student(entities, pairs, lists, config=config, seed=0)
    with torch.inference_mode():
        scores = student(pairs.mentions, "mention") @ student(entities, "entity").T
    assert (scores.argmax(dim=1).numpy() == pairs.gold).mean() > 0.8
    again = train_student(entities, pairs, lists, config=config, seed=0).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in student.state_dict().items())


def test_an_absent_modality_adds_nothing() -> None:
    student = Student(10, 6, 8, generator=torch.Generator().manual_seed(0))
    bare = items(2, 3, image=[True, False], text=[True, False])
    with torch.inference_mode():
        found = student(bare, "mention")
        shown = student(items(1, 3, text=[False]), "entity")
        unit = torch.nn.functional.normalize(items(1, 3).image, dim=-1)
        alone = unit @ student.towers["entity image"].T
    assert found[1].abs().max() == 0
    assert found[0].norm().item() == pytest.approx(1.0, abs=1e-5)
    torch.testing.assert_close(shown, torch.nn.functional.normalize(alone, dim=-1))


def test_what_does_not_fit_is_refused() -> None:
    entities, pairs, lists = world()
    few = Lists(ids=lists.ids[:2], logits=lists.logits[:2])
    with pytest.raises(InputError, match="2 lists do not teach 12"):
        train_student(entities, pairs, few, config=DistillationConfig(), seed=0)
    for wrong in ({"hard": -1}, {"temperature": 0.0}, {"weights": "some"}):
        with pytest.raises(SettingError):
            DistillationConfig(**wrong)
