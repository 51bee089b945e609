"""Claims about a picture, believed only when two witnesses with different features agree.

A witness is a logistic regression over its own features of the picture with two thresholds, set on
training pictures that its fit left out: above the one, what it supports is right often enough,
below the other, what it refutes is; between them it abstains. Two that agree give a verdict, all
else is *uncertain*, which SENTINEL (arXiv 2507.12455) finds to be the class that matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenes.tagging.decision import Logistic, fit_logistic, unseen_log_odds

__all__ = ["Outcome", "Verdict", "Vote", "Witness", "claim_thresholds", "fit_witness", "verdict"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Outcome = Literal["supported", "refuted", "uncertain"]

_DOUBT = 0.5  # errors added to those seen: none of fifteen is not none at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What one witness says of one claim.

    Attributes:
        witness: Its name.
        log_odds: Its score; not calibrated.
        refutes: The claim is refuted below it.
        supports: The claim is supported above it.
    """

    witness: str
    log_odds: float
    refutes: float
    supports: float

    @property
    def outcome(self) -> Outcome:
        """Its verdict alone."""
        if self.log_odds > self.supports:
            return "supported"
        return "refuted" if self.log_odds < self.refutes else "uncertain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a claim, with the votes it rests on.

    Attributes:
        claim: What is claimed, such as ``star``.
        votes: One a witness.
        outcome: That of all votes, where they agree.
    """

    claim: str
    votes: tuple[Vote, ...]
    outcome: Outcome


def verdict(claim: str, votes: Sequence[Vote]) -> Verdict:
    """Join votes: a claim is supported or refuted only by all of them.

    Example:
        >>> yes = Vote(witness="parts", log_odds=3.0, refutes=-1.0, supports=1.0)
        >>> unsure = Vote(witness="vector", log_odds=0.0, refutes=-1.0, supports=1.0)
        >>> verdict("star", [yes, yes]).outcome, verdict("star", [yes, unsure]).outcome
        ('supported', 'uncertain')
    """
    said = {vote.outcome for vote in votes}
    outcome = said.pop() if len(said) == 1 else "uncertain"
    return Verdict(claim=claim, votes=tuple(votes), outcome=outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness of one claim.

    Attributes:
        name: What it looks at.
        model: Over its features.
        refutes: Threshold in log odds; minus infinity if it may never refute.
        supports: Threshold in log odds; infinity if it may never support.
        unseen: ``(n,)`` log odds of the training pictures, each by a fit that left it out.
    """

    name: str
    model: Logistic
    refutes: float
    supports: float
    unseen: Floats

    def votes(self, features: Floats) -> list[Vote]:
        """Return a vote for each picture of ``(n, features)``."""
        return [
            Vote(witness=self.name, log_odds=value, refutes=self.refutes, supports=self.supports)
            for value in np.clip(self.model.log_odds(features), -7, 7).tolist()
        ]


def fit_witness(
    name: str,
    features: Floats,
    truth: Booleans,
    *,
    precision: float = 0.95,
    penalty: float = 0.5,
    seed: int = 0,
) -> Witness:
    """Fit a witness and set its thresholds on pictures that the fit left out.

    Args:
        name: What it looks at.
        features: ``(n, features)`` of training pictures.
        truth: ``(n,)`` whether the claim is true of each; at least two are, and two are not.
        precision: Of what it supports, and of what it refutes.
        penalty: Inverse strength of the L2 penalty.
        seed: Of the inner folds.

    Raises:
        InputError: Too few pictures of either kind.
    """
    unseen = unseen_log_odds(features, truth, penalty=penalty, seed=seed)
    refutes, supports = claim_thresholds(unseen, truth, precision=precision)
    model = fit_logistic(features, truth, penalty=penalty)
    return Witness(name=name, model=model, refutes=refutes, supports=supports, unseen=unseen)


def claim_thresholds(
    log_odds: Floats, truth: Booleans, *, precision: float = 0.95
) -> tuple[float, float]:
    """Return below what to refute and above what to support a claim.

    Precision is of claims of which half are true, whatever the share of pictures that have the
    thing. Half an error is added to those seen, so that few pictures give no certainty.

    Args:
        log_odds: ``(n,)``.
        truth: ``(n,)``.
        precision: To be reached, in (0.5, 1).

    Example:
        >>> scores = np.repeat([-3.0, 0.0, 3.0], [20, 2, 20])
        >>> claim_thresholds(scores, np.arange(42) >= 21)
        (-1.5, 1.5)
    """
    supports = _threshold(log_odds, truth, precision)
    refutes = -_threshold(-log_odds, ~truth, precision)
    return refutes, max(refutes, supports)


def _threshold(log_odds: Floats, truth: Booleans, precision: float) -> float:
    """Return the lowest threshold above which claims are right often enough, else infinity."""
    values = np.unique(log_odds)
    between = [values[0] - 1.0, *((values[1:] + values[:-1]) / 2)]
    for threshold in between:
        told = log_odds > threshold
        right = (told & truth).sum() / max(int(truth.sum()), 1)
        wrong = ((told & ~truth).sum() + _DOUBT) / (int((~truth).sum()) + _DOUBT)
        if right and right / (right + wrong) >= precision:
            return float(threshold)
    return float("inf")
