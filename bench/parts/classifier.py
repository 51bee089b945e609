"""The baselines without cones: networks over the same features as the encoder of parts reads.

`PartClassifier` is the plain one: one hidden layer over flat features of a part (own label where it
is known, box, labels and predicates around it) that tells its class, and which (predicate, class)
stands in relation to it. Queries are combinations of those: product, 1 − x, maximum.
`PartPredictor` predicts single edges (a part's class; the predicate of two parts from both boxes
and labels) and implements `SparseLinkPredictor`: rough truth composes them over the graph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from kg.snapshot import Snapshot
from reasoning.cones.parts import NUMBERS, PartTable
from reasoning.protocols import SparseRows

__all__ = ["PartClassifier", "PartPredictor"]

_BATCH = 512
Ids = NDArray[np.int64]
Floats = NDArray[np.float32]


class PartClassifier:
    """Class of a part, and what stands in relation to it, from flat features.

    Args:
        table: Parts of the training graph.
        num_relations: Directed relations.
        seed: Of weights, batches and hiding.
        epochs: Passes over the parts.

    Attributes:
        labels: ``(n, num_classes + 1)`` probability of each class; a known label has 1, column 0
            ("no label") has 0.
        entered: ``(n, num_pairs)`` probability that something of the class stands in the relation
            to the part; 1 where the graph says so.
    """

    def __init__(self, table: PartTable, num_relations: int, *, seed: int, epochs: int = 6) -> None:
        self.table = table
        self._num_relations = num_relations
        self._classes = len(table.classes) + 1
        self._rows, self._slots = np.nonzero(table.predicates >= 0)
        ends = table.neighbours[self._rows, self._slots]
        # the edge as it enters the part: what the neighbour's hop to it is called, and its class
        codes = table.predicates[self._rows, self._slots] ^ 1
        keys = codes * self._classes + table.labels[ends]
        self.pairs, numbers = np.unique(keys, return_inverse=True)
        known = table.labels[ends] > 0
        self._told = np.zeros((len(table), len(self.pairs)), dtype=np.bool_)
        self._told[self._rows[known], numbers[known]] = True
        torch.manual_seed(seed)
        width = 2 * self._classes + NUMBERS + num_relations
        self._hidden = nn.Sequential(nn.Linear(width, 128), nn.ReLU(), nn.Dropout(0.2))
        self._label, self._pair = nn.Linear(128, self._classes), nn.Linear(128, len(self.pairs))
        nn.init.constant_(self._pair.bias, -6.0)
        modules = [self._hidden, self._label, self._pair]
        draw = np.random.default_rng(seed)
        _fit(modules, len(table), lambda rows: self._loss(rows, draw), epochs=epochs, draw=draw)
        self.labels, self.entered = self._predicted()

    def label_column(self, entity: int) -> int:
        """Return the column of a class in `labels`."""
        return 1 + int(np.searchsorted(self.table.classes, entity))

    def entered_by(self, code: int, entity: int) -> Floats:
        """Return ``(n,)``: that an entity of the class stands in the directed relation to it."""
        key = code * self._classes + self.label_column(entity)
        place = int(np.searchsorted(self.pairs, key))
        if place == len(self.pairs) or self.pairs[place] != key:
            return np.zeros(len(self.table), dtype=np.float32)  # never seen
        return self.entered[:, place]

    def _features(self, rows: Ids, labels: Ids, shown: NDArray[np.bool_]) -> Tensor:
        """Return flat features.

        Args:
            rows: Which parts.
            labels: ``(n,)`` labels of all parts as they are shown to each other.
            shown: ``(len(rows), width)`` which predicates are shown.
        """
        table, count = self.table, len(rows)
        own = np.zeros((count, self._classes), dtype=np.float32)
        own[np.arange(count), labels[rows]] = 1.0
        around = np.zeros_like(own)
        beside = table.neighbours[rows]
        places, slots = np.nonzero(beside >= 0)
        np.add.at(around, (places, labels[beside[places, slots]]), 1.0)
        said = np.zeros((count, self._num_relations), dtype=np.float32)
        codes = np.where(shown, table.predicates[rows], -1)
        places, slots = np.nonzero(codes >= 0)
        np.add.at(said, (places, codes[places, slots]), 1.0)
        return torch.from_numpy(np.concatenate([own, around, said, table.numbers[rows]], axis=1))

    def _loss(self, rows: Ids, draw: np.random.Generator) -> Tensor:
        table = self.table
        labels = np.where(draw.random(len(table)) < 0.12, 0, table.labels)
        asked = draw.random(len(rows)) < 0.5  # the own label is hidden in half of the cases
        labels[rows[asked]] = 0
        shown = draw.random(table.predicates[rows].shape) >= 0.3
        hidden = self._hidden(self._features(rows, labels, shown))
        wanted = torch.from_numpy(np.where(labels[rows] == 0, table.labels[rows], 0))
        loss: Tensor = nn.functional.cross_entropy(
            self._label(hidden), torch.where(wanted > 0, wanted, -100), ignore_index=-100
        )
        told = torch.from_numpy(self._told[rows])
        each = nn.functional.binary_cross_entropy_with_logits(
            self._pair(hidden), told.float(), reduction="none"
        )
        # what a shown predicate says need not be learnt: known pairs count 1 at the end
        open_pairs = ~told | torch.from_numpy(~shown.all(1))[:, None]
        return loss + (each * open_pairs).sum(1).mean()

    def _predicted(self) -> tuple[Floats, Floats]:
        table = self.table
        self._hidden.eval()
        every = np.arange(len(table))
        with torch.no_grad():
            features = self._features(every, table.labels, np.ones(table.predicates.shape, bool))
            hidden = self._hidden(features)
            labels = self._label(hidden).softmax(1).numpy()
            entered = self._pair(hidden).sigmoid().numpy()
        return with_known_labels(labels, table.labels), np.where(self._told, 1.0, entered)


class PartPredictor:
    """Edges of parts: implements `SparseLinkPredictor`.

    Args:
        snapshot: The training graph.
        table: Its parts.
        labels: ``(n, num_classes + 1)`` probabilities of classes, known labels 1.
        label_relation: Relation id from parts to classes.
        seed: Of weights, batches and hiding.
        epochs: Passes over all pairs of parts.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        table: PartTable,
        labels: Floats,
        *,
        label_relation: int,
        seed: int,
        epochs: int = 4,
    ) -> None:
        self.num_entities = snapshot.num_entities
        cells = np.where(np.arange(labels.shape[1]) > 0, labels, 0.0)
        rows, columns = np.nonzero(cells)
        labelled = self._square(table.ids[rows], table.classes[columns - 1], cells[rows, columns])
        pairs = PairPredicates(table, seed=seed, epochs=epochs)
        heads, tails = table.ids[pairs.heads], table.ids[pairs.tails]
        self._forward = {
            relation: self._square(heads, tails, column)
            for relation, column in zip(pairs.relations, pairs.probabilities.T, strict=True)
        }
        self._forward[label_relation] = labelled
        self._backward = {r: matrix.T.tocsr() for r, matrix in self._forward.items()}
        self.fingerprint = hashlib.sha256(pairs.probabilities.tobytes()).hexdigest()

    def _square(
        self, heads: NDArray[np.int32], tails: NDArray[np.int32], values: Floats
    ) -> csr_matrix:
        shape = (self.num_entities, self.num_entities)
        found = csr_matrix((values.astype(np.float32), (heads, tails)), shape=shape)
        found.sort_indices()
        return found

    def rows(self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False) -> Floats:
        """Return ``(len(entities), num_entities)`` probabilities."""
        matrix = self.sparse_rows(entities, relation, inverse=inverse, floor=0.0).matrix
        dense: Floats = matrix.toarray()
        return dense

    def sparse_rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool, floor: float
    ) -> SparseRows:
        """Return the probabilities above `floor` of each entity's row."""
        matrix = (self._backward if inverse else self._forward).get(relation)
        if matrix is None:
            found = csr_matrix((len(entities), self.num_entities), dtype=np.float32)
            return SparseRows(matrix=found, dropped=np.zeros(len(entities), dtype=np.float32))
        found = matrix[entities]
        small = found.copy()
        small.data[small.data > floor] = 0.0
        found.data[found.data <= floor] = 0.0
        found.eliminate_zeros()
        found.sort_indices()
        dropped = np.asarray(small.max(axis=1).todense()).reshape(-1).astype(np.float32)
        return SparseRows(matrix=found, dropped=dropped)


