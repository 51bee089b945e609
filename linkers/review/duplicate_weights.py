"""How much each sign says that two entities are one: set by hand, or learnt from decisions.

A weight is in powers of two of the odds, as record linkage counts (Fellegi and Sunter). Learnt
weights are the likeliest ones given the decisions, where each may lie about 2 away from the one set
by hand (a normal prior): logistic regression that a few decisions hardly move and many do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from linkers.review.log import DecisionLog

__all__ = ["FEWEST", "HAND", "PRIOR", "DecidedPair", "Weights", "decided_pairs", "learnt_weights"]

PRIOR = -6.0
"""Log2 odds that two entities that share a block are one, before any sign."""
HAND: Mapping[str, float] = MappingProxyType(
    {
        "same name": 7.0,
        "called so too": 7.0,
        "common alias": 5.0,
        "words in another order": 5.0,
        "spelling": 3.0,
        "same picture": 4.0,
        "edge between them": -3.0,
        "half the neighbours": 3.0,
        "some neighbours": 1.5,
        "no neighbour": -1.0,
        "same value": 4.0,
        "another value": -2.0,
    }
)
"""Weight of each kind of sign, set by hand."""
FEWEST = 5
"""Decisions on pairs below which the weights set by hand hold; and one of either kind."""

_SPREAD = 2.0  # standard deviation of a weight around the one set by hand, in log2 odds
_ROUNDS = 50
_ENOUGH = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What signs weigh.

    Attributes:
        prior: Log2 odds before any sign.
        signs: Weight by kind of sign.
        merged: Decisions "they are one" that it was learnt from; 0 where it was set by hand.
        parted: Decisions "they are two".
    """

    prior: float = PRIOR
    signs: Mapping[str, float] = field(default_factory=lambda: dict(HAND))
    merged: int = 0
    parted: int = 0

    def probability(self, signs: Mapping[str, float]) -> float:
        """Return the probability that two entities with these signs are one.

        Args:
            signs: How often a sign of each kind is there.

        Example:
            >>> Weights().probability({"same name": 1})
            0.666667
        """
        odds = self.prior + sum(self.signs[kind] * count for kind, count in signs.items())
        return round(float(1 / (1 + 2.0 ** -max(-60.0, min(60.0, odds)))), 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedPair:
    """A pair that a person decided.

    Attributes:
        signs: How often a sign of each kind was there when it was proposed.
        same: Whether they are one.
    """

    signs: Mapping[str, float]
    same: bool


def decided_pairs(log: DecisionLog) -> list[DecidedPair]:
    """Return the pairs that people decided, with the signs that they were proposed for.

    Pairs of a log that was written before signs were kept are left out.
    """
    found = []
    for case_id, decision in log.answers.items():
        case = log.found(case_id)
        if case is None or case.pair is None or decision.state != "done":
            continue
        signs = {k: v for c in case.candidates[:1] for k, v in c.signals.items() if k in HAND}
        if signs:
            found.append(DecidedPair(signs=signs, same=decision.request.kind == "merge"))
    return found


def learnt_weights(decided: Iterable[DecidedPair]) -> Weights:
    """Return the weights that decisions teach; those set by hand where there are too few.

    Args:
        decided: Pairs that people decided.
    """
    import numpy as np

    pairs = list(decided)
    merged = sum(pair.same for pair in pairs)
    if len(pairs) < FEWEST or not 0 < merged < len(pairs):
        return Weights()
    kinds = tuple(HAND)
    design = np.array([_row(pair, kinds) for pair in pairs])
    same = np.array([pair.same for pair in pairs], dtype=np.float64)
    natural = np.log(2.0)
    hand = np.array([PRIOR, *HAND.values()]) * natural
    precision = 1.0 / (_SPREAD * natural) ** 2
    weights = hand.copy()
    for _ in range(_ROUNDS):  # Newton's steps; the loss is convex
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -40.0, 40.0)))
        slope = design.T @ (chance - same) + precision * (weights - hand)
        curve = (design * (chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.solve(curve + precision * np.eye(len(weights)), slope)
        weights = weights - step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < _ENOUGH:
            break
    found = [round(float(value), 4) for value in weights / natural]
    return Weights(
        prior=found[0],
        signs=dict(zip(kinds, found[1:], strict=True)),
        merged=merged,
        parted=len(pairs) - merged,
    )


def _row(pair: DecidedPair, kinds: Sequence[str]) -> list[float]:
    return [1.0, *(float(pair.signs.get(kind, 0.0)) for kind in kinds)]
