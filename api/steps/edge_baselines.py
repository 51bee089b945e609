"""What a link predictor has to beat on held-out edges: chance, frequency, nearness."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot

__all__ = [
    "Baseline",
    "baselines",
    "frequent_tail",
    "frequent_tail_in_group",
    "nearest_tail",
    "random_scores",
]

EARTH_KM = 6371.0
Scores = NDArray[np.float64]
Baseline = Callable[[Snapshot, int, NDArray[np.int32], int], Scores]
"""(snapshot, relation, heads, seed) to ``(len(heads), num_entities)`` scores."""


def random_scores(
    snapshot: Snapshot, _relation: int, heads: NDArray[np.int32], seed: int
) -> Scores:
    """Score every tail by chance; its MRR must land at H_N / N."""
    return np.random.default_rng(seed).random((len(heads), snapshot.num_entities))


def frequent_tail(
    snapshot: Snapshot, relation: int, heads: NDArray[np.int32], _seed: int
) -> Scores:
    """Score a tail by how many edges of the relation reach it."""
    tails = snapshot.tails[snapshot.edges_of(relation)]
    counts = np.bincount(tails, minlength=snapshot.num_entities).astype(np.float64)
    return np.tile(counts, (len(heads), 1))


def frequent_tail_in_group(
    snapshot: Snapshot,
    relation: int,
    heads: NDArray[np.int32],
    seed: int,
    *,
    group_relation: str,
) -> Scores:
    """Score a tail by how many edges reach it from heads of the same group (such as a subregion).

    The head's own edges do not count. Overall frequency breaks ties, which makes it a little
    stronger than the plain count.
    """
    overall = frequent_tail(snapshot, relation, heads[:1], seed)[0]
    scores = np.tile(overall / (overall.sum() + 1.0), (len(heads), 1))
    grouping = snapshot.relation_names.get(group_relation)
    if grouping is None:
        return scores
    for row, head in enumerate(heads.tolist()):
        for group in snapshot.neighbours(grouping, head).tolist():
            for peer in snapshot.neighbours(grouping, group, inverse=True).tolist():
                if peer != head:
                    scores[row, snapshot.neighbours(relation, peer)] += 1.0
    return scores


def nearest_tail(
    snapshot: Snapshot,
    _relation: int,
    heads: NDArray[np.int32],
    _seed: int,
    *,
    by_size: bool,
) -> Scores:
    """Score a tail by how near it is on the globe, by size: over the radii of both.

    Entities without latitude and longitude come last.
    """
    columns = [snapshot.attributes.get(name, {}) for name in ("latitude", "longitude", "area_km2")]
    places = np.full((snapshot.num_entities, 3), np.nan)
    for column, values in enumerate(columns):
        for entity, value in values.items():
            places[entity, column] = value
    latitude, longitude = np.radians(places[:, 0]), np.radians(places[:, 1])
    radius_km = np.sqrt(np.nan_to_num(places[:, 2]) / np.pi)
    apart = longitude[heads][:, None] - longitude[None, :]
    north, also_north = latitude[heads][:, None], latitude[None, :]
    cosine = np.sin(north) * np.sin(also_north)
    cosine += np.cos(north) * np.cos(also_north) * np.cos(apart)
    distance_km = np.arccos(np.clip(cosine, -1.0, 1.0)) * EARTH_KM
    if by_size:
        distance_km = distance_km / (radius_km[heads][:, None] + radius_km[None, :] + 1.0)
    scores: Scores = -np.nan_to_num(distance_km, nan=1e6)
    return scores


def baselines(group_relation: str) -> dict[str, Baseline]:
    """Return all baselines by name.

    Args:
        group_relation: The relation that puts heads into groups.
    """
    in_group = partial(frequent_tail_in_group, group_relation=group_relation)
    return {
        "random": random_scores,
        "frequent tail": frequent_tail,
        f"frequent tail {group_relation}": in_group,
        "nearest": partial(nearest_tail, by_size=False),
        "nearest by size": partial(nearest_tail, by_size=True),
    }
