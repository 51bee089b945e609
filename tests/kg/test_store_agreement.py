"""The store behind Bolt against the store in memory: any sequence of writes, the same graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.backends.memory import MemoryStore
from kg.errors import EngineError
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance
from kg.snapshot import build_snapshot, snapshot_of
from kg.store import Store
from kg.withdrawal import Withdrawal
from tests.conformance.store_rules import content

KEYS = st.sampled_from(["a", "b", "c", "ä/'`\"\\", "🏴"]).map(EntityKey)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6)
VALUES = st.one_of(
    TEXTS, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats(-1e9, 1e9),
    st.lists(TEXTS | st.integers(-9, 9), max_size=3).map(tuple),
)  # fmt: skip
ATTRIBUTES = st.dictionaries(st.sampled_from(["x", "y", "größe"]), VALUES, max_size=2)
RECORDS = st.lists(
    st.builds(
        Provenance,
        kind=st.sampled_from(["asserted", "generated"]),
        source=st.sampled_from(["s1", "s2"]),
        job=st.sampled_from([None, "j1", "j2"]),
        probability=st.sampled_from([0.25, 1.0]),
    ),
    max_size=2,
).map(tuple)
IMAGES = st.lists(
    st.builds(ImageRef, sha256=st.sampled_from(["ab", "cd"]), width=st.just(1), height=st.just(2),
              source=TEXTS), max_size=1,
).map(tuple)  # fmt: skip
PARTS = st.none() | st.builds(
    ImagePart, parent=KEYS, image=st.just("ab"), box_xyxy=st.just((0.0, 0.5, 1.0, 2.0))
)
ENTITIES = st.builds(
    Entity,
    key=KEYS,
    label=st.sampled_from(["One", "One", "One", "Two", "Entity"]),
    name=TEXTS.filter(str.strip),
    aliases=st.lists(TEXTS, max_size=2).map(tuple),
    attributes=ATTRIBUTES,
    images=IMAGES,
    part=PARTS,
    provenance=RECORDS,
)
EDGES = st.builds(
    Edge, head=KEYS, relation=st.sampled_from(["r", "s"]), tail=KEYS, attributes=ATTRIBUTES,
    provenance=RECORDS,
)  # fmt: skip


def operation(name: str) -> Callable[[Any], tuple[str, Any]]:
    return lambda argument: (name, argument)


OPERATIONS = st.one_of(
    st.lists(ENTITIES, min_size=1, max_size=4).map(operation("upsert_entities")),
    st.lists(ENTITIES, min_size=1, max_size=4).map(operation("upsert_entities")),
    st.lists(EDGES, min_size=1, max_size=4).map(operation("upsert_edges")),
    st.lists(EDGES, min_size=1, max_size=2).map(operation("upsert_edges")),
    st.lists(KEYS, max_size=1).map(operation("delete_entities")),
    st.lists(EDGES.map(lambda edge: edge.key), max_size=2).map(operation("delete_edges")),
    st.builds(Withdrawal, source=st.sampled_from([None, "s1"]), job=st.sampled_from([None, "j1"]))
    .map(operation("withdraw")),
)  # fmt: skip
SEQUENCES = st.lists(st.tuples(st.booleans(), st.lists(OPERATIONS, min_size=1, max_size=3)),
                     min_size=1, max_size=4)  # fmt: skip


@pytest.fixture(scope="module")
def shared(engine_folder: Path) -> Iterator[BoltStore]:
    with BoltStore(EmbeddedLink(engine_folder, database="agreement")) as store:
        yield store


def outcome(store: Store, together: bool, operations: list[tuple[str, Any]]) -> list[object]:
    """Run operations one by one or as a transaction, and say what came of each."""
    results: list[object] = []
    try:
        if together:
            with store.transaction() as writer:
                results += [getattr(writer, name)(argument) for name, argument in operations]
        else:
            for name, argument in operations:
                results.append(getattr(store, name)(argument))
    except EngineError as error:
        results.append(type(error))
    return results


@given(SEQUENCES)
@example([(True, [("withdraw", Withdrawal(source="s1"))])])
@settings(
    max_examples=12, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_any_writes_leave_the_same_graph(
    shared: BoltStore, sequence: list[tuple[bool, list[tuple[str, Any]]]]
) -> None:
    shared.delete_entities([entity.key for entity in shared.entities()])
    with MemoryStore() as memory:
        for together, operations in sequence:
            before = shared.version, memory.version
            assert outcome(shared, together, operations) == outcome(memory, together, operations)
            assert (shared.version > before[0]) == (memory.version > before[1])
        assert content(shared) == content(memory)
        assert snapshot_of(shared).hash == snapshot_of(memory).hash  # by two routes
        for key in ("a", "🏴"):
            for direction in ("in", "out", "both"):
                assert shared.neighbours(EntityKey(key), direction=direction) == memory.neighbours(
                    EntityKey(key), direction=direction
                )


def test_a_snapshot_leaves_out_what_is_no_entity_and_tells_the_strongest_record(
    bolt_store: BoltStore,
) -> None:
    told = '"}, "probability": 0.99, {"'  # in a text, where it means nothing
    records = tuple(
        Provenance(kind="linked", source=told, text=told, probability=p) for p in (0.5, 0.25)
    )
    names = [EntityKey("a"), EntityKey("b")]
    bolt_store.upsert_entities(Entity(key=key, label="One", name=key) for key in names)
    bolt_store.upsert_edges([
        Edge(head=names[0], relation="r", tail=names[1], provenance=records),
        Edge(head=names[1], relation="s", tail=names[1], provenance=records[1:]),
    ])  # fmt: skip
    bolt_store.execute("MATCH (n {key: 'a'}) CREATE (n)-[:r]->(:Loose)-[:loose]->(:Loose)")
    snapshot = snapshot_of(bolt_store)
    assert list(snapshot.relation_names) == ["r", "s"]
    assert snapshot.probabilities.tolist() == [0.25, 0.25]  # records of one identity are one
    assert snapshot.hash == build_snapshot(bolt_store.entities(), bolt_store.edges()).hash
