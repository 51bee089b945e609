"""The rules of `kg.store.Store`, one a function; each gets a fresh, empty store.

A rule is plain Python with asserts, so that anybody's store can be held to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from kg.errors import (
    ConstraintError,
    EngineError,
    InputError,
)
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance
from kg.store import Store
from kg.withdrawal import Withdrawal

Rule = Callable[[Store], None]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


@contextmanager
def refused(*kinds: type[EngineError]) -> Iterator[list[EngineError]]:
    """Expect one of these errors from the block; the list holds it afterwards."""
    caught: list[EngineError] = []
    try:
        yield caught
    except kinds as error:
        caught.append(error)
        return
    raise AssertionError(f"not refused with {[kind.__name__ for kind in kinds]}")


def record(source: str = "a.jsonl", **fields: Any) -> Provenance:
    return Provenance(kind=fields.pop("kind", "asserted"), source=source, **fields)


def thing(key: str, label: str = "Country", **fields: Any) -> Entity:
    return Entity(key=EntityKey(key), label=label, name=fields.pop("name", key), **fields)


def fact(head: str, relation: str, tail: str, *records: Provenance, **attributes: Any) -> Edge:
    return Edge(
        head=EntityKey(head),
        relation=relation,
        tail=EntityKey(tail),
        attributes=attributes,
        provenance=records or (record(),),
    )


def filled(store: Store) -> None:
    store.upsert_entities([thing("AL"), thing("GR"), thing("IT"), thing("el", "Language")])
    store.upsert_edges(
        [
            fact("AL", "borders", "GR"),
            fact("GR", "borders", "AL"),
            fact("GR", "speaks", "el"),
            fact("AL", "exports_to", "GR"),
            fact("AL", "exports_to", "IT"),
            fact("IT", "knows", "IT"),
        ]
    )


def content(store: Store) -> tuple[list[Entity], list[Edge]]:
    return list(store.entities()), list(store.edges())


@rule
def a_new_store_is_empty(store: Store) -> None:
    assert content(store) == ([], [])
    assert store.version == 0
    assert store.entity(EntityKey("AL")) is None


@rule
def every_field_comes_back(store: Store) -> None:
    image = ImageRef(sha256="ab" * 32, width=20, height=10, source="flags/AL.png")
    part = ImagePart(
        parent=EntityKey("AL"), image="ab" * 32, box_xyxy=(0.5, 1.0, 3.0, 4.25),
        confidence=0.5, area_share=0.25, colour="red", mask_rle="3 4 5",
    )  # fmt: skip
    attributes: dict[str, Any] = {
        "area": 28748, "share": 0.1, "whole": 2.0, "landlocked": False,
        "note": "a 'b' \"c\" \\ \n `",
        "codes": ("AL", "ALB"), "mixed": (1, 2.5), "none": (), "lowest": -(2**63),
        "highest": 2**63 - 1, "größe": "ü 漢字 🏴", "empty": "",
    }  # fmt: skip
    country = thing(
        "AL", name="Albania", aliases=("Shqipëri", "Arnavutluk"), attributes=attributes,
        images=(image,), provenance=(record(locator="row 1", text="…", at="2024"),),
    )  # fmt: skip
    piece = thing("part:AL/0", "Part", part=part, provenance=(record(kind="generated", job="j"),))
    store.upsert_entities([country, piece])
    edge = fact("AL", "has_part", "part:AL/0", record(probability=0.25), **attributes)
    store.upsert_edges([edge])
    assert content(store) == ([country, piece], [edge])
    back = store.entity(EntityKey("AL"))
    assert back is not None
    assert {n: type(v) for n, v in back.attributes.items()} == {
        n: type(v) for n, v in attributes.items()
    }


@rule
def upserting_twice_changes_nothing(store: Store) -> None:
    filled(store)
    before, version = content(store), store.version
    filled(store)
    assert content(store) == before
    assert store.version == version


@rule
def rows_are_counted_also_when_they_change_nothing(store: Store) -> None:
    assert store.upsert_entities(iter([thing("AL"), thing("AL"), thing("GR")])) == 3
    assert store.upsert_entities([thing("AL")]) == 1
    assert store.upsert_edges(iter([fact("AL", "borders", "GR")])) == 1
    assert store.upsert_entities([]) == store.upsert_edges([]) == 0


@rule
def a_newer_row_replaces_field_by_field(store: Store) -> None:
    first, second = record(), record("b.jsonl")
    image = ImageRef(sha256="ab" * 32, width=2, height=1, source="x")
    store.upsert_entities(
        [thing("AL", name="Old", aliases=("a", "b"), attributes={"x": 1, "y": 2}, images=(image,),
               provenance=(first,))]
    )  # fmt: skip
    store.upsert_entities(
        [thing("AL", name="New", aliases=("b", "c"), attributes={"y": 3, "z": 4},
               provenance=(second,))]
    )  # fmt: skip
    found = store.entity(EntityKey("AL"))
    assert found is not None
    assert (found.name, found.aliases) == ("New", ("a", "b", "c"))
    assert dict(found.attributes) == {"x": 1, "y": 3, "z": 4}
    assert found.images == (image,)
    assert set(found.provenance) == {first, second}


@rule
def rows_of_one_call_merge_in_their_order(store: Store) -> None:
    store.upsert_entities([thing("AL", name="Old", aliases=("a",)), thing("AL", name="New")])
    assert [(e.name, e.aliases) for e in store.entities()] == [("New", ("a",))]


@rule
def edges_merge_attributes_and_records(store: Store) -> None:
    store.upsert_entities([thing("AL"), thing("GR")])
    sure, weak = record(), record("page", kind="linked", job="j", probability=0.5)
    store.upsert_edges([fact("AL", "borders", "GR", sure, km=1, sea=True)])
    store.upsert_edges([fact("AL", "borders", "GR", weak, km=2)])
    stronger = replace(weak, probability=0.75)
    store.upsert_edges([fact("AL", "borders", "GR", stronger)])
    (edge,) = store.edges()
    assert dict(edge.attributes) == {"km": 2, "sea": True}
    assert set(edge.provenance) == {sure, stronger}


@rule
def an_edge_without_a_record_is_refused(store: Store) -> None:
    store.upsert_entities([thing("AL"), thing("GR")])
    bare = Edge(head=EntityKey("AL"), relation="borders", tail=EntityKey("GR"))
    with refused(InputError):
        store.upsert_edges([fact("GR", "borders", "AL"), bare])
    assert list(store.edges()) == []
    store.upsert_edges([fact("AL", "borders", "GR"), bare])
    assert len(list(store.edges())) == 1


@rule
def an_edge_needs_both_ends(store: Store) -> None:
    store.upsert_entities([thing("AL"), thing("GR")])
    version = store.version
    for missing in (fact("AL", "borders", "XX"), fact("XX", "borders", "AL")):
        with refused(ConstraintError):
            store.upsert_edges([fact("AL", "borders", "GR"), missing])
    assert list(store.edges()) == []
    assert store.version == version


@rule
def a_key_keeps_its_label(store: Store) -> None:
    store.upsert_entities([thing("AL")])
    with refused(ConstraintError):
        store.upsert_entities([thing("GR"), thing("AL", "City")])
    assert [(e.key, e.label) for e in store.entities()] == [("AL", "Country")]


@rule
def the_base_label_is_a_label_like_others(store: Store) -> None:
    store.upsert_entities([thing("x", "Entity"), thing("y")])
    assert [e.key for e in store.entities("Entity")] == ["x"]
    assert [e.key for e in store.entities()] == ["x", "y"]


@rule
def a_name_is_a_label_or_a_relation(store: Store) -> None:
    filled(store)
    before = content(store)
    with refused(ConstraintError):
        store.upsert_entities([thing("q", "borders")])
    with refused(ConstraintError):
        store.upsert_edges([fact("AL", "Country", "GR")])
    with refused(InputError):
        store.upsert_edges([fact("AL", "Entity", "GR")])
    assert content(store) == before
    assert list(store.entities("borders")) == []
    assert list(store.edges(relation="Country")) == []


@rule
def names_that_are_not_names_are_refused(store: Store) -> None:
    store.upsert_entities([thing("AL"), thing("GR")])
    before = content(store)
    for bad in ("a`b", "a b", "a-b", "_x", "1a", "a`) DETACH DELETE n //", "x" * 129, "a\n", "a.b"):
        with refused(InputError):
            store.upsert_entities([thing("x", bad)])
        with refused(InputError):
            store.upsert_edges([fact("AL", bad, "GR")])
        with refused(InputError):
            store.upsert_entities([thing("x", attributes={bad: 1})])
        with refused(InputError):
            store.upsert_edges([fact("AL", "borders", "GR", **{bad: 1})])
        assert list(store.entities(bad)) == []
        assert list(store.edges(relation=bad)) == []
        assert store.neighbours(EntityKey("AL"), relation=bad) == []
        assert store.delete_edges([(EntityKey("AL"), bad, EntityKey("GR"))]) == 0
    for field in ("key", "name", "aliases"):
        with refused(InputError):
            store.upsert_entities([thing("x", attributes={field: 1})])
    assert content(store) == before


@rule
def values_that_no_store_can_hold_are_refused(store: Store) -> None:
    for bad in (float("nan"), float("inf"), 2**63, -(2**63) - 1, None, b"x", {"a": 1}, ((1,),)):
        with refused(InputError):
            store.upsert_entities([thing("x", attributes={"a": bad})])
    assert list(store.entities()) == []


@rule
def text_is_data_wherever_it_stands(store: Store) -> None:
    nasty = "x'}) DETACH DELETE n // ` \" \\ ${ $key {0} %s"
    store.upsert_entities([thing(nasty, name=nasty, aliases=(nasty,), attributes={"a": nasty})])
    store.upsert_edges([fact(nasty, "knows", nasty, record(nasty, text=nasty), a=nasty)])
    assert store.entity(EntityKey(nasty)) == next(store.entities())
    assert [edge.key for edge in store.edges(head=EntityKey(nasty))] == [(nasty, "knows", nasty)]
    assert store.withdraw(Withdrawal(source=nasty)) == 1
