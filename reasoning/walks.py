"""The backward walk that sampling draws anchors and relations by (BetaE, arXiv 2010.11465)."""

from __future__ import annotations

from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from kg.errors import UnsupportedQueryError
from reasoning.id_sets import DirectedEdges
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
)
from reasoning.structures import Structure

__all__ = ["BackwardWalk"]


class BackwardWalk:
    """Walk a structure from its answers back to its anchors, many queries at once.

    Args:
        structure: What to walk.
        edges: The graph.
        generator: Source of randomness.
    """

    def __init__(
        self, structure: Structure, edges: DirectedEdges, generator: np.random.Generator
    ) -> None:
        self._structure = structure
        self._edges = edges
        self._generator = generator

    def back(self, answers: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return ``(n, num_anchors + num_relations)`` slots of the walks that found a way."""
        width = self._structure.num_anchors + self._structure.num_relations
        self._slots = np.full((len(answers), width), -1, dtype=np.int32)
        self._step(self._structure.tree, answers, np.full(len(answers), -1, dtype=np.int32))
        return self._slots[(self._slots >= 0).all(1)]

    def _step(self, node: Query, at: NDArray[np.int32], barred: NDArray[np.int32]) -> None:
        match node:
            case Anchor(entity=slot):
                self._slots[:, int(slot)] = at
            case Projection(relation=slot, child=child):
                codes, heads = self._enter(at, barred)
                self._slots[:, self._structure.num_anchors + int(slot)] = codes
                # the next hop down must not run back over this edge
                self._step(child, heads, np.where(codes >= 0, codes ^ 1, -1).astype(np.int32))
            case Intersection(children=branches) | Union(children=branches):
                for branch in branches:
                    self._step(branch, at, barred)
            case Negation(child=child):
                self._step(child, at, barred)
            case SoftAnchor() | Labelled() | Compare():
                raise UnsupportedQueryError(
                    "a structure has no soft anchors, labels and comparisons"
                )
            case _:
                assert_never(node)

    def _enter(
        self, at: NDArray[np.int32], barred: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Draw a directed relation into each entity and its head; -1 where there is none."""
        edges = self._edges
        place = np.maximum(at, 0)
        low = edges.start_bounds[place]
        count = edges.start_bounds[place + 1] - low
        # an edge that enters by code c leaves by c ^ 1: rows are stored by leaving
        leaving = place.astype(np.int64) * edges.num_relations + (barred ^ 1)
        barred_row = np.searchsorted(edges.rows, leaving)
        inside = np.minimum(barred_row, max(len(edges.rows) - 1, 0))
        bars = (barred >= 0) & (edges.rows[inside] == leaving)
        possible = count - bars
        lost = (possible <= 0) | (at < 0)
        drawn = low + self._below(possible)
        drawn += bars & (drawn >= barred_row)
        drawn = np.minimum(drawn, len(edges.rows) - 1)
        first = edges.row_bounds[drawn]
        edge = first + self._below(edges.row_bounds[drawn + 1] - first)
        codes = edges.codes[edge] ^ 1
        return np.where(lost, -1, codes), np.where(lost, -1, edges.ends[edge])

    def _below(self, limit: NDArray[np.int64]) -> NDArray[np.int64]:
        drawn = (self._generator.random(len(limit)) * limit).astype(np.int64)
        return np.clip(drawn, 0, np.maximum(limit - 1, 0))
