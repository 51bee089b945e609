"""Distance on the globe as evidence for an edge, where entities carry coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot

__all__ = ["Positions"]

_EARTH_KM = 6371.0
_LEAST_KM = 10.0


class Positions:
    """Great-circle distances between entities.

    Args:
        snapshot: The graph.
        attributes: Names of the attributes with latitude and longitude, in degrees.
    """

    def __init__(self, snapshot: Snapshot, attributes: tuple[str, str]) -> None:
        self._unit = np.full((snapshot.num_entities, 3), np.nan)
        latitudes, longitudes = (snapshot.attributes.get(name, {}) for name in attributes)
        for entity in latitudes.keys() & longitudes.keys():
            latitude, longitude = latitudes[entity], longitudes[entity]
            if _is_number(latitude) and _is_number(longitude):
                self._unit[entity] = _unit_vector(float(latitude), float(longitude))  # type: ignore[arg-type]

    def placed(self, entities: NDArray[np.int32]) -> float:
        """Return the share of entities that have a position."""
        return float(np.isfinite(self._unit[entities, 0]).mean()) if len(entities) else 0.0

    def closeness(
        self, heads: NDArray[np.int32], tails: NDArray[np.int32], heads_of_tails: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Return ``(len(heads), len(tails), 3)`` evidence; 0 where a position is missing.

        The first is −log of the distance; the others −log of the rank of the tail among the
        head's candidates and of the head among `heads_of_tails`, which do not depend on how far
        apart things are in that part of the world.
        """
        near = self._log_nearness(heads, tails)
        from_tails = np.sort(-self._log_nearness(tails, heads_of_tails), axis=1)
        ranks = 1.0 + np.argsort(np.argsort(-near, axis=1, kind="stable"), axis=1, kind="stable")
        columns = [np.searchsorted(row, -near[:, place]) for place, row in enumerate(from_tails)]
        others = 1.0 + np.stack(columns, axis=1)
        stacked = np.stack([near, -np.log(ranks), -np.log(others)], axis=-1)
        stacked[~np.isfinite(near)] = 0.0
        return stacked.astype(np.float32)

    def _log_nearness(
        self, one: NDArray[np.int32], other: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        cosine = np.clip(self._unit[one] @ self._unit[other].T, -1.0, 1.0)
        near: NDArray[np.float64] = -np.log(np.arccos(cosine) * _EARTH_KM + _LEAST_KM)
        return near


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unit_vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    a, b = np.radians(latitude), np.radians(longitude)
    return float(np.cos(a) * np.cos(b)), float(np.cos(a) * np.sin(b)), float(np.sin(a))
