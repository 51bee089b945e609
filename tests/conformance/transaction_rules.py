"""The rules of transactions; they join `write_rules.RULES`."""

from __future__ import annotations

from kg.errors import ConflictError, ConstraintError
from kg.model import EntityKey
from kg.store import Store
from kg.withdrawal import Withdrawal
from tests.conformance.store_rules import content, fact, filled, refused, rule, thing
from tests.conformance.write_rules import RULES

__all__ = ["RULES"]


@rule
def a_transaction_is_whole(store: Store) -> None:
    with store.transaction() as writer:
        writer.upsert_entities([thing("AL"), thing("GR")])
        writer.upsert_edges([fact("AL", "borders", "GR")])
        writer.upsert_entities([thing("AL", attributes={"x": 1})])
    assert [edge.key for edge in store.edges()] == [("AL", "borders", "GR")]
    found = store.entity(EntityKey("AL"))
    assert found is not None
    assert found.attributes["x"] == 1
    assert store.version > 0


@rule
def a_failed_transaction_leaves_no_trace(store: Store) -> None:
    filled(store)
    before, version = content(store), store.version
    for error in (ValueError("planted"), KeyboardInterrupt(), OSError("planted")):
        seen: BaseException | None = None
        try:
            with store.transaction() as writer:
                writer.upsert_entities([thing("new", "Fresh")])
                writer.delete_entities([EntityKey("AL")])
                writer.upsert_edges([fact("new", "fresh", "GR")])
                writer.withdraw(Withdrawal(source="a.jsonl"))
                raise error
        except (ValueError, KeyboardInterrupt, OSError) as caught:
            seen = caught
        assert seen is error
    with refused(ConstraintError), store.transaction() as writer:
        writer.delete_edges([(EntityKey("AL"), "borders", EntityKey("GR"))])
        writer.upsert_edges([fact("AL", "borders", "XX")])
    assert content(store) == before
    assert store.version == version


@rule
def a_transaction_is_invisible_until_its_end(store: Store) -> None:
    filled(store)
    with store.transaction() as writer:
        writer.upsert_entities([thing("new")])
        assert store.entity(EntityKey("new")) is None
    assert store.entity(EntityKey("new")) is not None


@rule
def writing_past_an_open_transaction_is_refused(store: Store) -> None:
    with store.transaction() as writer:
        writer.upsert_entities([thing("AL")])
        with refused(ConflictError):
            store.upsert_entities([thing("GR")])
        with refused(ConflictError), store.transaction():
            pass
    assert [entity.key for entity in store.entities()] == ["AL"]


@rule
def a_transaction_that_changes_nothing_keeps_the_version(store: Store) -> None:
    filled(store)
    version = store.version
    with store.transaction() as writer:
        writer.upsert_entities([thing("AL")])
        writer.delete_entities([EntityKey("XX")])
    assert store.version == version
