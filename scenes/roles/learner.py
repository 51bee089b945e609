"""Trains role networks, with or without swapped triplets as hard negatives, as a relation model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

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
        symmetric = symmetric_predicates(pairs, vocabulary.predicates)
        swaps = swap_negatives(pairs, vocabulary.predicates, symmetric)
        false = np.zeros_like(pairs.said)
        false[swaps.rows, swaps.predicates] = True
        return RoleModel(
            vocabulary,
            TripletCounts.of(images, vocabulary),
            self.config,
            tuple(
                _trained(pairs, false, vocabulary, self.config, seed=seed * 1009 + member)
                for member in range(self.config.members)
            ),
        )


def _network(vocabulary: Vocabulary, config: RoleConfig) -> RoleNetwork:
    return RoleNetwork(len(vocabulary.objects), len(vocabulary.predicates), config)


def _trained(
    pairs: PairTable,
    false_swap: NDArray[np.bool_],
    vocabulary: Vocabulary,
    config: RoleConfig,
    *,
    seed: int,
) -> RoleNetwork:
    """Train one member; `false_swap` marks the triplets whose swap is a negative."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):  # first weights and dropout draw from the global one
        torch.manual_seed(seed)
        network = _network(vocabulary, config)
        scale = np.stack([pairs.geometry.mean(axis=0), pairs.geometry.std(axis=0) + 1e-6])
        network.scale.copy_(torch.from_numpy(scale))
        rows, predicates = (torch.from_numpy(part) for part in np.nonzero(pairs.said))
        back, swapped = torch.from_numpy(reversed_rows(pairs)), torch.from_numpy(false_swap)
        one_class = torch.from_numpy(pairs.labels[:, 0] == pairs.labels[:, 1])
        emphasis = torch.where(one_class, config.one_class, 1.0)
        bare = torch.from_numpy(np.flatnonzero(~pairs.said.any(axis=1)))
        optimiser = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            config.learning_rate,
            total_steps=config.epochs * -(-len(rows) // config.batch),
        )
        labels, geometry = torch.from_numpy(pairs.labels), torch.from_numpy(pairs.geometry).float()
        network.train()
        for _ in range(config.epochs):
            for batch in torch.split(torch.randperm(len(rows), generator=generator), config.batch):
                row, predicate = rows[batch], predicates[batch]
                count = len(batch) * config.negatives if len(bare) else 0
                drawn = bare[torch.randint(max(len(bare), 1), (count,), generator=generator)]
                chosen = torch.cat(
                    [row, drawn, back[row]] if config.structure_weight else [row, drawn]
                )
                scores = network(labels[chosen], geometry[chosen])
                known = len(row) + len(drawn)
                none = torch.full((len(drawn),), len(vocabulary.predicates))
                loss = nn.functional.nll_loss(scores[:known], torch.cat([predicate, none]))
                if config.structure_weight:
                    asked = swapped[row, predicate]
                    own, other = (
                        part.gather(1, predicate[:, None])[asked, 0]
                        for part in (scores[: len(row)], scores[known:])
                    )
                    loss = loss + structure_loss(
                        own,
                        other,
                        margin=config.margin,
                        weight=config.structure_weight,
                        emphasis=emphasis[row][asked],
                    )
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
    return network.eval()
