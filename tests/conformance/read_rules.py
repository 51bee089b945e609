"""The rules of reading: orders, look-ups and neighbours; they join `store_rules.RULES`."""

from __future__ import annotations

from typing import Any

from kg.errors import InputError
from kg.model import EntityKey
from kg.store import Store
from tests.conformance.store_rules import RULES, fact, filled, refused, rule, thing

__all__ = ["RULES"]


@rule
def order_is_by_code_points(store: Store) -> None:
    keys = ["a", "B", "ä", "\ue000", "𐍈", "🏴", "a/b", "aa", "A"]
    store.upsert_entities([thing(key) for key in keys])
    store.upsert_edges([fact("a", "knows", key) for key in keys])
    assert [entity.key for entity in store.entities()] == sorted(keys)
    assert [edge.tail for edge in store.edges()] == sorted(keys)


@rule
def edges_are_found_by_head_relation_and_tail(store: Store) -> None:
    filled(store)
    every = [edge.key for edge in store.edges()]
    assert every == sorted(every)
    assert len(every) == 6
    for head in (None, "AL", "GR", "IT", "XX"):
        for relation in (None, "borders", "exports_to", "nothing"):
            for tail in (None, "GR", "IT", "XX"):
                found = store.edges(
                    head=head and EntityKey(head), relation=relation, tail=tail and EntityKey(tail)
                )
                assert [edge.key for edge in found] == [
                    key
                    for key in every
                    if head in (None, key[0])
                    and relation in (None, key[1])
                    and tail in (None, key[2])
                ]


@rule
def entities_are_found_by_label(store: Store) -> None:
    filled(store)
    assert [entity.key for entity in store.entities("Language")] == ["el"]
    assert [entity.key for entity in store.entities("Country")] == ["AL", "GR", "IT"]
    assert list(store.entities("Nothing")) == []


@rule
def entities_are_read_by_their_keys(store: Store) -> None:
    filled(store)
    keys = [EntityKey(key) for key in ("IT", "XX", "AL", "IT", "el")]
    assert store.entities_of(keys) == [store.entity(EntityKey(key)) for key in ("IT", "AL", "el")]
    assert store.entities_of([]) == []


@rule
def edges_are_read_by_their_keys(store: Store) -> None:
    filled(store)
    every = list(store.edges())
    absent = [("AL", "borders", "IT"), ("GR", "exports_to", "AL"), ("XX", "borders", "GR")]
    odd = [("AL", "no name`", "GR"), ("AL", "nothing", "GR")]
    keys = [(EntityKey(h), r, EntityKey(t)) for h, r, t in (*absent, *odd)]
    turned = [edge.key for edge in reversed(every)]
    assert store.edges_of([*turned, *keys, turned[0]]) == every[::-1]
    assert store.edges_of(keys) == store.edges_of([]) == []


@rule
def edges_of_several_heads_are_read_in_order(store: Store) -> None:
    filled(store)
    heads = [EntityKey(key) for key in ("IT", "XX", "AL", "IT", "el")]
    every = [edge for edge in store.edges() if edge.head in ("AL", "IT", "el")]
    assert len({edge.head for edge in every}) > 1
    assert store.edges_from(heads) == store.edges_from(heads, limit=1000) == every
    for n, edge in enumerate(every):
        assert store.edges_from(heads, limit=n) == every[:n]
        assert store.edges_from(heads, after=edge.key) == every[n + 1 :]
        assert store.edges_from(heads, after=edge.key, limit=1) == every[n + 1 : n + 2]
    assert store.edges_from(heads, after=(EntityKey("B"), "", EntityKey(""))) == [
        edge for edge in every if edge.head > "B"
    ]
    assert store.edges_from([]) == store.edges_from([EntityKey("XX")]) == []
    with refused(InputError):
        store.edges_from(heads, limit=-1)


@rule
def neighbours_go_out_in_or_both(store: Store) -> None:
    filled(store)
    at = EntityKey("AL")

    def keys(**options: Any) -> list[tuple[str, str, str]]:
        return [edge.key for edge in store.neighbours(at, **options)]

    out = [("AL", "borders", "GR"), ("AL", "exports_to", "GR"), ("AL", "exports_to", "IT")]
    assert keys() == keys(direction="out") == out
    assert keys(direction="in") == [("GR", "borders", "AL")]
    assert keys(direction="both") == [*out, ("GR", "borders", "AL")]
    assert keys(relation="exports_to", limit=1) == [("AL", "exports_to", "GR")]
    assert keys(limit=0) == []
    both = keys(direction="both")
    for n, key in enumerate(both):
        assert keys(direction="both", after=key) == both[n + 1 :]
        assert keys(direction="both", after=key, limit=1) == both[n + 1 : n + 2]
    assert keys(after=("AL", "c", "A")) == out[1:]  # of an edge that is not there
    assert store.neighbours(EntityKey("XX")) == []
    loop = store.neighbours(EntityKey("IT"), relation="knows", direction="both")
    assert [edge.key for edge in loop] == [("IT", "knows", "IT")]
    with refused(InputError):
        store.neighbours(at, limit=-1)
