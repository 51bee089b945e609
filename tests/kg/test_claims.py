"""Claims: what is left after writes and undos is what the writes that remain give by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.backends.memory import MemoryStore
from kg.backends.merging import merge_entity
from kg.claimed import claims_fields, claims_from, said, spoken_by
from kg.graph_formats.plain import edge_fields, edge_from, entity_fields, entity_from
from kg.model import AttributeValue, Edge, Entity, EntityKey, ImageRef
from kg.provenance import Provenance
from kg.upkeep.undo import Undo, undo
from kg.withdrawal import Withdrawal
from tests.conformance.store_rules import content, fact, record, thing

SOURCES = ("a", "b", "c")
KEY = EntityKey("e")


@dataclass(frozen=True)
class Write:
    """One entity and an edge to itself, as some sources say (nobody, if there is none)."""

    sources: frozenset[str]
    name: str
    aliases: tuple[str, ...] = ()
    attributes: tuple[tuple[str, AttributeValue], ...] = ()
    picture: str = ""

    @property
    def records(self) -> tuple[Provenance, ...]:
        return tuple(record(source) for source in sorted(self.sources))

    @property
    def entity(self) -> Entity:
        shown = ImageRef(sha256=self.picture * 64, width=1, height=1, source="x")
        return Entity(
            key=KEY, label="Thing", name=self.name, aliases=self.aliases,
            attributes=dict(self.attributes), images=(shown,) if self.picture else (),
            provenance=self.records,
        )  # fmt: skip

    @property
    def edge(self) -> Edge:
        return fact(KEY, "knows", KEY, *self.records, **dict(self.attributes))


VALUES = st.sampled_from([1, 2, 2.5, "x", (1, 2)])
WRITES = st.builds(
    Write,
    sources=st.frozensets(st.sampled_from(SOURCES), max_size=2),
    name=st.sampled_from(["e", "N", "M"]),
    aliases=st.lists(st.sampled_from("pqr"), max_size=2, unique=True).map(tuple),
    attributes=st.dictionaries(st.sampled_from("xy"), VALUES).map(lambda d: tuple(d.items())),
    picture=st.sampled_from(["", "0", "1"]),
)
STEPS = st.lists(WRITES | st.sampled_from(SOURCES), max_size=8)


def write(store: MemoryStore, row: Write) -> None:
    store.upsert_entities([row.entity])
    if row.sources:
        store.upsert_edges([row.edge])


def remaining(steps: Sequence[Write | str]) -> Iterable[Write]:
    """What writes remain where a text takes back what a source has written so far."""
    for at, step in enumerate(steps):
        if isinstance(step, Write):
            later = {each for each in steps[at:] if isinstance(each, str)}
            left = step.sources - later
            if left or not step.sources:
                yield replace(step, sources=left)


def told(store: MemoryStore) -> Any:
    """All that a store holds and who wrote it; aliases keep the order of their first writing."""
    found = []
    for row in (*store.entities(), *store.edges()):
        claims: dict[str, Any] = said(row)
        claims[".aliases"] = {one.value: one.by for one in claims.pop(".aliases", ())}
        aliases = frozenset(row.aliases) if isinstance(row, Entity) else ()
        shown = (row.name, row.images) if isinstance(row, Entity) else ()
        values = sorted(row.attributes.items())
        found.append((repr((row.key, shown, values, row.provenance)), aliases, claims))
    return found


def done(steps: Sequence[Write | str]) -> MemoryStore:
    store = MemoryStore()
    for step in steps:
        if isinstance(step, Write):
            write(store, step)
        else:
            undo(store, Undo(source=step))
    return store


def held(store: MemoryStore) -> Any:
    """What holds, whoever wrote it."""
    entities, edges = content(store)
    return [replace(row, claims={}) for row in entities], [replace(e, claims={}) for e in edges]


@settings(max_examples=60)
@given(STEPS)
@example([Write(frozenset("a"), "N"), Write(frozenset("b"), "M"), "b"])
@example([Write(frozenset(), "N"), Write(frozenset("b"), "M"), "b"])
def test_writes_and_undos_equal_the_writes_that_remain(steps: list[Write | str]) -> None:
    stores = done(steps), MemoryStore()
    for row in remaining(steps):
        write(stores[1], row)
    assert told(stores[0]) == told(stores[1])


@settings(max_examples=60)
@given(STEPS, st.sampled_from(SOURCES), st.sampled_from(SOURCES))
@example(
    [Write(frozenset("a"), "e"), Write(frozenset("b"), "N"), Write(frozenset(), "e")], "b", "a"
)
@example(
    [Write(frozenset(), "N"), Write(frozenset("b"), "e"), Write(frozenset("a"), "N")], "b", "a"
)
def test_what_is_taken_comes_back_to_its_place(
    steps: list[Write | str], source: str, other: str
) -> None:
    before, store = done(steps), done(steps)
    plan = undo(store, Undo(source=source))
    rows = [entity_from(json.loads(json.dumps(entity_fields(r)))) for r in plan.entities()]
    edges = [edge_from(json.loads(json.dumps(edge_fields(r)))) for r in plan.edges()]
    store.upsert_entities(rows)
    store.upsert_edges(edges)
    assert held(store) == held(before)
    for one in (store, before):  # and it lies below the same writes as it did
        undo(one, Undo(source=other))
    assert held(store) == held(before)


@settings(max_examples=40)
@given(st.lists(WRITES, min_size=1, max_size=5))
def test_what_one_writes_again_changes_nothing_and_claims_are_plain_json(rows: list[Write]) -> None:
    store = MemoryStore()
    for row in rows:
        write(store, row)
    version = store.version
    write(store, rows[-1])
    assert store.version == version
    entity = store.entity(KEY)
    assert entity is not None
    fields = json.loads(json.dumps(claims_fields(entity)))
    assert claims_from(fields, replace(entity, claims={})) == entity.claims
    assert merge_entity(None, entity) == entity
    if len({row.sources for row in rows}) == 1:
        assert not entity.claims, "what one alone has written costs nothing"


@settings(max_examples=40)
@given(WRITES, WRITES, WRITES)
def test_merging_is_associative(one: Write, two: Write, three: Write) -> None:
    a, b, c = one.entity, two.entity, three.entity
    left = merge_entity(merge_entity(a, b), c)
    right = merge_entity(a, merge_entity(b, c))
    assert {**said(left), ".aliases": set(said(left).get(".aliases", ()))} == {
        **said(right), ".aliases": set(said(right).get(".aliases", ()))
    }  # fmt: skip
    assert replace(left, claims={}) == replace(right, claims={})


def test_history_tells_who_wrote_what_and_what_holds() -> None:
    store = MemoryStore()
    old, new = record("old"), record("new")
    store.upsert_entities([thing("e", name="Old", attributes={"x": 1, "y": 2}, provenance=(old,))])
    store.upsert_entities([thing("e", name="New", attributes={"x": 3}, provenance=(new,))])
    row = store.entity(KEY)
    assert row is not None
    assert list(spoken_by(row, old)) == [(".name", "Old", False), ("x", 1, False), ("y", 2, True)]
    assert list(spoken_by(row, new)) == [(".name", "New", True), ("x", 3, True)]
    store.withdraw(Withdrawal(source="new"))
    assert content(store) == (
        [thing("e", name="Old", attributes={"x": 1, "y": 2}, provenance=(old,))], []
    )  # fmt: skip


def test_a_value_that_nobody_else_wrote_goes_and_a_name_becomes_the_key() -> None:
    store = MemoryStore()
    said_by = record("a")
    store.upsert_entities([thing("e", name="E", attributes={"x": 1}, provenance=(said_by,))])
    store.upsert_entities([thing("f", provenance=(record("b"),))])
    store.upsert_edges([fact("f", "knows", "e", record("b"))])
    undo(store, Undo(source="a"))
    row = store.entity(KEY)
    assert row is not None
    assert (row.name, dict(row.attributes), row.provenance) == ("e", {}, ())


def test_what_an_earlier_version_kept_of_several_stays_while_one_does() -> None:
    store = MemoryStore()
    both = (record("a"), record("b"))
    store.upsert_entities([thing("e", name="E", attributes={"x": 1}, provenance=both)])
    undo(store, Undo(source="b"))
    row = store.entity(KEY)
    assert row is not None
    assert (row.name, dict(row.attributes), row.provenance) == ("E", {"x": 1}, both[:1])
