"""A question without an answer, asked a little less: one branch left out or widened.

The smallest change that has an answer comes first: a branch widened (an entity to any of its label,
a comparison to any value) before a branch left out, and few answers before many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kg.errors import UnsafeQueryError
from reasoning.exact import answer_set
from reasoning.known_edges import Ids, KnownEdges
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
from reasoning.safety import describe

__all__ = ["Relaxation", "relaxations"]

MAX_TRIED = 100
"""Changes of a question that are tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """A question that asks a little less.

    Attributes:
        query: The question.
        change: ``widen`` or ``drop``.
        words: What was changed.
        results: Ascending ids of its answers, at least one.
    """

    query: Query
    change: Literal["widen", "drop"]
    words: str
    results: Ids


def relaxations(tree: Query, edges: KnownEdges, *, limit: int = 5) -> list[Relaxation]:
    """Return questions with one branch less or wider that have answers, the smallest change first.

    Args:
        tree: The question.
        edges: The edges that count as known.
        limit: Most questions.

    Raises:
        UnknownEntityError: An anchor is not in the snapshot.
        UnknownRelationError: A relation is not in the snapshot.
    """
    found: dict[Query, Relaxation] = {}
    for _, (query, change, words) in zip(range(MAX_TRIED), _changed(tree, edges), strict=False):
        if query in found:
            continue
        try:
            results = answer_set(query, edges)
        except UnsafeQueryError:  # what is left would be answered by everything but a few
            continue
        if len(results):
            found[query] = Relaxation(query, change, words, results)
    order = sorted(found.values(), key=lambda one: (one.change == "drop", len(one.results)))
    return order[:limit]


_Change = tuple[Query, Literal["widen", "drop"], str]


def _changed(node: Query, edges: KnownEdges) -> Iterator[_Change]:
    """Yield the trees that differ from a node in one place."""
    match node:
        case Anchor(entity=key):
            snapshot = edges.snapshot
            entity = snapshot.entity_id(key)
            label = snapshot.label_of(entity)
            yield Labelled(label), "widen", f"any {label} for {snapshot.names[entity]}"
        case SoftAnchor() | Labelled() | Compare():
            return
        case Projection(relation=relation, child=child, inverse=inverse):
            for other, change, words in _changed(child, edges):
                yield Projection(relation, other, inverse), change, words
        case Negation(child=child):
            return  # to ask less of what is excluded would exclude more
        case Union(children=branches):
            for place, branch in enumerate(branches):
                for other, change, words in _changed(branch, edges):
                    yield Union(_with(branches, place, other)), change, words
        case Intersection(children=branches):
            for place, branch in enumerate(branches):
                for other, change, words in _changed(branch, edges):
                    yield Intersection(_with(branches, place, other)), change, words
                rest = branches[:place] + branches[place + 1 :]
                left = rest[0] if len(rest) == 1 else Intersection(rest)
                yield left, "drop", f"without: {describe(branch)}"


def _with(branches: tuple[Query, ...], place: int, other: Query) -> tuple[Query, ...]:
    return (*branches[:place], other, *branches[place + 1 :])
