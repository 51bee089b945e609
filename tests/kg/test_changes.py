"""The change feed: it names all that a write touched, or says that it does not know."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from pyoxigraph import RdfFormat, serialize
from pyoxigraph import Store as TripleStore

import kg.backends.connection
import kg.sparql.endpoint
import kg.sparql.graph_process
from kg.backends.bolt import BoltStore
from kg.backends.memory import MemoryStore
from kg.changes import KEPT_VERSIONS, MOST_TOUCHED
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.sparql import SparqlEndpoint, StoreQuads
from kg.sparql.process import follow
from kg.store import Store
from kg.withdrawal import Withdrawal
from tests.conformance.store_rules import fact, record, thing
from tests.kg.random_writes import Write, batches, start

State = Mapping[EntityKey | EdgeKey, Entity | Edge]
A, B = EntityKey("a"), EntityKey("b")


def state(store: Store) -> State:
    return {row.key: row for part in (store.entities(), store.edges()) for row in part}


def assert_told(store: Store, since: int, before: State) -> None:
    now = state(store)
    changed = {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
    told = store.changes(since)
    assert told is not None
    assert told.version == store.version
    assert changed <= told.entities | told.edges


@pytest.mark.parametrize("kind", ["memory_store", "bolt_store"])
def test_the_feed_names_what_every_write_touched(kind: str, request: pytest.FixtureRequest) -> None:
    store: Store = request.getfixturevalue(kind)
    writes: list[Write] = [
        lambda w: w.upsert_entities(map(thing, "abc")),
        lambda w: w.upsert_edges([fact("a", "knows", "b", record(job="j")),
                                  fact("c", "knows", "a", record())]),
        lambda w: w.upsert_edges([fact("a", "knows", "b", record("other"))]),
        lambda w: w.replace_entities([thing("a", attributes={"n": 1})]),
        lambda w: w.replace_edges([fact("c", "knows", "a", record(job="j"))]),
        lambda w: w.withdraw(Withdrawal(job="j")),
        lambda w: w.upsert_edges([fact("c", "knows", "b", record())]),
        lambda w: w.delete_edges([(A, "knows", B)]),
        lambda w: w.delete_entities([B]),
    ]  # fmt: skip
    first, nothing = store.version, state(store)
    for write in writes:
        since, before = store.version, state(store)
        write(store)
        assert store.version == since + 1
        assert_told(store, since, before)
    with store.transaction() as writer:
        for write in writes:
            write(writer)
    assert_told(store, first, nothing)
    told = store.changes(store.version)
    assert told is not None
    assert not told.entities | told.edges
    assert store.changes(store.version + 1) is None


def test_the_feed_says_where_it_does_not_know(
    bolt_store: BoltStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kg.backends.connection, "PRUNED_OF_WRITES", 1)
    monkeypatch.setattr("kg.backends.embedded.KEPT_VERSIONS", 3)
    bolt_store.execute("CREATE (:Country:Entity {key: 'x', name: 'x'})")
    assert bolt_store.changes(0) is None
    bolt_store.upsert_entities([thing("a")])
    assert bolt_store.changes(1) is not None
    assert bolt_store.changes(0) is None
    bolt_store.upsert_entities(thing(f"k{n}") for n in range(MOST_TOUCHED + 1))
    assert bolt_store.changes(1) is None
    assert bolt_store.changes(2) is None
    for n in range(5):
        bolt_store.upsert_entities([thing("a", attributes={"n": n})])
    told = bolt_store.changes(bolt_store.version - 3)
    assert told is not None
    assert told.entities == {"a"}
    assert bolt_store.changes(bolt_store.version - 5) is None


def test_memory_keeps_the_feed_of_its_last_versions(memory_store: MemoryStore) -> None:
    for n in range(KEPT_VERSIONS + 2):
        memory_store.upsert_entities([thing("a", attributes={"n": n})])
    assert memory_store.changes(1) is None
    assert memory_store.changes(2) is not None


@given(batches)
@settings(max_examples=60)
def test_followed_rdf_is_what_would_be_made_anew(drawn: list[list[Write]]) -> None:
    store, copy = MemoryStore(), TripleStore()
    source, reached = StoreQuads(store), 0
    for writes in (list(start), *drawn):
        with store.transaction() as writer:
            for write in writes:
                write(writer)
        changes = source.changed(reached)
        assert changes is not None
        follow(copy, changes.forget, serialize(changes.quads, format=RdfFormat.N_QUADS) or b"")
        reached = changes.version
        anew = TripleStore()
        anew.extend(source.quads())
        assert set(copy) == set(anew)
    assert reached == store.version


def test_a_query_follows_the_feed_and_makes_the_copy_anew_only_where_it_is_cut(
    memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    process = kg.sparql.graph_process.GraphProcess

    def counted(quads: object) -> object:
        made.append(process(quads))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(kg.sparql.endpoint, "GraphProcess", counted)
    text = "SELECT (COUNT(*) AS ?n) { ?s <urn:umbra:relation:knows> ?o }"

    def count(endpoint: SparqlEndpoint) -> bytes:
        return endpoint.query(text, result="text/csv").body.split()[1]

    memory_store.upsert_entities(map(thing, "abc"))
    with SparqlEndpoint(StoreQuads(memory_store)) as endpoint:
        assert count(endpoint) == b"0"
        memory_store.upsert_edges([fact("a", "knows", "b", record())])
        assert count(endpoint) == b"1"
        memory_store.delete_entities([B])
        assert (count(endpoint), len(made)) == (b"0", 1)
        assert endpoint.version == memory_store.version
        memory_store.upsert_entities(thing(f"k{n}") for n in range(MOST_TOUCHED + 1))
        memory_store.upsert_edges([fact("k1", "knows", "k2", record())])
        assert (count(endpoint), len(made)) == (b"1", 2)
        made[-1].close()
        memory_store.upsert_edges([fact("k2", "knows", "k1", record())])
        assert (count(endpoint), len(made)) == (b"2", 3)


def each_alone(store: BoltStore, rows: list[Edge]) -> None:
    for row in rows:
        store.upsert_edges([row])


def test_writers_side_by_side_get_versions_of_their_own(bolt_store: BoltStore) -> None:
    keys = [f"k{n:02}" for n in range(8)]
    bolt_store.upsert_entities(map(thing, keys))
    version = bolt_store.version
    writers = [
        threading.Thread(
            target=each_alone,
            args=(bolt_store, [fact(head, "knows", key, record()) for key in keys]),
        )
        for head in keys[:3]
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert bolt_store.version == version + 3 * len(keys)
    told = bolt_store.changes(version)
    assert told is not None
    assert len(told.edges) == 3 * len(keys)
