"""A small world whose languages, borders and trade follow rules, for tests of predictors."""

from __future__ import annotations

import numpy as np

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.predictors import (
    ComplexConfig,
    LinkPredictorConfig,
)

__all__ = ["SMALL", "WORLD", "edges_of", "made_world"]

SMALL = LinkPredictorConfig(
    complex=ComplexConfig(rank=4, epochs=3, keep_every=1),
    folds=2,
    hidden_share=0.2,
    fewest_hidden=4,
    bodies=8,
)


def edges_of(rows: list[tuple[str, str, str]]) -> list[Edge]:
    source = (Provenance(kind="asserted", source="s"),)
    return [
        Edge(head=EntityKey(h), relation=r, tail=EntityKey(t), provenance=source)
        for h, r, t in rows
    ]


def made_world(seed: int = 0) -> Snapshot:
    """Make 48 countries in six blocks; a block shares a language and trades with one hub."""
    random = np.random.default_rng(seed)
    entities = [
        Entity(key=EntityKey(f"block:{b}"), label="Block", name=f"Block {b}") for b in range(6)
    ]
    entities += [
        Entity(key=EntityKey(f"lang:{b}"), label="Language", name=f"L{b}") for b in range(6)
    ]
    rows = []
    for number in range(48):
        block = number // 8
        position = {"latitude": 20.0 * (block % 3), "longitude": 30.0 * block + number % 8}
        key = f"country:{number:02}"
        entities.append(
            Entity(key=EntityKey(key), label="Country", name=f"C{number}", attributes=position)
        )
        rows.append((key, "in_block", f"block:{block}"))
        rows.append((key, "speaks", f"lang:{block}"))
        if random.random() < 0.4:
            rows.append((key, "speaks", f"lang:{random.integers(6)}"))
        partners = {8 * block, 8 * int(random.integers(6)), int(random.integers(48))} - {number}
        rows += [(key, "sells_to", f"country:{partner:02}") for partner in partners]
        if number % 8 != 7:
            rows.append((key, "borders", f"country:{number + 1:02}"))
            rows.append((f"country:{number + 1:02}", "borders", key))
    return build_snapshot(entities, edges_of(sorted(set(rows))))


WORLD = made_world()
