"""A job ledger with a clock that tests move; a folder of towns to import."""

import pytest

import kg.importing
from kg.ledger import Ledger
from tests.kg.import_world import World
from tests.kg.ledger_jobs import Clock


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
