"""Context over objects, then pairs: what Neural Motifs does, by attention instead of an LSTM.

Each object (its class's name, an embedding, its box) attends to the others of its image, the
geometry of the pair on every edge; two such layers, then a pair is read off the states of its two
ends, their product and its own numbers. Annotated or not and the predicate are learnt together, and
the counted shares are added to the predicate as the frequency bias of Motifs is (Zellers et al.,
1711.06640). Ours differs in that all pairs are edges of one `torch_geometric` graph a batch.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from encoders.optimisers import AdamW
from encoders.protocols import TextEncoder
from kg.progress import Progress, silent
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts
from scenes.relations.groundwork import Groundwork
from scenes.relations.inputs import COLUMNS, PairInputs, pair_shares
from scenes.relations.pairs import GEOMETRY, PairTable, extent_of
from scenes.relations.perceptron import (
    network_arrays,
    one_cycle,
    restore_network,
    shared_entropy,
)

__all__ = ["ContextConfig", "ContextLearner", "ContextModel"]

Floats = NDArray[np.float64]
_BOX = 6  # corners and sides
_BLOCK = 64  # images scored at once


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextConfig:
    """Size and training.

    Attributes:
        width: Of the state of an object; a multiple of four, the heads of attention.
        hidden: Width of the hidden layer over a pair.
        dropout: Share of units that a step leaves out.
        epochs: Passes over the images.
        batch: Images a step.
        rate: Highest step size of AdamW, in one cycle.
    """

    width: int = 64
    hidden: int = 192
    dropout: float = 0.3
    epochs: int = 6
    batch: int = 24
    rate: float = 2e-3


@dataclass(frozen=True, slots=True, eq=False)
class _Graph:
    """Objects and pairs of several images as one graph.

    Attributes:
        labels: ``(objects,)``.
        boxes: ``(objects, 6)`` corners and sides, as shares of the image's extent.
        ends: ``(2, pairs)`` subject and object of each pair.
        numbers: ``(pairs, COLUMNS)``.
        shares: ``(pairs, 3, predicates)``.
    """

    labels: Tensor
    boxes: Tensor
    ends: Tensor
    numbers: Tensor
    shares: Tensor


class _Network(nn.Module):
    def __init__(self, config: ContextConfig, vectors: NDArray[np.float32], width: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.from_numpy(vectors), persistent=False)
        self.classes = nn.Parameter(torch.randn(len(vectors), config.width) / 2)
        size, edge = config.width, len(GEOMETRY)
        self.dropout = config.dropout
        self.entry = nn.Linear(size + vectors.shape[1] + _BOX, size)
        self.attention = nn.ModuleList(
            _attention()(size, size // 4, heads=4, edge_dim=edge, dropout=config.dropout)
            for _ in range(2)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(2))
        self.pair = nn.Sequential(
            nn.Linear(3 * size + COLUMNS, config.hidden), nn.GELU(), nn.Dropout(config.dropout)
        )
        self.annotated = nn.Linear(config.hidden, 1)
        self.predicate = nn.Linear(config.hidden, width)
        self.trust = nn.Parameter(torch.tensor([0.4, 0.2, 0.2]))

    def forward(self, graph: _Graph) -> tuple[Tensor, Tensor]:
        """Return ``(pairs,)`` logits of being annotated and ``(pairs, predicates)`` logits."""
        classes = functional.dropout(self.classes, self.dropout, self.training)
        known = [classes[graph.labels], self.vectors[graph.labels], graph.boxes]  # type: ignore[index]
        state = functional.gelu(self.entry(torch.cat(known, dim=1)))
        geometry = graph.numbers[:, : len(GEOMETRY)]
        for attention, norm in zip(self.attention, self.norms, strict=True):
            told = attention(state, graph.ends.flip(0), geometry)  # the subject hears its objects
            state = norm(state + functional.gelu(told))
        subject, other = state[graph.ends[0]], state[graph.ends[1]]
        pair = self.pair(torch.cat([subject, other, subject * other, graph.numbers], dim=1))
        bias = (graph.shares * self.trust[:, None]).sum(dim=1)
        return self.annotated(pair)[:, 0], self.predicate(pair) + bias


def _attention() -> type[nn.Module]:
    """Import PyTorch Geometric, which takes seconds, where it is used and nowhere else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own use of TorchScript
        from torch_geometric.nn import TransformerConv
    found: type[nn.Module] = TransformerConv
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContextModel:
    """A trained context model.

    Attributes:
        ground: What it stands on.
        config: Size.
        network: The trained network.
    """

    kind: ClassVar[str] = "context"
    ground: Groundwork
    config: ContextConfig
    network: nn.Module

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
        found = [np.empty((0, len(self.vocabulary.predicates)))]
        with torch.inference_mode():
            for start in range(0, len(images), _BLOCK):
                block = range(start, min(start + _BLOCK, len(images)))
                graph = _graph(images, table, inputs, block)
                annotated, predicate = self.network(graph)
                joint = functional.logsigmoid(annotated)[:, None] + predicate.log_softmax(dim=1)
                found.append(joint.double().numpy())
        return table.by_image(np.concatenate(found))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all numbers by name, for a file."""
        return self.ground.arrays() | network_arrays(self.network, "network")

    def settings(self) -> dict[str, Any]:
        """Return the configuration."""
        return asdict(self.config)

    @classmethod
    def restored(
        cls, vocabulary: Vocabulary, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Make the model again; see `RelationModel`."""
        config, ground = ContextConfig(**settings), Groundwork.restored(vocabulary, arrays)
        network = _Network(config, ground.vectors, len(vocabulary.predicates))
        restore_network(network, "network", arrays)
        return cls(ground=ground, config=config, network=network)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextLearner:
    """Trains a context model.

    Attributes:
        encoder: Of the names of classes.
        config: Size and training.
        progress: Is told epochs done.
    """

    encoder: TextEncoder
    config: ContextConfig = ContextConfig()
    progress: Progress = silent

    def fit(
        self, images: Sequence[AnnotatedImage], vocabulary: Vocabulary, *, seed: int
    ) -> ContextModel:
        """Train on images; see `RelationLearner`."""
        ground, table, inputs = Groundwork.laid(images, vocabulary, self.encoder)
        inputs = replace(inputs, shares=pair_shares(table, ground.counts, leave_out=True))
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = _Network(self.config, ground.vectors, len(vocabulary.predicates))
            _train(network, self.config, images, table, inputs, self.progress)
        return ContextModel(ground=ground, config=self.config, network=network.eval())


