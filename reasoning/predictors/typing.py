"""Which edges a relation can have at all, learnt from the snapshot.

A predicted edge may only join labels that the relation joins in the graph (a country never
speaks a currency). Where every edge of a relation joins parts of one image, predicted edges do
too; where every edge joins an owner and its own part, the relation is closed: parts are seen, not
guessed. The price: an edge of a kind that the graph never shows is never predicted.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.snapshot import Snapshot
from reasoning.predictors.embeddings.candidates import Candidates

__all__ = ["RelationTypes"]


class RelationTypes:
    """Domains and ranges of all relations of a snapshot.

    Args:
        snapshot: The graph that they are learnt from.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @cached_property
    def pairs(self) -> NDArray[np.bool_]:
        """``(num_relations, num_labels, num_labels)``: which (head, tail) labels are joined."""
        snapshot = self._snapshot
        count = len(snapshot.labels)
        seen = np.zeros((snapshot.num_relations, count, count), dtype=np.bool_)
        labels = snapshot.label_ids
        seen[snapshot.relations, labels[snapshot.heads], labels[snapshot.tails]] = True
        return seen

    @cached_property
    def owned(self) -> NDArray[np.bool_]:
        """``(num_relations,)``: every edge joins an entity and a part of its own image."""
        parents = self._snapshot.parents
        heads, tails = self._snapshot.heads, self._snapshot.tails
        return self._always((parents[tails] == heads) | (parents[heads] == tails))

    @cached_property
    def same_image(self) -> NDArray[np.bool_]:
        """``(num_relations,)``: every edge joins two parts of one image."""
        parents = self._snapshot.parents
        head_parents = parents[self._snapshot.heads]
        return self._always((head_parents >= 0) & (head_parents == parents[self._snapshot.tails]))

    @cached_property
    def of_parts(self) -> NDArray[np.bool_]:
        """``(num_relations,)``: some edge starts or ends at a part of an image."""
        parents = self._snapshot.parents
        ends = (parents[self._snapshot.heads] >= 0) | (parents[self._snapshot.tails] >= 0)
        relations = self._snapshot.relations[ends]
        return np.bincount(relations, minlength=self._snapshot.num_relations) > 0

    def _always(self, holds: NDArray[np.bool_]) -> NDArray[np.bool_]:
        relations = self._snapshot.relations
        count = self._snapshot.num_relations
        fails = np.bincount(relations[~holds], minlength=count)
        always: NDArray[np.bool_] = (fails == 0) & (np.bincount(relations, minlength=count) > 0)
        return always

    def candidates(self, relation: int, *, inverse: bool = False) -> NDArray[np.int32]:
        """Return the ids of all entities with a label that tails (or heads) of a relation have."""
        labels = self.pairs[relation].any(axis=1 if inverse else 0)
        return np.flatnonzero(labels[self._snapshot.label_ids]).astype(np.int32)

    def embedding_candidates(self) -> Candidates:
        """Return what an embedding is trained on: entities that are no parts of an image.

        Each relation is trained against the tails that its labels allow, since no other is ever
        predicted. Relations of parts are left out: a part has too few edges for a vector of its
        own (below chance in the trial of the specification), and there are many.
        """
        wholes = np.flatnonzero(np.asarray(self._snapshot.parents) < 0).astype(np.int32)
        tails: list[NDArray[np.int32] | None] = []
        for inverse in (False, True):
            for relation in range(self._snapshot.num_relations):
                ids = np.intersect1d(self.candidates(relation, inverse=inverse), wholes)
                tails.append(None if self.of_parts[relation] else ids)
        return Candidates(entities=wholes, tails=tails)

    def is_closed(self, relation: int) -> bool:
        """Tell whether no edge of a relation is ever predicted."""
        return bool(self.owned[relation])

    def allowed_pairs(
        self, relation: int, heads: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the edges that may be predicted from some heads, known ones among them.

        Args:
            relation: Relation id.
            heads: Ids of heads.

        Returns:
            Positions into `heads`, and ids of tails; ascending by both.
        """
        tails = self.candidates(relation)
        rows, columns = np.nonzero(self.allowed(relation, heads, tails))
        return rows, tails[columns]

    def allowed(
        self, relation: int, heads: NDArray[np.int32], tails: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        """Return ``(len(heads), len(tails))``: which edges may be predicted; never a loop."""
        labels = self._snapshot.label_ids
        allowed = self.pairs[relation][labels[heads]][:, labels[tails]]
        allowed &= heads[:, None] != tails[None, :]
        if self.same_image[relation]:
            parents = self._snapshot.parents
            allowed &= parents[heads][:, None] == parents[tails][None, :]
        return np.asarray(allowed & ~self.owned[relation], dtype=np.bool_)
