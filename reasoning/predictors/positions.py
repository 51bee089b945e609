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
        area_attribute: Name of the attribute with the area, in square kilometres.
    """

    def __init__(
        self, snapshot: Snapshot, attributes: tuple[str, str], area_attribute: str
    ) -> None:
        self._unit = np.full((snapshot.num_entities, 3), np.nan)
        latitudes, longitudes = (snapshot.attributes.get(name, {}) for name in attributes)
        for entity in latitudes.keys() & longitudes.keys():
            latitude, longitude = latitudes[entity], longitudes[entity]
            if _is_number(latitude) and _is_number(longitude):
                self._unit[entity] = _unit_vector(float(latitude), float(longitude))  # type: ignore[arg-type]

        # The radius of a disc of that area; large things are near each other from further away.
        self._radius_km = np.zeros(snapshot.num_entities)
        for entity, area in snapshot.attributes.get(area_attribute, {}).items():
            if _is_number(area):
                self._radius_km[entity] = np.sqrt(max(float(area), 0.0) / np.pi)  # type: ignore[arg-type]

    def placed(self, entities: NDArray[np.int32]) -> float:
        """Return the share of entities that have a position."""
        return float(np.isfinite(self._unit[entities, 0]).mean()) if len(entities) else 0.0

    def closeness(
        self, heads: NDArray[np.int32], tails: NDArray[np.int32], heads_of_tails: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Return ``(len(heads), len(tails), 5)`` evidence; 0 where a position is missing.

        −log of the distance; −log of the distance over both radii; −log of the rank of the tail
        among the head's candidates by either; and of the rank of the head among `heads_of_tails`.
        Ranks do not depend on how far apart things are in that part of the world.
        """
        near, sized = self._log_nearness(heads, tails)
        from_tails = np.sort(-self._log_nearness(tails, heads_of_tails)[0], axis=1)
        columns = [np.searchsorted(row, -near[:, place]) for place, row in enumerate(from_tails)]
        others = 1.0 + np.stack(columns, axis=1)
        ranks = [-np.log(_ranks(values)) for values in (near, sized)]
        stacked = np.stack([near, sized, *ranks, -np.log(others)], axis=-1)
        stacked[~np.isfinite(near)] = 0.0
        return stacked.astype(np.float32)

    def _log_nearness(
        self, one: NDArray[np.int32], other: NDArray[np.int32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return −log of the distance, and of the distance over both radii."""
        cosine = np.clip(self._unit[one] @ self._unit[other].T, -1.0, 1.0)
        distance_km = np.arccos(cosine) * _EARTH_KM + _LEAST_KM
        radii_km = self._radius_km[one][:, None] + self._radius_km[other][None, :] + _LEAST_KM
        return -np.log(distance_km), -np.log(distance_km / radii_km)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(-values, axis=1, kind="stable")
    return np.asarray(1.0 + np.argsort(order, axis=1, kind="stable"), dtype=np.float64)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unit_vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    a, b = np.radians(latitude), np.radians(longitude)
    return float(np.cos(a) * np.cos(b)), float(np.cos(a) * np.sin(b)), float(np.sin(a))
