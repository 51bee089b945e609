"""Short trainings for tests: only defaults of configurations change; every step is the real one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from linkers import LinkerConfig
from reasoning.predictors.config import LinkPredictorConfig
from reasoning.predictors.embeddings.config import ComplexConfig
from scenes.label_training import LabelConfig
from scenes.network import NetworkConfig

__all__ = ["shorten", "shortened"]

SHORT = {
    LinkerConfig: {"matching": LinkerConfig().matching | {"epochs": 2}},
    ComplexConfig: {"epochs": 8},
    LinkPredictorConfig: {"folds": 2},
    LabelConfig: {"drawn": 40, "rounds": 1, "folds": 2},
    NetworkConfig: {"epochs": 4, "members": 1},
}


def shorten() -> None:
    """Shorten the trainings of this process for good."""
    for kind, values in SHORT.items():
        kind.__init__.__kwdefaults__.update(values)  # type: ignore[misc]


@contextmanager
def shortened() -> Iterator[None]:
    """Shorten the trainings within a block."""
    before = {kind: dict(kind.__init__.__kwdefaults__ or {}) for kind in SHORT}  # type: ignore[misc]
    shorten()
    try:
        yield
    finally:
        for kind, values in before.items():
            kind.__init__.__kwdefaults__.update(values)  # type: ignore[misc]
