"""Short trainings for tests: only defaults of configurations change; every step is the real one."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from operator import attrgetter
from types import ModuleType
from typing import Any

__all__ = ["shorten_when_loaded", "shortened"]

SHORT: dict[str, tuple[str, dict[str, Any]]] = {
    "linkers.config": ("LinkerConfig", {"epochs": 2}),  # of its network, by name
    "reasoning.predictors.embeddings.config": ("ComplexConfig", {"epochs": 8}),
    "reasoning.predictors.config": ("LinkPredictorConfig", {"folds": 2}),
    "reasoning.folder_model_config": ("FolderModelConfig", {"answer_queries": 20}),
    "scenes.grounding.model": ("GroundingModel.from_drawings", {"drawn": 40, "scenes": 8}),
    "scenes.label_training": ("LabelConfig", {"drawn": 40, "rounds": 1, "folds": 2}),
    "scenes.network": ("NetworkConfig", {"epochs": 4, "members": 1}),
}
"""The configuration in each module, or what trains, and what stands in place of its defaults."""


class _Shortening(MetaPathFinder):
    """Shortens a training as soon as the module of its configuration is loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in SHORT else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_shorten(module: ModuleType) -> None:
            execute(module)
            _shorten(module)

        spec.loader.exec_module = execute_and_shorten  # type: ignore[method-assign]
        return spec


def shorten_when_loaded() -> None:
    """Shorten the trainings of this process for good, and load nothing for it."""
    sys.meta_path.insert(0, _Shortening())


@contextmanager
def shortened() -> Iterator[None]:
    """Shorten the trainings within a block."""
    modules = [import_module(name) for name in SHORT]
    before = [dict(_defaults(module)) for module in modules]
    for module in modules:
        _shorten(module)
    try:
        yield
    finally:
        for module, values in zip(modules, before, strict=True):
            _defaults(module).update(values)


def _shorten(module: ModuleType) -> None:
    kind, values = SHORT[module.__name__]
    if kind == "LinkerConfig":
        values = {"matching": module.LinkerConfig().matching | values}
    _defaults(module).update(values)


def _defaults(module: ModuleType) -> dict[str, Any]:
    named = attrgetter(SHORT[module.__name__][0])(module)
    takes = named if hasattr(named, "__func__") else named.__init__
    found: dict[str, Any] = takes.__kwdefaults__
    return found
