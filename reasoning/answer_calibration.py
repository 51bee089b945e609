"""From the score of an answer to its probability: a monotone map for each shape of query.

The product of edge probabilities ranks answers well and is no probability itself: the best of many
bindings is too sure, a conjunction too doubtful. So there is one monotone map for each of the
field's structures that has examples enough, one for each `family` of shapes, and one for all trees;
the most special one that was fitted (`reasoning.answer_calibration_fitting`) is used. Maps act on
log scores, which spread small products evenly; scores keep their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.calibration import Calibration, calibration_from_json
from kg.errors import CheckpointMismatchError, ForeignFileError, InputError
from kg.files import read_json, write_json
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

__all__ = ["AnswerCalibration", "family", "log_scores"]

FORMAT = 1
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
        found = self.map_for(query).apply(log_scores(np.asarray(scores, dtype=np.float64)))
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


def log_scores(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what maps act on."""
    logs: NDArray[np.float64] = np.log(np.maximum(scores, _SMALLEST))
    return logs
