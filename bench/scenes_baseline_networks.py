"""The strong baseline of the VRD figures, in any reading of its description.

Class embeddings and box features go into a network that tells the predicate, and into a second one
that tells whether a pair is annotated at all; their product ranks. The predicate's network is
trained with tau · log frequency added to its outputs and judged without (Menon et al., 2007.07314).
Apart from `scenes.relations.perceptron` on purpose: what Umbra ships must not be needed to say what
it is compared with.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bench.scenes_data import Told
from kg.files import atomic_write
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts
from scenes.relations.pairs import GEOMETRY, PairTable, extent_of, pair_table

__all__ = ["Reading", "Trial"]

Floats = NDArray[np.float64]

_EMBEDDING = 64
_SIXTEEN = (
    "dx", "dy", "log_width_ratio", "log_height_ratio", "iou", "subject_in_object",
    "object_in_subject", "distance",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the description leaves open.

    Attributes:
        hidden: Width of a hidden layer.
        depth: Hidden layers.
        dropout: Of hidden units.
        boxes: Whether the features are sixteen, both boxes and eight relations of them; else the
            26 of `GEOMETRY`.
        shared: Whether subject and object have one table of embeddings.
        spread: Deviation of the embeddings at the start.
        each: Whether a pair of several predicates is one example of each; else it wants them in
            equal parts.
        epochs: Passes over the annotated pairs.
        batch: Pairs a step.
        rate: Step size of Adam.
        penalty: Weight decay.
        cycle: Whether the rate rises and falls.
        sigmoid: Whether each predicate is told alone.
        pair_epochs: Passes of the pair's network over all pairs.
        joint: Whether tau is taken off a network trained without it, and a pair's scores do not
            sum to 1 then.
    """

    hidden: int = 256
    depth: int = 1
    dropout: float = 0.0
    boxes: bool = True
    shared: bool = False
    spread: float = 1.0
    each: bool = True
    epochs: int = 20
    batch: int = 512
    rate: float = 1e-3
    penalty: float = 0.0
    cycle: bool = False
    sigmoid: bool = False
    pair_epochs: int = 4
    joint: bool = False


