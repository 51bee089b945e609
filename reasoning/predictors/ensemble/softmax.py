"""One model alone, turned into edge values by QTO's formula; the baseline of the ensemble.

p(h, r, t) = min(1 − δ, softmax_t(score(h, r, ·)) × max(1, number of known tails of (h, r)))
(Bai et al., arXiv 2212.09567, section 4.1). Not calibrated: nothing is fitted.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from kg.errors import SettingError
from kg.snapshot import Snapshot
from reasoning.predictors.adjacency import Adjacency, directed
from reasoning.protocols import ScoreModel, SparseRows

__all__ = ["SoftmaxPredictor", "log_softmax"]


class SoftmaxPredictor:
    """Implements `SparseLinkPredictor` with the scores of one model.

    Args:
        model: Scores all tails.
        snapshot: The graph whose edges are known.
        delta: No edge is surer than 1 − delta, in (0, 1).

    Raises:
        SettingError: The model scores another number of entities, or delta is out of range.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> class Flat:
        ...     num_entities, fingerprint = 1, "flat"
        ...     def scores(self, entities, relation, *, inverse=False):
        ...         return np.zeros((len(entities), 1), dtype=np.float32)
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> SoftmaxPredictor(Flat(), graph).num_entities
        1
    """

    def __init__(self, model: ScoreModel, snapshot: Snapshot, *, delta: float = 1e-4) -> None:
        if model.num_entities != snapshot.num_entities:
            raise SettingError(
                f"the model scores {model.num_entities} entities, "
                f"the snapshot has {snapshot.num_entities}"
            )
        if not 0.0 < delta < 1.0:
            raise SettingError(f"delta is {delta!r}, not in (0, 1)")
        self.model = model
        self.snapshot = snapshot
        self._delta = delta
        self._edges = Adjacency(snapshot)

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        return self.snapshot.num_entities

    @property
    def fingerprint(self) -> str:
        """Hash of the model's parameters, the graph and delta."""
        text = f"softmax|{self.model.fingerprint}|{self.snapshot.hash}|{self._delta}"
        return hashlib.sha256(text.encode()).hexdigest()

    def rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` values in [0, 1 − delta]; 0 at known edges."""
        scores = self.model.scores(entities, relation, inverse=inverse)
        step = directed(relation, self.snapshot.num_relations, inverse=inverse)
        known = self._edges.of(step)[entities]
        count = np.maximum(1.0, np.diff(known.indptr)).astype(np.float32)
        found = np.exp(log_softmax(scores)) * count[:, None]
        found[known.nonzero()] = 0.0
        return np.asarray(np.minimum(found, 1.0 - self._delta), dtype=np.float32)

    def sparse_rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool, floor: float
    ) -> SparseRows:
        """Return the values above `floor`; see `SparseLinkPredictor.sparse_rows`."""
        return _largest(self.rows(entities, relation, inverse=inverse), floor)


def log_softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logarithm of the softmax of each row."""
    shifted = scores - scores.max(axis=1, keepdims=True, initial=-np.inf)
    total = np.exp(shifted).sum(axis=1, keepdims=True, dtype=np.float64)
    return np.asarray(shifted - np.log(total), dtype=np.float32)


def _largest(rows: NDArray[np.float32], floor: float) -> SparseRows:
    """Return the entries of dense rows above a floor, and the largest of the others."""
    keep = rows > floor
    counts = np.count_nonzero(keep, axis=1)
    places = np.flatnonzero(keep.ravel())
    indptr = np.concatenate(([0], np.cumsum(counts)))
    indices = (places % max(rows.shape[1], 1)).astype(np.int32)
    matrix = csr_matrix((rows.ravel()[places], indices, indptr), shape=rows.shape)
    return SparseRows(matrix=matrix, dropped=rows.max(axis=1, initial=0.0, where=~keep))
