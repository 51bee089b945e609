"""A job ledger with a clock that tests move; a folder of towns to import; a graph to load."""

from itertools import count

import pytest

import kg.importing
from kg.backends.memory import MemoryStore
from kg.ledger import Ledger
from kg.model import Edge, Entity
from tests.conformance.store_rules import content
from tests.kg.import_world import World
from tests.kg.ledger_jobs import Clock
from tests.kg.whole_load import rows

_names = count()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    with Ledger(tmp_path / "jobs" / "ledger.sqlite", clock=clock) as opened:
        yield opened


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(kg.importing, "SHARD_LINES", 5)
    made = World(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def database() -> str:
    return f"load{next(_names)}"


@pytest.fixture(scope="module")
def whole() -> tuple[list[Entity], list[Edge]]:
    """What an uninterrupted load leaves, by the store that has no files."""
    with MemoryStore() as store:
        entities, edges = rows()
        store.upsert_entities(entities)
        store.upsert_edges(edges)
        return content(store)
