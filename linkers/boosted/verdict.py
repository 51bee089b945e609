"""How sure a ranked list is: is its first entity right, and is the entity in the base at all?

Two small forests look at a list (its scores, and what its first candidates are like). They learn
from mentions that their ranker was not trained on: from many training mentions, each ranked by the
other half of the documents, calibrated on the mentions that are kept for it; or, where training
mentions are few, from the latter, calibrated on their own folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation import Isotonic, Platt, calibration_from_json, fit_platt
from kg.errors import InputError
from linkers.boosted.describing import Described
from linkers.boosted.features import FEATURES
from linkers.boosted.trees import Forest, TreeConfig, fit_forest

__all__ = ["Sure", "Taught", "Verdict", "fit_verdict", "summaries", "taught_by"]

Floats = NDArray[np.float64]

_FOLDS = 5
_FEWEST = 20  # of either kind, below which a share is said and no forest grown
_TREES = TreeConfig(
    trees=60, learning_rate=0.06, leaves=6, smallest_leaf=15, penalty=5.0, columns=0.5
)
_MANY = TreeConfig(
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
class Sure:
    """A probability of something about a list.

    Attributes:
        forest: None where it is the same for all.
        calibration: From the forest's log-odds (or 0) to probabilities.
    """

    forest: Forest | None
    calibration: Isotonic | Platt

    def probabilities(self, marks: NDArray[np.float32]) -> Floats:
        """Return ``(n,)`` probabilities."""
        raw = np.zeros(len(marks)) if self.forest is None else self.forest.scores(marks)
        return self.calibration.apply(raw)

    @classmethod
    def always(cls, share: float) -> Sure:
        """Return a probability that is the same for all."""
        return cls(forest=None, calibration=Isotonic(scores=(0.0,), probabilities=(share,)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """What is said of a list.

    Attributes:
        right: That the first candidate is right where the entity is in the base.
        nil: That the entity is not in the base.
    """

    right: Sure
    nil: Sure

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
        parts = {"right": self.right.forest, "nil": self.nil.forest}
        return {
            f"{part}.{name}": value
            for part, forest in parts.items()
            if forest is not None
            for name, value in forest.arrays().items()
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
            parts[part] = Sure(
                forest=Forest.of_arrays(own) if own else None,
                calibration=calibration_from_json(values[part]),
            )
        return cls(**parts)


def fit_verdict(
    described: Described,
    scores: Floats,
    gold: NDArray[np.int64],
    *,
    groups: Sequence[str],
    taught: Taught | None = None,
    seed: int = 0,
) -> Verdict:
    """Learn how sure lists are.

    Args:
        described: Mentions that the ranker was not trained on.
        scores: Their scores.
        gold: ``(n,)`` ids, -1 for NIL.
        groups: What holds mentions together when folds are made (documents).
        taught: Lists of training mentions, to learn from instead; these then calibrate.
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
    right = _sure(
        marks[inside],
        (first == gold)[inside],
        folds[inside],
        seed,
        None if taught is None else (taught.marks[taught.inside], taught.right[taught.inside]),
    )
    more = None if taught is None else (taught.marks, ~taught.inside)
    return Verdict(right=right, nil=_sure(marks, ~inside, folds, seed, more))


def _sure(
    marks: NDArray[np.float32],
    outcomes: NDArray[np.bool_],
    folds: NDArray[np.int64],
    seed: int,
    taught: tuple[NDArray[np.float32], NDArray[np.bool_]] | None,
) -> Sure:
    true = int(outcomes.sum())
    if min(true, len(outcomes) - true) < _FEWEST:
        # none of a kind was ever seen: it may be left out
        return Sure.always(true / len(outcomes) if len(outcomes) else 0.0)
    if taught is not None and taught[1].any() and not taught[1].all():
        ones = np.ones(len(taught[1]), dtype=np.float32)
        forest = fit_forest(*taught, ones, config=_MANY, seed=seed)
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
