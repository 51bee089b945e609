"""Inverse convolution against loops over single pairs."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.padding import unit
from kg.errors import InputError, SettingError
from linkers.inverse_convolution import References, inverse_convolution

SIZE, OTHERS = 6, 8


def vectors(seed: int, count: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, 5)).astype(np.float32))


def by_loops(index: np.ndarray, one: References, share: float | None) -> np.ndarray:
    rows = [[m for m in range(OTHERS) if one.owners[m] != n] for n in range(len(index))]
    pairs = [float(index[n] @ one.vectors[m]) for n, kept in enumerate(rows) for m in kept]
    mean = sum(pairs) / len(pairs)
    moved = []
    for n, kept in enumerate(rows):
        if share is None:
            count, pushing, offset = len(kept), kept, mean
        else:
            count, offset = max(1, int(share * OTHERS)), 0.0
            pushing = sorted(kept, key=lambda m, n=n: -float(index[n] @ one.vectors[m]))[:count]  # type: ignore[misc]
        push = np.zeros(index.shape[1])
        for m in pushing:
            push += (float(index[n] @ one.vectors[m]) - offset) * one.vectors[m]
        moved.append(index[n] - one.rate / count * push)
    return unit(np.array(moved, dtype=np.float32))


@pytest.mark.parametrize("share", [None, 0.01, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_rows_move_as_loops_over_pairs_say(seed: int, share: float | None) -> None:
    index, generator = vectors(seed, SIZE), np.random.default_rng(seed)
    # each reference has an owner of its own, or none: no row loses so many that k are not left
    owners = np.where(generator.random(OTHERS) < 0.5, -1, np.arange(OTHERS) % SIZE)
    owners[SIZE:] = -1
    both = [
        References(vectors=vectors(seed + n, OTHERS), owners=owners, rate=rate)
        for n, rate in ((10, 0.7), (20, 2.0))
    ]
    for one in both:
        wanted = by_loops(index, one, share)
        found = inverse_convolution(index, [one], share=share)
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    joined = unit(np.mean([inverse_convolution(index, [one], share=share) for one in both], axis=0))
    np.testing.assert_allclose(inverse_convolution(index, both, share=share), joined, atol=1e-6)


def test_a_rate_of_nothing_moves_nothing() -> None:
    index = vectors(0, SIZE)
    none = References(vectors=vectors(1, OTHERS), owners=np.full(OTHERS, -1), rate=0.0)
    np.testing.assert_allclose(inverse_convolution(index, [none]), index, atol=1e-6)


def test_what_makes_no_sense_is_refused() -> None:
    index = vectors(0, SIZE)
    with pytest.raises(InputError, match="no references"):
        inverse_convolution(index, [])
    with pytest.raises(InputError, match="owners"):
        References(vectors=index, owners=np.zeros(1, np.int64), rate=1.0)
    with pytest.raises(SettingError, match="rate"):
        References(vectors=index, owners=np.zeros(SIZE, np.int64), rate=-1.0)
    one = References(vectors=index, owners=np.arange(SIZE), rate=1.0)
    with pytest.raises(SettingError, match="share"):
        inverse_convolution(index, [one], share=0.0)
