"""A trained embedding: raw scores of all tails, and its checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kg.config_fields import identity
from kg.errors import ForeignFileError
from kg.snapshot import Snapshot
from reasoning.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from reasoning.predictors.embeddings.architecture import Architecture, architecture_of
from reasoning.predictors.embeddings.config import EmbeddingConfig, config_from_json

__all__ = ["EmbeddingModel"]

KIND = "embedding"

_MOST_BYTES_TWICE = 1_000_000_000
"""Vectors of entities up to this size are kept in a second order of memory too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EmbeddingModel:
    """Vectors of entities and relations; implements `reasoning.protocols.ScoreModel`.

    Attributes:
        config: Which model it is, and how it was trained.
        entity: ``(num_entities, width)`` float32.
        parameters: All other arrays by name; row r + num_relations of ``relation`` is r⁻¹.

    Raises:
        ValueError: An array has not the shape that the model gives it, or is not finite.

    Example:
        >>> from reasoning.predictors.embeddings.config import ComplexConfig
        >>> ones = np.ones((3, 2), dtype=np.float32)
        >>> model = EmbeddingModel(
        ...     config=ComplexConfig(rank=1), entity=ones, parameters={"relation": ones[:2]}
        ... )
        >>> model.scores(np.array([0], dtype=np.int32), 0).tolist()
        [[2.0, 2.0, 2.0]]
    """

    config: EmbeddingConfig
    entity: NDArray[np.float32]
    parameters: Mapping[str, NDArray[np.float32]] = field(repr=False)

    def __post_init__(self) -> None:
        """Check every array."""
        relation = self.parameters.get("relation")
        if relation is None or relation.ndim != 2 or len(relation) % 2:
            raise ValueError("the relations have no even number of rows")
        found = {name: array.shape for name, array in self.parameters.items()}
        if found != self._architecture.shapes(len(relation)):
            raise ValueError(f"parameters of shapes {found} do not fit the configuration")
        if self.entity.shape[1:] != (self._architecture.entity_width,):
            raise ValueError(f"entities of shape {self.entity.shape} do not fit the configuration")
        for array in (self.entity, *self.parameters.values()):
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ValueError("an array is not of finite 32-bit numbers")

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        return len(self.entity)

    @property
    def num_relations(self) -> int:
        """Number of relations, inverses not counted."""
        return len(self.parameters["relation"]) // 2

    @cached_property
    def fingerprint(self) -> str:
        """Hash of its configuration and all its arrays."""
        digest = hashlib.sha256(
            json.dumps(
                {"model": self.config.model, **identity(self.config)}, sort_keys=True
            ).encode()
        )
        for name, array in sorted({"entity": self.entity, **self.parameters}.items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def scores(
        self,
        entities: NDArray[np.int32],
        relation: int,
        *,
        inverse: bool = False,
        tails: NDArray[np.int32] | None = None,
    ) -> NDArray[np.float32]:
        """Return raw scores of tails, higher is better.

        Args:
            entities: ``(n,)`` ids of heads; of tails if `inverse`.
            relation: Relation id.
            inverse: Score heads of the given tails.
            tails: Ids of the candidates, all entities by default.

        Returns:
            ``(n, num_entities)``, or ``(n, len(tails))``.
        """
        directed = np.full(len(entities), relation + inverse * self.num_relations)
        found = self._by_dimension if tails is None else self.entity[tails].T
        return _product(self.queries(entities, directed), found)

    def queries(
        self, entities: NDArray[np.int32], directed: NDArray[np.integer[Any]]
    ) -> NDArray[np.float32]:
        """Return ``(n, width)`` vectors whose inner products with all entities are their scores.

        Where `EmbeddingConfig.both_directions` is set, a score is the mean of the edge's as r and
        as r⁻¹: both vectors saw the same edges, and the mean of two views is often the better.

        Args:
            entities: ``(n,)`` ids of heads.
            directed: ``(n,)`` relation ids; r + num_relations is r⁻¹.
        """
        count = self.num_relations
        heads = torch.from_numpy(self.entity[entities])
        ids = torch.from_numpy(np.asarray(directed, dtype=np.int64))
        found = self._architecture.queries(self._tensors, heads, ids)
        if self.config.both_directions:
            inverses = (ids + count) % (2 * count)
            back = self._architecture.backward_queries(self._tensors, heads, inverses)
            found = (found + back) * 0.5
        result: NDArray[np.float32] = found.numpy()
        return result

    def row_scores(
        self,
        entities: NDArray[np.int32],
        directed: NDArray[np.integer[Any]],
        *,
        factors: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Return scores of pairs of any relations in one product; see `PairScoreModel`."""
        asked = self.queries(entities, directed)
        if factors is not None:
            asked = asked * factors[:, None]
        return _product(asked, self._by_dimension)

    @cached_property
    def _by_dimension(self) -> NDArray[np.float32]:
        """The entities' vectors as columns, in an order of memory in which products are fastest."""
        if self.entity.nbytes > _MOST_BYTES_TWICE:
            return self.entity.T
        return np.ascontiguousarray(self.entity.T)

    @cached_property
    def _architecture(self) -> Architecture:
        return architecture_of(self.config)

    @cached_property
    def _tensors(self) -> dict[str, torch.Tensor]:
        arrays = self.parameters.items()
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays}

    def save(self, folder: Path, snapshot: Snapshot) -> str:
        """Write a checkpoint bound to the snapshot it was trained on; returns its fingerprint."""
        tensors = {"entity": self.entity, **self.parameters}
        metadata = {"config": self.config.to_json()}
        return save_checkpoint(folder, tensors, metadata, snapshot.hash, kind=KIND)

    @classmethod
    def load(cls, folder: Path, snapshot: Snapshot) -> EmbeddingModel:
        """Read what `save` wrote.

        Raises:
            MissingPartError: The folder holds no model.
            CheckpointMismatchError: It was trained on another snapshot.
            ForeignFileError: A file is not ours or damaged.
            FormatVersionError: It has another format number.
        """
        checkpoint = load_checkpoint(folder, snapshot.hash, kind=KIND)
        try:
            model = _restored(checkpoint)
            if (model.num_entities, model.num_relations) != (
                snapshot.num_entities,
                snapshot.num_relations,
            ):
                raise ValueError("the numbers of entities and relations are not the graph's")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ForeignFileError(
                f"not a whole embedding: {error}",
                where=str(folder),
                hint="move it away and train it again",
            ) from error
        return model


def _restored(checkpoint: Checkpoint) -> EmbeddingModel:
    tensors = dict(checkpoint.tensors)
    return EmbeddingModel(
        config=config_from_json(checkpoint.metadata["config"]),
        entity=tensors.pop("entity"),
        parameters=tensors,
    )


def _product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    # not torch's: of a few rows with many columns numpy's library makes the product twice as fast
    found: NDArray[np.float32] = left @ right
    return found
