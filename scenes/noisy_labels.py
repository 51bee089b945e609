"""Weights of labels that may be wrong, by two models that see different things (CromSS).

After CromSS (arXiv 2405.01217 and its public code). Two branches learn from the same labels, each
from its own side of the evidence. A branch believes a label as far as its own probability of it
goes, and half of that only if the other branch does not share it ::

    c_a = (p_a[y] + p_a[y] · p_b[y]) / 2

Within each class the labels of highest confidence keep weight 1, as many as a share says; each
other has its confidence over that of the last of these. Where the public code gives a class with
few labels no weight at all (its share is rounded down), here at least five of each class keep
weight 1; and confidences that are no numbers are refused, not set to 0.

Besides, each branch learns from what the other predicts, as far as that is sure (`consistency`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from kg.errors import InputError, SettingError

__all__ = ["consistency", "prediction_confidence", "sample_weights", "smoothed"]

Floats = NDArray[np.float64]


def sample_weights(
    p_a: Floats,
    p_b: Floats,
    y: NDArray[np.int64],
    *,
    share: float,
    min_per_class: int = 5,
    entangled: bool = True,
) -> tuple[Floats, Floats]:
    """Return the weights of labels for each of two branches.

    Args:
        p_a: ``(n, classes)`` probabilities of the first branch.
        p_b: The same of the second.
        y: ``(n,)`` labels.
        share: Of the labels of a class that keep weight 1, in (0, 1].
        min_per_class: Labels of a class that keep weight 1 whatever the share says.
        entangled: Whether a branch's confidence also counts what the other thinks.

    Returns:
        ``(n,)`` weights in [0, 1] of the first branch, and of the second.

    Raises:
        SettingError: The share is out of range.
        InputError: The shapes differ, or a probability is not finite.

    Example:
        >>> sure = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8]])
        >>> first, _ = sample_weights(sure, sure, np.zeros(3, dtype=int), share=0.6,
        ...                           min_per_class=1)
        >>> first.round(2).tolist()
        [1.0, 1.0, 0.17]
    """
    if not 0 < share <= 1:
        raise SettingError(f"must lie in (0, 1], got {share!r}", where="share")
    if p_a.shape != p_b.shape or len(p_a) != len(y):
        raise InputError(f"probabilities of {p_a.shape} and {p_b.shape} for {len(y)} labels")
    rows = np.arange(len(y))
    own_a, own_b = p_a[rows, y], p_b[rows, y]
    if not (np.isfinite(own_a).all() and np.isfinite(own_b).all()):
        raise InputError("the probability of a label is not finite")
    if entangled:
        own_a, own_b = (own_a + own_a * own_b) / 2, (own_b + own_a * own_b) / 2
    return tuple(_within_classes(one, y, share, min_per_class) for one in (own_a, own_b))  # type: ignore[return-value]  # two


def _within_classes(
    confidence: Floats, y: NDArray[np.int64], share: float, min_per_class: int
) -> Floats:
    """Weigh each label by the least confidence among the best of its class."""
    order = np.lexsort((-confidence, y))
    of, starts, counts = np.unique(y[order], return_index=True, return_counts=True)
    kept = np.minimum(np.maximum(np.ceil(share * counts).astype(np.int64), min_per_class), counts)
    least = confidence[order][starts + kept - 1]
    threshold = np.maximum(least, 1e-12)[np.searchsorted(of, y)]
    weights: Floats = np.clip(confidence / threshold, 0.0, 1.0)
    place = np.empty(len(y), dtype=np.int64)
    place[order] = np.arange(len(y)) - np.repeat(starts, counts)
    weights[place < kept[np.searchsorted(of, y)]] = 1.0  # all of them, if least is 0 too
    return weights


def prediction_confidence(log_a: Tensor, log_b: Tensor) -> tuple[Tensor, Tensor]:
    """Return how sure two branches are of what they predict, entangled like their labels.

    Args:
        log_a: ``(n, classes)`` log-probabilities of the first branch.
        log_b: The same of the second.

    Returns:
        ``(n,)`` in [0, 1] of the first and of the second: one minus the entropy over that of
        knowing nothing, and half of it only if the other is unsure.
    """
    own_a, own_b = (
        1 + (one.exp() * one).sum(dim=1) / float(np.log(max(one.shape[1], 2)))
        for one in (log_a, log_b)
    )
    return (own_a + own_a * own_b) / 2, (own_b + own_a * own_b) / 2


def consistency(log_a: Tensor, log_b: Tensor, w_a: Tensor, w_b: Tensor) -> Tensor:
    """Return what each branch is off from the other, which is not changed by it.

    Args:
        log_a: ``(n, classes)`` log-probabilities of the first branch.
        log_b: The same of the second.
        w_a: ``(n,)`` how far the first is to be believed by the second.
        w_b: ``(n,)`` how far the second is to be believed by the first.

    Returns:
        A scalar: the sum of both weighted mean cross-entropies.

    Example:
        >>> import torch
        >>> even = torch.log(torch.tensor([[0.5, 0.5]]))
        >>> one = torch.ones(1)
        >>> round(float(consistency(even, even, one, one) / np.log(2)), 6)
        2.0
    """
    total = log_a.new_zeros(())
    for learns, shows, weight in ((log_a, log_b, w_b), (log_b, log_a, w_a)):
        weight = weight.detach()
        entropy = -(shows.detach().exp() * learns).sum(dim=1)
        total = total + (weight * entropy).sum() / weight.sum().clamp(min=1e-12)
    return total


def smoothed(said: Tensor, local: Tensor, *, own: float = 0.1, even: float = 0.02) -> Tensor:
    """Return labels of which a part is given to what is usual, and a part to all classes alike.

    Args:
        said: ``(n, classes)``, each row adds up to 1.
        local: ``(n, classes)`` what is usual there, each row adds up to 1.
        own: The part given to what is usual.
        even: The part given to all classes alike.

    Example:
        >>> import torch
        >>> smoothed(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])).tolist()[0][1]
        0.10999999940395355
    """
    return (1 - own - even) * said + own * local + even / said.shape[1]
