"""Pair times predicate: is this pair annotated at all, and if so, with which predicate?

log P(pair, predicate) = log P(pair is annotated) + log P(predicate | annotated), each the mean
over its perceptrons. `BASELINE` is the strong baseline of the VRD figures (with logits shifted by
0.4 log frequency, see `Weighting`): embeddings and geometry alone, one perceptron each. `ENSEMBLE`
adds names of classes, surroundings and counts: of its predicate members one sees the counted shares
(better on what was seen), one does not (better on triplets that are new). `LOGISTIC` has no hidden
layer and no embedding: prior and geometry. What like classes say (`scenes.relations.likeness`) may
have a share in the predicate; it has none by default. `BRANCHES` are two that see different things,
for labels of which some may be wrong (`scenes.relations.branches`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from torch import Tensor
from torch.nn import functional

from encoders.protocols import TextEncoder
from kg.errors import InputError, SettingError
from kg.progress import Progress, silent
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.branches import Doubt, Noisy, train_branches
from scenes.relations.counts import TripletCounts
from scenes.relations.groundwork import Groundwork
from scenes.relations.inputs import COLUMNS
from scenes.relations.likeness import like_shares
from scenes.relations.pairs import GEOMETRY, PairTable, pair_table
from scenes.relations.perceptron import (
    Perceptron,
    PerceptronConfig,
    network_arrays,
    outputs,
    restore_network,
    shared_entropy,
    train,
)

__all__ = [
    "BASELINE",
    "BRANCHES",
    "ENSEMBLE",
    "LOGISTIC",
    "NetworkConfig",
    "NetworkLearner",
    "NetworkModel",
    "shared_entropy",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Which perceptrons there are.

    Attributes:
        pair: Those that tell whether a pair is annotated.
        predicate: Those that tell the predicate of an annotated pair.
        likeness: Share of `like_shares` in the log-probability of the predicate, in [0, 1].
        product: Whether predicate members are joined by the mean of their log-probabilities, as
            those that see different things are, and not by that of their probabilities.

    Raises:
        SettingError: The share is out of range.
    """

    pair: tuple[PerceptronConfig, ...]
    predicate: tuple[PerceptronConfig, ...]
    likeness: float = 0.0
    product: bool = False

    def __post_init__(self) -> None:
        """Check the share."""
        if not isinstance(self.likeness, int | float) or not 0 <= self.likeness <= 1:
            raise SettingError(f"must lie in [0, 1], got {self.likeness!r}", where="likeness")

    @classmethod
    def from_settings(cls, values: Mapping[str, Any]) -> Self:
        """Read what `dataclasses.asdict` gave."""
        return cls(
            pair=tuple(PerceptronConfig(**one) for one in values["pair"]),
            predicate=tuple(PerceptronConfig(**one) for one in values["predicate"]),
            likeness=values.get("likeness", 0.0),  # older models have neither
            product=values.get("product", False),
        )


_PLAIN = PerceptronConfig(
    depth=2, dropout=0.2, class_dropout=0.0, names=False, columns=len(GEOMETRY), shift=0.4
)
BASELINE = NetworkConfig(
    pair=(replace(_PLAIN, epochs=4, batch=1024),),
    predicate=(_PLAIN,),
)
"""Embeddings and geometry alone."""

_LINEAR = PerceptronConfig(
    depth=0, embedding=0, dropout=0.0, class_dropout=0.0, names=False, shares=True, rate=1e-2
)
LOGISTIC = NetworkConfig(
    pair=(replace(_LINEAR, shares=False, batch=1024, epochs=4),),
    predicate=(replace(_LINEAR, columns=len(GEOMETRY)),),
)
"""Logistic regression on the geometry, the counts an offset."""

_PAIR = PerceptronConfig(dropout=0.2, class_dropout=0.1, epochs=4, batch=1024)
_NEW = PerceptronConfig(columns=len(GEOMETRY), depth=2, shift=0.4)
_SEEN = PerceptronConfig(shares=True, depth=2, dropout=0.4, shift=0.4)
ENSEMBLE = NetworkConfig(
    pair=(_PAIR,),
    predicate=(_NEW, _SEEN),
)
"""What is used by default."""


