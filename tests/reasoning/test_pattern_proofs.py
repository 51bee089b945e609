"""Proofs of rows: every variable bound, every edge of the pattern named, each of them known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import LimitError, UnknownEntityError, UnknownRelationError
from kg.model import Entity, EntityKey
from kg.snapshot import build_snapshot
from reasoning.exact import ExactAnswerer
from reasoning.joins import bindings
from reasoning.known_edges import known_edges
from reasoning.pattern_proofs import row_proofs
from reasoning.patterns import Pattern, PatternEdge
from reasoning.query import Anchor, Intersection, Labelled
from tests.reasoning.predictor_world import edges_of
from tests.reasoning.test_joins import patterns
from tests.strategies import graphs


@settings(max_examples=40, deadline=None)
@given(data=st.data(), graph=graphs(max_entities=6))
def test_every_row_is_proved_by_known_edges(data: st.DataObject, graph) -> None:  # type: ignore[no-untyped-def]
    entities, stored = graph
    snapshot = build_snapshot(entities, stored)
    known = known_edges(snapshot)
    pattern = data.draw(patterns(len(entities)))
    try:
        rows = bindings(pattern, known)
    except (UnknownRelationError, UnknownEntityError):
        return
    exact = ExactAnswerer(snapshot)
    for row, proof in zip(rows, row_proofs(pattern, rows, known), strict=True):
        bound = dict(proof.bindings)
        assert [bound[name] for name in pattern.answer] == [
            snapshot.entities.name(int(entity)) for entity in row
        ]
        there = {(e.head, e.relation, e.tail) for e in proof.edges if e.status == "known"}
        for head, relation, tail in there:
            ids = snapshot.entity_id(head), snapshot.relation_id(relation), snapshot.entity_id(tail)
            assert known.has(*ids)
        for edge in pattern.edges:
            ways = {(bound[edge.head], bound[edge.tail])}
            ways |= {(b, a) for a, b in ways} if edge.either_way else set()
            assert any((h, r, t) in there for r in edge.relations for h, t in ways)
        for name, condition in pattern.conditions:
            [found] = exact.answer([Intersection((Anchor(bound[name]), condition))], 1)
            assert found.total_known == 1
        assert all(bound[one] != bound[other] for one, other in pattern.different)


def test_inner_variables_are_bound_and_too_many_bindings_refused() -> None:
    rows = [("ann", "likes", "bob"), ("bob", "likes", "cy"), ("cy", "likes", "ann")]
    people = [Entity(key=EntityKey(key), label="Person", name=key) for key in ("ann", "bob", "cy")]
    known = known_edges(build_snapshot(people, edges_of(rows)))
    likes = [PatternEdge(a, ("likes",), b) for a, b in ("xy", "yz", "zx")]
    pattern = Pattern(("x",), tuple(likes), (("y", Labelled("Person")),), (("x", "y"),))
    found = bindings(pattern, known)
    assert row_proofs(pattern, found[:0], known) == []
    [proof, *rest] = row_proofs(pattern, found, known)
    assert len(rest) == 2
    assert proof.bindings == (("x", "ann"), ("y", "bob"), ("z", "cy"))
    assert [(edge.head, edge.tail) for edge in proof.edges] == [
        ("ann", "bob"),
        ("bob", "cy"),
        ("cy", "ann"),
    ]
    assert proof.facts == ("bob is a Person",)
    with pytest.raises(LimitError):
        row_proofs(pattern, found, known, max_rows=1)
