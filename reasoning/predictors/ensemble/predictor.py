"""The link predictor of large graphs: several models, mixed and calibrated a relation.

log-odds of (h, r, t) = slope · log(n · softmax_t(w_r · columns)) + offset_r + κ · log P(h misses an
edge of r), the softmax over tails that are no known edges, n how many tails such a row misses in
the mean. Rows are computed when asked for. Where all but the softmax already says that no tail is
as likely as a caller asks for, no model is asked.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.config_fields import identity_text, restored
from kg.errors import CheckpointMismatchError, ForeignFileError, SettingError
from kg.snapshot import Snapshot
from reasoning.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from reasoning.predictors.adjacency import directed
from reasoning.predictors.ensemble.completeness import Completeness
from reasoning.predictors.ensemble.config import EnsembleConfig
from reasoning.predictors.ensemble.evidence import Evidence
from reasoning.predictors.ensemble.fitting import Calibration
from reasoning.protocols import EdgeReason, ExplainsEdges, RankedRows, ScoreModel

__all__ = ["EnsemblePredictor"]

KIND = "ensemble"

_KEPT_CELLS, _FEWEST_KEPT = 25_000_000, 16
"""How many numbers of tails are kept, as many directed relations as they make, and the least."""


class EnsemblePredictor:
    """Implements `RankedLinkPredictor` for the graph that it was fitted for.

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
        kept = max(_FEWEST_KEPT, _KEPT_CELLS // max(1, self.num_entities))
        self._log_missing = lru_cache(kept)(self._log_missing_of_step)
        self._of_tails = lru_cache(kept)(self._of_tails_of_step)

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        return self.snapshot.num_entities

    @property
    def num_directed(self) -> int:
        """Number of directed relations."""
        return 2 * self.snapshot.num_relations

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
        names = sorted(self._tensors())
        digest.update(f"({identity_text(self.config)}, {names!r})".encode())
        for _, array in sorted(self._tensors().items()):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` probabilities; 0 at edges of the graph."""
        step = directed(relation, self.snapshot.num_relations, inverse=inverse)
        steps = np.full(len(entities), step)
        found = np.empty((len(entities), self.num_entities), dtype=np.float32)
        for low in range(0, len(entities), self._block):
            part = slice(low, low + self._block)
            for place, odds in enumerate(self._odds(entities[part], steps[part]), start=low):
                found[place] = self._sure(odds)
        return found

    def ranked_rows(
        self,
        entities: NDArray[np.int32],
        directed: NDArray[np.int64],
        *,
        floor: float,
        longest: int,
    ) -> RankedRows:
        """Return the largest probabilities of each row; see `RankedLinkPredictor.ranked_rows`.

        A head that hardly misses an edge of the relation costs nothing: what is left out of its
        row is bounded by what a tail with all of the softmax would have.
        """
        dropped = self._sure(self._shift(entities, directed))
        asked = np.flatnonzero(dropped > floor)
        asked = asked[np.argsort(directed[asked], kind="stable")]
        ends = [np.empty(0, dtype=np.int32)] * (1 + len(entities))
        values = [np.empty(0, dtype=np.float32)] * (1 + len(entities))
        for low in range(0, len(asked), self._block):
            places = asked[low : low + self._block]
            every = self._odds(entities[places], directed[places])
            for place, odds in zip(places.tolist(), every, strict=True):
                ends[place], values[place], dropped[place] = self._best(odds, floor, longest)
        return RankedRows(
            counts=np.array([len(row) for row in ends[:-1]], dtype=np.int64),
            ends=np.concatenate(ends),
            probabilities=np.concatenate(values),
            dropped=dropped,
        )

    def _best(
        self, odds: NDArray[np.float32], floor: float, longest: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], np.float32]:
        """Return the best tails of a row, and the probability of the best other; changes `odds`."""
        share = min(max(floor, 1e-30), 1.0 - 1e-12)
        # most tails are far below, and cost no sigmoid; rounding must not lose one just above
        tails = np.flatnonzero(odds > math.log(share / (1.0 - share)) - 0.01).astype(np.int32)
        values = self._sure(odds[tails])
        kept = values > floor
        tails, values = tails[kept], values[kept]
        if len(tails) > longest:
            least = np.partition(values, -longest)[-longest]
            kept = values > least
            equal = np.flatnonzero(values == least)
            kept[equal[: longest - np.count_nonzero(kept)]] = True
            tails, values = tails[kept], values[kept]
        order = np.argsort(-values, kind="stable")
        odds[tails] = -np.inf
        return tails[order], values[order], self._sure(odds.max(keepdims=True, initial=-np.inf))[0]

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

    def _odds(
        self, entities: NDArray[np.int32], steps: NDArray[np.int64]
    ) -> Iterator[NDArray[np.float32]]:
        """Yield ``(num_entities,)`` log-odds of each row, −inf at edges of the graph."""
        weights = self.weights[steps, : len(self.models)]
        mixed = self.evidence.mixed(entities, steps, weights, self._of_tails)
        slope, share = self.calibration.slope, np.empty(self.num_entities, dtype=np.float32)
        # a row fits the processor's cache, a block does not
        for row, shift in zip(mixed, self._shift(entities, steps).tolist(), strict=True):
            top = max(float(row.max(initial=-np.inf)), -1e30)
            np.exp(np.subtract(row, top, out=share), out=share)
            total = top + math.log(float(share.sum()) + 1e-30)
            row *= slope
            row += shift - slope * total
            yield row

    def _shift(self, entities: NDArray[np.int32], steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return ``(n,)`` log-odds of a tail that had all of the softmax."""
        known = self.evidence.known.along(entities.astype(np.int64), steps)[0]
        found = self.calibration.shift(steps, known)
        for step in np.unique(steps).tolist():
            rows = steps == step
            found[rows] += self._log_missing(step)[entities[rows]]
        return found

    def _sure(self, odds: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities."""
        found = np.minimum(1.0 / (1.0 + np.exp(-np.maximum(odds, -80.0))), 1.0 - self.config.delta)
        return np.asarray(np.where(np.isneginf(odds), 0.0, found), dtype=np.float32)

    def _of_tails_of_step(self, step: int) -> NDArray[np.float32]:
        weights = self.weights[step, len(self.models) :]
        return np.asarray(weights @ self.evidence.of_tails(step), dtype=np.float32)

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
        config=EnsembleConfig(**restored(EnsembleConfig, checkpoint.metadata["config"])),
    )
