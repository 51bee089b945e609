"""The rules of replacing, deleting, withdrawing and closing; they join `read_rules.RULES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kg.backends.merging import merge_entities
from kg.errors import ConstraintError, StoreUnavailableError
from kg.model import EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance
from kg.store import Store
from kg.withdrawal import Withdrawal
from tests.conformance.read_rules import RULES
from tests.conformance.store_rules import (
    content,
    fact,
    filled,
    record,
    refused,
    rule,
    thing,
)

__all__ = ["RULES"]


@rule
def replacing_leaves_exactly_what_is_given(store: Store) -> None:
    store.upsert_entities(
        [thing("AL", aliases=("A", "B"), attributes={"x": 1, "y": 2}, provenance=(record("a"),)),
         thing("GR")]
    )  # fmt: skip
    store.upsert_edges([fact("AL", "borders", "GR", record("a"), record("b"))])
    short = thing("AL", aliases=("B",), attributes={"y": 3})
    edge = fact("AL", "borders", "GR", record("b"))
    version = store.version
    assert store.replace_entities(iter([short])) == 1
    assert store.replace_edges(iter([edge])) == 1
    assert store.entity(EntityKey("AL")) == short
    assert list(store.edges()) == [edge]
    assert store.version > version
    version = store.version
    assert store.replace_entities([short]) + store.replace_edges([edge]) == 2
    assert store.version == version


@rule
def a_value_comes_back_when_what_was_written_over_it_goes(store: Store) -> None:
    old, new = record("old"), record("new", kind="linked", job="j")
    image = ImageRef(sha256="ab" * 32, width=2, height=1, source="x")
    part = ImagePart(parent=EntityKey("GR"), image="ab" * 32, box_xyxy=(0.0, 0.0, 1.0, 1.0))
    first = thing(
        "AL", name="Old", aliases=("a", "b"), attributes={"x": 1, "y": ("ü", 2.5), "big": 2**62},
        images=(image,), provenance=(old,),
    )  # fmt: skip
    store.upsert_entities([first, thing("GR")])
    store.upsert_edges([fact("AL", "borders", "GR", old, km=1.5)])
    before = content(store)
    second = thing(
        "AL", name="New", aliases=("b", "c"), attributes={"x": 3.5, "y": (), "z": True},
        images=(image, replace(image, width=3)), part=part, provenance=(new,),
    )  # fmt: skip
    store.upsert_entities([second])
    store.upsert_edges([fact("AL", "borders", "GR", new, km=2, sea=False)])
    found = store.entity(EntityKey("AL"))
    assert found is not None
    assert (found.name, found.aliases, found.part) == ("New", ("a", "b", "c"), part)
    assert found.claims.keys() >= {".name", ".aliases", ".images", ".part", "x", "y", "z", "big"}
    assert store.withdraw(Withdrawal(job="j")) == 2
    assert content(store) == before
    store.upsert_entities([second])
    store.withdraw(Withdrawal(source="old"))
    assert store.entity(EntityKey("AL")) == second


@rule
def claims_come_back_as_they_were_copied(store: Store) -> None:
    rows = [
        thing("AL", name=name, attributes={"x": x}, provenance=(record(name),))
        for name, x in (("one", 1), ("two", 2))
    ]
    both = merge_entities(None, rows)
    assert both.claims
    store.upsert_entities([both])
    assert store.entity(EntityKey("AL")) == both
    store.upsert_entities([rows[0]])
    store.upsert_entities([rows[1]])
    assert store.entity(EntityKey("AL")) == both


@rule
def replacing_what_is_not_there_is_refused(store: Store) -> None:
    filled(store)
    before, version = content(store), store.version
    with refused(ConstraintError):
        store.replace_entities([thing("AL", name="Other"), thing("XX")])
    with refused(ConstraintError):
        store.replace_entities([thing("AL", "Another")])
    with refused(ConstraintError):
        store.replace_edges([fact("AL", "borders", "GR", record("z")), fact("AL", "borders", "XX")])
    assert content(store) == before
    assert store.version == version


@rule
def deleting_an_entity_takes_its_edges(store: Store) -> None:
    filled(store)
    version = store.version
    assert store.delete_entities(iter([EntityKey("GR"), EntityKey("GR"), EntityKey("XX")])) == 1
    assert [edge.key for edge in store.edges()] == [
        ("AL", "exports_to", "IT"),
        ("IT", "knows", "IT"),
    ]
    assert store.version > version
    version = store.version
    assert store.delete_entities([EntityKey("GR")]) == 0
    assert store.version == version


@rule
def deleting_edges_leaves_the_others(store: Store) -> None:
    filled(store)
    gone = (EntityKey("AL"), "exports_to", EntityKey("GR"))
    assert store.delete_edges(iter([gone, gone, (EntityKey("AL"), "no", EntityKey("GR"))])) == 1
    assert gone not in [edge.key for edge in store.edges()]
    assert len(list(store.edges())) == 5
    assert len(list(store.entities())) == 4


@rule
def withdrawing_takes_records_and_what_lives_by_them(store: Store) -> None:
    made = record("flag.png", kind="generated", job="j1", model="m")
    part = ImagePart(parent=EntityKey("AL"), image="ab", box_xyxy=(0, 0, 1, 1))
    store.upsert_entities(
        [thing("AL", provenance=(made,)), thing("GR"),
         thing("p", "Part", part=part, provenance=(made,)),
         thing("q", "Part", part=part, provenance=(made, record()))]
    )  # fmt: skip
    store.upsert_edges(
        [fact("AL", "borders", "GR", made), fact("GR", "borders", "AL", made, record()),
         fact("AL", "has_part", "p", record())]
    )  # fmt: skip
    version = store.version
    assert store.withdraw(Withdrawal(job="j2")) == 0
    assert store.withdraw(Withdrawal(job="j1", model="other")) == 0
    assert store.withdraw(Withdrawal()) == 0
    assert store.version == version
    assert store.withdraw(Withdrawal(job="j1", kind="generated")) == 5
    assert [entity.key for entity in store.entities()] == ["AL", "GR", "q"]
    assert [edge.key for edge in store.edges()] == [("GR", "borders", "AL")]
    assert next(store.edges()).provenance == (record(),)
    assert store.version > version


@rule
def withdrawing_takes_what_was_derived_from_what_goes(store: Store) -> None:
    made = record("doc", kind="linked", job="j1")
    store.upsert_entities([*map(thing, "abcd"), thing("e", attributes={"x": 1})])
    part = ImagePart(parent=EntityKey("a"), image="ab", box_xyxy=(0, 0, 1, 1))
    store.upsert_entities([thing("p", "Part", part=part, provenance=(resting("a knows b"),))])
    store.upsert_edges(
        [fact("a", "knows", "b", made), fact("b", "knows", "c", made, record("other")),
         fact("a", "near", "c", resting("a knows b")),
         fact("a", "near", "d", resting("a near c"), record("other")),
         fact("c", "near", "d", resting("b knows c")),
         fact("a", "has_part", "p", record()), fact("d", "near", "a", resting("a has_part p")),
         fact("d", "near", "b", resting("j1")), fact("d", "near", "c", resting("doc"))]
    )  # fmt: skip
    store.upsert_entities([thing("e", attributes={"x": 2}, provenance=(resting("a knows b"),))])
    before, version = content(store), store.version
    told = store.withdrawn(Withdrawal(job="j1"))
    assert (content(store), store.version) == (before, version)
    assert dict(told.why) == {
        "a near c": "a knows b", "a near d": "a near c", "p": "a knows b", "a has_part p": "p",
        "d near a": "a has_part p", "d near b": "j1", "e": "a knows b",
    }  # fmt: skip
    assert store.withdraw(Withdrawal(job="j1")) == told.records == 8
    assert told.derived == 6
    assert [" ".join(edge.key) for edge in store.edges()] == [
        "a near d", "b knows c", "c near d", "d near c"
    ]  # fmt: skip
    assert store.entity(EntityKey("p")) is None
    left = store.entity(EntityKey("e"))
    assert left is not None
    assert left.attributes == {"x": 1}
    assert store.withdraw(Withdrawal(derived_from=frozenset({"b knows c"}))) == 1
    assert store.withdraw(Withdrawal(source="doc")) == 1
    assert [" ".join(edge.key) for edge in store.edges()] == ["a near d", "b knows c"]
    store.upsert_entities(told.entities())
    store.upsert_edges(told.edges())
    assert {" ".join(edge.key) for edge in store.edges()} >= told.why.keys() - {"p", "e"}


def resting(name: str) -> Provenance:
    return replace(record("rules", kind="linked", job=f"of {name}"), derived_from=(name,))


@rule
def many_rows_in_one_call(store: Store) -> None:
    rows = [thing(f"k{n:05}", attributes={"n": n} if n % 2 else {"m": n}) for n in range(1100)]
    edges = [fact(f"k{n:05}", "next", f"k{(n + 1) % 1100:05}") for n in range(1100)]
    assert store.upsert_entities(rows) == 1100
    assert store.upsert_edges(edges) == 1100
    assert list(store.entities()) == rows
    assert len(list(store.edges())) == 1100
    assert store.delete_entities(row.key for row in rows[:1050]) == 1050
    assert len(list(store.entities())) == 50


@rule
def an_iterator_is_as_of_its_call(store: Store) -> None:
    filled(store)
    entities, edges = store.entities(), store.edges()
    store.delete_entities([EntityKey("GR")])
    assert len(list(entities)) == 4
    assert len(list(edges)) == 6


@rule
def a_closed_store_refuses_every_call(store: Store) -> None:
    with store as same:
        assert same is store
    store.close()
    calls: list[Callable[[], object]] = [
        lambda: store.version,
        lambda: store.entity(EntityKey("AL")),
        lambda: list(store.entities()),
        lambda: list(store.edges()),
        lambda: store.neighbours(EntityKey("AL")),
        lambda: store.edges_from([EntityKey("AL")]),
        lambda: store.upsert_entities([thing("AL")]),
        lambda: store.upsert_edges([]),
        lambda: store.replace_entities([thing("AL")]),
        lambda: store.replace_edges([]),
        lambda: store.delete_entities([EntityKey("AL")]),
        lambda: store.delete_edges([]),
        lambda: store.withdraw(Withdrawal(job="j")),
        lambda: store.query("RETURN 1"),
        lambda: store.execute("RETURN 1"),
        lambda: store.transaction().__enter__(),
        store.__enter__,
    ]
    for call in calls:
        with refused(StoreUnavailableError):
            call()
