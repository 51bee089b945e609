"""Foreign words, and the baselines of its paper, on mentions whose entity has left the base."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from bench.linking_text_withheld import Draw, Side, strangers_kept
from encoders.padding import unit
from evaluation import auroc, nil_scores
from linkers.foreign_mining import words_in_no_name
from linkers.foreign_words import ForeignWords

__all__ = ["foreign_marks", "nil_scores_of_baselines"]

_KEPT = 0.15  # of the words, as its paper; 2,000 at most
_MOST = 2_000
_TEMPERATURES = (0.01, 0.02, 0.05, 0.1, 0.2)
_BLOCK = 512  # mentions whose candidates' vectors are held

Floats = NDArray[np.float64]


def foreign_marks(draw: Draw) -> tuple[ForeignWords, dict[str, NDArray[np.float32]]]:
    """Return words that no name of the base holds, and by part how little a mention is like them.

    The words are those of the training texts, the temperature is the best on the held part.
    """
    index, learn = draw.material.index, draw.sides["learn"]
    names = (name for group in index.table.names for name in group)
    words = words_in_no_name(names, {mention.context for mention in learn.mentions})
    entities = unit(index.first_vectors(np.arange(len(index.table))))
    keep = min(_MOST, max(1, round(_KEPT * len(words))))
    foreign = ForeignWords.fit(entities, unit(draw.texts.matrix(words)), keep=keep)
    draw.texts.forget()
    held = draw.sides["held"]
    variants = [ForeignWords(vectors=foreign.vectors, temperature=value) for value in _TEMPERATURES]
    best = max(variants, key=lambda one: auroc(-_scores(draw, held, one, entities), held.absent))
    return best, {
        part: _scores(draw, side, best, entities)[:, None].astype(np.float32)
        for part, side in draw.sides.items()
    }


def _scores(draw: Draw, side: Side, foreign: ForeignWords, entities: NDArray[np.float32]) -> Floats:
    """Return ``(n,)`` how much rather mentions are like their candidates than the words."""
    pairs, found = side.described.pairs, []
    sizes = np.diff(np.append(pairs.starts, len(pairs.ids)))
    for start in range(0, len(sizes), _BLOCK):
        own = sizes[start : start + _BLOCK]
        there = np.arange(own.max()) < own[:, None]
        ids = np.zeros(there.shape, dtype=np.int64)
        ids[there] = pairs.ids[pairs.starts[start] : pairs.starts[start] + own.sum()]
        surfaces = [mention.surface for mention in side.mentions[start : start + _BLOCK]]
        vectors = unit(draw.material.index.surface_vectors(surfaces))
        found.append(foreign.scores(vectors, entities[ids], there))
    return np.concatenate(found)


def nil_scores_of_baselines(
    draw: Draw, marks: Mapping[str, NDArray[np.float32]]
) -> dict[str, Floats]:
    """Return by baseline AUROC, strangers kept and F1 of NIL, on the valid mentions.

    Whatever is chosen (the threshold of F1, a temperature) is chosen on the held part.
    """
    sides = {part: draw.sides[part] for part in ("held", "asked")}
    likeness = {part: side.column("name vector") for part, side in sides.items()}
    known = {
        "top similarity": {p: side.first(likeness[p])[1] for p, side in sides.items()},
        "margin": {p: side.first(likeness[p])[2] for p, side in sides.items()},
        "MCM": _surest(sides, likeness),
        "foreign words": {p: marks[p][:, 0].astype(np.float64) for p in sides},
    }
    return {name: _judged(sides, found) for name, found in known.items()}


def _surest(sides: Mapping[str, Side], likeness: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return by part the greatest share of a softmax over candidates."""

    def shares(part: str, temperature: float) -> Floats:
        starts = sides[part].described.pairs.starts
        groups = np.split(likeness[part] / temperature, starts[1:])
        return np.array([np.exp(group.max() - logsumexp(group)) for group in groups])

    held = sides["held"].absent
    best = max(_TEMPERATURES, key=lambda value: auroc(-shares("held", value), held))
    return {part: shares(part, best) for part in sides}


def _judged(sides: Mapping[str, Side], known: Mapping[str, Floats]) -> Floats:
    held, absent = sides["held"].absent, sides["asked"].absent
    bars = np.quantile(known["held"], np.linspace(0.01, 0.99, 99))
    bar = max(bars, key=lambda value: nil_scores(known["held"] < value, held).f1)
    nil = -known["asked"]
    f1 = nil_scores(known["asked"] < bar, absent).f1
    return np.array([auroc(nil, absent), strangers_kept(nil, absent), f1])
