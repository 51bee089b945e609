"""The link predictor of large graphs: several models, mixed and calibrated a relation.

log-odds of (h, r, t) = slope · log(n · softmax_t(w_r · columns)) + offset_r + κ · log P(h misses an
edge of r), the softmax over tails that are no known edges, n how many tails such a row misses in
the mean. Rows are computed when asked for. Where all but the softmax already says that no tail is
as likely as a caller asks for, no model is asked.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from kg.errors import CheckpointMismatchError, ForeignFileError, SettingError
from kg.snapshot import Snapshot
from reasoning.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from reasoning.predictors.adjacency import directed
from reasoning.predictors.ensemble.completeness import Completeness
from reasoning.predictors.ensemble.config import EnsembleConfig
from reasoning.predictors.ensemble.evidence import Evidence
from reasoning.predictors.ensemble.fitting import Calibration
from reasoning.protocols import EdgeReason, ExplainsEdges, ScoreModel, SparseRows

__all__ = ["EnsemblePredictor"]

KIND = "ensemble"

_CACHED_RELATIONS = 64


class EnsemblePredictor:
    """Implements `SparseLinkPredictor` for the graph that it was fitted for.

    Args:
        evidence: Models and their graph.
        weights: ``(2 * num_relations, num_columns)`` of the evidence, by directed relation.
        calibration: From log-softmax to probability, given that a row misses an edge.
        completeness: How likely a row misses one.
        config: Settings it was fitted with.
    """

    def __init__(
        self,
        *,
        evidence: Evidence,
        weights: NDArray[np.float32],
        calibration: Calibration,
        completeness: Completeness,
        config: EnsembleConfig,
    ) -> None:
        self.evidence = evidence
        self.snapshot = evidence.snapshot
        self.weights = weights
        self.calibration = calibration
        self.completeness = completeness
        self.config = config
        self._log_missing = lru_cache(_CACHED_RELATIONS)(self._log_missing_of_step)

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        return self.snapshot.num_entities

    @property
    def models(self) -> tuple[ScoreModel, ...]:
        """The models that it mixes."""
        return self.evidence.models

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the graph, all models and all weights."""
        digest = hashlib.sha256(self.snapshot.hash.encode())
        for model in self.models:
            digest.update(model.fingerprint.encode())
        digest.update(repr((self.config, sorted(self._tensors()))).encode())
        for _, array in sorted(self._tensors().items()):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` probabilities; 0 at edges of the graph."""
        step = directed(relation, self.snapshot.num_relations, inverse=inverse)
        found = np.empty((len(entities), self.num_entities), dtype=np.float32)
        for start in range(0, len(entities), self._block):
            part = entities[start : start + self._block]
            found[start : start + len(part)] = self._sure(self._odds(part, step))
        return found

    def sparse_rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool, floor: float
    ) -> SparseRows:
        """Return the probabilities above `floor`; see `SparseLinkPredictor.sparse_rows`.

        A head that hardly misses an edge of the relation costs nothing: what is left out of its
        row is bounded by what a tail with all of the softmax would have.
        """
        step = directed(relation, self.snapshot.num_relations, inverse=inverse)
        most = self._sure(self._shift(entities, step))
        matrix = csr_matrix((0, self.num_entities), dtype=np.float32)
        dropped, parts = most.copy(), []
        asked = np.flatnonzero(most > floor)
        for start in range(0, len(asked), self._block):
            places = asked[start : start + self._block]
            rows = self._above(self._odds(entities[places], step), floor)
            parts.append(rows.matrix)
            dropped[places] = rows.dropped
        if parts:
            matrix = vstack(parts, format="csr")
        return SparseRows(matrix=_spread(matrix, asked, len(entities)), dropped=dropped)

    def _above(self, odds: NDArray[np.float32], floor: float) -> SparseRows:
        """Return the probabilities above a floor: most tails are far below, and cost no sigmoid."""
        share = min(max(floor, 1e-30), 1.0 - 1e-12)
        # rounding must not lose one that is just above
        likely = odds > math.log(share / (1.0 - share)) - 0.01
        rows, tails = np.nonzero(likely)
        values = self._sure(odds[rows, tails])
        keep = values > floor
        indptr = np.concatenate(([0], np.cumsum(np.bincount(rows[keep], minlength=len(odds)))))
        matrix = csr_matrix((values[keep], tails[keep].astype(np.int32), indptr), shape=odds.shape)
        dropped = self._sure(odds.max(axis=1, initial=-np.inf, where=~likely))
        np.maximum.at(dropped, rows[~keep], values[~keep])
        return SparseRows(matrix=matrix, dropped=dropped)

    def reasons(self, head: str, relation: str, tail: str) -> tuple[str | EdgeReason, ...]:
        """Return why an edge is believed, by the models that can say so; see `ExplainsEdges`.

        Raises:
            UnknownEntityError: A key is not in the graph.
            UnknownRelationError: The relation is not in the graph.
        """
        speaking = [model for model in self.models if isinstance(model, ExplainsEdges)]
        return tuple(reason for m in speaking for reason in m.reasons(head, relation, tail))

    @property
    def _block(self) -> int:
        return max(1, self.config.block_cells // max(1, self.num_entities))

    def _odds(self, entities: NDArray[np.int32], step: int) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` log-odds, −inf at edges of the graph."""
        mixed = self.evidence.mixed(entities, step, self.weights[step])
        top = mixed.max(axis=1, keepdims=True, initial=-1e30)
        total = np.log(np.exp(mixed - top).sum(axis=1, dtype=np.float64) + 1e-30) + top[:, 0]
        mixed *= self.calibration.slope
        mixed += self._shift(entities, step)[:, None]
        mixed -= (self.calibration.slope * total).astype(np.float32)[:, None]
        return mixed

    def _shift(self, entities: NDArray[np.int32], step: int) -> NDArray[np.float32]:
        """Return ``(len(entities),)`` log-odds of a tail that had all of the softmax."""
        known = np.diff(self.evidence.edges.of(step).indptr)[entities]
        return self.calibration.shift(step, known) + self._log_missing(step)[entities]

    def _sure(self, odds: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities."""
        found = np.minimum(1.0 / (1.0 + np.exp(-np.maximum(odds, -80.0))), 1.0 - self.config.delta)
        return np.asarray(np.where(np.isneginf(odds), 0.0, found), dtype=np.float32)

    def _log_missing_of_step(self, step: int) -> NDArray[np.float32]:
        missing = self.completeness.missing(self.evidence.signatures, step)
        return np.asarray(self.config.completeness * np.log(missing), dtype=np.float32)

    def _tensors(self) -> dict[str, NDArray[Any]]:
        calibration = self.calibration
        return {
            "weights": self.weights,
            "calibration/slope": np.array([calibration.slope]),
            "calibration/further": calibration.further,
            "calibration/offsets": calibration.offsets,
            "completeness/weights": self.completeness.weights,
            "completeness/offsets": self.completeness.offsets,
        }

    def save(self, folder: Path) -> str:
        """Write weights and calibration, bound to the graph and the models.

        The models are saved by themselves. Returns the fingerprint of the file.
        """
        metadata = {
            "config": self.config.to_json(),
            "models": [model.fingerprint for model in self.models],
        }
        return save_checkpoint(folder, self._tensors(), metadata, self.snapshot.hash, kind=KIND)

    @classmethod
    def load(
        cls, folder: Path, snapshot: Snapshot, models: Sequence[ScoreModel]
    ) -> EnsemblePredictor:
        """Read what `save` wrote.

        Args:
            folder: The checkpoint.
            snapshot: The graph.
            models: The models that it mixes, loaded from their own checkpoints, in that order.

        Raises:
            MissingPartError: The folder holds no ensemble.
            CheckpointMismatchError: It was fitted for another graph, or with other models.
            ForeignFileError: A file is not ours or damaged.
            FormatVersionError: It has another format number.
        """
        checkpoint = load_checkpoint(folder, snapshot.hash, kind=KIND)
        given = [model.fingerprint for model in models]
        if checkpoint.metadata.get("models") != given:
            raise CheckpointMismatchError(
                trained_on=str(checkpoint.metadata.get("models")), asked_for=str(given)
            )
        try:
            return _restored(checkpoint, Evidence(snapshot, models))
        except (KeyError, TypeError, ValueError, SettingError) as error:
            raise ForeignFileError(
                "an ensemble without all its parts",
                where=str(folder),
                hint="move it away and fit it again",
            ) from error


