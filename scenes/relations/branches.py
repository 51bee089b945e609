"""Trains the two branches of a model of predicates on labels of which some may be wrong.

One branch sees the names of the classes and what was counted of them, the other how the boxes lie.
`plain` takes every label as it is. `smoothed` gives a part of each doubtful label to what is usual
of its classes. `own` weighs each doubtful label by the branch's own confidence. `cromss` does all
of CromSS: labels are smoothed, weighed by both branches' confidences, and each branch learns from
what the other is sure of (`scenes.noisy_labels`). Labels that are not doubtful keep weight 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kg.errors import SettingError
from scenes.noisy_labels import consistency, prediction_confidence, sample_weights, smoothed
from scenes.relations.inputs import PairInputs
from scenes.relations.perceptron import Perceptron, input_tensors, one_cycle, outputs

__all__ = ["NOISY", "Doubt", "Noisy", "label_weights", "train_branches"]

Mask = NDArray[np.bool_]

Noisy = Literal["plain", "smoothed", "own", "cromss"]
"""What is done about labels that may be wrong."""
NOISY: tuple[Noisy, ...] = get_args(Noisy)

_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Doubt:
    """Labels, and which of them may be wrong.

    Attributes:
        said: ``(pairs, predicates)``, each row has one.
        doubted: The same, those of `said` that may be wrong.
    """

    said: Mask
    doubted: Mask

    @property
    def wanted(self) -> Tensor:
        """The labels of each pair in equal parts."""
        said = torch.from_numpy(self.said.astype(np.float32))
        return said / said.sum(dim=1, keepdim=True)


def label_weights(
    first: Tensor, second: Tensor, doubt: Doubt, *, share: float, entangled: bool = True
) -> tuple[Tensor, Tensor]:
    """Return ``(pairs, predicates)`` weights of the labels for each branch, 0 where none is.

    Args:
        first: ``(pairs, predicates)`` log-probabilities of the first branch.
        second: The same of the second.
        doubt: The labels.
        share: See `scenes.noisy_labels.sample_weights`.
        entangled: The same.
    """
    rows, predicates = np.nonzero(doubt.doubted)
    p_a, p_b = (one.exp().double().numpy()[rows] for one in (first, second))
    found = []
    for weights in sample_weights(p_a, p_b, predicates, share=share, entangled=entangled):
        table = doubt.said.astype(np.float32)
        table[rows, predicates] = weights
        found.append(torch.from_numpy(table))
    return found[0], found[1]


def train_branches(
    networks: tuple[Perceptron, Perceptron],
    inputs: PairInputs,
    doubt: Doubt,
    *,
    noisy: Noisy,
    seed: int,
    after_epoch: Callable[[], None] = lambda: None,
) -> None:
    """Train both branches together, in place.

    Args:
        networks: As they were made; of one number of epochs, size of batch, rate and penalty.
        inputs: Annotated pairs, with their shares.
        doubt: Their labels.
        noisy: What is done about doubtful ones.
        seed: Of the order of pairs and of what is left out.
        after_epoch: Called twice after each pass over the pairs: once a branch.

    Raises:
        SettingError: The branches are trained in different ways.
    """
    config = networks[0].config
    ways = {(c.epochs, c.batch, c.rate, c.penalty) for c in (one.config for one in networks)}
    if len(ways) > 1:
        raise SettingError(f"branches of different training: {sorted(ways)}", where="predicate")
    labels = _Labels(doubt, torch.from_numpy(inputs.shares[:, 0]).exp(), noisy)
    tensors = input_tensors(inputs)
    generator = torch.Generator().manual_seed(seed)
    parameters = [value for one in networks for value in one.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=config.rate, weight_decay=config.penalty)
    steps = config.epochs * -(-len(inputs) // config.batch)
    schedule = one_cycle(optimizer, config.rate, steps)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for epoch in range(config.epochs):
            done = min(2 * epoch / config.epochs, 1.0)  # of the ramp: half of all epochs
            targets = labels.targets(networks, inputs, done)
            for one in networks:
                one.train()
            order = torch.randperm(len(inputs), generator=generator)
            for rows in torch.split(order, config.batch):
                seen = [part[rows] for part in tensors]
                said = [one(*seen).log_softmax(dim=1) for one in networks]
                loss = torch.zeros(())
                for told, of in zip(said, targets, strict=True):
                    loss = loss - (told * of[rows]).sum() / of[rows].sum().clamp(min=1e-12)
                if noisy == "cromss":
                    sure = prediction_confidence(said[0].detach(), said[1].detach())
                    loss = loss + done * consistency(said[0], said[1], *sure)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
            for one in networks:
                one.eval()
                after_epoch()


class _Labels:
    """What branches are to say in an epoch.

    Args:
        doubt: The labels.
        usual: ``(pairs, predicates)`` shares of the predicates between the classes of each pair.
        noisy: What is done.
    """

    def __init__(self, doubt: Doubt, usual: Tensor, noisy: Noisy) -> None:
        self._doubt, self._noisy, self._wanted = doubt, noisy, doubt.wanted
        self._usual = usual / usual.sum(dim=1, keepdim=True)
        self._doubted = torch.from_numpy(doubt.doubted.any(axis=1))[:, None]

    def targets(
        self, networks: tuple[Perceptron, Perceptron], inputs: PairInputs, done: float
    ) -> tuple[Tensor, Tensor]:
        """Return ``(pairs, predicates)`` targets of each branch; rows add up to their weight."""
        if self._noisy not in ("own", "cromss") or done == 0:
            return (self._softened(self._wanted),) * 2
        told = [outputs(one, inputs).log_softmax(dim=1) for one in networks]
        weights = label_weights(
            told[0],
            told[1],
            self._doubt,
            share=1 - (1 - _LEAST_SHARE) * done,
            entangled=self._noisy == "cromss",
        )
        return self._softened(self._wanted * weights[0]), self._softened(self._wanted * weights[1])

    def _softened(self, wanted: Tensor) -> Tensor:
        """Smooth rows with a doubtful label; each still adds up to its weight."""
        if self._noisy not in ("smoothed", "cromss"):
            return wanted
        weight = wanted.sum(dim=1, keepdim=True)
        soft = weight * smoothed(wanted / weight.clamp(min=1e-12), self._usual)
        return torch.where(self._doubted, soft, wanted)
