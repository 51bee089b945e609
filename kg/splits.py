"""Which edges a model must not see: a share of some relations, chosen by hash and not by order.

An edge is held out or kept by the SHA-256 of the seed and its keys, so that the choice does not
hang on ids, on the order of the edges, or on edges of other relations.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from kg.snapshot import Snapshot

__all__ = ["hold_out"]


def hold_out(
    snapshot: Snapshot,
    *,
    relations: Sequence[str],
    share: float = 0.1,
    seed: int = 0,
    undirected: Sequence[str] = (),
) -> NDArray[np.bool_]:
    """Choose edges to hold out, keeping one training edge for each tail of each relation.

    Of each relation a `share` of its edges is wanted; edges are taken in the order of their hash,
    and one whose tail would be left without an edge of that relation is passed over. So a relation
    whose tails occur once (capitals) gives nothing, and others may give less than the share.

    Args:
        snapshot: The whole graph.
        relations: Names of the relations to hold out from.
        share: Wanted share of the edges of each relation, in [0, 1).
        seed: Part of the hash.
        undirected: Those of `relations` that say the same in both directions: an edge and its
            inverse are held out together, by the hash of the unordered pair.

    Returns:
        ``(num_edges,)`` mask, true where an edge is held out.

    Raises:
        SettingError: The share lies outside [0, 1), or an undirected relation is not held out.
        UnknownRelationError: No edge of the graph has one of the relations.

    Example:
        >>> from kg.model import Edge, Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> keys = [EntityKey(letter) for letter in "abcd"]
        >>> nodes = [Entity(key=key, label="X", name=key) for key in keys]
        >>> edges = [Edge(head=key, relation="likes", tail=keys[0]) for key in keys]
        >>> hold_out(build_snapshot(nodes, edges), relations=["likes"], share=0.5).sum()
        np.int64(2)
    """
    if not 0.0 <= share < 1.0:
        raise SettingError(f"a share of {share} lies outside [0, 1)", where="share")
    if unknown := sorted(set(undirected) - set(relations)):
        raise SettingError(f"{', '.join(unknown)} not among the relations", where="undirected")
    held = np.zeros(snapshot.num_edges, dtype=np.bool_)
    for relation in dict.fromkeys(relations):
        number = snapshot.relation_id(relation)
        groups = _groups(snapshot, number, both_ways=relation in undirected)
        keys = [
            _hash(snapshot, seed, relation, group[0], relation in undirected) for group in groups
        ]
        order = sorted(range(len(groups)), key=keys.__getitem__)
        _hold(snapshot, [groups[i] for i in order], share, held)
    return held


def _groups(snapshot: Snapshot, relation: int, *, both_ways: bool) -> list[list[int]]:
    """Return positions of edges that are held out or kept together."""
    groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    span = snapshot.edges_of(relation)
    for position in range(span.start, span.stop):
        head, tail = int(snapshot.heads[position]), int(snapshot.tails[position])
        pair = (min(head, tail), max(head, tail)) if both_ways else (head, tail)
        groups[pair].append(position)
    return list(groups.values())


def _hash(
    snapshot: Snapshot, seed: int, relation: str, position: int, both_ways: bool
) -> tuple[str, ...]:
    head = snapshot.entities.name(int(snapshot.heads[position]))
    tail = snapshot.entities.name(int(snapshot.tails[position]))
    ends = sorted((head, tail)) if both_ways else [head, tail]
    text = "\x00".join((str(seed), relation, *ends))
    return (hashlib.sha256(text.encode()).hexdigest(), *ends)


def _hold(
    snapshot: Snapshot, groups: list[list[int]], share: float, held: NDArray[np.bool_]
) -> None:
    """Mark groups in their order until the share is reached."""
    left = Counter(int(snapshot.tails[position]) for group in groups for position in group)
    wanted = round(share * sum(map(len, groups)))
    for group in groups:
        tails = Counter(int(snapshot.tails[position]) for position in group)
        if len(group) <= wanted and all(left[tail] > count for tail, count in tails.items()):
            held[group] = True
            wanted -= len(group)
            left -= tails
