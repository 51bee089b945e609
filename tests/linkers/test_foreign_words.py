"""Foreign words: the score by hand, which words are mined, and that strangers score low."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import auroc
from kg.errors import InputError
from linkers.foreign_words import ForeignWords


def unit(values):
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), words=st.integers(1, 230), width=st.integers(1, 3))
def test_the_score_equals_its_formula(seed: int, words: int, width: int) -> None:
    generator = np.random.default_rng(seed)
    found = ForeignWords(vectors=unit(generator.normal(size=(words, 4))), temperature=0.2)
    mention, candidates = unit(generator.normal(size=4)), unit(generator.normal(size=(width, 4)))
    there = generator.random(width) < 0.7
    known = np.exp(candidates[there] @ mention / 0.2).sum()
    shares = []
    for start in range(0, words, 100):
        foreign = np.exp(found.vectors[start : start + 100] @ mention / 0.2).sum()
        shares.append(known / (known + foreign))
    score = found.scores(mention[None], candidates[None], there[None])
    assert score[0] == pytest.approx(np.mean(shares), abs=1e-5)


def test_mined_words_are_far_from_the_base_and_strangers_score_low() -> None:
    generator = np.random.default_rng(0)
    home, abroad = unit(generator.normal(size=(2, 6)))
    near = lambda centre, count: unit(centre + 0.3 * generator.normal(size=(count, 6)))  # noqa: E731
    entities, words = near(home, 40), np.concatenate([near(home, 50), near(abroad, 50)])
    found = ForeignWords.fit(entities, words, keep=40)
    assert ((found.vectors @ abroad) > (found.vectors @ home)).all()
    mentions = np.concatenate([near(home, 20), near(abroad, 20)])
    candidates = np.broadcast_to(entities[:5], (40, 5, 6))
    there, absent = np.ones((40, 5), dtype=np.bool_), np.arange(40) >= 20
    tuned = found.tuned(mentions, candidates, there, absent)
    assert auroc(-tuned.scores(mentions, candidates, there), absent) > 0.95
    assert (tuned.scores(mentions, candidates, ~there) == 0).all()
    assert np.isfinite(found.scores(mentions, candidates, there)).all()  # at a small temperature
    with pytest.raises(InputError, match="foreign words need"):
        ForeignWords.fit(entities, words[:0])
