"""How often a write waits for the server: counted by what the driver says it sends and receives."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from kg.backends.bolt import BoltStore
from kg.errors import ConstraintError, InputError
from tests.conformance.store_rules import content, fact, record, thing


def waits(log: pytest.LogCaptureFixture) -> int:
    """Return how often the driver sent something and then read an answer, and forget the log."""
    sides = [side for line in log.messages for side in ("C: ", "S: ") if side in line[:16]]
    log.clear()
    turns = "".join(side[0] for side in sides)
    return turns.count("CS")


def test_a_new_edge_waits_for_one_statement_and_others_for_the_commit_too(
    bolt_store: BoltStore, caplog: pytest.LogCaptureFixture
) -> None:
    bolt_store.upsert_entities(map(thing, "abc"))
    first = fact("a", "knows", "b", record())
    bolt_store.upsert_edges([first])
    before = bolt_store.version
    with caplog.at_level(logging.DEBUG, logger="neo4j.io"):
        waits(caplog)
        bolt_store.upsert_edges([fact("b", "knows", "c", record())])
        assert waits(caplog) == 1
        bolt_store.upsert_edges([fact("c", "knows", "a", record(), since=1990)])
        assert waits(caplog) == 1
        bolt_store.upsert_edges([first])  # nothing new: nothing is written
        assert waits(caplog) == 1
        bolt_store.upsert_edges([fact("a", "knows", "b", record(locator="row 2"))])
        assert waits(caplog) == 4
        bolt_store.upsert_edges([fact(head, "knows", "a", record()) for head in "ab"])
        assert waits(caplog) == 2
        bolt_store.upsert_entities([thing("d")])
        assert waits(caplog) == 3
    assert bolt_store.version == before + 5


def test_a_call_that_is_refused_leaves_nothing_in_a_transaction_that_goes_on(
    bolt_store: BoltStore,
) -> None:
    bolt_store.upsert_entities(map(thing, "abc"))
    kept = fact("a", "knows", "b", record())
    bolt_store.upsert_edges([kept, fact("a", "likes", "b", record())])
    was, version = content(bolt_store), bolt_store.version
    new = fact("b", "knows", "c", record())
    with bolt_store.transaction() as writer:
        for wrong, kind in (
            (fact("a", "knows", "nobody", record()), ConstraintError),
            (replace(fact("c", "likes", "a"), provenance=()), InputError),
        ):
            with pytest.raises(kind):
                writer.upsert_edges([new, fact("a", "knows", "b", record(locator="x")), wrong])
    assert (content(bolt_store), bolt_store.version) == (was, version)
    with bolt_store.transaction() as writer:
        with pytest.raises(ConstraintError):
            writer.upsert_edges([new, fact("nobody", "likes", "a", record())])
        writer.upsert_edges([new])
    assert content(bolt_store)[1] == sorted([*was[1], new], key=lambda edge: edge.key)
    assert bolt_store.version == version + 1