BRANCHES = NetworkConfig(
    pair=(_PAIR,),
    predicate=(
        replace(_SEEN, columns=0),
        replace(_NEW, embedding=0, names=False, class_dropout=0.0),
    ),
    product=True,
)
"""One sees classes, names and counts, the other how the boxes lie."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkModel:
    """Trained perceptrons.

    Attributes:
        ground: What they stand on.
        config: Which perceptrons these are.
        pair: Perceptrons that tell whether a pair is annotated.
        predicate: Perceptrons that tell the predicate.
    """

    kind: ClassVar[str] = "network"
    ground: Groundwork
    config: NetworkConfig
    pair: tuple[Perceptron, ...]
    predicate: tuple[Perceptron, ...]

    @property
    def vocabulary(self) -> Vocabulary:
        """Of the images."""
        return self.ground.vocabulary

    @property
    def counts(self) -> TripletCounts:
        """Of the training images."""
        return self.ground.counts

    def score(self, images: Sequence[AnnotatedImage]) -> list[Floats]:
        """Return log-probabilities; see `RelationModel`."""
        table, inputs = self.ground.seen(images)
        annotated = _mean([functional.logsigmoid(outputs(one, inputs)) for one in self.pair])
        members = [outputs(one, inputs).log_softmax(dim=1) for one in self.predicate]
        predicate = _product(members) if self.config.product else _mean(members)
        told = predicate.double().numpy()
        if self.config.likeness:
            like = like_shares(self.counts, self.ground.vectors, table.labels)
            told = log_softmax(told + self.config.likeness * (like - told), axis=1)
        return table.by_image(annotated.double().numpy() + told)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all numbers by name, for a file."""
        found = self.ground.arrays()
        for part, networks in (("pair", self.pair), ("predicate", self.predicate)):
            for number, network in enumerate(networks):
                found |= network_arrays(network, f"{part}{number}")
        return found

    def settings(self) -> dict[str, Any]:
        """Return the configuration."""
        return asdict(self.config)

    @classmethod
    def restored(
        cls, vocabulary: Vocabulary, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Make the model again; see `RelationModel`."""
        config = NetworkConfig.from_settings(settings)
        ground = Groundwork.restored(vocabulary, arrays)
        pair, predicate = _perceptrons(config, ground)
        for part, networks in (("pair", pair), ("predicate", predicate)):
            for number, network in enumerate(networks):
                restore_network(network, f"{part}{number}", arrays)
        return cls(ground=ground, config=config, pair=pair, predicate=predicate)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLearner:
    """Trains the perceptrons.

    Attributes:
        encoder: Of the names of classes.
        config: Which perceptrons.
        noisy: What is done about labels that may be wrong; all but ``plain`` need two predicate
            members, such as those of `BRANCHES`.
        annotated: The images with the labels that are not in doubt alone, as they were before a
            boosting; None where every label is in doubt.
        progress: Is told epochs done of the epochs of all perceptrons.
    """

    encoder: TextEncoder
    config: NetworkConfig = ENSEMBLE
    noisy: Noisy = "plain"
    annotated: Sequence[AnnotatedImage] | None = None
    progress: Progress = silent

    def fit(
        self, images: Sequence[AnnotatedImage], vocabulary: Vocabulary, *, seed: int
    ) -> NetworkModel:
        """Train on images; see `RelationLearner`.

        Raises:
            SettingError: Labels are to be weighed by other than two predicate members.
            InputError: The annotated images are others.
        """
        if self.noisy != "plain" and len(self.config.predicate) != 2:
            raise SettingError(
                f"weighs labels by two members, the configuration has {len(self.config.predicate)}",
                where="noisy",
                hint="take BRANCHES",
            )
        ground, table, every = Groundwork.laid(images, vocabulary, self.encoder)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            pair, predicate = _perceptrons(self.config, ground)
        target = torch.from_numpy(table.annotated[:, None].astype(np.float32))
        total, done = sum(one.config.epochs for one in (*pair, *predicate)), count(1)

        def tell() -> None:
            self.progress(next(done), total)

        loss = functional.binary_cross_entropy_with_logits
        for number, network in enumerate(pair):
            train(network, every, target, loss, seed=seed * 1009 + number, after_epoch=tell)
        some, doubt = ground.annotated(table, every), self._doubt(images, table)
        if self.noisy == "plain":
            said = torch.from_numpy(doubt.said.astype(np.float32))
            for number, network in enumerate(predicate, start=seed * 1009 + 500):
                train(network, some, said, shared_entropy, seed=number, after_epoch=tell)
        else:
            train_branches(
                (predicate[0], predicate[1]),
                some,
                doubt,
                noisy=self.noisy,
                seed=seed * 1009 + 500,
                after_epoch=tell,
            )
        return NetworkModel(ground=ground, config=self.config, pair=pair, predicate=predicate)

    def _doubt(self, images: Sequence[AnnotatedImage], table: PairTable) -> Doubt:
        named = table.annotated
        said = table.said[named]
        if self.annotated is None:
            return Doubt(said=said, doubted=said)
        if [one.name for one in self.annotated] != [one.name for one in images]:
            raise InputError("the annotated images are not those to learn from, in their order")
        sure = pair_table(self.annotated, predicates=table.said.shape[1]).said[named]
        return Doubt(said=said, doubted=said & ~sure)


def _perceptrons(
    config: NetworkConfig, ground: Groundwork
) -> tuple[tuple[Perceptron, ...], tuple[Perceptron, ...]]:
    """Return untrained perceptrons for pairs and for predicates."""
    pairs, predicates = (
        tuple(
            Perceptron(one, ground.vectors, columns=COLUMNS, frequency=frequency) for one in members
        )
        for members, frequency in (
            (config.pair, np.zeros(1)),
            (config.predicate, ground.counts.by_predicate),
        )
    )
    return pairs, predicates


def _product(log_probabilities: list[Tensor]) -> Tensor:
    """Return the mean of the log-probabilities, made to add up to one again."""
    return torch.stack(log_probabilities).mean(dim=0).log_softmax(dim=1)


def _mean(log_probabilities: list[Tensor]) -> Tensor:
    """Return the logarithm of the mean probability."""
    stacked = torch.stack(log_probabilities)
    return stacked.logsumexp(dim=0) - float(np.log(len(stacked)))
