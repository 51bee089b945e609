"""How sure a ranked list is: is its first entity right, and is the entity in the base at all?

Two small forests look at a list (its scores, and what its first candidates are like). They learn
from mentions that their ranker was not trained on: from many training mentions, each ranked by the
other half of the documents, calibrated on the mentions that are kept for it; or, where training
mentions are few, from the latter, calibrated on their own folds. Where even these hold too few of a
kind for a forest, a straight line on one mark says it (Platt), fitted on all such mentions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation import calibration_from_json, fit_platt
from kg.errors import InputError
from linkers.boosted.describing import Described
from linkers.boosted.features import FEATURES
from linkers.boosted.sure import BEST, LEAD, Sure
from linkers.boosted.trees import TreeConfig, fit_forest

__all__ = ["MANY", "Taught", "Verdict", "fit_verdict", "summaries", "taught_by", "too_few"]

Floats = NDArray[np.float64]

_FOLDS = 5
_FEWEST = 20  # of either kind, below which one mark says it and no forest is grown
_TREES = TreeConfig(
    trees=60, learning_rate=0.06, leaves=6, smallest_leaf=15, penalty=5.0, columns=0.5
)
MANY = TreeConfig(
    trees=150, learning_rate=0.06, leaves=8, smallest_leaf=30, penalty=5.0, columns=0.5
)
"""Of forests that learn from training mentions; chosen on WikiDiverse's valid."""
_SHOWN = (
    "same whole name",
    "same bare name",
    "ratio",
    "set ratio",
    "part ratio",
    "part ratio with text",
    "mention's words held",
    "words held by text",
    "letters",
    "name vector",
    "text vector",
    "prior",
    "links of surface",
    "links of entity",
    "words of mention",
    "capitals of mention",
    "candidates of that name",
    "number of entity",
)


def summaries(described: Described, scores: Floats) -> NDArray[np.float32]:
    """Return ``(n, marks)`` of ranked lists."""
    starts, rows = described.pairs.starts, described.pairs.rows
    order = np.lexsort((-scores, rows))
    first = order[starts]
    sizes = np.diff(np.append(starts, len(rows)))
    second = order[starts + np.minimum(1, sizes - 1)]
    best = scores[first]
    runner_up = np.where(sizes > 1, scores[second], -20.0)
    parts = np.exp(scores - best[rows])
    total = np.add.reduceat(parts, starts)
    odds = 1.0 / (1.0 + np.exp(-np.clip(scores, -30.0, 30.0)))
    columns = [FEATURES.index(name) for name in _SHOWN]
    shown = described.values[:, columns]
    marks = [best, runner_up, best - runner_up, 1.0 / total, np.add.reduceat(odds, starts)]
    strongest = np.fmax.reduceat(shown[:, 2:11], starts, axis=0)
    return np.column_stack([*marks, shown[first], strongest]).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taught:
    """Lists of many mentions that forests learn from.

    Attributes:
        marks: ``(n, marks)`` by `summaries`.
        right: ``(n,)`` whether the first candidate is right.
        inside: ``(n,)`` whether the entity is in the base.
    """

    marks: NDArray[np.float32]
    right: NDArray[np.bool_]
    inside: NDArray[np.bool_]


def taught_by(described: Described, scores: Floats, gold: NDArray[np.int64]) -> Taught:
    """Return what lists teach.

    Args:
        described: Mentions.
        scores: Of a ranker that was not trained on them.
        gold: ``(n,)`` ids, -1 for NIL.
    """
    right = _first(described, scores) == gold
    return Taught(marks=summaries(described, scores), right=right, inside=gold >= 0)


