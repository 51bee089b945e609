"""A job ledger with a clock that tests move."""

import pytest

from kg.ledger import Ledger
from tests.kg.ledger_jobs import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    with Ledger(tmp_path / "jobs" / "ledger.sqlite", clock=clock) as opened:
        yield opened
