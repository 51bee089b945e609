"""Trains role networks, with or without swapped triplets as hard negatives, as a relation model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoders.optimisers import AdamW
from kg.errors import InputError, SettingError
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts
from scenes.relations.pairs import PairTable, pair_table
from scenes.relations.weights import member_arrays, member_weights
from scenes.roles.loss import structure_loss
from scenes.roles.network import RoleConfig, RoleNetwork
from scenes.roles.swaps import reversed_rows, swap_negatives, symmetric_predicates

__all__ = ["RoleLearner", "RoleModel"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RoleModel:
    """Role networks of one training.

    Attributes:
        vocabulary: Of the images.
        counts: Of the training images.
        config: Shape and schedule.
        networks: The members.
    """

    kind: ClassVar[str] = "roles"
    vocabulary: Vocabulary
    counts: TripletCounts
    config: RoleConfig
    networks: tuple[RoleNetwork, ...]

    def score(self, images: Sequence[AnnotatedImage]) -> list[Floats]:
        """Return log-probabilities; see `RelationModel`."""
        pairs = pair_table(images, predicates=len(self.vocabulary.predicates))
        labels, geometry = torch.from_numpy(pairs.labels), torch.from_numpy(pairs.geometry).float()
        with torch.inference_mode():
            total = torch.stack([network(labels, geometry) for network in self.networks])
        return pairs.by_image(total.mean(dim=0)[:, :-1].double().numpy())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all weights by name."""
        return {**self.counts.arrays(), **member_arrays(self.networks)}

    def settings(self) -> dict[str, Any]:
        """Return the configuration."""
        return asdict(self.config)

    @classmethod
    def restored(
        cls, vocabulary: Vocabulary, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Make the model again; see `RelationModel`."""
        try:
            config = RoleConfig(**settings)
            networks = []
            for number in range(config.members):
                network = _network(vocabulary, config)
                network.load_state_dict(member_weights(arrays, number))
                networks.append(network.eval())
        except (TypeError, RuntimeError, SettingError) as error:
            raise InputError(f"the model's settings and arrays do not fit: {error}") from error
        return cls(
            vocabulary, TripletCounts.from_arrays(arrays, vocabulary), config, tuple(networks)
        )


@dataclass(frozen=True, slots=True)
class RoleLearner:
    """Learns role networks.

    Attributes:
        config: Shape and schedule.
    """

    config: RoleConfig = field(default_factory=RoleConfig)

    def fit(
        self, images: Sequence[AnnotatedImage], vocabulary: Vocabulary, *, seed: int
    ) -> RoleModel:
        """Return a model of the images; see `RelationLearner`."""
        pairs = pair_table(images, predicates=len(vocabulary.predicates))
        if not pairs.said.any():
            raise InputError("the images have no triplet")
        triplets = _Triplets.of(pairs, vocabulary)
        networks = tuple(
            _trained(triplets, vocabulary, self.config, seed=seed * 1009 + member)
            for member in range(self.config.members)
        )
        counts = TripletCounts.of(images, vocabulary)
        return RoleModel(vocabulary, counts, self.config, networks)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Triplets:
    """What is learnt from: pairs, the triplets among them, and what is none.

    Attributes:
        labels: ``(rows, 2)`` of the pairs.
        geometry: ``(rows, len(GEOMETRY))``.
        rows: ``(n,)`` pair of each annotated triplet.
        predicates: ``(n,)``.
        reversed: ``(rows,)`` each pair the other way round.
        false_swap: ``(rows, predicates)``, the triplets whose swap is a negative.
        bare: Pairs without annotation.
    """

    labels: Tensor
    geometry: Tensor
    rows: Tensor
    predicates: Tensor
    reversed: Tensor
    false_swap: Tensor
    bare: Tensor

    @classmethod
    def of(cls, pairs: PairTable, vocabulary: Vocabulary) -> Self:
        """Take annotated pairs."""
        names = vocabulary.predicates
        swaps = swap_negatives(pairs, names, symmetric_predicates(pairs, names))
        false_swap = np.zeros_like(pairs.said)
        false_swap[swaps.rows, swaps.predicates] = True
        rows, predicates = np.nonzero(pairs.said)
        return cls(
            labels=torch.from_numpy(pairs.labels),
            geometry=torch.from_numpy(pairs.geometry).float(),
            rows=torch.from_numpy(rows),
            predicates=torch.from_numpy(predicates),
            reversed=torch.from_numpy(reversed_rows(pairs)),
            false_swap=torch.from_numpy(false_swap),
            bare=torch.from_numpy(np.flatnonzero(~pairs.said.any(axis=1))),
        )

    def without_annotation(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw pairs that bear nothing; none where there are none."""
        if not len(self.bare):
            return self.bare
        return self.bare[torch.randint(len(self.bare), (count,), generator=generator)]


def _network(vocabulary: Vocabulary, config: RoleConfig) -> RoleNetwork:
    return RoleNetwork(len(vocabulary.objects), len(vocabulary.predicates), config)


def _trained(
    triplets: _Triplets, vocabulary: Vocabulary, config: RoleConfig, *, seed: int
) -> RoleNetwork:
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):  # first weights and dropout draw from the global one
        torch.manual_seed(seed)
        network = _network(vocabulary, config).train()
        mean, spread = triplets.geometry.mean(dim=0), triplets.geometry.std(dim=0) + 1e-6
        network.scale.copy_(torch.stack([mean, spread]))
        optimiser = AdamW(network.parameters(), weight_decay=config.weight_decay)
        count = len(triplets.rows)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            config.learning_rate,
            total_steps=config.epochs * -(-count // config.batch),
        )
        for _ in range(config.epochs):
            for batch in torch.split(torch.randperm(count, generator=generator), config.batch):
                loss = _loss(network, triplets, batch, config, generator)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
    return network.eval()


def _loss(
    network: RoleNetwork,
    triplets: _Triplets,
    batch: Tensor,
    config: RoleConfig,
    generator: torch.Generator,
) -> Tensor:
    """Cross-entropy of a batch and of pairs without annotation, and the hinge on swaps."""
    row, predicate = triplets.rows[batch], triplets.predicates[batch]
    bare = triplets.without_annotation(len(row) * config.negatives, generator)
    swapped = triplets.reversed[row] if config.structure_weight else row[:0]
    chosen = torch.cat([row, bare, swapped])
    scores = network(triplets.labels[chosen], triplets.geometry[chosen])
    own, none, other = scores.split([len(row), len(bare), len(swapped)])
    nothing = torch.full((len(bare),), scores.shape[1] - 1)
    loss = nn.functional.nll_loss(torch.cat([own, none]), torch.cat([predicate, nothing]))
    if not config.structure_weight:
        return loss
    asked = triplets.false_swap[row, predicate]
    positive, negative = (part.gather(1, predicate[:, None])[asked, 0] for part in (own, other))
    one_class = triplets.labels[row[asked], 0] == triplets.labels[row[asked], 1]
    return loss + structure_loss(
        positive,
        negative,
        margin=config.margin,
        weight=config.structure_weight,
        emphasis=torch.where(one_class, config.one_class, 1.0),
    )
