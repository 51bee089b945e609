"""Figures of linking against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from evaluation import auroc, hits_in_lists, nil_scores, risk_coverage
from kg.errors import InputError

truths = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30)
scored = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.booleans()), min_size=2, max_size=30
)


@given(truths)
def test_nil_scores_equal_scikit_learn(pairs: list) -> None:
    predicted, gold = zip(*pairs, strict=True)
    precision, recall, f1, _ = precision_recall_fscore_support(
        gold, predicted, average="binary", zero_division=0
    )
    found = nil_scores(predicted, gold)
    assert (found.precision, found.recall, found.f1) == pytest.approx((precision, recall, f1))


@given(scored)
def test_auroc_equals_scikit_learn(pairs: list) -> None:
    scores, positives = zip(*pairs, strict=True)
    assume(len(set(positives)) == 2)
    assert auroc(scores, positives) == pytest.approx(roc_auc_score(positives, scores))


def test_auroc_needs_both_classes() -> None:
    with pytest.raises(InputError, match="positive and negative"):
        auroc([0.1, 0.2], [True, True])
    with pytest.raises(InputError, match="not finite"):
        auroc([np.nan, 0.2], [True, False])


@given(scored, st.randoms(use_true_random=False))
def test_risk_by_coverage_equals_counting(pairs: list, random: object) -> None:
    confidence, correct = map(np.array, zip(*pairs, strict=True))
    curve = risk_coverage(confidence, correct)
    for coverage, risk in zip(curve.coverage, curve.risk, strict=True):
        kept = round(coverage * len(pairs))
        threshold = np.sort(confidence)[::-1][kept - 1]
        assert kept == (confidence >= threshold).sum()
        assert risk == pytest.approx(1 - correct[confidence >= threshold].mean())
    assert curve.coverage[-1] == 1.0
    assert (curve.low <= curve.risk + 1e-12).all()
    assert (curve.risk <= curve.high + 1e-12).all()
    random.shuffle(pairs)
    assert risk_coverage(*zip(*pairs, strict=True)).area == pytest.approx(curve.area)


def test_abstaining_well_pays() -> None:
    correct = np.array([True] * 8 + [False] * 2)
    good = risk_coverage(np.linspace(1, 0, 10), correct)
    bad = risk_coverage(np.linspace(0, 1, 10), correct)
    blind = risk_coverage(np.ones(10), correct)
    assert good.area < blind.area < bad.area
    assert blind.area == pytest.approx(0.2)


def test_hits_in_ranked_lists() -> None:
    ranked = [["a", "b"], ["c"], []]
    assert hits_in_lists(ranked, ["b", "c", "d"], 1).tolist() == [False, True, False]
    assert hits_in_lists(ranked, ["b", "c", "d"], 2).tolist() == [True, True, False]
    with pytest.raises(InputError, match="twice") as caught:
        hits_in_lists([["a"], ["b", "b"]], ["a", "b"], 1)
    assert caught.value.where == "row 1"
    with pytest.raises(InputError, match="do not fit"):
        hits_in_lists([["a"]], ["a", "b"], 1)
