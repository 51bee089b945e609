"""When the evidence for a tag is enough: logistic regression, and a threshold for the best F1.

Few images have a tag, so the evidence is a handful of numbers, and the rest of what an image looks
like comes in as a second opinion, a linear probe on the image vector. Its share and the threshold
are chosen by cross-validation inside the training images, never on the images that are judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError

__all__ = [
    "Logistic",
    "TagDecision",
    "best_threshold",
    "f1_score",
    "fit_decision",
    "fit_logistic",
    "unseen_log_odds",
]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_PENALTY = 0.1  # inverse strength, of the evidence
_PENALTY_OF_VECTORS = 0.02
_SHARES = (0.0, 0.25, 0.5)
_FOLDS = 5
_THRIFT = 0.01  # F1 by which the image vector must win, at a share of 1, to be taken in


@dataclass(frozen=True, slots=True)
class Logistic:
    """Logistic regression over standardised inputs.

    Attributes:
        mean: ``(inputs,)``.
        scale: ``(inputs,)``.
        weight: ``(inputs,)``.
        bias: One number.
    """

    mean: Floats
    scale: Floats
    weight: Floats
    bias: float

    def log_odds(self, inputs: Floats) -> Floats:
        """Return ``(n,)`` of ``(n, inputs)``."""
        result: Floats = (inputs - self.mean) / self.scale @ self.weight + self.bias
        return result


def fit_logistic(inputs: Floats, truth: Booleans, *, penalty: float = _PENALTY) -> Logistic:
    """Fit a logistic regression.

    Args:
        inputs: ``(n, inputs)``.
        truth: ``(n,)``, both values occur.
        penalty: Inverse strength of the L2 penalty.
    """
    from sklearn.linear_model import LogisticRegression  # only training waits for it

    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    model = LogisticRegression(C=penalty, max_iter=500).fit((inputs - mean) / scale, truth)
    return Logistic(mean, scale, model.coef_[0], float(model.intercept_[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class TagDecision:
    """Decides one tag.

    Attributes:
        evidence: Over the numbers of `scenes.tagging.evidence`.
        vectors: Over image vectors.
        share: Of the image vector's opinion.
        threshold: Log odds above which the tag is told.
    """

    evidence: Logistic
    vectors: Logistic | None
    share: float
    threshold: float

    def log_odds(self, evidence: Floats, vectors: Floats | None = None) -> Floats:
        """Return ``(n,)``, not calibrated."""
        own = self.evidence.log_odds(evidence)
        if self.vectors is None or vectors is None:
            return own
        return (1 - self.share) * own + self.share * self.vectors.log_odds(vectors)

    def tells(self, evidence: Floats, vectors: Floats | None = None) -> Booleans:
        """Return ``(n,)``: whether each image has the tag."""
        result: Booleans = self.log_odds(evidence, vectors) > self.threshold
        return result


def fit_decision(
    evidence: Floats,
    truth: Booleans,
    vectors: Floats | None = None,
    *,
    penalty: float = _PENALTY,
    seed: int = 0,
) -> TagDecision:
    """Learn when to tell a tag.

    Args:
        evidence: ``(n, numbers)``.
        truth: ``(n,)``.
        vectors: ``(n, dimension)`` image vectors.
        penalty: Inverse strength of the L2 penalty on the evidence.
        seed: Of the folds.

    Raises:
        InputError: Fewer than two images have the tag, or fewer than two have it not.
    """
    folds = _folds(truth, seed)
    own = _unseen(evidence, truth, folds, penalty)
    second = own if vectors is None else _unseen(vectors, truth, folds, _PENALTY_OF_VECTORS)
    choices = []
    for share in _SHARES if vectors is not None else (0.0,):
        mixed = (1 - share) * own + share * second
        threshold = best_threshold(mixed, truth)
        choices.append((f1_score(mixed > threshold, truth) - _THRIFT * share, share, threshold))
    _, share, threshold = max(choices)
    probe = None
    if vectors is not None and share:
        probe = fit_logistic(vectors, truth, penalty=_PENALTY_OF_VECTORS)
    own_model = fit_logistic(evidence, truth, penalty=penalty)
    return TagDecision(evidence=own_model, vectors=probe, share=share, threshold=threshold)


def unseen_log_odds(
    inputs: Floats, truth: Booleans, *, penalty: float = _PENALTY, seed: int = 0
) -> Floats:
    """Return ``(n,)`` log odds, each of a logistic regression that was not fitted on its image.

    Args:
        inputs: ``(n, inputs)``.
        truth: ``(n,)``.
        penalty: Inverse strength of the L2 penalty.
        seed: Of the folds.

    Raises:
        InputError: Fewer than two images have the tag, or fewer than two have it not.
    """
    return _unseen(inputs, truth, _folds(truth, seed), penalty)


def _folds(truth: Booleans, seed: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    from sklearn.model_selection import StratifiedKFold

    fewest = int(min(truth.sum(), (~truth).sum()))
    if fewest < 2:
        raise InputError("a tag needs two images with it and two without it")
    split = StratifiedKFold(min(_FOLDS, fewest), shuffle=True, random_state=seed)
    return list(split.split(np.zeros((len(truth), 1)), truth))


def _unseen(
    inputs: Floats,
    truth: Booleans,
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    penalty: float,
) -> Floats:
    """Log odds of each image by a model that was not trained on it."""
    result = np.empty(len(truth))
    for inside, outside in folds:
        model = fit_logistic(inputs[inside], truth[inside], penalty=penalty)
        result[outside] = np.clip(model.log_odds(inputs[outside]), -7, 7)
    return result


def best_threshold(log_odds: Floats, truth: Booleans) -> float:
    """Return the threshold of the best F1, averaged over three neighbours; the lowest of equals.

    Example:
        >>> best_threshold(np.array([-2.0, -1.0, 1.0, 3.0]), np.array([False, False, True, True]))
        0.0
    """
    values = np.unique(log_odds)
    if len(values) < 2:
        return float(values[0])
    between = (values[1:] + values[:-1]) / 2
    reached = np.array([f1_score(log_odds > threshold, truth) for threshold in between])
    padded = np.pad(reached, 1, mode="edge")
    return float(between[int(((padded[:-2] + padded[1:-1] + padded[2:]) / 3).argmax())])


def f1_score(told: Booleans, truth: Booleans) -> float:
    """Return the harmonic mean of precision and recall; 1 where nothing is told nor true."""
    total = int(told.sum() + truth.sum())
    return 2 * int((told & truth).sum()) / total if total else 1.0
