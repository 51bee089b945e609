"""Perceptrons over pairs, and how they are trained; what they mean is said by who makes them.

Inputs: an embedding of each class, the vectors of the classes' names, and the numbers of the pair.
Where `PerceptronConfig.shares` is set the logarithms of the counted shares of predicates are added
to the outputs, each of the three with a learnt weight: the network then learns what the counts do
not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoders.optimisers import AdamW
from kg.errors import InputError
from scenes.relations.inputs import PairInputs

__all__ = [
    "Perceptron",
    "PerceptronConfig",
    "input_tensors",
    "network_arrays",
    "one_cycle",
    "outputs",
    "restore_network",
    "shared_entropy",
    "train",
]

Loss = Callable[[Tensor, Tensor], Tensor]
_BLOCK = 16_384  # rows scored at once


@dataclass(frozen=True, slots=True, kw_only=True)
class PerceptronConfig:
    """Size and training of a perceptron; chosen on the held-out part of VRD's train.

    Attributes:
        embedding: Width of the embedding of a class; 0 for none.
        depth: Hidden layers; 0 is logistic regression.
        hidden: Width of a hidden layer.
        dropout: Share of hidden units that a step leaves out.
        class_dropout: Share of pairs whose subject's or object's embedding a step hides: what the
            name, the box and the counts say must then do.
        names: Whether the names of classes are seen.
        shares: Whether counted shares are added to the outputs.
        shift: tau of the logit adjustment: tau · log frequency is added to the outputs, so that
            what is learnt is what a rare predicate looks like, not that it is rare (Menon et
            al., 2007.07314).
        columns: How many of the numbers of a pair are seen, from the first; None for all.
        epochs: Passes over the pairs.
        batch: Pairs a step.
        rate: Highest step size of AdamW, in one cycle.
        penalty: Weight decay.
    """

    embedding: int = 64
    depth: int = 1
    hidden: int = 256
    dropout: float = 0.3
    class_dropout: float = 0.3
    names: bool = True
    shares: bool = False
    shift: float = 0.0
    columns: int | None = None
    epochs: int = 12
    batch: int = 512
    rate: float = 2e-3
    penalty: float = 1e-4


class Perceptron(nn.Module):
    """Hidden layers over a pair.

    Args:
        config: Size.
        vectors: ``(classes, parts)`` of the names of classes.
        columns: Numbers of a pair.
        frequency: ``(outputs,)`` how often each is annotated.
    """

    def __init__(
        self,
        config: PerceptronConfig,
        vectors: NDArray[np.float32],
        *,
        columns: int,
        frequency: NDArray[np.float64],
    ) -> None:
        super().__init__()
        self.config = config
        self.columns = columns if config.columns is None else config.columns
        self.register_buffer("vectors", torch.from_numpy(vectors), persistent=False)
        adjustment = config.shift * np.log(frequency + 1)
        self.register_buffer("adjustment", torch.from_numpy(adjustment).float(), persistent=False)
        width = len(frequency)
        inputs = self.columns + 2 * config.embedding + config.names * 2 * vectors.shape[1]
        self.subject, self.object = (
            nn.Parameter(torch.randn(len(vectors), config.embedding) / 2) for _ in range(2)
        )
        self.layers = nn.Sequential()
        for _ in range(config.depth):
            self.layers.extend(
                [nn.Linear(inputs, config.hidden), nn.GELU(), nn.Dropout(config.dropout)]
            )
            inputs = config.hidden
        self.layers.append(nn.Linear(inputs, width))
        if config.shares:
            self.trust = nn.Parameter(torch.tensor([0.4, 0.2, 0.2]))

    def forward(self, labels: Tensor, numbers: Tensor, shares: Tensor) -> Tensor:
        """Return ``(rows, outputs)`` logits of pairs as in `PairInputs`."""
        first, second = labels.unbind(1)
        ends = torch.stack([self.subject[first], self.object[second]], dim=1)
        if self.training:
            kept = torch.rand(len(labels), 2, 1) >= self.config.class_dropout
            ends = ends * kept
        seen = [numbers[:, : self.columns], ends.flatten(1)]
        if self.config.names:
            seen += [self.vectors[first], self.vectors[second]]  # type: ignore[index]  # a buffer
        logits: Tensor = self.layers(torch.cat(seen, dim=1)) + self.adjustment
        if self.config.shares:
            logits = logits + (shares * self.trust[:, None]).sum(dim=1)
        return logits


def train(
    network: Perceptron,
    inputs: PairInputs,
    targets: Tensor,
    loss: Loss,
    *,
    seed: int,
    after_epoch: Callable[[], None] = lambda: None,
) -> None:
    """Train a network in place.

    Args:
        network: As it was made.
        inputs: Pairs.
        targets: ``(rows, outputs)``.
        loss: Of logits and targets of a batch.
        seed: Of the order of pairs and of what is left out.
        after_epoch: Called after each pass over the pairs.
    """
    config, tensors = network.config, input_tensors(inputs)
    generator = torch.Generator().manual_seed(seed)
    optimizer = AdamW(network.parameters(), lr=config.rate, weight_decay=config.penalty)
    steps = config.epochs * -(-len(inputs) // config.batch)
    schedule = one_cycle(optimizer, config.rate, steps)
    network.train()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for _ in range(config.epochs):
            order = torch.randperm(len(inputs), generator=generator)
            for start in range(0, len(inputs), config.batch):
                rows = order[start : start + config.batch]
                optimizer.zero_grad()
                loss(network(*(one[rows] for one in tensors)), targets[rows]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
            after_epoch()
    network.eval()


def one_cycle(
    optimizer: torch.optim.Optimizer, rate: float, steps: int
) -> torch.optim.lr_scheduler.OneCycleLR:
    """Return the schedule of the step size: up for a tenth of all steps, then down.

    Args:
        optimizer: Whose steps.
        rate: Highest step size.
        steps: Of the training.
    """
    total = max(steps, 2)
    if total == 10:  # torch divides by zero where the way up is one step long
        total = 11
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=total, pct_start=0.1)


def outputs(network: Perceptron, inputs: PairInputs) -> Tensor:
    """Return ``(rows, outputs)`` logits of a trained network."""
    tensors = input_tensors(inputs)
    with torch.inference_mode():
        blocks = [
            network(*(one[start : start + _BLOCK] for one in tensors))
            for start in range(0, max(len(inputs), 1), _BLOCK)
        ]
    return torch.cat(blocks)


def shared_entropy(logits: Tensor, said: Tensor) -> Tensor:
    """Return the cross-entropy; a pair that has several predicates wants them in equal parts.

    Args:
        logits: ``(pairs, predicates)``.
        said: The same, 1 where annotated; each row has one.
    """
    wanted = said / said.sum(dim=1, keepdim=True)
    return -(logits.log_softmax(dim=1) * wanted).sum(dim=1).mean()


def network_arrays(network: nn.Module, prefix: str) -> dict[str, NDArray[Any]]:
    """Return the weights of a network by name, for a file."""
    return {f"{prefix}.{name}": one.numpy() for name, one in network.state_dict().items()}


def restore_network(network: nn.Module, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Give a network the weights that `network_arrays` returned.

    Raises:
        InputError: They are of a network of another size.
    """
    state = {
        name.removeprefix(f"{prefix}."): torch.from_numpy(np.array(values))
        for name, values in arrays.items()
        if name.startswith(f"{prefix}.")
    }
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"the arrays {prefix}.* do not fit: {error}") from error
    network.eval()


def input_tensors(inputs: PairInputs) -> tuple[Tensor, Tensor, Tensor]:
    """Return labels, numbers and shares as a network takes them."""
    return (
        torch.from_numpy(inputs.labels),
        torch.from_numpy(inputs.numbers),
        torch.from_numpy(inputs.shares),
    )
