"""Trains an open-vocabulary model on the predicates that are annotated, by a contrastive loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoders.optimisers import AdamW
from encoders.protocols import TextEncoder
from kg.errors import InputError
from scenes.epic.config import EpicConfig
from scenes.epic.model import OpenModel, class_affinities, described_names
from scenes.epic.prompts import PromptNetwork
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts
from scenes.relations.pairs import PairTable, pair_table

__all__ = ["OpenLearner"]

_PAIRS = 1024  # a step of the network that tells which pairs are annotated


@dataclass(frozen=True, slots=True)
class OpenLearner:
    """Learns an open-vocabulary model.

    Attributes:
        encoder: Encodes the names of classes and predicates.
        config: Shape and schedule.
    """

    encoder: TextEncoder
    config: EpicConfig = field(default_factory=EpicConfig)

    def fit(
        self, images: Sequence[AnnotatedImage], vocabulary: Vocabulary, *, seed: int
    ) -> OpenModel:
        """Return a model of the images; see `RelationLearner`.

        Predicates of the vocabulary without a triplet are no candidates in training: the model
        must not learn that they are never right.
        """
        pairs = pair_table(images, predicates=len(vocabulary.predicates))
        if not pairs.said.any():
            raise InputError("the images have no triplet")
        names = described_names(vocabulary.predicates, self.encoder, self.config)
        classes = _parts(self.encoder.encode(vocabulary.objects).pooled, self.config.class_parts)
        networks = tuple(
            _trained(pairs, names, classes, self.config, seed=seed * 1009 + member)
            for member in range(self.config.members)
        )
        return OpenModel(
            vocabulary,
            TripletCounts.of(images, vocabulary),
            self.config,
            names,
            class_affinities(vocabulary, self.encoder),
            networks,
        )


def _parts(vectors: NDArray[np.float32], most: int) -> Tensor:
    """The principal parts of class names' vectors, scaled to a common size."""
    centred = vectors - vectors.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    parts = (left * size)[:, :most]
    return torch.from_numpy(parts / max(float(parts.std()), 1e-9)).float()


def _trained(
    pairs: PairTable, names: NDArray[np.float32], classes: Tensor, config: EpicConfig, *, seed: int
) -> PromptNetwork:
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):  # first weights and dropout draw from the global one
        torch.manual_seed(seed)
        scale = np.stack([pairs.geometry.mean(axis=0), pairs.geometry.std(axis=0) + 1e-6])
        network = PromptNetwork(
            classes, torch.from_numpy(scale).float(), names.shape[1], config
        ).train()
        inputs = network.inputs(
            torch.from_numpy(pairs.labels), torch.from_numpy(pairs.geometry).float()
        )
        _fit_predicates(network, inputs, pairs, torch.from_numpy(names), generator)
        _fit_annotated(network, inputs, pairs, generator)
    return network.eval()


def _fit_predicates(
    network: PromptNetwork,
    inputs: Tensor,
    pairs: PairTable,
    names: Tensor,
    generator: torch.Generator,
) -> None:
    """Contrast each pair's predicate with all others that are annotated anywhere."""
    config = network.config
    known = pairs.said.any(axis=0)
    rows, predicates = (torch.from_numpy(part) for part in np.nonzero(pairs.said[:, known]))
    candidates = names[torch.from_numpy(known)]
    taught = [p for name, p in network.named_parameters() if not name.startswith("annotated")]
    optimiser = AdamW(taught, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.epochs * -(-len(rows) // config.batch)
    )
    number = torch.bincount(predicates)[predicates].double()
    chance = number**-config.evenness
    for _ in range(config.epochs):
        drawn = torch.multinomial(chance, len(rows), config.evenness > 0, generator=generator)
        for batch in torch.split(drawn, config.batch):
            scores = network(inputs[rows[batch]], candidates)
            loss = nn.functional.cross_entropy(scores, predicates[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()


def _fit_annotated(
    network: PromptNetwork, inputs: Tensor, pairs: PairTable, generator: torch.Generator
) -> None:
    config = network.config
    annotated = torch.from_numpy(pairs.said.any(axis=1)).float()
    optimiser = AdamW(
        network.annotated.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    for _ in range(config.pair_epochs):
        for batch in torch.split(torch.randperm(len(annotated), generator=generator), _PAIRS):
            scores = network.annotated(inputs[batch])[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(scores, annotated[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
