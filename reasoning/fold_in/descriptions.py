"""Entities without edges: from the vector of a text or picture to a vector of the embedding.

A ridge regression, fitted on the entities that have both. The vectors come from any encoder of
`encoders`; texts and pictures can be joined column by column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.snapshot import Snapshot

__all__ = ["FEWEST_DESCRIBED", "DescriptionMap", "description", "fit_description_map"]

_PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
_HELD_OUT = 0.1
FEWEST_DESCRIBED = 20
"""Entities with a description and a vector that a map needs."""

Floats = NDArray[np.float32]


def description(snapshot: Snapshot, entity: int) -> str:
    """Return what the graph says of an entity without its edges: name, label, attributes.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> made = Entity(key=EntityKey("a"), label="City", name="Oslo")
        >>> description(build_snapshot([made], []), 0)
        'Oslo, City'
    """
    values = [
        f"{name} {column[entity]}"
        for name, column in sorted(snapshot.attributes.items())
        if entity in column
    ]
    return ", ".join([snapshot.names[entity], snapshot.label_of(entity), *values])


@dataclass(frozen=True, kw_only=True, eq=False)
class DescriptionMap:
    """A linear map with an offset.

    Attributes:
        weights: ``(described_width, width)``.
        offset: ``(width,)``.
    """

    weights: Floats
    offset: Floats

    def apply(self, described: Floats) -> Floats:
        """Return ``(n, width)`` vectors of ``(n, described_width)`` descriptions."""
        found: Floats = described @ self.weights + self.offset
        return found


def fit_description_map(
    described: Floats, vectors: Floats, *, generator: np.random.Generator
) -> DescriptionMap:
    """Fit the map; its penalty is the best of five on a tenth of the entities.

    Args:
        described: ``(n, described_width)`` vectors of texts or pictures.
        vectors: ``(n, width)`` vectors of the same entities.
        generator: Draws the tenth.

    Raises:
        InputError: Fewer than 20 entities, or numbers of rows that differ.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> texts = draw.normal(size=(200, 3)).astype(np.float32)
        >>> found = fit_description_map(texts, texts @ np.ones((3, 2), np.float32), generator=draw)
        >>> bool(np.allclose(found.apply(texts[:1]), texts[:1].sum(), atol=0.01))
        True
    """
    if len(described) != len(vectors) or len(described) < FEWEST_DESCRIBED:
        raise InputError(
            f"{len(described)} descriptions and {len(vectors)} vectors do not fit a map",
            hint=f"give both for at least {FEWEST_DESCRIBED} entities",
        )
    held = generator.random(len(described)) < _HELD_OUT
    held[0], held[1] = True, False
    losses = {
        penalty: float(
            np.square(
                _ridge(described[~held], vectors[~held], penalty).apply(described[held])
                - vectors[held]
            ).mean()
        )
        for penalty in _PENALTIES
    }
    return _ridge(described, vectors, min(_PENALTIES, key=lambda penalty: losses[penalty]))


def _ridge(described: Floats, vectors: Floats, penalty: float) -> DescriptionMap:
    centre, mean = described.mean(axis=0), vectors.mean(axis=0)
    inputs = (described - centre).astype(np.float64)
    gram = inputs.T @ inputs + penalty * np.eye(inputs.shape[1])
    weights = np.linalg.solve(gram, inputs.T @ (vectors - mean)).astype(np.float32)
    return DescriptionMap(weights=weights, offset=(mean - centre @ weights).astype(np.float32))
