"""Trains the prompts of CaCao in its three steps, the language model frozen.

First the projection of the visual prompts, then the textual prompts, both by cross-entropy, then
both together by the adaptive semantic cluster loss. The classifier learns in all three, and first
alone: while the prompts stand still, a pair of classes has one state, which is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoders.optimisers import AdamW
from encoders.protocols import TextEncoder
from kg.errors import InputError
from kg.progress import Progress, silent
from scenes.cacao.cluster_loss import adaptive_cluster_loss
from scenes.cacao.clusters import predicate_clusters, soft_targets
from scenes.cacao.config import PromptConfig
from scenes.cacao.prompted_model import LanguageModel, PromptedModel
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.pairs import pair_table

__all__ = ["Samples", "train_prompts"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ROWS = 256  # states computed at once


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Annotated pairs, one row a predicate of a pair.

    Attributes:
        labels: ``(n, 2)`` classes of subject and object.
        measures: ``(n, measures)`` from `scenes.cacao.prompted_model.measures_of`.
        predicates: ``(n,)``.
    """

    labels: Integers
    measures: Floats
    predicates: Integers

    @classmethod
    def of(cls, labels: Integers, measures: Floats, said: NDArray[np.bool_]) -> Samples:
        """Take what is said of pairs.

        Args:
            labels: ``(rows, 2)``.
            measures: ``(rows, measures)``.
            said: ``(rows, predicates)``.
        """
        rows, predicates = np.nonzero(said)
        return cls(labels=labels[rows], measures=measures[rows], predicates=predicates)

    @classmethod
    def of_images(
        cls,
        images: Sequence[AnnotatedImage],
        vocabulary: Vocabulary,
        *,
        most: int | None = None,
        seed: int = 0,
    ) -> Samples:
        """Take what is said in images, the geometry of boxes as what is seen.

        Args:
            images: Annotated.
            vocabulary: Theirs.
            most: Samples, drawn at random; None for all.
            seed: Of the draw.
        """
        pairs = pair_table(images, predicates=len(vocabulary.predicates))
        said = pairs.said.copy()
        if most is not None:
            rows, predicates = np.nonzero(said)
            left_out = np.random.default_rng(seed).permutation(len(rows))[most:]
            said[rows[left_out], predicates[left_out]] = False
        return cls.of(pairs.labels, pairs.geometry, said)


def train_prompts(
    samples: Samples,
    valid: Samples,
    *,
    language: LanguageModel,
    names: TextEncoder,
    vocabulary: Vocabulary,
    config: PromptConfig,
    seed: int,
    progress: Progress = silent,
) -> PromptedModel:
    """Return the prompted model.

    Args:
        samples: What it learns from.
        valid: What its learning rate follows (mean recall over predicates at one guess).
        language: Frozen masked language model.
        names: Encodes the predicates' names, for their clusters.
        vocabulary: Names of object classes and predicates.
        config: Shape and schedule.
        seed: Of weights and batches.
        progress: Told epochs done.

    Raises:
        InputError: There is no sample.
    """
    if not len(samples.predicates):
        raise InputError("no pair is annotated with a predicate")
    generator = torch.Generator().manual_seed(seed)
    scale = np.stack([samples.measures.mean(axis=0), samples.measures.std(axis=0) + 1e-6])
    model = PromptedModel(language, vocabulary, scale, config, generator=generator)
    vectors = names.encode(vocabulary.predicates).pooled
    clusters = predicate_clusters(vectors, threshold=config.cluster_cosine)
    targets = torch.from_numpy(soft_targets(vectors, clusters)).float()
    counts = torch.bincount(
        torch.from_numpy(samples.predicates), minlength=len(vocabulary.predicates)
    ).clamp(max=config.most)

    def clustered(logits: Tensor, labels: Tensor) -> Tensor:
        return adaptive_cluster_loss(
            logits,
            labels,
            targets=targets,
            counts=counts,
            theta=config.theta,
            ratio=config.ratio,
        )

    visual = [*model.visual.parameters(), *model.classifier.parameters()]
    textual = [model.textual, *model.classifier.parameters()]
    steps: list[tuple[list[nn.Parameter], Callable[[Tensor, Tensor], Tensor]]] = [
        (visual, nn.functional.cross_entropy),
        (textual, nn.functional.cross_entropy),
        ([*visual, model.textual], clustered),
    ]
    _fit_classifier(model, samples, generator)
    done, whole = 0, sum(config.epochs)
    for (parameters, loss), epochs in zip(steps, config.epochs, strict=True):
        optimiser = AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser, mode="max", factor=0.5, patience=config.patience
        )
        for _ in range(epochs):
            _epoch(model, optimiser, loss, samples, generator)
            if len(valid.predicates):
                schedule.step(_mean_recall(model, valid))
            done += 1
            progress(done, whole)
    return model.eval()


def _fit_classifier(model: PromptedModel, samples: Samples, generator: torch.Generator) -> None:
    config, predicates = model.config, torch.from_numpy(samples.predicates)
    pairs, pair_of = np.unique(samples.labels, axis=0, return_inverse=True)
    of = torch.from_numpy(pair_of.reshape(-1))
    optimiser = AdamW(
        model.classifier.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    states = torch.empty(0, model.language.dimension)
    if config.classifier_epochs:
        with torch.no_grad():
            parts = [
                model.states(part, model.scale[:1].expand(len(part), -1))
                for part in torch.split(torch.from_numpy(pairs), _ROWS)
            ]
        states = torch.cat(parts)
    for _ in range(config.classifier_epochs):
        for batch in torch.split(_drawn(predicates, config.most, generator), config.batch):
            logits = model.classifier(states[of[batch]])
            _step(optimiser, nn.functional.cross_entropy(logits, predicates[batch]))


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def _epoch(
    model: PromptedModel,
    optimiser: torch.optim.Optimizer,
    loss: Callable[[Tensor, Tensor], Tensor],
    samples: Samples,
    generator: torch.Generator,
) -> None:
    labels = torch.from_numpy(samples.labels)
    measures = torch.from_numpy(samples.measures).float()
    predicates = torch.from_numpy(samples.predicates)
    rows = _drawn(predicates, model.config.most, generator)
    for batch in torch.split(rows, model.config.batch):
        _step(optimiser, loss(model(labels[batch], measures[batch]), predicates[batch]))


def _drawn(predicates: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Return rows in random order, at most so many of each predicate."""
    order = torch.randperm(len(predicates), generator=generator)
    by_predicate = order[predicates[order].argsort(stable=True)]
    of = predicates[by_predicate]
    place = torch.arange(len(of)) - torch.searchsorted(of, of)
    kept = by_predicate[place < most]
    return kept[torch.randperm(len(kept), generator=generator)]


def _mean_recall(model: PromptedModel, valid: Samples) -> float:
    guessed = model.log_probabilities(valid.labels, valid.measures).argmax(axis=1)
    right = np.bincount(valid.predicates[guessed == valid.predicates], minlength=1)
    of = np.bincount(valid.predicates)
    right = np.pad(right, (0, len(of) - len(right)))
    return float((right[of > 0] / of[of > 0]).mean())