def _first(described: Described, scores: Floats) -> NDArray[np.int64]:
    order = np.lexsort((-scores, described.pairs.rows))
    return described.pairs.ids[order[described.pairs.starts]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """What is said of a list.

    Attributes:
        right: That the first candidate is right where the entity is in the base.
        nil: That the entity is not in the base.
    """

    right: Sure
    nil: Sure

    @property
    def rough(self) -> bool:
        """Whether one of the two was learnt from too few mentions for a forest."""
        return self.right.forest is None or self.nil.mark is not None

    @property
    def knows_nil(self) -> bool:
        """Whether a mention was seen whose entity is not in the base."""
        return self.nil.forest is not None or self.nil.mark is not None

    def apply(self, described: Described, scores: Floats) -> tuple[Floats, Floats]:
        """Return ``(n,)`` probabilities of the first candidate, and of NIL."""
        marks = summaries(described, scores)
        nil = self.nil.probabilities(marks)
        return self.right.probabilities(marks) * (1.0 - nil), nil

    def to_json(self) -> dict[str, Any]:
        """Return what is no array."""
        parts = {"right": self.right, "nil": self.nil}
        return {name: part.calibration.to_json() for name, part in parts.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays, for safetensors."""
        parts = {"right": self.right, "nil": self.nil}
        return {
            f"{part}.{name}": value
            for part, sure in parts.items()
            for name, value in sure.arrays().items()
        }

    @classmethod
    def of(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Verdict:
        """Read what `to_json` and `arrays` gave.

        Raises:
            InputError: It is no verdict.
        """
        parts = {}
        for part in ("right", "nil"):
            own = {
                name.removeprefix(f"{part}."): value
                for name, value in arrays.items()
                if name.startswith(f"{part}.")
            }
            parts[part] = Sure.of(calibration_from_json(values[part]), own)
        return cls(**parts)


def too_few(described: Described, scores: Floats, gold: NDArray[np.int64]) -> bool:
    """Tell whether mentions hold too few of a kind to grow forests on them.

    Args:
        described: Mentions that the ranker was not trained on.
        scores: Their scores.
        gold: ``(n,)`` ids, -1 for NIL.
    """
    inside = gold >= 0
    right = (_first(described, scores) == gold)[inside]
    return any(_rarer(outcomes) < _FEWEST for outcomes in (right, inside))


def _rarer(outcomes: NDArray[np.bool_]) -> int:
    """Return how many there are of the rarer kind."""
    true = int(outcomes.sum())
    return min(true, len(outcomes) - true)


def fit_verdict(
    described: Described,
    scores: Floats,
    gold: NDArray[np.int64],
    *,
    groups: Sequence[str],
    taught: Taught | None = None,
    many: bool = True,
    seed: int = 0,
) -> Verdict:
    """Learn how sure lists are.

    Args:
        described: Mentions that the ranker was not trained on.
        scores: Their scores.
        gold: ``(n,)`` ids, -1 for NIL.
        groups: What holds mentions together when folds are made (documents).
        taught: Lists of training mentions, to learn from instead; the others then calibrate.
        many: Whether these are enough for forests; if not, they count only where the others hold
            too few of a kind.
        seed: Of the folds and trees.

    Raises:
        InputError: There is no mention.
    """
    if not len(described):
        raise InputError("there is no mention to calibrate on")
    marks = summaries(described, scores)
    first = _first(described, scores)
    names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    generator = np.random.default_rng(seed)
    fold_of = generator.integers(0, _FOLDS, size=len(names))
    folds = fold_of[[names[group] for group in groups]]
    inside = gold >= 0
    outcomes = (first == gold)[inside]
    told = None if taught is None else (taught.marks[taught.inside], taught.right[taught.inside])
    more = None if taught is None else (taught.marks, ~taught.inside)
    if _rarer(outcomes) < _FEWEST:
        right = _by_mark(LEAD, (marks[inside], outcomes), told)
    else:
        right = _sure(marks[inside], outcomes, folds[inside], seed, told if many else None)
    if _rarer(inside) < _FEWEST:
        return Verdict(right=right, nil=_by_mark(BEST, (marks, ~inside), more))
    return Verdict(right=right, nil=_sure(marks, ~inside, folds, seed, more if many else None))


Outcomes = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""Marks of lists, and what came of each."""


def _by_mark(column: int, valid: Outcomes, taught: Outcomes | None) -> Sure:
    """Return what one mark says, by all lists that are honest, few as they are."""
    parts = [valid] if taught is None else [valid, taught]
    marks, outcomes = (np.concatenate(values) for values in zip(*parts, strict=True))
    if not outcomes.any():  # none was ever seen: it may be left out
        return Sure.always(0.0)
    # Platt's own targets: few that are told apart without a fault promise no certainty
    true = int(outcomes.sum())
    if np.ptp(marks[:, column]) == 0:
        return Sure.always((true + 1) / (len(outcomes) + 2))
    high, low = (true + 1) / (true + 2), 1 / (len(outcomes) - true + 2)
    hoped = np.where(outcomes, high, low)
    calibration = fit_platt(
        np.tile(marks[:, column], 2),
        np.repeat([True, False], len(outcomes)),
        np.concatenate([hoped, 1 - hoped]),
    )
    return Sure(forest=None, calibration=calibration, mark=column)


def _sure(
    marks: NDArray[np.float32],
    outcomes: NDArray[np.bool_],
    folds: NDArray[np.int64],
    seed: int,
    taught: Outcomes | None,
) -> Sure:
    if taught is not None and taught[1].any() and not taught[1].all():
        ones = np.ones(len(taught[1]), dtype=np.float32)
        forest = fit_forest(*taught, ones, config=MANY, seed=seed)
        return Sure(forest=forest, calibration=fit_platt(forest.scores(marks), outcomes))
    weights = np.ones(len(marks), dtype=np.float32)
    held_out = np.zeros(len(marks))
    for fold in range(_FOLDS):
        apart = folds == fold
        learnt = outcomes[~apart]
        if not apart.any() or learnt.all() or not learnt.any():
            continue
        forest = fit_forest(marks[~apart], learnt, weights[~apart], config=_TREES, seed=seed)
        held_out[apart] = forest.scores(marks[apart])
    return Sure(
        forest=fit_forest(marks, outcomes, weights, config=_TREES, seed=seed),
        calibration=fit_platt(held_out, outcomes),
    )
