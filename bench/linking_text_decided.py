"""Decisions on lists of candidates of mentions in texts, each learnt and calibrated apart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bench.linking_methods_opinions import LOST, Told
from bench.linking_text_withheld import PARTS, Draw, Side
from evaluation import fit_platt
from linkers.boosted import RankerConfig, TreeConfig
from linkers.boosted.ranker import fit_ranker
from linkers.boosted.sure import Sure
from linkers.boosted.training import honest_scores
from linkers.boosted.trees import fit_forest
from linkers.boosted.verdict import MANY, summaries
from linkers.cases import Case
from linkers.decision import Decision, DecisionConfig
from linkers.decision_fitting import fit_decision
from linkers.opinion_cases import OpinionColumns, Opinions

__all__ = [
    "SIGNALS",
    "UNITS",
    "Linker",
    "by_decision",
    "by_logistic",
    "by_trees",
    "fitted_decision",
    "opinion_marks",
]

UNITS = ("letters", "name vector", "text vector")
"""What each unit says: n-grams of letters, vectors of the words, vectors of the text."""
SIGNALS = (*UNITS, "prior")
_COLUMNS = OpinionColumns(units=tuple(range(len(UNITS))), prior=len(UNITS))
_SEEN = 6_000  # training mentions that small decisions learn from

Floats = NDArray[np.float64]
Marks = Mapping[str, NDArray[np.float32]]


def fitted_decision(draw: Draw, config: DecisionConfig, seed: int) -> Decision:
    """Return small networks, or opinions, on the units' scores, calibrated on the held part."""
    cases = [case for case in draw.sides["learn"].cases(SIGNALS) if case.gold != LOST]
    chosen = np.random.default_rng(seed).permutation(len(cases))[:_SEEN]
    decision = fit_decision(
        [cases[row] for row in chosen.tolist()],
        config=config,
        picture_signals=(),
        opinion_columns=_COLUMNS,
        seed=seed,
    )
    held = [case for case in draw.sides["held"].cases(SIGNALS) if case.gold != LOST]
    return decision.calibrated(held)


def by_decision(draw: Draw, decision: Decision) -> Told:
    """Return what a decision says of the valid mentions."""
    side = draw.sides["asked"]
    found = [_said(decision, case) for case in side.cases(SIGNALS)]
    place, best, nil = (np.array(values) for values in zip(*found, strict=True))
    first = side.described.pairs.ids[side.described.pairs.starts + place]
    return side.told(first, best, nil)


def _said(decision: Decision, case: Case) -> tuple[int, float, float]:
    own, none = decision.probabilities(case)
    return int(own.argmax()), min(1.0, float(own.max())), min(1.0, none)


def by_logistic(draw: Draw) -> Told:
    """Return what a logistic regression on the units' scores says, calibrated."""
    side = draw.sides["learn"]
    right = side.described.pairs.ids == side.gold[side.described.pairs.rows]
    model = LogisticRegression(C=1000.0, max_iter=1000).fit(_scores(side), right)
    return _calibrated(draw, {p: model.decision_function(_scores(draw.sides[p])) for p in PARTS})


def by_trees(draw: Draw, seed: int) -> Told:
    """Return what trees on the units' scores say, calibrated."""
    side = draw.sides["learn"]
    right = side.described.pairs.ids == side.gold[side.described.pairs.rows]
    ones = np.ones(len(right), dtype=np.float32)
    config = TreeConfig(trees=100, leaves=15)
    forest = fit_forest(_scores(side), right, ones, config=config, seed=seed)
    return _calibrated(draw, {p: forest.scores(_scores(draw.sides[p])) for p in PARTS})


def _scores(side: Side) -> NDArray[np.float32]:
    return np.stack([side.column(name) for name in SIGNALS], axis=1).astype(np.float32)


def _calibrated(draw: Draw, scores: Mapping[str, Floats]) -> Told:
    """Return what best score and lead say of lists, as the held part taught."""
    held, asked = draw.sides["held"], draw.sides["asked"]
    first, *marks = held.first(scores["held"])
    known = np.stack(marks, axis=1)
    inside = ~held.absent
    nil = LogisticRegression(C=1000.0, max_iter=1000).fit(known, held.absent)
    right = LogisticRegression(C=1000.0, max_iter=1000).fit(
        known[inside], (first == held.gold)[inside]
    )
    chosen, *marks = asked.first(scores["asked"])
    shown = np.stack(marks, axis=1)
    none = nil.predict_proba(shown)[:, 1]
    return asked.told(chosen, right.predict_proba(shown)[:, 1] * (1 - none), none)


class Linker:
    """The linker's own decision on a draw; marks of mentions may be added to what it sees.

    Args:
        draw: The mentions.
        seed: Of the trees.
        trees: Of the ranker.
    """

    def __init__(self, draw: Draw, seed: int, trees: int) -> None:
        self._draw, self._seed = draw, seed
        config = RankerConfig(trees=TreeConfig(trees=trees))
        material, learn = draw.material, draw.sides["learn"]
        honest = honest_scores(material, config=config, seed=seed)
        if honest is None:
            raise RuntimeError("the training documents cannot be halved")
        ranker = fit_ranker(learn.described, learn.gold, config=config, seed=seed)
        self.scores = {
            part: honest if part == "learn" else ranker.scores(side.described)
            for part, side in draw.sides.items()
        }

    def told(self, extra: Marks | None = None) -> Told:
        """Return what it says of the valid mentions.

        Args:
            extra: By part, ``(n, marks)`` that its forests see too.
        """
        marks = {}
        for part, side in self._draw.sides.items():
            own = summaries(side.described, self.scores[part])
            marks[part] = own if extra is None else np.concatenate([own, extra[part]], axis=1)
        sides = self._draw.sides
        first = {part: sides[part].first(self.scores[part])[0] for part in sides}
        right = {part: first[part] == sides[part].gold for part in sides}
        inside = {part: ~sides[part].absent for part in sides}
        sure = self._sure(marks, right, inside)
        everybody = {part: np.ones(len(sides[part].gold), dtype=np.bool_) for part in sides}
        nil = self._sure(marks, {p: sides[p].absent for p in sides}, everybody)
        none = nil.probabilities(marks["asked"])
        best = sure.probabilities(marks["asked"]) * (1 - none)
        return sides["asked"].told(first["asked"], best, none)

    def _sure(
        self,
        marks: Marks,
        outcomes: Mapping[str, NDArray[np.bool_]],
        kept: Mapping[str, NDArray[np.bool_]],
    ) -> Sure:
        """Return a forest of the training mentions, calibrated on the held part."""
        seen, held = kept["learn"], kept["held"]
        ones = np.ones(int(seen.sum()), dtype=np.float32)
        forest = fit_forest(
            marks["learn"][seen], outcomes["learn"][seen], ones, config=MANY, seed=self._seed
        )
        raw = forest.scores(marks["held"][held])
        return Sure(forest=forest, calibration=fit_platt(raw, outcomes["held"][held]))


def opinion_marks(draw: Draw, opinions: Opinions) -> dict[str, NDArray[np.float32]]:
    """Return by part ``(n, 2)`` how ignorant one is of each mention, and whether units disagree."""
    found = {}
    for part, side in draw.sides.items():
        opinion = opinions.of(side.cases(SIGNALS))
        pair = [opinion.ignorance, opinion.conflict]
        found[part] = np.stack([value.detach().numpy() for value in pair], axis=1)
    return found
