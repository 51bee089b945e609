"""The default link predictor: calibrated probabilities of all edges that may be missing.

All probabilities are computed once, after training, and kept as one sparse matrix a relation, so
that answering costs no model evaluation and both directions of an edge agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import ForeignFileError
from kg.snapshot import Snapshot
from reasoning.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from reasoning.predictors.config import LinkPredictorConfig
from reasoning.predictors.embeddings.model import EmbeddingModel
from reasoning.predictors.mixture import Mixture
from reasoning.predictors.paths import Body, body_name
from reasoning.predictors.reasons import RuleReasons

__all__ = ["CalibratedPredictor", "RelationModel"]

KIND = "link-predictor"

_MIXTURE_ARRAYS = ("centre", "scale", "weights", "completeness")


@dataclass(frozen=True, kw_only=True, eq=False)
class RelationModel:
    """What is known about predicting one relation.

    Attributes:
        bodies: Path rules; the first columns of the evidence.
        gains: Nats a hidden edge that each rule tells alone.
        mixture: Weights of all columns.
    """

    bodies: tuple[Body, ...]
    gains: tuple[float, ...]
    mixture: Mixture


class CalibratedPredictor:
    """Implements `LinkPredictor` for the snapshot that it was trained on.

    Args:
        snapshot: The graph.
        matrices: One ``(num_entities, num_entities)`` sparse matrix a relation.
        models: Rules and weights by relation id; relations without one are never predicted.
        embedding: ComplEx vectors trained on all edges.
        config: Hyper-parameters it was trained with.
        seed: Seed it was trained with.
    """

    def __init__(
        self,
        *,
        snapshot: Snapshot,
        matrices: Sequence[sparse.csr_matrix],
        models: Mapping[int, RelationModel],
        embedding: EmbeddingModel,
        config: LinkPredictorConfig,
        seed: int = 0,
    ) -> None:
        self.snapshot = snapshot
        self.models = dict(models)
        self.embedding = embedding
        self.config = config
        self.seed = seed
        self._forward = list(matrices)
        self._backward: dict[int, sparse.csr_matrix] = {}

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        return self.snapshot.num_entities

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all probabilities."""
        digest = hashlib.sha256()
        for matrix in self._forward:
            for array in (matrix.indptr, matrix.indices, matrix.data):
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def predicted_relations(self) -> tuple[str, ...]:
        """Names of the relations of which it predicts edges."""
        return tuple(self.snapshot.relation_names.name(r) for r in sorted(self.models))

    def rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` probabilities of edges that may be missing.

        Edges of the snapshot have 0 here: they are not for a predictor to judge.
        """
        matrix = self._inverted(relation) if inverse else self._forward[relation]
        found: NDArray[np.float32] = matrix[entities].toarray()
        return found

    def _inverted(self, relation: int) -> sparse.csr_matrix:
        found = self._backward.get(relation)
        if found is None:
            found = self._backward[relation] = self._forward[relation].T.tocsr()
        return found

    @cached_property
    def _rules(self) -> RuleReasons:
        return RuleReasons(self.snapshot)

    def reasons(self, head: str, relation: str, tail: str) -> list[str]:
        """Return up to three paths through the graph that speak for an edge, the best first.

        Args:
            head: Key.
            relation: Name.
            tail: Key.

        Raises:
            UnknownEntityError: A key is not in the snapshot.
            UnknownRelationError: The relation is not in the snapshot.
        """
        number = self.snapshot.relation_id(relation)
        ends = (self.snapshot.entity_id(head), self.snapshot.entity_id(tail))
        model = self.models.get(number)
        if model is None:
            return []
        return self._rules.sentences(*ends, bodies=model.bodies, mixture=model.mixture)

    def rules(self, relation: str, count: int = 10) -> list[tuple[str, float]]:
        """Return the rules of a relation that tell most, as text with their gain in nats."""
        model = self.models.get(self.snapshot.relation_id(relation))
        if model is None:
            return []
        names = [body_name(body, self.snapshot) for body in model.bodies[:count]]
        return list(zip(names, model.gains, strict=False))

    def save(self, folder: Path) -> str:
        """Write a checkpoint bound to the snapshot; returns its fingerprint."""
        tensors: dict[str, NDArray[Any]] = {
            "embedding/entity": self.embedding.entity,
            "embedding/relation": self.embedding.parameters["relation"],
        }
        relations: dict[str, Any] = {}
        for number, model in sorted(self.models.items()):
            name, matrix = self.snapshot.relation_names.name(number), self._forward[number]
            for part in ("data", "indices", "indptr"):
                tensors[f"matrix/{name}/{part}"] = getattr(matrix, part)
            for part in _MIXTURE_ARRAYS:
                tensors[f"mixture/{name}/{part}"] = getattr(model.mixture, part)
            relations[name] = {
                "bodies": [list(body) for body in model.bodies],
                "gains": list(model.gains),
                "offset": model.mixture.offset,
            }
        metadata = {"config": self.config.to_json(), "seed": self.seed, "relations": relations}
        return save_checkpoint(folder, tensors, metadata, self.snapshot.hash, kind=KIND)

    @classmethod
    def load(cls, folder: Path, snapshot: Snapshot) -> CalibratedPredictor:
        """Read what `save` wrote.

        Raises:
            MissingPartError: The folder holds no model.
            CheckpointMismatchError: It was trained on another snapshot.
            ForeignFileError: A file is not ours or damaged.
            FormatVersionError: It has another format number.
        """
        checkpoint = load_checkpoint(folder, snapshot.hash, kind=KIND)
        try:
            return _restored(checkpoint, snapshot)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ForeignFileError(
                "a link predictor without all its parts",
                where=str(folder),
                hint="move it away and run `umbra train`",
            ) from error


def _restored(checkpoint: Checkpoint, snapshot: Snapshot) -> CalibratedPredictor:
    tensors, relations = checkpoint.tensors, checkpoint.metadata["relations"]
    size = (snapshot.num_entities, snapshot.num_entities)
    matrices = [sparse.csr_matrix(size, dtype=np.float32) for _ in range(snapshot.num_relations)]
    models = {}
    for name, stored in relations.items():
        number = snapshot.relation_names[name]
        arrays = tuple(tensors[f"matrix/{name}/{part}"] for part in ("data", "indices", "indptr"))
        matrices[number] = sparse.csr_matrix(arrays, shape=size)
        matrices[number].check_format(full_check=True)
        parts = {part: tensors[f"mixture/{name}/{part}"] for part in _MIXTURE_ARRAYS}
        models[number] = RelationModel(
            bodies=tuple(tuple(map(int, body)) for body in stored["bodies"]),
            gains=tuple(map(float, stored["gains"])),
            mixture=Mixture(**parts, offset=float(stored["offset"])),
        )
    config = LinkPredictorConfig.from_json(checkpoint.metadata["config"])
    return CalibratedPredictor(
        snapshot=snapshot,
        matrices=matrices,
        models=models,
        embedding=EmbeddingModel(
            config=config.complex,
            entity=tensors["embedding/entity"],
            parameters={"relation": tensors["embedding/relation"]},
        ),
        config=config,
        seed=int(checkpoint.metadata["seed"]),
    )
