"""What the terms of a phrase weigh, learnt on drawn flags of which every part is known.

No picture that anybody else drew is looked at, so a flag is always new to the weights. Phrases are
made from what was drawn (a colour, a label, sometimes a place, a rank, or what it lies on), and
every candidate that a phrase fits counts as right: the weights maximise the probability of all of
them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from kg.progress import Progress, silent
from scenes.descriptors import describe_regions
from scenes.grounding.candidates import Candidate, candidates_of, mean_opinion
from scenes.grounding.grounder import PhraseGrounder
from scenes.grounding.phrases import Order, Phrase
from scenes.grounding.terms import TERMS
from scenes.label_training import with_undrawn
from scenes.model import Region
from scenes.network import Network
from scenes.position_prompts import Axis
from scenes.shapes import drawn_scene

__all__ = ["train_grounder"]

Floats = NDArray[np.float64]
Generator = np.random.Generator

_START = np.array([1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 1.0, 2.0, 0.5, 0.1])
_PENALTY = 1e-2
_PHRASES_A_SCENE = 6


def train_grounder(
    labels: Network, *, scenes: int = 250, seed: int = 0, progress: Progress = silent
) -> PhraseGrounder:
    """Learn the weights on drawn flags.

    Args:
        labels: Tells the labels of the drawn regions, as it will those of real ones.
        scenes: Flags to draw.
        seed: Of the drawings and the phrases; another one than the label model's.
        progress: Told flags drawn.
    """
    generator = np.random.default_rng([seed, 1])
    start = PhraseGrounder(_START)
    examples: list[tuple[Floats, NDArray[np.bool_]]] = []
    for done in range(1, scenes + 1):
        regions, names = drawn_scene(generator)
        progress(done, scenes)
        if not regions:
            continue
        examples += _examples(_Drawn.of(regions, names, labels), start, generator)
    return PhraseGrounder(_fitted(examples))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A drawn flag: its candidates, and what each of its regions truly is."""

    regions: Sequence[Region]
    labels: Sequence[str]
    candidates: Sequence[Candidate]
    opinion: Floats

    @classmethod
    def of(cls, regions: Sequence[Region], labels: Sequence[str], network: Network) -> _Drawn:
        descriptors = describe_regions(regions)
        opinion = with_undrawn(network.probabilities(descriptors), descriptors)
        candidates = candidates_of(regions, opinion)
        return cls(regions, labels, candidates, mean_opinion(candidates, opinion))

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.regions[0].mask.shape
        return (width, height)

    def centre(self, position: int, axis: Axis) -> float:
        """Centre of a region along an axis, 0 to 1."""
        number = "xy".index(axis)
        box = self.regions[position].box_xyxy
        return (box[number] + box[number + 2]) / 2 / self.size[number]


def _examples(
    drawn: _Drawn, start: PhraseGrounder, generator: Generator
) -> list[tuple[Floats, NDArray[np.bool_]]]:
    found = []
    named = [n for n, label in enumerate(drawn.labels) if label != "other"]
    for _ in range(_PHRASES_A_SCENE if named else 0):
        target = named[int(generator.integers(len(named)))]
        phrase, meant = _phrase(drawn, target, generator)
        right = np.array([candidate.members in meant for candidate in drawn.candidates])
        if right.any() and not right.all():
            terms = start.terms(phrase, drawn.candidates, drawn.opinion, drawn.size)
            found.append((terms, right))
    return found


def _phrase(
    drawn: _Drawn, target: int, generator: Generator
) -> tuple[Phrase, set[tuple[int, ...]]]:
    """Say something of a region, and return all that it could mean."""
    label, colour = drawn.labels[target], drawn.regions[target].colour
    told = generator.random(2) < 0.9
    if not told.any():
        told[0] = True
    like = [
        n
        for n in range(len(drawn.regions))
        if (not told[0] or drawn.labels[n] == label)
        and (not told[1] or drawn.regions[n].colour == colour)
    ]
    plain = Phrase(label=label if told[0] else None, colours=(colour,) if told[1] else ())
    kind = generator.random()
    axis: Axis = "x" if generator.random() < 0.5 else "y"
    if len(like) > 1 and kind < 0.25:
        return replace(plain, plural=True), {tuple(sorted(like))}
    if len(like) > 1 and kind < 0.5:
        along = sorted(like, key=lambda n: drawn.centre(n, axis))
        return replace(plain, order=Order(axis=axis, rank=along.index(target) + 1)), {(target,)}
    if kind < 0.7:
        places: list[tuple[Axis, float]] = [("x", 0.0), ("y", 0.0)]
        places = [(a, round(drawn.centre(target, a) * 2) / 2) for a, _ in places]
        near = [n for n in like if all(_near(drawn, n, a, wanted) for a, wanted in places)]
        return replace(plain, places=tuple(places)), _singly(near or [target])
    if len(like) > 1 and kind < 0.8:
        size = 1 if generator.random() < 0.5 else -1
        best = max(like, key=lambda n: size * drawn.regions[n].area)
        return replace(plain, size=size), {(best,)}
    ground = _ground_of(drawn, target)
    if ground is not None and kind < 0.9:
        below = Phrase(label=drawn.labels[ground], colours=(drawn.regions[ground].colour,))
        return replace(plain, on=below), {(target,)}
    return plain, _singly(like)


def _singly(regions: Sequence[int]) -> set[tuple[int, ...]]:
    return {(region,) for region in regions}


def _near(drawn: _Drawn, position: int, axis: Axis, wanted: float) -> bool:
    return abs(drawn.centre(position, axis) - wanted) <= 0.25


def _ground_of(drawn: _Drawn, target: int) -> int | None:
    """The smallest named region in whose box the target lies."""
    left, top, right, bottom = drawn.regions[target].box_xyxy
    around = [
        n
        for n, region in enumerate(drawn.regions)
        if drawn.labels[n] != "other"
        and region.area > drawn.regions[target].area
        and region.box_xyxy[0] <= left
        and region.box_xyxy[1] <= top
        and region.box_xyxy[2] >= right
        and region.box_xyxy[3] >= bottom
    ]
    return min(around, key=lambda n: drawn.regions[n].area, default=None)


def _fitted(examples: Sequence[tuple[Floats, NDArray[np.bool_]]]) -> Floats:
    def loss(weights: Floats) -> tuple[float, Floats]:
        total = _PENALTY * float(((weights - _START) ** 2).sum()) * len(examples)
        slope = 2 * _PENALTY * (weights - _START) * len(examples)
        for terms, right in examples:
            scores = terms @ weights
            total += float(logsumexp(scores) - logsumexp(scores[right]))
            slope += softmax(scores) @ terms - softmax(scores[right]) @ terms[right]
        return total, slope

    # drawings have no fragments; in real images the larger of two things alike is meant
    bounds = [(0.0, None)] * (len(TERMS) - 1) + [(_START[-1], None)]
    found = minimize(loss, _START, jac=True, bounds=bounds, method="L-BFGS-B")
    return np.asarray(found.x, dtype=np.float64)
