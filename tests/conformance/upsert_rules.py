"""The rules of edges that are written again; they join `transaction_rules.RULES`."""

from __future__ import annotations

from dataclasses import replace

from kg.backends.memory import MemoryStore
from kg.errors import ConstraintError, InputError
from kg.model import AttributeValue
from kg.store import Store
from tests.conformance.store_rules import content, fact, filled, record, refused, rule, thing
from tests.conformance.transaction_rules import RULES

__all__ = ["RULES"]


@rule
def new_known_and_newer_edges_go_in_one_call(store: Store) -> None:
    again = [
        fact("AL", "borders", "GR"),  # as it is there
        fact("GR", "borders", "AL", record("page")),
        fact("AL", "exports_to", "GR", since=1990),
        fact("GR", "speaks", "el", since="1990"),
        fact("IT", "knows", "IT", record("one")),
        fact("IT", "knows", "IT", record("two")),
        fact("IT", "borders", "AL"),
        fact("IT", "speaks", "el", record(), record("page"), of=("x", "y")),
    ]
    with MemoryStore() as expected:
        for one in (store, expected):
            filled(one)
            assert one.upsert_edges(again) == len(again)
        assert content(store) == content(expected)
        version = store.version
        assert store.upsert_edges(again[:5]) == 5
        assert store.upsert_edges(expected.edges()) == 8
        assert content(store) == content(expected)
    assert store.version == version


@rule
def a_value_that_only_looks_like_another_is_another(store: Store) -> None:
    store.upsert_entities([thing("AL"), thing("GR")])
    values: list[tuple[AttributeValue, AttributeValue]] = [
        (2**53 + 1, float(2**53)), (1, "1"), ("1", 1), (True, "true"), ("a", "A"), ((1,), ("1",)),
        ((), ("",)), ("\u00e9", "e\u0301"), ("\x00", ""), ("2020-01-01", "2020-01-01T00:00"),
    ]  # fmt: skip
    for n, (older, newer) in enumerate(values):
        store.upsert_edges([fact("AL", f"r{n}", "GR", x=older)])
        store.upsert_edges([fact("AL", f"r{n}", "GR", x=newer)])
        (edge,) = store.edges(relation=f"r{n}")
        assert (edge.attributes["x"], type(edge.attributes["x"])) == (newer, type(newer))


@rule
def a_call_refused_within_a_transaction_leaves_what_was_there(store: Store) -> None:
    filled(store)
    before = content(store)[1]
    rows = [
        fact("AL", "borders", "GR"),
        fact("IT", "borders", "GR"),
        fact("GR", "borders", "AL", record("page")),
    ]
    with store.transaction() as writer:
        for bad in (fact("IT", "borders", "XX"), fact("XX", "speaks", "el")):
            with refused(ConstraintError):
                writer.upsert_edges([*rows, bad])
        with refused(InputError):
            writer.upsert_edges([*rows, replace(fact("el", "knows", "IT"), provenance=())])
        writer.upsert_entities([thing("new")])
    assert content(store)[1] == before
    assert len(content(store)[0]) == 5


@rule
def indexes_are_made_once_listed_and_dropped(store: Store) -> None:
    filled(store)
    before, version = content(store), store.version
    assert store.indexes.all() == []
    for label, attribute in (("Language", "name"), ("Country", "name"), ("Country", "name")):
        made = store.indexes.create(label, attribute)
        assert (made.label, made.attribute) == (label, attribute)
    listed = [(one.label, one.attribute) for one in store.indexes.all()]
    assert listed == [("Country", "name"), ("Language", "name")]
    for label, attribute in (("Country", "key"), ("Country", "a`b"), ("a b", "name")):
        with refused(InputError):
            store.indexes.create(label, attribute)
    with refused(InputError):
        store.indexes.create("Country", "since", kind="decimal")
    assert (content(store), store.version) == (before, version)
    assert store.indexes.drop("Country", "name")
    assert not store.indexes.drop("Country", "name")
    assert [one.label for one in store.indexes.all()] == ["Language"]
