"""Predicates between parts, learnt from what descriptions say of them.

A pair of parts has one of seven predicates or none. Features: what the two parts are, and how
their boxes lie. The rival is the frequency prior: how often descriptions join two such labels.
"None" means that no description says so, not that it is false: a description names few of the
pairs of which it would be true. So there are two numbers: `joint` ranks pairs (a description would
name this pair so), and the probability kept with an edge is of the predicate given that the pair
is named at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from scenes.assignment import Assignment
from scenes.geometry import pair_measures
from scenes.lexicon import LABELS
from scenes.model import Region
from scenes.network import Network, NetworkConfig, train_network
from scenes.phrasing import DESCRIBED_PREDICATES
from scenes.wording import Described

__all__ = [
    "FrequencyPrior",
    "PairSet",
    "PairwiseModel",
    "PredicateModel",
    "described_pairs",
    "train_predicates",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_NONE = len(DESCRIBED_PREDICATES)
_CLASSES = _NONE + 1
_MOST_PARTS = 12
_MOST_COPIES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSet:
    """Ordered pairs of parts of one image.

    Attributes:
        pairs: ``(n, 2)`` positions of subject and object among the image's regions.
        labels: ``(n, 2)`` numbers of their labels.
        measures: ``(n, len(PAIR_MEASURES))``.
        predicate: ``(n,)`` number of the described predicate, or `len(DESCRIBED_PREDICATES)`.
    """

    pairs: Integers
    labels: Integers
    measures: Floats
    predicate: Integers

    @classmethod
    def of(cls, regions: Sequence[Region], labels: Integers, parts: Sequence[int]) -> PairSet:
        """Take all ordered pairs of some parts; no predicate is known.

        Args:
            regions: Of the image.
            labels: ``(regions,)`` numbers of labels.
            parts: Positions to pair.
        """
        pairs = np.array([(s, o) for s in parts for o in parts if s != o], dtype=np.int64)
        pairs = pairs.reshape(-1, 2)
        boxes = np.array([region.box_xyxy for region in regions]).reshape(-1, 4)
        height, width = regions[0].mask.shape if regions else (1, 1)
        measures = pair_measures(boxes[pairs[:, 0]], boxes[pairs[:, 1]], width=width, height=height)
        none = np.full(len(pairs), _NONE, dtype=np.int64)
        return cls(pairs=pairs, labels=labels[pairs], measures=measures, predicate=none)


class PredicateModel(Protocol):
    """Scores predicates of pairs."""

    def joint(self, pairs: PairSet) -> Floats:
        """Return ``(n, len(DESCRIBED_PREDICATES))``: pair and predicate are named."""
        ...


def described_pairs(
    described: Described, regions: Sequence[Region], assignment: Assignment
) -> PairSet:
    """Return the pairs of described regions with the predicates that the text states.

    Args:
        described: What the text says.
        regions: Of the image.
        assignment: Which region is which described shape.

    Returns:
        Pairs of at most the twelve largest described regions.
    """
    parts = [int(n) for n in np.flatnonzero(assignment.mention >= 0)][:_MOST_PARTS]
    pairs = PairSet.of(regions, assignment.label, parts)
    row_of = {(int(s), int(o)): row for row, (s, o) in enumerate(pairs.pairs.tolist())}
    predicate = pairs.predicate.copy()
    for subject, name, other in described.relations:
        subjects = [n for n in parts if assignment.mention[n] == subject]
        objects = [n for n in parts if assignment.mention[n] == other]
        if len(subjects) * len(objects) > _MOST_COPIES:
            objects = objects[:1]
        for s in subjects:
            for o in objects:
                predicate[row_of[s, o]] = DESCRIBED_PREDICATES.index(name)
    return PairSet(
        pairs=pairs.pairs, labels=pairs.labels, measures=pairs.measures, predicate=predicate
    )


@dataclass(frozen=True, slots=True)
class FrequencyPrior:
    """How often descriptions join two labels by a predicate; the baseline.

    Attributes:
        counts: ``(labels, labels, predicates + 1)``, the last column pairs that are not named.
    """

    counts: Floats

    @classmethod
    def fit(cls, examples: Sequence[PairSet]) -> FrequencyPrior:
        """Count the pairs of the training images."""
        counts = np.zeros((len(LABELS), len(LABELS), _CLASSES))
        for example in examples:
            np.add.at(counts, (example.labels[:, 0], example.labels[:, 1], example.predicate), 1)
        return cls(counts)

    def joint(self, pairs: PairSet) -> Floats:
        """Return the smoothed shares: a label pair seen n times weighs n against 2 of all pairs."""
        overall = self.counts.sum(axis=(0, 1))
        overall = (overall + 1) / (overall + 1).sum()
        seen = self.counts[pairs.labels[:, 0], pairs.labels[:, 1]]
        shares: Floats = (seen + 2 * overall) / (seen.sum(axis=1, keepdims=True) + 2)
        return shares[:, :_NONE]


@dataclass(frozen=True, slots=True)
class PairwiseModel:
    """A network over the labels of a pair, its geometry and the frequency prior.

    Attributes:
        network: One class a predicate, and one for pairs that are not named.
        prior: Of the same training images.
    """

    network: Network
    prior: FrequencyPrior

    def joint(self, pairs: PairSet) -> Floats:
        """Return ``(n, len(DESCRIBED_PREDICATES))``: pair and predicate are named."""
        if len(pairs.pairs) == 0:
            return np.empty((0, _NONE))
        return self.network.probabilities(_inputs(pairs, self.prior))[:, :_NONE]

    def arrays(self) -> dict[str, Floats]:
        """Return all numbers by name, for a file."""
        return self.network.arrays("predicates.") | {"predicates.counts": self.prior.counts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> PairwiseModel:
        """Read what `arrays` gave.

        Raises:
            InputError: Arrays are missing or of other labels.
        """
        network = Network.from_arrays("predicates.", arrays)
        counts = arrays.get("predicates.counts")
        if counts is None or counts.shape != (len(LABELS), len(LABELS), _CLASSES):
            raise InputError("the model counts other labels or predicates")
        return cls(network, FrequencyPrior(counts))


def _inputs(pairs: PairSet, prior: FrequencyPrior) -> Floats:
    one_hot = np.eye(len(LABELS))
    return np.concatenate(
        [
            pairs.measures,
            one_hot[pairs.labels[:, 0]],
            one_hot[pairs.labels[:, 1]],
            np.log(prior.joint(pairs)),
        ],
        axis=1,
    )


def train_predicates(
    examples: Sequence[PairSet], config: NetworkConfig, *, seed: int
) -> PairwiseModel:
    """Train on the pairs of the training images.

    Args:
        examples: From `described_pairs`.
        config: How.
        seed: Of the networks.

    Raises:
        InputError: No pair is named at all.
    """
    prior = FrequencyPrior.fit(examples)
    used = [example for example in examples if len(example.pairs)]
    classes = np.concatenate([example.predicate for example in used]) if used else np.empty(0)
    if not (classes < _NONE).any():
        raise InputError("no training description states a relation between two of its parts")
    # the prior of a training image leaves that image out, or the network would learn to trust it
    inputs = [
        _inputs(e, FrequencyPrior(prior.counts - FrequencyPrior.fit([e]).counts)) for e in used
    ]
    network = train_network(
        np.concatenate(inputs),
        classes.astype(np.int64),
        np.ones(len(classes)),
        count=_CLASSES,
        config=config,
        seed=seed,
    )
    return PairwiseModel(network, prior)