class _Network(nn.Module):
    def __init__(self, reading: Reading, classes: int, columns: int, width: int) -> None:
        super().__init__()
        tables = [nn.Embedding(classes, _EMBEDDING) for _ in range(1 if reading.shared else 2)]
        for table in tables:
            nn.init.normal_(table.weight, std=reading.spread)
        self.tables = nn.ModuleList(tables)
        layers: list[nn.Module] = []
        size = 2 * _EMBEDDING + columns
        for _ in range(reading.depth):
            layers += [nn.Linear(size, reading.hidden), nn.ReLU(), nn.Dropout(reading.dropout)]
            size = reading.hidden
        self.layers = nn.Sequential(*layers, nn.Linear(size, width))

    def forward(self, labels: Tensor, numbers: Tensor) -> Tensor:
        subject, other = self.tables[0](labels[:, 0]), self.tables[-1](labels[:, 1])
        found: Tensor = self.layers(torch.cat([subject, other, numbers], dim=1))
        return found


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Images to learn from and to be judged on; what a network said of the latter is kept.

    Attributes:
        vocabulary: Of both.
        train: To learn from.
        judged: To be judged on.
        work: Keeps what networks said.
    """

    vocabulary: Vocabulary
    train: Sequence[AnnotatedImage]
    judged: Sequence[AnnotatedImage]
    work: Path

    def scorer(self, reading: Reading, tau: float, seed: int) -> Told:
        """Return the trained baseline, which scores the judged images and no others.

        Args:
            reading: Of the description.
            tau: Of the shift in training.
            seed: Of the weights and of the order.
        """
        pair = torch.from_numpy(self._said(reading, None, seed))
        logits = torch.from_numpy(self._said(reading, 0.0 if reading.joint else tau, seed))
        told = functional.logsigmoid(logits) if reading.sigmoid else logits.log_softmax(dim=1)
        scores = self._tables[1].by_image((told + functional.logsigmoid(pair)).numpy())
        names = [image.name for image in self.judged]
        return Told(self.vocabulary, self._counts, dict(zip(names, scores, strict=True)))

    @cached_property
    def _tables(self) -> tuple[PairTable, PairTable]:
        width = len(self.vocabulary.predicates)
        return pair_table(self.train, predicates=width), pair_table(self.judged, predicates=width)

    @cached_property
    def _counts(self) -> TripletCounts:
        return TripletCounts.of(self.train, self.vocabulary)

    @cached_property
    def _numbers(self) -> Mapping[bool, list[Tensor]]:
        """Features of train and of the judged images: the sixteen, and all of `GEOMETRY`."""
        learnt, seen = self._tables
        both = ((self.train, learnt), (self.judged, seen))
        return {
            True: _scaled([_sixteen(images, table) for images, table in both]),
            False: _scaled([learnt.geometry, seen.geometry]),
        }

    def _said(self, reading: Reading, tau: float | None, seed: int) -> Floats:
        """Return logits ``(pairs, outputs)`` of judged pairs; of being annotated if tau is None."""
        if tau is None:
            own = Reading(boxes=reading.boxes, epochs=reading.pair_epochs, batch=1024)
        else:
            own = replace(reading, joint=False)
        own = replace(own, pair_epochs=0)
        name = f"{own} {tau} {seed} {len(self.judged)}".encode()
        kept = self.work / f"baseline-{zlib.crc32(name):08x}.npy"
        if not kept.exists():
            found = self._trained(own, tau, seed)
            with atomic_write(kept) as file:
                np.save(file, found)
        told: Floats = np.load(kept, allow_pickle=False).astype(np.float64)
        return told

    def _trained(self, reading: Reading, tau: float | None, seed: int) -> NDArray[np.float32]:
        table, frequency = self._tables[0], self._counts.by_predicate
        numbers, seen = self._numbers[reading.boxes]
        rows, targets = _examples(table, reading, pairs=tau is None)
        shift = torch.zeros(1)
        if tau is not None:
            share = np.maximum(frequency, 0.5) / frequency.sum()
            shift = torch.from_numpy(tau * np.log(share)).float()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = _Network(
                reading, len(self.vocabulary.objects), numbers.shape[1], targets.shape[1]
            )
            inputs = torch.from_numpy(table.labels[rows]), numbers[torch.from_numpy(rows)]
            _train(network, reading, *inputs, targets, shift, alone=tau is None or reading.sigmoid)
        network.eval()
        with torch.inference_mode():
            found: NDArray[np.float32] = network(
                torch.from_numpy(self._tables[1].labels), seen
            ).numpy()
        return found


def _examples(
    table: PairTable, reading: Reading, *, pairs: bool
) -> tuple[NDArray[np.int64], Tensor]:
    """Return rows of a table and what is wanted of each."""
    if pairs:
        wanted = table.annotated[:, None].astype(np.float32)
        return np.arange(len(table)), torch.from_numpy(wanted)
    if reading.each:
        rows, predicate = np.nonzero(table.said)
        return rows, torch.eye(table.said.shape[1])[torch.from_numpy(predicate)]
    rows = np.flatnonzero(table.annotated)
    parts = table.said[rows].astype(np.float32)
    return rows, torch.from_numpy(parts / parts.sum(axis=1, keepdims=True))


def _train(
    network: _Network,
    reading: Reading,
    labels: Tensor,
    numbers: Tensor,
    targets: Tensor,
    shift: Tensor,
    *,
    alone: bool,
) -> None:
    """Train in place; `alone` means that each output is a yes or no of its own."""
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=reading.rate, weight_decay=reading.penalty
    )
    steps = reading.epochs * -(-len(labels) // reading.batch)
    schedule = None
    if reading.cycle:
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, reading.rate, total_steps=steps)
    for _ in range(reading.epochs):
        order = torch.randperm(len(labels))
        for start in range(0, len(order), reading.batch):
            some = order[start : start + reading.batch]
            logits = network(labels[some], numbers[some]) + shift
            if alone:
                each = functional.binary_cross_entropy_with_logits(
                    logits, targets[some], reduction="none"
                )
                loss = each.sum(dim=1).mean()
            else:
                loss = functional.cross_entropy(logits, targets[some])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            if schedule is not None:
                schedule.step()


def _scaled(tables: Sequence[Floats]) -> list[Tensor]:
    """Scale by mean and deviation of the first, cut at five."""
    mean, deviation = tables[0].mean(axis=0), tables[0].std(axis=0) + 1e-4
    return [
        torch.from_numpy(np.clip((one - mean) / deviation, -5, 5).astype(np.float32))
        for one in tables
    ]


def _sixteen(images: Sequence[AnnotatedImage], table: PairTable) -> Floats:
    """Both boxes as shares of the image's extent, and eight of their relations."""
    corners = [np.empty((0, 8))]
    for number, image in enumerate(images):
        left, top, right, bottom = extent_of(image)
        size = np.maximum([right - left, bottom - top] * 2, 1e-9)
        ends = table.objects[table.starts[number] : table.starts[number + 1]]
        boxes = (image.boxes - [left, top, left, top]) / size
        corners.append(boxes[ends].reshape(-1, 8))
    chosen = [GEOMETRY.index(name) for name in _SIXTEEN]
    return np.concatenate([np.concatenate(corners), table.geometry[:, chosen]], axis=1)
