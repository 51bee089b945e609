"""One small scene model, trained once for all tests of this folder that need one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scenes.config import SceneConfig
from scenes.label_training import LabelConfig
from scenes.network import NetworkConfig
from scenes.pipeline import SceneModel
from tests.scenes.drawing import described_flags

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
