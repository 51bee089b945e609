"""Entities that training never saw: a graph folder before and after they were added."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kg.graph_folder import GraphFolder
from kg.snapshot import Snapshot
from kg.vocabulary import Vocabulary

__all__ = ["Withheld", "withheld"]

LEAST_DEGREE = 10
_OTHER_EDGES = 3000


@dataclass(frozen=True, kw_only=True, eq=False)
class Withheld:
    """A graph before and after some entities were added.

    Attributes:
        before: Training edges without them; they are no entities of it.
        after: Training edges with half of theirs.
        entities: ``(n,)`` their ids in `after`.
        asked: ``(m, 3)`` head, relation, tail: the other half of their edges.
        others: ``(k, 3)`` validation edges between other entities.
        known: ``(l, 3)`` all edges of all splits: none of them is a rival.
    """

    before: Snapshot
    after: Snapshot
    entities: NDArray[np.int64]
    asked: NDArray[np.int32] = field(repr=False)
    others: NDArray[np.int32] = field(repr=False)
    known: NDArray[np.int32] = field(repr=False)


def withheld(graph: GraphFolder, count: int, seed: int, *, asked: int | None = None) -> Withheld:
    """Withhold entities of at least ten training edges, and half of the edges of each.

    Args:
        graph: The graph.
        count: How many entities.
        seed: Of the entities and the halves.
        asked: Most edges to ask for, drawn from the other halves; all if None.
    """
    generator = np.random.default_rng(seed)
    train = graph.train
    ends = np.stack([train.heads, train.tails], axis=1)
    degree = np.bincount(ends.ravel(), minlength=train.num_entities)
    entities = np.sort(
        generator.choice(np.flatnonzero(degree >= LEAST_DEGREE), count, replace=False)
    )
    is_withheld = np.zeros(train.num_entities, dtype=np.bool_)
    is_withheld[entities] = True
    # an edge between two withheld entities is its head's
    owner = np.where(is_withheld[train.heads], train.heads, train.tails)
    is_theirs = is_withheld[owner]
    is_asked = np.zeros(train.num_edges, dtype=np.bool_)
    for entity in entities:
        own = generator.permutation(np.flatnonzero(is_theirs & (owner == entity)))
        is_asked[own[: len(own) // 2]] = True
    valid = graph.edges("valid")
    others = valid[~is_withheld[valid[:, 0]] & ~is_withheld[valid[:, 2]]]
    edges = np.stack(
        [train.heads[is_asked], train.relations[is_asked], train.tails[is_asked]], axis=1
    )
    return Withheld(
        before=_without_entities(train.keeping(~is_theirs), ~is_withheld),
        after=train.keeping(~is_asked),
        entities=entities,
        others=_sample(others, _OTHER_EDGES, generator),
        asked=edges if asked is None else _sample(edges, asked, generator),
        known=np.concatenate([graph.edges(name) for name in ("train", "valid", "test")]),
    )


def _sample(
    edges: NDArray[np.int32], most: int, generator: np.random.Generator
) -> NDArray[np.int32]:
    count = min(most, len(edges))
    return edges[np.sort(generator.choice(len(edges), count, replace=False))]


def _without_entities(snapshot: Snapshot, keep: NDArray[np.bool_]) -> Snapshot:
    """Return a snapshot of some of the entities, of which all edges must be."""
    place = np.cumsum(keep) - 1
    kept = np.flatnonzero(keep)
    return Snapshot(
        entities=Vocabulary([snapshot.entities.name(int(i)) for i in kept]),
        relation_names=snapshot.relation_names,
        labels=snapshot.labels,
        names=tuple(snapshot.names[i] for i in kept),
        attributes={},
        heads=place[snapshot.heads].astype(np.int32),
        relations=np.asarray(snapshot.relations),
        tails=place[snapshot.tails].astype(np.int32),
        probabilities=np.asarray(snapshot.probabilities),
        label_ids=np.asarray(snapshot.label_ids)[kept],
        parents=np.asarray(snapshot.parents)[kept],
    )