def _restored(checkpoint: Checkpoint, evidence: Evidence) -> EnsemblePredictor:
    tensors, steps = checkpoint.tensors, 2 * evidence.snapshot.num_relations
    shapes = {
        "weights": (steps, evidence.num_columns),
        "calibration/slope": (1,),
        "calibration/further": (steps,),
        "calibration/offsets": (steps,),
        "completeness/weights": (4,),
        "completeness/offsets": (steps,),
    }
    for name, shape in shapes.items():
        if tensors[name].shape != shape or not np.isfinite(tensors[name]).all():
            raise ValueError(f"{name} is not of {shape} finite numbers")
    return EnsemblePredictor(
        evidence=evidence,
        weights=tensors["weights"],
        calibration=Calibration(
            slope=float(tensors["calibration/slope"][0]),
            further=tensors["calibration/further"],
            offsets=tensors["calibration/offsets"],
        ),
        completeness=Completeness(
            weights=tensors["completeness/weights"], offsets=tensors["completeness/offsets"]
        ),
        config=EnsembleConfig(**checkpoint.metadata["config"]),
    )


def _spread(matrix: csr_matrix, places: NDArray[np.int64], count: int) -> csr_matrix:
    """Return a matrix of `count` rows with the given ones at their places, the others empty."""
    counts = np.zeros(count, dtype=np.int64)
    counts[places] = np.diff(matrix.indptr)
    indptr = np.concatenate(([0], np.cumsum(counts)))
    return csr_matrix((matrix.data, matrix.indices, indptr), shape=(count, matrix.shape[1]))
