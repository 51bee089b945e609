"""Answerers over random tables, and a graph of four edges."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig
from tests.reasoning.dense_oracle import TablePredictor, random_table

NO_PRUNING = SymbolicConfig(epsilon=0.0)
SEEDS = st.integers(0, 50)


def answerer_of(
    snapshot: Snapshot, seed: int, config: SymbolicConfig = NO_PRUNING
) -> SymbolicAnswerer:
    return SymbolicAnswerer(snapshot, TablePredictor(random_table(snapshot, seed)), config)


def dense_row(found: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    row = np.zeros(count)
    row[ids] = found
    return row


def four_edges() -> Snapshot:
    entities = [Entity(key=EntityKey(f"e{i}"), label="X", name=f"E{i}") for i in range(6)]
    edges = [
        Edge(
            head=EntityKey(f"e{head}"),
            relation="r",
            tail=EntityKey(f"e{tail}"),
            provenance=(Provenance(kind="asserted", source="s"),),
        )
        for head, tail in ((0, 1), (1, 2), (3, 2), (4, 2))
    ]
    return build_snapshot(entities, edges)
