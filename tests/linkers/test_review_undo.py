"""Undoing a decision: the graph is as it was, and what others wrote since stays."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.backends.memory import MemoryStore
from kg.errors import (
    ConflictError,
    InputError,
)
from kg.model import Entity
from kg.store import Store
from kg.upkeep.undo import Undo, undo
from linkers.review import Change, Request, Review
from tests.linkers.review_world import (
    case,
    content,
    edge,
    entity,
    key,
    linked,
    told,
)

REQUESTS: list[dict[str, Any]] = [
    {"kind": "accept", "case": case(1).id},
    {"kind": "reject", "case": case(2).id},
    {"kind": "other", "case": case(2).id, "entity": key("CL")},
    {"kind": "new", "case": case(2).id, "key": key("NEW"), "name": "N"},
    {"kind": "merge", "entity": key("PE"), "keys": (key("PE2"), key("CL"))},
    {"kind": "split", "entity": key("PE2"), "key": key("X"), "name": "X",
     "edges": ((key("PE2"), "borders", key("PE")),)},
]  # fmt: skip


@pytest.mark.parametrize("values", REQUESTS, ids=lambda values: values["kind"])
def test_undoing_leaves_the_graph_as_it_was(
    store: Store, review: Review, values: dict[str, Any]
) -> None:
    before, waiting = content(store), review.cases()
    done = review.decide(Request(who="ada", **values))
    assert content(store) != before
    assert review.decide(Request(who="ada", **values)) == done  # sent twice
    undone = review.decide(Request(kind="undo", who="bob"))
    assert content(store) == before
    assert review.cases() == waiting
    assert review.decisions[done.number - 1].state == "undone"
    assert undone.request.undoes == done.number
    with pytest.raises(InputError, match="nothing to undo"):
        review.decide(Request(kind="undo", who="bob", id="again"))


def test_undoing_keeps_what_others_wrote_since(store: Store, review: Review) -> None:
    review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    review.decide(Request(kind="merge", entity=key("PE"), keys=(key("PE2"),), who="ada"))
    newer = replace(entity(store, "PE"), aliases=("Pérou",), attributes={"population": 34})
    store.upsert_entities([newer])
    store.upsert_edges([edge("CL", "borders", "PE", told("new.jsonl"))])
    for _ in range(2):
        review.decide(Request(kind="undo", who="ada", id=f"u{_}"))
    peru = entity(store, "PE")
    assert peru.aliases == ("Pérou",)
    assert peru.attributes["population"] == 34
    (both,) = store.edges(head=key("CL"), tail=key("PE"))
    assert {r.source for r in both.provenance} == {"mentions.jsonl", "new.jsonl"}


def test_what_was_decided_of_a_table_goes_with_the_table(store: Store, review: Review) -> None:
    """An alias, an entity and edges that rest on a mention leave with the file it stands in."""
    store.upsert_edges([edge("CL", "borders", "PE", told("other.jsonl"))])
    review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    review.decide(Request(kind="new", case=case(2).id, key=key("NEW"), name="N", who="ada"))
    assert entity(store, "PE").aliases == ("Piruw",)
    undo(store, Undo(source="mentions.jsonl"))
    assert entity(store, "PE").aliases == ()
    assert (entity(store, "PE").name, entity(store, "PE").provenance) == ("Peru", (told(),))
    assert store.entity(key("NEW")) is None
    (left,) = store.edges(head=key("CL"), tail=key("PE"))
    assert [record.source for record in left.provenance] == ["other.jsonl"]


def test_what_cannot_be_undone_is_refused_whole(store: Store, review: Review) -> None:
    review.decide(Request(kind="new", case=case(2).id, key=key("NEW"), name="N", who="ada"))
    store.upsert_edges([edge("CL", "borders", "NEW", told("later"))])
    before = content(store)
    with pytest.raises(ConflictError, match="knows not"):
        review.decide(Request(kind="undo", who="ada"))
    assert content(store) == before
    assert [d.state for d in review.decisions] == ["done", "refused"]


rows = st.builds(
    lambda aliases, population: Entity(
        key=key("PE"), label="Country", name="Peru", aliases=tuple(aliases),
        attributes={"population": population}, provenance=(told(), linked(population)),
    ),
    st.lists(st.sampled_from("abc"), unique=True),
    st.integers(0, 2),
)  # fmt: skip


@settings(max_examples=60)
@given(rows, rows, st.lists(st.sampled_from("xyz"), unique=True))
def test_a_change_and_its_inverse_leave_what_others_did(
    before: Entity, after: Entity, others: list[str]
) -> None:
    """Others add their own names: the change, done twice, and its inverse never touch them."""
    change = Change.from_json(json.loads(json.dumps(Change(entities=((before, after),)).to_json())))
    with MemoryStore() as store:
        store.upsert_entities([before])
        store.upsert_entities([replace(before, aliases=tuple(others))])
        whole = content(store)
        change.apply(store)
        done = content(store)
        assert set(entity(store, "PE").aliases) == {*after.aliases, *others}
        change.apply(store)
        assert content(store) == done
        change.inverse.apply(store)
        assert set(entity(store, "PE").aliases) == {*before.aliases, *others}
        assert sorted(whole[0][0].attributes.items()) == sorted(
            entity(store, "PE").attributes.items()
        )
