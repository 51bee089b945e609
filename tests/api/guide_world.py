"""The demo on the countries that the guides speak of, in a folder as the project's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.workspace import Workspace
from kg.launcher import attach, stop_store
from tests.api.tiny_world import HEAP, make_data, make_workspace

__all__ = ["guide_world"]

ALSO = frozenset({"TD", "NE", "NG", "CM", "TR", "FR", "DE", "ES", "GH", "SJ", "CN"})
"""Countries that the guides name, beside those of the tiny demo."""


def make(folder: Path) -> None:
    """Run the whole demo, and train on all edges: shortly, by tiny encoders."""
    from api.demo.pipeline import run_demo  # slow to import
    from api.demo.recipe import load_recipe
    from api.engine import Engine
    from api.steps.snapshot import freeze
    from api.steps.train import train_model
    from kg.progress import silent
    from tests.api.short_trainings import shortened

    (folder / "examples").mkdir()
    data = make_data(folder / "examples" / "countries", ALSO)
    with Engine(make_workspace(folder / ".umbra")) as engine, shortened():
        run_demo(engine, load_recipe(data), lambda _title, _unit: silent, workers=0)
        freeze(engine)
        train_model(engine, "symbolic")


@contextmanager
def guide_world(folder: Path) -> Iterator[Workspace]:
    """Make the world in an empty folder; its store runs within the block."""
    make(folder)
    workspace = Workspace(folder / ".umbra")
    hold = attach(workspace.graph, HEAP)
    try:
        yield workspace
    finally:
        hold.close()
        stop_store(workspace.graph)
