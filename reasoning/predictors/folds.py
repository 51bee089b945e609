"""Which edges are hidden while a predictor is fitted, so that it is judged on what it has not seen.

Each edge falls into a fold by the hash of its keys, so that folds do not depend on ids or order.
Both directions of a symmetric relation fall into one fold (else one gives the other away), and a
tail keeps at least one edge of its relation outside each fold, as in the demo's held-out edges.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot

__all__ = ["hidden_edges", "is_symmetric"]

_SYMMETRIC_SHARE = 0.9


def is_symmetric(snapshot: Snapshot, relation: int) -> bool:
    """Tell whether at least nine in ten edges of a relation also run the other way."""
    span = snapshot.edges_of(relation)
    heads, tails = snapshot.heads[span].astype(np.int64), snapshot.tails[span].astype(np.int64)
    size = snapshot.num_entities
    both = np.isin(heads * size + tails, tails * size + heads)
    return bool(len(both) and both.mean() >= _SYMMETRIC_SHARE)


def hidden_edges(
    snapshot: Snapshot, *, fold: int, share: float, relation: int | None = None
) -> NDArray[np.bool_]:
    """Return ``(num_edges,)``: which edges a fold hides.

    Args:
        snapshot: The graph.
        fold: Its number; folds of different numbers are drawn independently.
        share: About this share of each relation is hidden, fewer where tails are rare.
        relation: Only this relation; all by default.
    """
    hidden = np.zeros(snapshot.num_edges, dtype=np.bool_)
    wanted = range(snapshot.num_relations) if relation is None else (relation,)
    for number in wanted:
        span = snapshot.edges_of(number)
        hidden[span] = _hidden_of(snapshot, number, fold, share)
    return hidden


def _hidden_of(snapshot: Snapshot, relation: int, fold: int, share: float) -> NDArray[np.bool_]:
    span = snapshot.edges_of(relation)
    heads, tails = snapshot.heads[span].tolist(), snapshot.tails[span].tolist()
    symmetric = is_symmetric(snapshot, relation)
    name, key = snapshot.relation_names.name(relation), snapshot.entities.name
    places: dict[tuple[int, int], list[int]] = {}
    for place, (head, tail) in enumerate(zip(heads, tails, strict=True)):
        pair = (min(head, tail), max(head, tail)) if symmetric else (head, tail)
        places.setdefault(pair, []).append(place)
    left = np.bincount(snapshot.tails[span], minlength=snapshot.num_entities)
    hidden = np.zeros(len(heads), dtype=np.bool_)
    order = sorted((_draw(f"{fold}|{key(a)}|{name}|{key(b)}"), (a, b)) for a, b in places)
    for drawn, pair in order:
        if drawn >= share:
            break
        ends = [tails[place] for place in places[pair]]
        if all(left[end] > ends.count(end) for end in ends):
            hidden[places[pair]] = True
            for end in ends:
                left[end] -= 1
    return hidden


def _draw(text: str) -> float:
    """Return a number in [0, 1) that a text alone decides."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 16**13
