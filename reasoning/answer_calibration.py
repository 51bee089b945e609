"""From the score of an answer to its probability: a monotone map for each shape of query.

The product of edge probabilities ranks answers well and is no probability itself: the best of many
bindings is too sure, a conjunction too doubtful. So a monotone map (isotonic, or Platt's where
folds prefer it) is fitted on the answers of validation queries: the ten best likely answers of each
query, true where the held-out edges prove them. There is one map for each of the field's structures
that has examples enough, one for each `family` of shapes, and one for all trees; the most special
one that was fitted is used. Maps act on log scores, which spread small products evenly; scores keep
their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.calibration import (
    Calibration,
    calibration_from_json,
    fit_isotonic,
    fit_platt,
)
from kg.errors import CheckpointMismatchError, ForeignFileError, InputError
from kg.files import read_json, write_json
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.judged_answers import JudgedAnswers, judged_answers, validation_queries
from reasoning.protocols import Answerer
from reasoning.query import (
    Intersection,
    Negation,
    Projection,
    Query,
    Union,
    children,
    structure_name,
    walk,
)

__all__ = [
    "AnswerCalibration",
    "calibrate_on_validation",
    "family",
    "fit_answer_calibration",
]

FORMAT = 1
_FEWEST_EXAMPLES = 200
_FEWEST_OF_EACH = 15
_FOLDS = 5
_SMALLEST = 1e-9
_MOST_HOPS = 4


def family(query: Query) -> str:
    """Return the family of a query's shape: hops of its longest chain, and, not, or.

    Example:
        >>> from kg.model import EntityKey
        >>> from reasoning.query import Anchor
        >>> family(Projection("speaks", Anchor(EntityKey("language:ara")), inverse=True))
        '1 hop'
    """
    hops = min(_depth(query), _MOST_HOPS)
    parts = [f"{hops} hop" + "s" * (hops != 1)]
    kinds = {type(node) for node in walk(query)}
    for kind, word in ((Intersection, "and"), (Negation, "not"), (Union, "or")):
        if kind in kinds:
            parts.append(word)
    return " ".join(parts)


def _depth(node: Query) -> int:
    below = max((_depth(child) for child in children(node)), default=0)
    return below + isinstance(node, Projection)


@dataclass(frozen=True, kw_only=True)
class AnswerCalibration:
    """Monotone maps from scores to probabilities.

    Attributes:
        overall: For any tree.
        families: By `family`.
        structures: By the field's name (1p … pni).
    """

    overall: Calibration
    families: Mapping[str, Calibration] = field(default_factory=dict)
    structures: Mapping[str, Calibration] = field(default_factory=dict)

    def map_for(self, query: Query) -> Calibration:
        """Return the most special map that was fitted for a query in normal form."""
        named = self.structures.get(structure_name(query) or "")
        return named or self.families.get(family(query)) or self.overall

    def probabilities(self, query: Query, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each likely answer of a query, not falling with its score.

        Args:
            query: In normal form.
            scores: ``(n,)`` scores of its answers, in [0, 1].
        """
        found = self.map_for(query).apply(_log(np.asarray(scores, dtype=np.float64)))
        return np.clip(found, 0.0, 1.0)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "overall": self.overall.to_json(),
            "families": {name: one.to_json() for name, one in self.families.items()},
            "structures": {name: one.to_json() for name, one in self.structures.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises:
            InputError: It is no calibration, or a map falls.
        """
        try:
            groups = {
                group: {str(name): calibration_from_json(one) for name, one in value[group].items()}
                for group in ("families", "structures")
            }
            found = cls(overall=calibration_from_json(value["overall"]), **groups)
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError("not a calibration of answers: a part is missing") from error
        maps = (found.overall, *found.families.values(), *found.structures.values())
        if any(one.kind == "platt" and one.slope < 0 for one in maps):
            raise InputError("a map of a calibration of answers falls with the score")
        return found

    def save(self, path: Path, *, fingerprint: str) -> None:
        """Write the maps, atomically.

        Args:
            path: A JSON file; beside the model it belongs.
            fingerprint: Of the link predictor whose answers the maps were fitted on.
        """
        write_json(path, {"format": FORMAT, "model": fingerprint, **self.to_json()})

    @classmethod
    def load(cls, path: Path, *, fingerprint: str) -> Self:
        """Read what `save` wrote.

        Raises:
            CheckpointMismatchError: It was fitted on the answers of another link predictor.
            ForeignFileError: It is no such file.
            FormatVersionError: It has another format number.
        """
        value = read_json(path, kind="calibration of answers", formats=(FORMAT,))
        if value.get("model") != fingerprint:
            raise CheckpointMismatchError(trained_on=str(value.get("model")), asked_for=fingerprint)
        try:
            return cls.from_json(value)
        except InputError as error:
            raise ForeignFileError(
                error.what, where=str(path), hint="delete it and run `umbra train`"
            ) from error


def fit_answer_calibration(judged: Iterable[JudgedAnswers]) -> AnswerCalibration:
    """Fit the maps; shapes with too few examples are left to a more general map.

    Raises:
        InputError: There are fewer than 200 answers in all, or fewer than 15 true or false ones.

    Example:
        >>> from kg.model import EntityKey
        >>> from reasoning.query import Anchor
        >>> query = Projection("r", Anchor(EntityKey("a")))
        >>> from reasoning.judged_answers import JudgedAnswers
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


def calibrate_on_validation(
    answerer: Answerer,
    known: Snapshot,
    full: Snapshot,
    *,
    count: int = 150,
    seed: int = 0,
    progress: Progress = silent,
) -> AnswerCalibration | None:
    """Fit the maps on sampled queries that need an edge which `full` has and `known` lacks.

    Args:
        answerer: Over some of the known edges.
        known: Answers that follow from it are not judged, neither as true nor as false.
        full: The same with edges that no part of the answerer has seen.
        count: Queries of a structure.
        seed: Of the sample.
        progress: Told the queries done.

    Returns:
        The maps; None where the graph is too small to learn them: scores are shown as they are.
    """
    asked = validation_queries(known, full, count, seed=seed)
    try:
        return fit_answer_calibration(judged_answers(answerer, asked, known, progress=progress))
    except InputError:
        return None


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
    scores = _log(np.concatenate([one.scores for one in judged]))
    outcomes = np.concatenate([one.outcomes for one in judged])
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
            said[inside] = fit(scores[~inside], outcomes[~inside]).apply(scores[inside])
        losses[fit] = float(np.mean((said - outcomes) ** 2))
    best = min(losses, key=lambda fit: losses[fit])
    return best(scores, outcomes)


def _fit_rising_platt(scores: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> Calibration:
    """Fit Platt's map; where it would fall, the scores say nothing and the isotonic map is flat."""
    found = fit_platt(scores, outcomes)
    return found if found.slope >= 0 else fit_isotonic(scores, outcomes)


def _log(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = np.log(np.maximum(scores, _SMALLEST))
    return logs
