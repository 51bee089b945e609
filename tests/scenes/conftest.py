"""One small scene model, trained once for all tests that need one, and a graph of two countries."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from kg.store import Store
from scenes.config import SceneConfig
from scenes.label_training import LabelConfig
from scenes.network import NetworkConfig
from scenes.pipeline import SceneModel
from tests.scenes.drawing import described_flags
from tests.scenes.two_countries import two_countries

SMALL = SceneConfig(
    labels=LabelConfig(
        network=NetworkConfig(hidden=16, epochs=12, members=1), drawn=40, rounds=2, folds=2
    ),
    predicates=NetworkConfig(hidden=12, epochs=20, members=1, penalty=0.3),
)

Flags = tuple[dict[str, NDArray[np.uint8]], dict[str, str]]


@pytest.fixture(scope="session")
def flags() -> Flags:
    return described_flags(50, seed=0)


@pytest.fixture(scope="session")
def model(flags: Flags) -> SceneModel:
    return SceneModel.train(*flags, SMALL, seed=0)


@pytest.fixture
def store() -> Iterator[Store]:
    with two_countries() as opened:
        yield opened
