"""Opinions against formulas by hand; absence, ignorance, conflict; decisions that rest on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma, gammaln

from kg.errors import InputError, SettingError
from linkers.cases import Case
from linkers.decision import Decision, DecisionConfig
from linkers.decision_fitting import fit_decision
from linkers.opinion_cases import OpinionColumns
from linkers.opinions import WEIGHT, EvidenceHead, Opinion, evidential_loss

CONFIG = DecisionConfig(hidden=8, members=1, epochs=20, batch=32)
COLUMNS = OpinionColumns(units=(0, 1), prior=2)


def opinion(head: EvidenceHead, logits, present, prior=None, candidates=None) -> Opinion:
    values = torch.tensor(logits, dtype=torch.float32)
    count, _, width = values.shape
    return head(
        values,
        torch.tensor(present),
        torch.zeros(count, width) if prior is None else torch.tensor(prior),
        torch.ones(count, width, dtype=torch.bool)
        if candidates is None
        else torch.tensor(candidates),
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), units=st.integers(1, 3), width=st.integers(1, 4))
def test_an_opinion_equals_its_formulas(seed: int, units: int, width: int) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(1, units, width)).astype(np.float32) * 3
    present = generator.random((1, units)) < 0.7
    prior = generator.random((1, width)).astype(np.float32) / width
    head = EvidenceHead(units)
    with torch.no_grad():
        for value in head.parameters():
            value.copy_(torch.from_numpy(np.asarray(generator.normal(size=value.shape))))
        found = opinion(head, logits, present, prior)
        slope, shift, trust, nil = (
            value.double().numpy()
            for value in (
                head.slope,
                head.shift,
                torch.sigmoid(head.reliability),
                torch.sigmoid(head.nil),
            )
        )
    each = np.log1p(np.exp(slope[:, None] * logits[0] + shift[:, None])) * trust[:, None]
    each *= present[0][:, None]
    evidence = each.sum(axis=0)
    base = np.append((1 - nil) * (prior[0] / prior[0].sum() + 1 / width) / 2, nil)
    total = WEIGHT + evidence.sum()
    probability = np.append(evidence, 0) / total + base * WEIGHT / total
    np.testing.assert_allclose(found.probability[0].numpy(), probability, atol=1e-5)
    assert found.ignorance.item() == pytest.approx(WEIGHT / total, abs=1e-5)
    beliefs = each / (WEIGHT + each.sum(axis=1, keepdims=True))
    splits = [
        sum(beliefs[i, a] * beliefs[j, b] for a in range(width) for b in range(width) if a != b)
        for i in range(units)
        for j in range(i)
    ]
    assert found.conflict.item() == pytest.approx(max(splits, default=0.0), abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), width=st.integers(1, 4), epoch=st.integers(0, 12))
def test_the_loss_equals_its_formula_and_has_a_finite_gradient(
    seed: int, width: int, epoch: int
) -> None:
    generator = np.random.default_rng(seed)
    logits = torch.from_numpy(generator.normal(size=(1, 2, width))).float()
    head, gold = EvidenceHead(2), int(generator.integers(width + 1))
    candidates = torch.ones(1, width + 1, dtype=torch.bool)
    candidates[0, width] = False  # a column of padding, and NIL behind it
    padded = torch.cat([logits, 99 * torch.ones(1, 2, 1)], dim=2)
    present = torch.tensor([[True, bool(generator.integers(2))]])
    found = head(padded, present, torch.zeros(1, width + 1), candidates)
    place = gold if gold < width else width + 1
    loss = evidential_loss(found, torch.tensor([place]), epoch=epoch)
    kept = [*range(width), width + 1]
    alpha, prior = (
        x.detach().double().numpy()[0, kept] for x in (found.alpha, WEIGHT * found.base)
    )
    wrong = alpha.copy()
    wrong[gold] = prior[gold]
    divergence = gammaln(wrong.sum()) - gammaln(WEIGHT) + (gammaln(prior) - gammaln(wrong)).sum()
    divergence += ((wrong - prior) * (digamma(wrong) - digamma(wrong.sum()))).sum()
    expected = digamma(alpha.sum()) - digamma(alpha[gold]) + min(1, epoch / 10) * divergence
    assert loss.item() == pytest.approx(expected, rel=1e-3, abs=1e-3)
    loss.sum().backward()
    assert all(value.grad.isfinite().all() for value in head.parameters())


def test_absent_units_and_none_at_all_leave_ignorance() -> None:
    head = EvidenceHead(2)
    both = opinion(head, [[[4.0, 0.0], [9.0, 9.0]]], [[True, False]])
    alone = opinion(EvidenceHead(1), [[[4.0, 0.0]]], [[True]])
    torch.testing.assert_close(both.probability, alone.probability)
    assert both.conflict.item() == 0
    nothing = opinion(head, [[[4.0, 0.0], [9.0, 9.0]]], [[False, False]])
    assert nothing.ignorance.item() == 1
    torch.testing.assert_close(nothing.probability, torch.tensor([[0.25, 0.25, 0.5]]))
    bare = opinion(head, np.zeros((1, 2, 1)), [[True, True]], candidates=[[False]])
    assert bare.probability[0].tolist() == [0.0, 1.0]  # no candidate: NIL


def test_units_that_are_sure_of_different_candidates_are_in_conflict() -> None:
    head = EvidenceHead(2)
    agree = opinion(head, [[[40.0, -9.0], [40.0, -9.0]]], [[True, True]])
    split = opinion(head, [[[40.0, -9.0], [-9.0, 40.0]]], [[True, True]])
    assert split.conflict.item() > 0.8 > 0.1 > agree.conflict.item()
    assert split.probability.isfinite().all()  # where Dempster's rule divides by nearly nothing
    many = opinion(head, np.full((1, 2, 50), -99.0), [[True, True]])
    assert many.ignorance.item() == pytest.approx(1.0)  # whatever the number of candidates


def made(generator: np.random.Generator, nil: bool) -> Case:
    signals = np.zeros((5, 3), dtype=np.float32)
    signals[:, :2] = generator.normal(size=(5, 2))
    gold = -1 if nil else int(generator.integers(5))
    if gold >= 0:
        signals[gold, :2] += 5
    if generator.random() < 0.3:
        signals[:, 1] = 0  # the second unit is absent
    return Case(signals=signals, marks=np.zeros(1, np.float32), gold=gold)


@pytest.mark.parametrize("use", ["alone", "marks"])
def test_a_decision_by_opinions_finds_entities_and_strangers(use: str) -> None:
    generator = np.random.default_rng(0)
    train = [made(generator, n % 4 == 0) for n in range(200)]
    test = [made(generator, n % 4 == 0) for n in range(100)]
    config = DecisionConfig(hidden=8, members=1, epochs=20, batch=32, opinions=use)
    decision = fit_decision(
        train, config=config, picture_signals=[], opinion_columns=COLUMNS, seed=0
    )
    again = Decision(dict(decision.calibrated(test).arrays))
    right = []
    for case in test:
        own, nil = again.probabilities(case)
        assert own.sum() + nil == pytest.approx(1.0)
        right.append((-1 if nil >= own.max() else int(own.argmax())) == case.gold)
    assert np.mean(right) > 0.9
    empty = Case(signals=np.zeros((0, 3), np.float32), marks=np.zeros(1, np.float32))
    assert again.probabilities(empty)[1] == 1.0


def test_what_opinions_need_is_asked_for() -> None:
    case = made(np.random.default_rng(0), nil=False)
    with pytest.raises(SettingError, match="opinions must be"):
        DecisionConfig(opinions="some")
    with pytest.raises(SettingError, match="scores of units"):
        fit_decision([case], config=DecisionConfig(opinions="alone"), picture_signals=[], seed=0)
    with pytest.raises(InputError, match="lacks the array"):
        Decision({"calibration": np.ones(2, np.float32)})
