"""Undo: what came from a source, a job or an edge goes with all that rests on it, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.backends.memory import MemoryStore
from kg.errors import InputError
from kg.model import EdgeKey, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.upkeep.undo import Undo, UndoPlan, plan_undo, undo
from tests.conformance.store_rules import content, fact, record, thing

DOCUMENTS = ("a.jsonl", "b.jsonl", "c.jsonl")
ENDS = st.sampled_from(["p", "q", "r", "s", "t"])
FACTS = st.sets(st.tuples(st.sampled_from(DOCUMENTS), ENDS, st.sampled_from(["x", "y"]), ENDS))
Said = Iterable[tuple[str, str, str, str]]


def told(facts: Said) -> MemoryStore:
    """A store that was told facts by documents, each with its own record of ends and edges."""
    store = MemoryStore()
    for source, head, relation, tail in sorted(facts):
        store.upsert_entities(thing(key, provenance=(record(source),)) for key in (head, tail))
        store.upsert_edges([fact(head, relation, tail, record(source))])
    return store


@given(FACTS, st.sampled_from(DOCUMENTS))
def test_without_a_document_the_graph_is_as_if_it_had_never_been(facts: Any, source: str) -> None:
    store, others = told(facts), told(one for one in facts if one[0] != source)
    before = content(store)
    plan = plan_undo(store, Undo(source=source))
    assert content(store) == before
    assert undo(store, Undo(source=source)) == plan
    assert content(store) == content(others)
    assert plan.is_empty == (content(others) == before)
    assert plan.derived == 0
    version = store.version
    assert undo(store, Undo(source=source)).is_empty
    assert store.version == version


@given(FACTS, st.sampled_from(DOCUMENTS))
def test_what_was_taken_comes_back(facts: Any, source: str) -> None:
    store = told(facts)
    before = content(store)
    plan = undo(store, Undo(source=source))
    store.upsert_entities(plan.entities())
    store.upsert_edges(plan.edges())
    assert content(store) == before


def keys(plan: UndoPlan) -> tuple[list[str], list[EdgeKey]]:
    return [row.key for row in plan.entities_gone], [edge.key for edge in plan.edges_gone]


def test_an_entity_stays_while_another_source_speaks_of_it() -> None:
    store = told([("a.jsonl", "p", "x", "q")])
    store.upsert_entities([thing("r", provenance=(record("b.jsonl"),))])
    store.upsert_edges([fact("r", "y", "q", record("b.jsonl"))])
    plan = undo(store, Undo(source="a.jsonl"))
    assert keys(plan) == (["p"], [("p", "x", "q")])
    assert [new.key for _, new in plan.entities_kept] == ["q"]
    assert [(row.key, len(row.provenance)) for row in store.entities()] == [("q", 0), ("r", 1)]
    assert [edge.key for edge in store.edges()] == [("r", "y", "q")]


def derived(*names: str, source: str = "rules") -> Provenance:
    return record(source, kind="linked", job="j2", derived_from=names)


def test_what_was_derived_goes_down_the_chain_and_no_further() -> None:
    store = told(
        [("a.jsonl", "p", "x", "q"), ("b.jsonl", "q", "x", "r"), ("b.jsonl", "r", "x", "p")]
    )
    store.upsert_edges(
        [
            fact("p", "far", "r", derived("p x q", "q x r")),
            fact("r", "back", "p", derived("p far r")),
            fact("q", "far", "p", derived("q x r", "r x p")),
            fact("q", "x", "p", derived("p x q"), record("b.jsonl")),
        ]
    )
    plan = undo(store, Undo(edge=(EntityKey("p"), "x", EntityKey("q"))))
    assert keys(plan)[1] == [("p", "far", "r"), ("p", "x", "q"), ("r", "back", "p")]
    assert [old.key for old, _ in plan.edges_kept] == [("q", "x", "p")]
    assert plan.derived == 4, "the record of the edge itself, and three that rest on it"
    assert ("q", "far", "p") in [edge.key for edge in store.edges()]
    assert [row.key for row in store.entities()] == ["p", "q", "r"]


def test_a_job_goes_with_what_rests_on_it_and_parts_go_with_their_entity() -> None:
    made = record("0a" * 32, kind="generated", job="scenes-1")
    part = ImagePart(parent=EntityKey("p"), image="0a" * 32, box_xyxy=(0, 0, 1, 1))
    store = told([("a.jsonl", "p", "x", "q"), ("b.jsonl", "q", "y", "q")])
    store.upsert_entities([thing("p/0", "Part", part=part, provenance=(made,)), thing("star")])
    store.upsert_edges(
        [
            fact("p", "has_part", "p/0", made),
            fact("p/0", "depicts", "star", made),
            fact("q", "shows", "star", record("ada", kind="accepted", derived_from=("scenes-1",))),
        ]
    )
    other = MemoryStore()
    other.upsert_entities(store.entities())
    other.upsert_edges(store.edges())
    assert keys(undo(store, Undo(job="scenes-1"))) == (
        ["p/0"],
        [("p", "has_part", "p/0"), ("p/0", "depicts", "star"), ("q", "shows", "star")],
    )
    assert keys(undo(other, Undo(source="a.jsonl"))) == (
        ["p", "p/0"],
        [("p", "has_part", "p/0"), ("p", "x", "q"), ("p/0", "depicts", "star")],
    )
    assert [row.key for row in other.entities()] == ["q", "star"]


def test_what_fails_before_takes_nothing_back() -> None:
    store = told([("a.jsonl", "p", "x", "q")])
    before = content(store)

    def full(_plan: UndoPlan) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        undo(store, Undo(source="a.jsonl"), before=full)
    assert content(store) == before


@pytest.mark.parametrize("named", [{}, {"source": ""}, {"source": "a", "job": "b"}])
def test_one_thing_is_taken_back(named: dict[str, str]) -> None:
    with pytest.raises(InputError, match="takes back one thing"):
        Undo(**named)


def test_an_entity_of_nobody_is_left_alone() -> None:
    store = MemoryStore()
    store.upsert_entities([thing("p"), replace(thing("q"), provenance=(record("a.jsonl"),))])
    undo(store, Undo(source="a.jsonl"))
    assert [row.key for row in store.entities()] == ["p"]