def _train(
    network: _Network,
    config: ContextConfig,
    images: Sequence[AnnotatedImage],
    table: PairTable,
    inputs: PairInputs,
    progress: Progress,
) -> None:
    related = np.flatnonzero(np.diff(table.starts))
    optimizer = AdamW(network.parameters(), lr=config.rate, weight_decay=1e-3)
    steps = config.epochs * -(-len(related) // config.batch)
    schedule = one_cycle(optimizer, config.rate, steps)
    network.train()
    for epoch in range(config.epochs):
        order = related[torch.randperm(len(related)).numpy()]
        for start in range(0, len(order), config.batch):
            block = order[start : start + config.batch]
            rows = np.concatenate([_rows(table, number) for number in block])
            said = torch.from_numpy(table.said[rows].astype(np.float32))
            named = said.any(dim=1)
            annotated, predicate = network(_graph(images, table, inputs, block))
            loss = functional.binary_cross_entropy_with_logits(annotated, named.float())
            if named.any():
                loss = loss + shared_entropy(predicate[named], said[named]) / 3
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        progress(epoch + 1, config.epochs)


def _rows(table: PairTable, number: int) -> NDArray[np.int64]:
    return np.arange(table.starts[number], table.starts[number + 1])


def _graph(
    images: Sequence[AnnotatedImage],
    table: PairTable,
    inputs: PairInputs,
    block: Sequence[int] | NDArray[np.int64],
) -> _Graph:
    """Put some images of a table together."""
    rows = np.concatenate([_rows(table, number) for number in block])
    shown = [images[number] for number in block]
    starts = np.cumsum([0, *(len(image) for image in shown)])[:-1]
    pairs = [len(_rows(table, number)) for number in block]
    return _Graph(
        labels=torch.from_numpy(np.concatenate([image.labels for image in shown])),
        boxes=torch.from_numpy(np.concatenate([_boxes(image) for image in shown])),
        ends=torch.from_numpy((table.objects[rows] + np.repeat(starts, pairs)[:, None]).T.copy()),
        numbers=torch.from_numpy(inputs.numbers[rows]),
        shares=torch.from_numpy(inputs.shares[rows]),
    )


def _boxes(image: AnnotatedImage) -> NDArray[np.float32]:
    low_x, low_y, high_x, high_y = extent_of(image)
    side = max(high_x - low_x, high_y - low_y, 1e-9)
    corners = (image.boxes - [low_x, low_y, low_x, low_y]) / side
    whole = np.concatenate([corners, corners[:, 2:] - corners[:, :2]], axis=1)
    return whole.astype(np.float32)
