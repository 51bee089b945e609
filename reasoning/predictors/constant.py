"""A link predictor that predicts nothing: symbolic answering then equals the exact evaluator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["NoPredictor"]


class NoPredictor:
    """Implements `LinkPredictor` with probability 0 for every edge.

    Args:
        num_entities: Size of the graph.
    """

    def __init__(self, num_entities: int) -> None:
        self._num_entities = num_entities

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        return self._num_entities

    @property
    def fingerprint(self) -> str:
        """A fixed name: it has no parameters."""
        return "none"

    def rows(
        self,
        entities: NDArray[np.int32],
        relation: int,  # noqa: ARG002  (the protocol's)
        *,
        inverse: bool = False,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Return zeros, ``(len(entities), num_entities)``."""
        return np.zeros((len(entities), self._num_entities), dtype=np.float32)
