"""Encoders that need no weights, a linker trained on a small world, decisions on a small graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoders import TinyImageEncoder, TinyTextEncoder
from kg.backends.memory import MemoryStore
from kg.store import Store
from linkers import DecisionConfig, Encoders, Linker, LinkerConfig
from linkers.review import Review
from tests.linkers.review_world import AT, case, fill
from tests.linkers.small_world import COUNTRIES, PICTURES, examples, key, world


@pytest.fixture(scope="session")
def tiny_encoders() -> Encoders:
    return Encoders(text=TinyTextEncoder(dimension=32), image=TinyImageEncoder(side=4))


@pytest.fixture(scope="session")
def tiny_config() -> LinkerConfig:
    return LinkerConfig(
        matching={"dimension": 16, "epochs": 2, "batch": 16},
        decision=DecisionConfig(hidden=16, members=1, epochs=25, batch=16),
    )


@pytest.fixture(scope="session")
def tiny_linker(tiny_encoders: Encoders, tiny_config: LinkerConfig) -> Linker:
    """Trained on a base without India and Iran."""
    base = world().without([key("IN"), key("IR")])
    mentions, gold = examples([c for c in COUNTRIES if c not in ("IN", "IR")])
    return Linker.train(
        base, mentions, gold, encoders=tiny_encoders, config=tiny_config, pixels=PICTURES.get
    )


@pytest.fixture
def store() -> Store:
    return fill(MemoryStore())


@pytest.fixture
def review(store: Store, tmp_path: Path) -> Review:
    found = Review(store, tmp_path / "log.jsonl", now=lambda: AT)
    found.add([case(1), case(2), case(3, "the country"), case(4, "Chile", "CL", "PE")])
    return found
