"""How near entities stand to one another before InvGC and LocalAdj push them, and after."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.drawings import ARTISTS
from bench.linking_methods_hubs import MOVES
from bench.linking_methods_searches import Fold, drawn_folds, text_search

__all__ = ["NEIGHBOURS_NOTE", "nearness", "neighbours_table", "of_neighbours"]

_NEAREST = 10
_LOOKED_AT = 1_000  # entities of a large base whose neighbours are looked for
_SETS = {"WikiDiverse": "wikidiverse", "Wikidata-MEL": "wikidata-mel"}

NEIGHBOURS_NOTE = """Mean cosine of an entity's vector to its ten nearest others in the index of the
searches above: of drawings of all entities, means over the folds; of names of 1,000 drawn by
chance. Banks of mentions and entities leave the index as it is: their row is the first.
"""

Floats = NDArray[np.float32]


def of_neighbours(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Measure every move of the index on each set that is there."""
    found: dict[str, dict[str, Any]] = {name: {} for name in MOVES}
    for artist in ARTISTS:
        _measure(found, f"drawings, {artist.capitalize()}", drawn_folds(given, artist))
    for title, name in _SETS.items():
        if (given.data / f"{name}.jsonl.gz").exists():
            _measure(found, f"names, {title}", [text_search(given, name)])
    return found


def _measure(found: dict[str, dict[str, Any]], title: str, folds: Iterable[Fold]) -> None:
    values: dict[str, list[float]] = {name: [] for name in MOVES}
    for fold in folds:
        count = len(fold.search.index)
        rows = np.sort(np.random.default_rng(0).permutation(count)[:_LOOKED_AT])
        rows = np.arange(count) if count <= 2 * _LOOKED_AT else rows
        for name, move in MOVES.items():
            values[name].append(nearness(move(fold.search), rows))
    for name, own in values.items():
        found[name]["mentions"] = len(rows)
        found[name][title] = float(np.mean(own))


def nearness(index: Floats, rows: NDArray[np.int64]) -> float:
    """Return the mean cosine of some rows to their ten nearest others.

    Example:
        >>> round(nearness(np.ones((3, 4), dtype=np.float32) / 2, np.array([0])), 3)
        1.0
    """
    near = index[rows] @ index.T
    near[np.arange(len(rows)), rows] = -np.inf
    most = min(_NEAREST, len(index) - 1)
    return float(np.partition(near, -most, axis=1)[:, -most:].mean())


def neighbours_table(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table."""
    titles = [title for title in next(iter(rows.values())) if title != "mentions"]
    lines = [f"| | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
    for name in MOVES:
        figures = [f"{rows[name][title]:.3f}" for title in titles]
        lines.append(f"| {' | '.join([name, *figures])} |")
    return lines
