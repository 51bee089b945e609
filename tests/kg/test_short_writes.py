"""A few new edges go in one request, whole or not at all, and everything else as before."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from kg.backends.bolt import BoltStore
from kg.backends.connection import Connection
from kg.backends.short_writes import FEW, ShortWrites
from kg.errors import ConstraintError
from kg.model import Edge
from tests.conformance.store_rules import fact, record, thing

KEYS = [f"k{n:02}" for n in range(FEW + 4)]


def fan(head: str, relation: str = "knows", **attributes: Any) -> list[Edge]:
    return [fact(head, relation, key, record(), **attributes) for key in KEYS]


@pytest.fixture
def asked(bolt_store: BoltStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A store with entities and a relation; what its writes went by."""
    bolt_store.upsert_entities(map(thing, KEYS))
    bolt_store.upsert_edges([fact("k00", "knows", "k00", record())])
    ways: list[str] = []
    done, writing = ShortWrites.done, Connection.writing

    def by_request(self: ShortWrites, *given: Any) -> bool:
        ways.append("request")
        return done(self, *given)

    def by_transaction(self: Connection, **given: Any) -> Any:
        ways.append("transaction")
        return writing(self, **given)

    monkeypatch.setattr(ShortWrites, "done", by_request)
    monkeypatch.setattr(Connection, "writing", by_transaction)
    return ways


ODD = 'a "quoted" \\ text\n\t\u2028 ä \U00010348 $rows {key: 1}'


@pytest.mark.parametrize(
    ("rows", "ways"),
    [
        (fan("k01")[:1], ["request"]),
        (fan("k01")[:FEW], ["request"]),
        ([fact("k01", "knows", "k02", record(ODD), record("b", probability=0.1 + 0.2))] * 2,
         ["request"]),
        (fan("k01")[: FEW + 1], ["transaction"]),
        (fan("k01", weight=1)[:1], ["transaction"]),
        (fan("k00")[:3], ["request", "transaction"]),
        ([*fan("k01")[:2], *fan("k01", "likes")[:2]], ["transaction"]),
    ],
)  # fmt: skip
def test_new_edges_without_attributes_go_in_one_request(
    bolt_store: BoltStore, asked: list[str], rows: list[Edge], ways: list[str]
) -> None:
    version, before = bolt_store.version, {edge.key: edge for edge in bolt_store.edges()}
    assert bolt_store.upsert_edges(rows) == len(rows)
    assert asked == ways
    assert {e.key: e for e in bolt_store.edges()} == before | {row.key: row for row in rows}
    assert bolt_store.version == version + 1
    told = bolt_store.changes(version)
    assert told is not None
    assert {row.key for row in rows} <= told.edges
    assert bolt_store.upsert_edges(rows) == len(rows)
    assert bolt_store.version == version + 1


def test_what_is_refused_leaves_nothing(bolt_store: BoltStore, asked: list[str]) -> None:
    version, before = bolt_store.version, list(bolt_store.edges())
    with pytest.raises(ConstraintError, match="nobody"):
        bolt_store.upsert_edges([*fan("k01")[:2], fact("k01", "knows", "nobody", record())])
    assert asked == ["request", "transaction"]
    assert (bolt_store.version, list(bolt_store.edges())) == (version, before)


def each_alone(store: BoltStore, rows: list[Edge]) -> None:
    for row in rows:
        store.upsert_edges([row])


def test_writers_side_by_side_get_versions_of_their_own(
    bolt_store: BoltStore, asked: list[str]
) -> None:
    version = bolt_store.version
    writers = [
        threading.Thread(target=each_alone, args=(bolt_store, fan(head)))
        for head in ("k01", "k02", "k03")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert set(asked) == {"request"}
    assert bolt_store.version == version + 3 * len(KEYS)
    told = bolt_store.changes(version)
    assert told is not None
    assert len(told.edges) == 3 * len(KEYS)


def test_an_answer_that_is_lost_makes_nothing_twice(
    bolt_store: BoltStore, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = ShortWrites.done
    monkeypatch.setattr(ShortWrites, "done", lambda *given: done(*given) and False)
    version, rows = bolt_store.version, fan("k01")[:2]
    assert bolt_store.upsert_edges(rows) == 2
    assert asked == ["request", "transaction"]
    assert bolt_store.version == version + 1
    assert bolt_store.query("MATCH ({key: 'k01'})-[r]->() RETURN count(r)").rows == ((2,),)
    told = bolt_store.changes(version)
    assert told is not None
    assert told.edges == {row.key for row in rows}
