"""Answering with rough cones (RConE): parts gain by their owners, answers lie in core or rim.

A part's score is its distance to the query plus, weighted, how well its owner lies in the rim,
whatever the query is: one score for all candidates, decided without gold answers (the public code
chooses the distance by whether the gold answers are multimodal).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kg.errors import SettingError
from kg.provenance import KNOWN_PROBABILITY
from kg.snapshot import Snapshot
from reasoning.answers import Region
from reasoning.cones.answerer import ConeAnswerer
from reasoning.cones.model import AnyCone, ConeModel, GeometryName
from reasoning.cones.queries import Branch
from reasoning.cones.rough_cone import RoughCone, share_in_core

__all__ = ["RoughConeAnswerer"]


class RoughConeAnswerer(ConeAnswerer):
    """Implements `ScoringAnswerer` with an RConE model; answers lie in the core or in the rim.

    Args:
        snapshot: The graph that the model was trained on.
        model: Of geometry ``rough``.
        known_probability: Edges of at least this probability are known.
        owner_weight: How much a part gains by its owner lying in the rim, at least 0. It changes
            nothing within an image.

    Raises:
        SettingError: The model has another geometry or another number of entities, or the weight
            is below 0.
    """

    geometry: GeometryName = "rough"

    def __init__(
        self,
        snapshot: Snapshot,
        model: ConeModel,
        *,
        known_probability: float = KNOWN_PROBABILITY,
        owner_weight: float = 0.3,
    ) -> None:
        super().__init__(snapshot, model, known_probability=known_probability)
        if owner_weight < 0:
            raise SettingError(f"owner_weight must not be below 0, got {owner_weight}")
        self._owner_weight = owner_weight
        parents = torch.from_numpy(np.asarray(snapshot.parents).astype(np.int64))
        self._parts = torch.nonzero(parents >= 0)[:, 0]
        self._owners, self._owner_of = torch.unique(parents[self._parts], return_inverse=True)

    def _ranked_by(self, cone: AnyCone) -> Tensor:
        scores = super()._ranked_by(cone)
        if self._owner_weight == 0 or len(self._parts) == 0:
            return scores
        owners = self.model.owner_scores(cone, self._axes[self._owners], self._owners)
        gained = self._owner_weight * owners[:, self._owner_of]
        return scores.index_add(1, self._parts, gained)

    def _regions(
        self, branches: tuple[Branch, ...], chosen: NDArray[np.int64]
    ) -> list[Region | None]:
        axes = self._axes[torch.from_numpy(chosen)]
        best = np.zeros(len(chosen), dtype=np.float32)
        for branch in branches:
            if branch.structure is None:
                best[branch.allowed[chosen]] = 1.0
                continue
            with torch.no_grad():
                cone = self._embedded(branch.structure, [branch])
                if isinstance(cone, RoughCone):
                    best = np.maximum(best, share_in_core(cone, axes)[0].numpy())
        needed = float(self.model.core_share)
        return ["core" if share >= needed else "rim" for share in best]
