"""Indexes of the embedded engine, which would turn values into the type of an index."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.backends.engine_indexes import LONGEST
from kg.errors import ConflictError, ConstraintError, InputError
from kg.indexes import AttributeIndex
from kg.model import AttributeValue, Entity, EntityKey
from tests.conformance.store_rules import content

VALUES: dict[str, AttributeValue] = {"str": "5", "int": 5, "float": 2.5, "bool": True}


def town(key: str, **attributes: AttributeValue) -> Entity:
    return Entity(key=EntityKey(key), label="Town", name=key, attributes=attributes)


def plan(store: BoltStore, text: str) -> str:
    return "\n".join(str(row[0]) for row in store.query(f"EXPLAIN {text}").rows)


def test_a_value_of_another_type_is_refused_and_none_is_changed(bolt_store: BoltStore) -> None:
    bolt_store.upsert_entities([town("a", **VALUES)])
    for kind in VALUES:
        made = bolt_store.indexes.create("Town", kind)
        assert made == AttributeIndex(label="Town", attribute=kind, kind=kind)
    before = content(bolt_store)
    for name in VALUES:
        for kind, value in VALUES.items():
            if kind != name:
                with pytest.raises(InputError, match=f"index of type {name}"):
                    bolt_store.upsert_entities([town("b"), town("a", **{name: value})])
        with pytest.raises(InputError, match="is list"):
            bolt_store.upsert_entities([town("b", **{name: ("x",)})])
    with pytest.raises(InputError, match="takes 50,000"):
        bolt_store.replace_entities([town("a", str="x" * (LONGEST + 1))])
    assert content(bolt_store) == before
    bolt_store.upsert_entities([town("a", str="\U0001f600" * LONGEST), town("b", int=7)])
    found = bolt_store.query("MATCH (n:Town) WHERE n.int IN [5, 7] RETURN n.int, size(n.str)")
    assert sorted(found.rows, key=str) == [(5, LONGEST), (7, None)]
    assert bolt_store.indexes.drop("Town", "int")
    bolt_store.upsert_entities([town("b", int="seven")])
    assert bolt_store.entity(EntityKey("b")) == town("b", int="seven")


def test_an_index_is_used(bolt_store: BoltStore) -> None:
    bolt_store.upsert_entities([town(f"t{n}", size=n) for n in range(50)])
    text = "MATCH (n:Town) WHERE n.size = 7 RETURN n.key"
    assert "Index" not in plan(bolt_store, text)
    bolt_store.indexes.create("Town", "size")
    assert "Index" in plan(bolt_store, text)
    assert bolt_store.query(text).rows == (("t7",),)


def test_values_of_two_types_and_lists_get_no_index(bolt_store: BoltStore) -> None:
    rows = [town("a", mixed=1, many=("x",), long="x" * (LONGEST + 1)), town("b", mixed="1")]
    bolt_store.upsert_entities(rows)
    with pytest.raises(ConstraintError, match="1 of type int, 1 of type str"):
        bolt_store.indexes.create("Town", "mixed")
    with pytest.raises(ConstraintError, match="1 of type list"):
        bolt_store.indexes.create("Town", "many")
    with pytest.raises(ConstraintError, match="50,001 characters"):
        bolt_store.indexes.create("Town", "long")
    with pytest.raises(ConstraintError, match="of type str"):
        bolt_store.indexes.create("Town", "name", kind="int")
    assert bolt_store.indexes.all() == []
    assert list(bolt_store.entities()) == rows


def test_one_of_every_entity_serves_each_label(bolt_store: BoltStore) -> None:
    bolt_store.upsert_entities([town("a", size=1)])
    every = bolt_store.indexes.create("Entity", "size")
    assert bolt_store.indexes.create("Town", "size") == every
    with pytest.raises(ConstraintError, match="is indexed as int"):
        bolt_store.indexes.create("Town", "size", kind="str")
    river = Entity(key=EntityKey("r"), label="River", name="r", attributes={"size": "1"})
    with pytest.raises(InputError, match="of Entity has an index of type int"):
        bolt_store.upsert_entities([river])
    bolt_store.indexes.create("Town", "name")
    with pytest.raises(ConstraintError, match="for Town alone"):
        bolt_store.indexes.create("Entity", "name")
    with bolt_store.transaction(), pytest.raises(ConflictError, match="transaction open"):
        bolt_store.indexes.drop("Entity", "size")


def test_another_process_keeps_to_an_index_that_it_has_not_made(
    bolt_store: BoltStore, engine_folder: Path
) -> None:
    link = EmbeddedLink(engine_folder, database=bolt_store._connection.link.database)
    bolt_store.upsert_entities([town("a", size=1)])
    with BoltStore(link) as other:
        bolt_store.indexes.create("Town", "size")
        with pytest.raises(InputError, match="index of type int"):
            other.upsert_entities([town("a", size="1")])
        bolt_store.indexes.drop("Town", "size")
        other.upsert_entities([town("a", size="1")])
        assert bolt_store.entity(EntityKey("a")) == town("a", size="1")


def test_a_first_load_keeps_to_the_indexes_of_an_empty_graph(bolt_store: BoltStore) -> None:
    made = [
        bolt_store.indexes.create("Town", "size", kind="int"),
        bolt_store.indexes.create("Town", "code"),
    ]
    with pytest.raises(InputError, match="index of type int"):
        bolt_store.bulk_load([town("a", size=1), town("b", size="1")], [])
    assert list(bolt_store.entities()) == []
    rows = [town(f"t{n:02}", size=n, code=str(n)) for n in range(50)]
    bolt_store.bulk_load(rows, [])
    assert bolt_store.indexes.all() == sorted(made, key=lambda one: one.attribute)
    assert list(bolt_store.entities()) == rows
    text = "MATCH (n:Town {code: '7'}) RETURN n.size"
    assert "Index" in plan(bolt_store, text)
    assert bolt_store.query(text).rows == ((7,),)
    with pytest.raises(InputError, match="index of type str"):
        bolt_store.upsert_entities([town("a", code=1)])
