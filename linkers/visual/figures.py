"""Figures of linking by pictures over a whole base, with realistic ties, by what mentions bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evaluation import ece, ranks, standard_error
from linkers.visual.matcher import PictureMatcher
from linkers.visual.sides import MODES, VisualBase, VisualMentions, only

__all__ = ["VisualFigures", "figures_of"]

_CUTS = (1, 3, 5, 10)
_BLOCK = 256  # mentions whose scores over the whole base are one array

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualFigures:
    """Figures of one set.

    Attributes:
        metrics: By name, in [0, 1].
        by: `modality`: the same mentions judged by their pictures, words, and both, as far as each
            has them; `group`: by whether a training mention names the entity.
        units: Hits and reciprocal ranks of each mention, by row of a comparison.
    """

    metrics: Mapping[str, float]
    by: Mapping[str, Mapping[str, Mapping[str, float]]]
    units: Mapping[str, Floats]


def figures_of(
    matcher: PictureMatcher,
    base: VisualBase,
    mentions: VisualMentions,
    gold: NDArray[np.int64],
    *,
    known: NDArray[np.int64],
    probable: bool = True,
) -> VisualFigures:
    """Return all figures of mentions whose entities are in the base.

    Args:
        matcher: Links them.
        base: The base.
        mentions: The mentions.
        gold: ``(n,)`` row of each one's entity.
        known: Rows of the entities that training mentions name.
        probable: Whether scores were taught to be probabilities, so that they can be judged.
    """
    found, sure, right = _ranked(matcher, base, mentions, gold)
    metrics = _metrics(found) | {"accuracy": float(right.mean())}
    if probable:
        metrics["ece"] = ece(sure, right)
    units = {"all hits_at_1": (found <= 1).astype(np.float64), "all mrr": 1.0 / found}
    by: dict[str, dict[str, dict[str, float]]] = {"modality": {}, "group": {}}
    has = {"picture": mentions.looks.present, "words": mentions.worded}
    has["picture and words"] = has["picture"] & has["words"]
    for mode in MODES:
        rows = np.flatnonzero(has[mode])
        if len(rows) and mode in matcher.fusions:
            part = only(mode, mentions.take(rows))
            ranked, _, _ = _ranked(matcher, base, part, gold[rows])
            by["modality"][mode] = _part(ranked)
            units[f"modality={mode} hits_at_1"] = (ranked <= 1).astype(np.float64)
            units[f"modality={mode} mrr"] = 1.0 / ranked
    seen = np.isin(gold, known)
    for name, mask in (("seen", seen), ("unseen", ~seen)):
        if mask.any():
            by["group"][name] = _part(found[mask])
            units[f"group={name} hits_at_1"] = (found[mask] <= 1).astype(np.float64)
            units[f"group={name} mrr"] = 1.0 / found[mask]
    return VisualFigures(metrics=metrics, by=by, units=units)


def _ranked(
    matcher: PictureMatcher, base: VisualBase, mentions: VisualMentions, gold: NDArray[np.int64]
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return realistic ranks, the probability of each first place, and whether it is right."""
    found, sure, right = [], [], []
    for start in range(0, len(gold), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(gold)))
        scores = matcher.scores(base, mentions.take(rows)).astype(np.float64)
        found.append(ranks(scores, gold[rows]).realistic)
        sure.append(special.softmax(scores, axis=1).max(axis=1))
        right.append(scores.argmax(axis=1) == gold[rows])
    return np.concatenate(found), np.concatenate(sure), np.concatenate(right)


def _metrics(found: Floats) -> dict[str, float]:
    values = {f"hits_at_{k}": float((found <= k).mean()) for k in _CUTS}
    return values | {
        "mrr": float((1.0 / found).mean()),
        "recall_at_64": float((found <= 64).mean()),
    }


def _part(found: Floats) -> dict[str, float]:
    hits = (found <= 1).astype(np.float64)
    return {
        "n": len(found),
        **_metrics(found),
        "standard_error": standard_error(1.0 / found),
        "hits_at_1_standard_error": standard_error(hits),
    }
