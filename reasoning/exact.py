"""Exact answers: set operations on sorted id arrays over the known edges; negation closed-world.

Every answer is `known`. It needs no training; other interpreters take from it which of their
answers are known, and sampling takes answer sets. `reasoning.proofs` explains the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError, UnsafeQueryError
from kg.provenance import KNOWN_PROBABILITY
from kg.snapshot import Snapshot
from reasoning.answers import Answer, Answers, Proof, order_answers
from reasoning.comparisons import matching
from reasoning.known_edges import Ids, KnownEdges, contains, known_edges
from reasoning.normal_form import normalise
from reasoning.of_each import OfEach, Place, ids_after
from reasoning.proofs import Prover
from reasoning.protocols import Edits
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
from reasoning.safety import check_safe, describe

__all__ = ["ExactAnswerer", "answer_set", "evaluate", "known_answers"]


def evaluate(
    tree: Query,
    snapshot: Snapshot,
    known_probability: float = KNOWN_PROBABILITY,
    edits: Edits | None = None,
) -> Ids:
    """Return the ids of all known answers of a query, ascending.

    For many queries on one snapshot use `answer_set` with one `known_edges(…)`.

    Raises:
        UnsafeQueryError: The answers would be "everything but …".
        UnknownEntityError: An anchor is not in the snapshot.
        UnknownRelationError: A relation is not in the snapshot.
        LimitError: The tree is too deep or too large.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> evaluate(Labelled("City"), graph).tolist()
        [0]
    """
    edges = known_edges(snapshot, known_probability=known_probability, edits=edits)
    return answer_set(tree, edges)


def answer_set(tree: Query, edges: KnownEdges) -> Ids:
    """Return the ids of all known answers of a query over given edges, ascending.

    Raises:
        UnsafeQueryError: The answers would be "everything but …".
        UnknownEntityError: An anchor is not in the snapshot.
        UnknownRelationError: A relation is not in the snapshot.
        LimitError: The tree is too deep or too large.
    """
    check_safe(tree)
    return known_answers(normalise(tree), edges)


def known_answers(node: Query, edges: KnownEdges) -> Ids:
    """Return what `answer_set` does, of a query that is safe and in normal form."""
    match node:
        case Anchor(entity=key):
            return np.array([edges.snapshot.entity_id(key)], dtype=np.int32)
        case SoftAnchor(candidates=candidates):
            return edges.known_candidates(candidates)[0]
        case Labelled(label=label):
            return edges.snapshot.ids_with_label(label)
        case Compare():
            return matching(edges.snapshot, node)
        case Projection(relation=relation, child=child, inverse=inverse):
            number = edges.snapshot.relation_id(relation)
            return edges.reached(number, known_answers(child, edges), inverse=inverse)
        case Union(children=branches):
            return reduce(_either, [known_answers(branch, edges) for branch in branches])
        case Intersection(children=branches):
            return _common(branches, edges)
        case Negation():
            raise UnsafeQueryError(f"a negation without a positive branch ({describe(node)})")
        case _:
            assert_never(node)


def _common(branches: Sequence[Query], edges: KnownEdges) -> Ids:
    """Intersect, smallest set first; labels and comparisons only look at what is left."""
    filters = [b for b in branches if isinstance(b, Labelled | Compare)]
    steps = [b for b in branches if not isinstance(b, Labelled | Compare | Negation)]
    sets = [known_answers(step, edges) for step in steps or filters[:1]]
    left = reduce(_both, sorted(sets, key=len))
    for node in filters if steps else filters[1:]:
        left = _filtered(left, node, edges.snapshot)
    for branch in branches:
        if isinstance(branch, Negation):
            # Evaluated also where nothing is left: an unknown name is an error on every graph.
            left = left[~contains(known_answers(branch.child, edges), left)]
    return left


def _both(one: Ids, other: Ids) -> Ids:
    fewer, more = (one, other) if len(one) <= len(other) else (other, one)
    return fewer[contains(more, fewer)]


def _either(one: Ids, other: Ids) -> Ids:
    return np.union1d(one, other)


def _filtered(ids: Ids, branch: Labelled | Compare, snapshot: Snapshot) -> Ids:
    if isinstance(branch, Compare):
        return matching(snapshot, branch, among=ids)
    wanted = snapshot.labels.get(branch.label)
    if wanted is None:
        return ids[:0]
    keep: NDArray[np.bool_] = snapshot.label_ids[ids] == wanted
    return ids[keep]


class ExactAnswerer:
    """Implements `Answerer` by the exact evaluator: all answers are known, none is likely.

    The score and the probability of an answer are 1, since known edges count as true; the
    probability of its proof is the product over its edges. Answers come in the order of their keys.

    Args:
        snapshot: The graph.
        known_probability: Edges of at least this probability are known.

    Raises:
        SettingError: The probability lies outside [0, 1].

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> [found] = ExactAnswerer(graph).answer([Labelled("City")], k=3)
        >>> found.answers[0].entity, found.answers[0].status, found.total_known
        ('a', 'known', 1)
    """

    def __init__(self, snapshot: Snapshot, known_probability: float = KNOWN_PROBABILITY) -> None:
        self.snapshot = snapshot
        self.edges = known_edges(snapshot, known_probability=known_probability)

    def answer(
        self,
        trees: Sequence[Query],
        k: int,
        *,
        edits: Edits | None = None,
        with_proofs: bool = False,
        each: OfEach | None = None,
    ) -> list[Answers]:
        """Answer a batch of queries; see `Answerer.answer`."""
        if k < 1:
            raise SettingError(f"k is {k}, but at least one answer must be asked for")
        edges = self.edges.with_edits(edits)
        past = None if each is None else each.known
        return [_answered(tree, k, edges, past, with_proofs) for tree in trees]


def _answered(
    tree: Query, k: int, edges: KnownEdges, past: Place | None, with_proofs: bool
) -> Answers:
    check_safe(tree)
    query = normalise(tree)
    found = known_answers(query, edges)
    first = 0 if past is None else ids_after(edges.snapshot.entities, past.entity)
    left = found[found >= first]
    prover = Prover(query, edges) if with_proofs else None
    answers = [
        _answer(edges.snapshot, int(entity), None if prover is None else prover.proof(int(entity)))
        for entity in left[:k]
    ]
    return Answers(
        query=query,
        answers=order_answers(answers),
        total_known=len(found),
        more=len(left) > k,
    )


def _answer(snapshot: Snapshot, entity: int, proof: Proof | None) -> Answer:
    return Answer(
        entity=snapshot.entities.name(entity),
        score=1.0,
        probability=1.0,
        status="known",
        lower=1.0,
        upper=1.0,
        proof=proof,
    )
