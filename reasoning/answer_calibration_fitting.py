"""Fits the maps from scores of answers to probabilities on the answers of validation queries.

Examples are the ten best likely answers of each query, true where the held-out edges prove them.
The map of each group is isotonic, or Platt's where folds prefer it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import Calibration, fit_isotonic, fit_platt
from kg.errors import InputError
from kg.graph_folder import GraphFolder
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.answer_calibration import AnswerCalibration, family, log_scores
from reasoning.judged_answers import (
    HingesOf,
    JudgedAnswers,
    further_answers,
    judged_answers,
    validation_queries,
)
from reasoning.protocols import Answerer
from reasoning.query import Query, structure_name

__all__ = [
    "ValidationAnswers",
    "fit_answer_calibration",
    "half_of_validation",
    "validation_answers",
]

_FEWEST_EXAMPLES = 200
_FEWEST_OF_EACH = 15
_FOLDS = 5
_LEAST = 0.05
"""Least weight of a false answer."""

_MOST_GROWN = 2.0
"""Twice the edges prove at most twice the answers, but for the few that need two of them."""


def fit_answer_calibration(judged: Iterable[JudgedAnswers]) -> AnswerCalibration:
    """Fit the maps; shapes with too few examples are left to a more general map.

    Raises:
        InputError: There are fewer than 200 answers in all, or fewer than 15 true or false ones.

    Example:
        >>> from kg.model import EntityKey
        >>> from reasoning.query import Anchor, Projection
        >>> query = Projection("r", Anchor(EntityKey("a")))
        >>> scores, outcomes = np.array([0.9, 0.1]), np.array([True, False])
        >>> one = JudgedAnswers(query=query, scores=scores, outcomes=outcomes)
        >>> bool(np.diff(fit_answer_calibration([one] * 200).probabilities(query, [0.1, 0.9])) > 0)
        True
    """
    everything = list(judged)
    overall = _fitted(everything)
    if overall is None:
        raise InputError(
            f"{sum(len(one.scores) for one in everything)} judged answers are too few to calibrate",
            hint=(
                f"give queries with at least {_FEWEST_EXAMPLES} likely answers, "
                f"{_FEWEST_OF_EACH} of them true and {_FEWEST_OF_EACH} false"
            ),
        )
    return AnswerCalibration(
        overall=overall,
        families=_fitted_groups(everything, family),
        structures=_fitted_groups(everything, structure_name),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ValidationAnswers:
    """Judged answers of validation queries, which the maps are fitted on.

    Queries that need an edge say little of other missing edges: what validation does not prove is
    judged false, though many a new edge is missing in both. Asked of queries that need an edge of
    another draw, where what validation proves is known and left out, an answer is true with
    probability m / (1 − c): m by its score on the sample, c the share of such answers that the
    edges of the one draw prove to queries that need the other. So false answers count
    (1 − m − c) / (1 − m) each.

    There is no second draw of that size, so c is measured between halves of the validation edges
    and counts as many times as m is greater with all of them than with a half (`growth`): both rise
    with the number of edges that may prove an answer. On NELL995, five times its 28,591 held-out
    edges dealt to validation and test (150 to 250 queries a structure, test queries by validation
    and test edges), the mean probability missed the share of true answers, 0.25, by −0.056 without
    c, −0.028 with c as halves give it, 0.013 with twice that, −0.004 ± 0.005 so, and 0.001 ± 0.003
    with c as the test edges themselves give it.

    Attributes:
        judged: Of queries that need a validation edge.
        by_half: Of queries that need an edge of one half, judged by the edges of that half.
        by_other: The same answers, judged by what the edges of the other half prove beyond it.
    """

    judged: Sequence[JudgedAnswers]
    by_half: Sequence[JudgedAnswers]
    by_other: Sequence[JudgedAnswers]

    @property
    def examples(self) -> list[JudgedAnswers]:
        """What weights count: `judged`, then `by_half`, whose answers are those of `by_other`."""
        return [*self.judged, *self.by_half]

    def counting(self, weights: NDArray[np.float64]) -> ValidationAnswers:
        """Return the same answers with weights.

        Args:
            weights: How much each answer of `examples` counts, one after the other.
        """
        own = sum(len(one.scores) for one in self.judged)
        return ValidationAnswers(
            judged=_counting(self.judged, weights[:own]),
            by_half=_counting(self.by_half, weights[own:]),
            by_other=_counting(self.by_other, weights[own:]),
        )

    def growth(self) -> dict[str | None, float]:
        """Return how many times more answers a whole draw proves than a half of it.

        By structure, where true answers are enough to tell; of all structures under None.
        """
        whole, half = _shares_true(self.judged), _shares_true(self.by_half)
        ratios = {name: whole[name] / half[name] for name in whole.keys() & half.keys()}
        found = {name: float(np.clip(ratio, 1.0, _MOST_GROWN)) for name, ratio in ratios.items()}
        return {None: 1.0, **found}

    def calibration(self) -> AnswerCalibration | None:
        """Fit the maps; None where the answers are too few."""
        try:
            plain = fit_answer_calibration(self.judged)
        except InputError:
            return None
        try:
            proved = fit_answer_calibration(self.by_other)
        except InputError:
            # too few to tell
            return plain
        growth = self.growth()
        return fit_answer_calibration(
            _weighed(one, plain, proved, growth.get(structure_name(one.query), growth[None]))
            for one in self.judged
        )


def validation_answers(
    answerer: Answerer,
    known: Snapshot,
    half: Snapshot,
    full: Snapshot,
    *,
    count: int = 500,
    seed: int = 0,
    progress: Progress = silent,
    hinges_of: HingesOf | None = None,
) -> ValidationAnswers:
    """Judge the answers of sampled queries that need an edge which `full` has and `known` lacks.

    Args:
        answerer: Over the known edges.
        known: Answers that follow from it are not judged, neither as true nor as false.
        half: The same with half of the validation edges (`half_of_validation`).
        full: The same with all of them.
        count: Queries of a structure, and of one edge four times as many.
        seed: Of the sample.
        progress: Told the queries done.
        hinges_of: Finds the edge that each answer hangs on; not asked for to fit the maps.
    """
    asked = validation_queries(known, full, count, seed=seed)
    drawn = validation_queries(known, half, (count + 1) // 2, seed=seed + 1)
    by_other = [further_answers(queries, full) for queries in drawn]
    first, second = sum(map(len, asked)), sum(map(len, drawn))
    total = first + 2 * second

    def reporting(before: int) -> Progress:
        return lambda done, _of: progress(before + done, total)

    return ValidationAnswers(
        judged=judged_answers(answerer, asked, known, progress=reporting(0), hinges_of=hinges_of),
        by_half=judged_answers(
            answerer, drawn, known, progress=reporting(first), hinges_of=hinges_of
        ),
        by_other=judged_answers(answerer, by_other, known, progress=reporting(first + second)),
    )


def half_of_validation(graph: GraphFolder, *, seed: int = 0) -> Snapshot:
    """Return the training edges and half of the validation edges, drawn at random."""
    chosen = np.random.default_rng(seed).random(len(graph.split)) < 0.5
    return graph.full.keeping((graph.split == 0) | ((graph.split == 1) & chosen))


def _counting(judged: Sequence[JudgedAnswers], weights: NDArray[np.float64]) -> list[JudgedAnswers]:
    ends = np.cumsum([len(one.scores) for one in judged])
    parts = np.split(weights, ends)[: len(judged)]
    return [replace(one, weights=part) for one, part in zip(judged, parts, strict=True)]


def _shares_true(judged: Sequence[JudgedAnswers]) -> dict[str | None, float]:
    """Return which share of the answers is true, by structure and of all (None)."""
    counts: dict[str | None, NDArray[np.float64]] = {}
    for one in judged:
        weights = np.ones(len(one.scores)) if one.weights is None else one.weights
        found = np.array([one.outcomes.sum(), weights @ one.outcomes, weights.sum()])
        for name in {None, structure_name(one.query)}:
            counts[name] = counts.get(name, 0.0) + found
    return {name: true / of for name, (n, true, of) in counts.items() if n >= _FEWEST_OF_EACH}


def _weighed(
    judged: JudgedAnswers, plain: AnswerCalibration, proved: AnswerCalibration, growth: float
) -> JudgedAnswers:
    """Let false answers count by how likely the edges of another draw do not prove them either."""
    untrue = np.maximum(1.0 - plain.probabilities(judged.query, judged.scores), _LEAST)
    elsewhere = growth * proved.probabilities(judged.query, judged.scores)
    weights = np.clip(1.0 - elsewhere / untrue, _LEAST, 1.0)
    mine = 1.0 if judged.weights is None else judged.weights
    return replace(judged, weights=mine * np.where(judged.outcomes, 1.0, weights))


def _fitted_groups(
    judged: Sequence[JudgedAnswers], group: Callable[[Query], str | None]
) -> dict[str, Calibration]:
    members: dict[str, list[JudgedAnswers]] = {}
    for one in judged:
        name = group(one.query)
        if name is not None:
            members.setdefault(name, []).append(one)
    maps = {name: _fitted(members[name]) for name in sorted(members)}
    return {name: one for name, one in maps.items() if one is not None}


def _fitted(judged: Sequence[JudgedAnswers]) -> Calibration | None:
    """Return the kind of map with the lower loss over folds of queries, None for too few."""
    if not judged:
        return None
    scores = log_scores(np.concatenate([one.scores for one in judged]))
    outcomes = np.concatenate([one.outcomes for one in judged])
    weights = np.concatenate(
        [np.ones(len(one.scores)) if one.weights is None else one.weights for one in judged]
    )
    true = int(outcomes.sum())
    if len(scores) < _FEWEST_EXAMPLES or min(true, len(outcomes) - true) < _FEWEST_OF_EACH:
        return None
    # answers of one query share their luck, so they share a fold
    fold = np.repeat(np.arange(len(judged)) % _FOLDS, [len(one.scores) for one in judged])
    losses = {}
    for fit in (fit_isotonic, _fit_rising_platt):
        said = np.zeros(len(scores))
        for number in range(_FOLDS):
            inside = fold == number
            found = fit(scores[~inside], outcomes[~inside], weights[~inside])
            said[inside] = found.apply(scores[inside])
        losses[fit] = float(np.average((said - outcomes) ** 2, weights=weights))
    best = min(losses, key=lambda fit: losses[fit])
    return best(scores, outcomes, weights)


def _fit_rising_platt(
    scores: NDArray[np.float64], outcomes: NDArray[np.bool_], weights: NDArray[np.float64]
) -> Calibration:
    """Fit Platt's map; where it would fall, the scores say nothing and the isotonic map is flat."""
    found = fit_platt(scores, outcomes, weights)
    return found if found.slope >= 0 else fit_isotonic(scores, outcomes, weights)
