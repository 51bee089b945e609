"""Hypothesis strategies: small graphs as entities and edges, and random query trees over them.

Graphs have at most eight entities, so that a failure shrinks to something a person can draw.
Strategies are kept once made: to make those of a tree takes longer than to draw one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hypothesis import settings
from hypothesis import strategies as st

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.query import (
    Anchor,
    Compare,
    Date,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
)

__all__ = [
    "ATTRIBUTES",
    "LABELS",
    "RELATIONS",
    "Case",
    "cases",
    "comparisons",
    "costly",
    "day_comparisons",
    "graphs",
    "safe_trees",
    "trees",
]

costly = settings(max_examples=settings.default.max_examples // 4)
"""Of properties that take a tenth of a second an example; the profile `many` draws more of them."""

LABELS = ("Country", "Language")
RELATIONS = ("borders", "speaks")
ATTRIBUTES = ("size", "motto")
NAMES = ("Oro", "Ora", "Bem", 'It\'s "so"\\')
NUMBERS = (1, 2, 3.5, 1.0)
TEXTS = ("a", "ab", "b'c", "")
DAYS = ("1960-08-11", "1962-07-05")
VALUES = (*NUMBERS, *TEXTS, *DAYS, True)

_labels = st.sampled_from(LABELS)
_names = st.sampled_from(NAMES)
_attributes = st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES))
_probabilities = st.sampled_from((1.0, 1.0, 0.95, 0.5))


@dataclass(frozen=True)
class Case:
    """A graph and a tree over it."""

    entities: tuple[Entity, ...]
    edges: tuple[Edge, ...]
    tree: Query

    @property
    def snapshot(self) -> Snapshot:
        """The graph, frozen; every relation and label is in its vocabularies."""
        return build_snapshot(self.entities, self.edges)


def _key(number: int) -> EntityKey:
    return EntityKey(f"e:{number}")


@st.composite
def graphs(
    draw: st.DrawFn, *, max_entities: int = 8, max_edges: int = 14
) -> tuple[tuple[Entity, ...], tuple[Edge, ...]]:
    """Draw entities and edges; each label and each relation occurs (by a first entity and loop)."""
    count = draw(st.integers(2, max_entities))
    entities = tuple(
        Entity(
            key=_key(number),
            label=LABELS[number % 2] if number < 2 else draw(_labels),
            name=draw(_names),
            attributes=draw(_attributes),
        )
        for number in range(count)
    )
    ends = st.integers(0, count - 1)
    drawn = draw(_triples(count, max_edges))
    first = [(draw(ends), relation, draw(ends)) for relation in RELATIONS]
    edges = tuple(
        Edge(
            head=_key(head),
            relation=relation,
            tail=_key(tail),
            provenance=(_source(draw(_probabilities)),),
        )
        for head, relation, tail in sorted({*drawn, *first})
    )
    return entities, edges


@cache
def _triples(entities: int, max_size: int) -> st.SearchStrategy[list[tuple[int, str, int]]]:
    ends = st.integers(0, entities - 1)
    triples = st.tuples(ends, st.sampled_from(RELATIONS), ends)
    return st.lists(triples, max_size=max_size, unique=True)


def _source(probability: float) -> Provenance:
    return Provenance(kind="linked", source="a text", probability=probability)


@cache
def comparisons() -> st.SearchStrategy[Compare]:
    """Draw comparisons on attributes, names and keys."""
    attributes = st.sampled_from((*ATTRIBUTES, "name"))
    values = st.sampled_from((*VALUES, *NAMES))
    return st.one_of(
        st.builds(Compare, attributes, st.sampled_from(("=", "<>", "<", "<=", ">", ">=")), values),
        st.builds(
            Compare,
            attributes,
            st.sampled_from(("contains", "starts with", "ends with")),
            st.sampled_from(TEXTS),
        ),
        st.builds(
            Compare, attributes, st.just("in"), st.lists(values, min_size=1, max_size=3).map(tuple)
        ),
        st.builds(Compare, st.just("key"), st.just("="), st.integers(0, 9).map(_key)),
    )


@cache
def day_comparisons() -> st.SearchStrategy[Compare]:
    """Draw comparisons of an attribute with days."""
    days = st.sampled_from(DAYS).map(Date)
    orders = st.sampled_from(("=", "<>", "<", "<=", ">", ">="))
    return st.one_of(
        st.builds(Compare, st.just("motto"), orders, days),
        st.builds(Compare, st.just("motto"), st.just("in"), st.lists(days, min_size=1).map(tuple)),
    )


@cache
def _leaves(entities: int) -> st.SearchStrategy[Query]:
    return st.one_of(
        st.integers(0, entities - 1).map(lambda number: Anchor(_key(number))),
        _labels.map(Labelled),
        comparisons(),
    )


@cache
def trees(entities: int = 8, *, max_leaves: int = 5) -> st.SearchStrategy[Query]:
    """Draw any trees, unsafe ones too, over the keys of `entities` entities."""

    def bigger(smaller: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
        several = st.lists(smaller, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            _projections(smaller),
            several.map(Intersection),
            several.map(Union),
            smaller.map(Negation),
        )

    return st.recursive(_leaves(entities), bigger, max_leaves=max_leaves)


@cache
def safe_trees(entities: int = 8, *, max_leaves: int = 5) -> st.SearchStrategy[Query]:
    """Draw safe trees; negations stand beside a positive branch."""

    def bigger(smaller: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
        loose = st.one_of(
            smaller,
            smaller.map(Negation),
            smaller.map(lambda tree: Negation(Negation(tree))),
            st.tuples(smaller, smaller.map(Negation)).map(Union),
        )
        guarded = st.tuples(smaller, st.lists(loose, min_size=1, max_size=2)).map(
            lambda parts: Intersection((parts[0], *parts[1]))
        )
        return st.one_of(
            _projections(smaller),
            guarded,
            guarded.map(lambda tree: Intersection(tuple(reversed(tree.children)))),
            st.lists(smaller, min_size=2, max_size=3).map(tuple).map(Union),
        )

    return st.recursive(_leaves(entities), bigger, max_leaves=max_leaves)


def _projections(smaller: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    return st.builds(Projection, st.sampled_from(RELATIONS), smaller, st.booleans())


@st.composite
def cases(draw: st.DrawFn, *, max_entities: int = 8, max_leaves: int = 5) -> Case:
    """Draw a graph with a safe tree over it."""
    entities, edges = draw(graphs(max_entities=max_entities))
    return Case(entities, edges, draw(safe_trees(len(entities), max_leaves=max_leaves)))
