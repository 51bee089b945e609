"""Encoders that need no weights, and a linker trained on a small world."""

from __future__ import annotations

import pytest

from encoders import TinyImageEncoder, TinyTextEncoder
from linkers import DecisionConfig, Encoders, Linker, LinkerConfig
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