class PairPredicates:
    """Probabilities of the predicates of every two neighbouring parts, from boxes and labels.

    Attributes:
        heads: ``(m,)`` rows of the table.
        tails: ``(m,)``.
        relations: Relation id of each column.
        probabilities: ``(m, num_predicates)``.
    """

    def __init__(self, table: PartTable, *, seed: int, epochs: int) -> None:
        places, slots = np.nonzero(table.neighbours >= 0)
        ends = table.neighbours[places, slots]
        codes = table.predicates[places, slots]
        count = len(table)
        keys, numbers = np.unique(places * count + ends, return_inverse=True)
        self.heads, self.tails = np.divmod(keys, count)
        forward = (codes >= 0) & (codes % 2 == 0)
        self.relations = [int(r) for r in np.unique(codes[forward] // 2)]
        column = np.searchsorted(self.relations, codes[forward] // 2)
        self._said = np.zeros((len(keys), len(self.relations)), dtype=np.float32)
        self._said[numbers[forward], column] = 1.0
        self._table = table
        torch.manual_seed(seed)
        self._label = nn.Embedding(len(table.classes) + 1, 32)
        self._hidden = nn.Sequential(nn.Linear(64 + 3 * NUMBERS, 96), nn.ReLU(), nn.Dropout(0.1))
        self._out = nn.Linear(96, len(self.relations))
        nn.init.constant_(self._out.bias, -5.0)
        modules = [self._label, self._hidden, self._out]
        draw = np.random.default_rng(seed)
        _fit(modules, len(keys), lambda rows: self._loss(rows, draw), epochs=epochs, draw=draw)
        self._hidden.eval()
        with torch.no_grad():
            self.probabilities: Floats = np.concatenate(
                [
                    self._logits(rows, table.labels).sigmoid().numpy()
                    for rows in np.array_split(np.arange(len(keys)), 1 + len(keys) // 20_000)
                ]
            )

    def _logits(self, rows: Ids, labels: Ids) -> Tensor:
        heads, tails = self.heads[rows], self.tails[rows]
        one, other = self._table.numbers[heads], self._table.numbers[tails]
        numbers = torch.from_numpy(np.concatenate([one, other, other - one], axis=1))
        named = [self._label(torch.from_numpy(labels[ids])) for ids in (heads, tails)]
        logits: Tensor = self._out(self._hidden(torch.cat([*named, numbers], 1)))
        return logits

    def _loss(self, rows: Ids, draw: np.random.Generator) -> Tensor:
        labels = np.where(draw.random(len(self._table)) < 0.12, 0, self._table.labels)
        said = torch.from_numpy(self._said[rows])
        logits = self._logits(rows, labels)
        return (
            nn.functional.binary_cross_entropy_with_logits(logits, said, reduction="none")
            .sum(1)
            .mean()
        )


def with_known_labels(probabilities: Floats, labels: Ids) -> Floats:
    """Return probabilities in which a known label has 1, other classes of that part 0."""
    found = probabilities.copy()
    found[labels > 0] = 0.0
    found[np.arange(len(labels)), labels] = 1.0
    unknown = labels == 0
    found[unknown] = probabilities[unknown]
    found[:, 0] = 0.0
    return found


def _fit(
    modules: list[nn.Module],
    count: int,
    loss_of: Callable[[Ids], Tensor],
    *,
    epochs: int,
    draw: np.random.Generator,
) -> None:
    weights = [weight for module in modules for weight in module.parameters()]
    adam = torch.optim.Adam(weights, lr=2e-3, fused=True)
    steps = epochs * -(-count // _BATCH)
    falling = torch.optim.lr_scheduler.LambdaLR(adam, lambda done: 1 - 0.95 * done / steps)
    for _ in range(epochs):
        order = draw.permutation(count)
        for start in range(0, count, _BATCH):
            adam.zero_grad()
            loss_of(order[start : start + _BATCH]).backward()  # type: ignore[no-untyped-call]
            adam.step()
            falling.step()
