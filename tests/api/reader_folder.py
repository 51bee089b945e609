"""The folder of a reader who follows a guide: commands run in it, and its engine ends with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.workspace import Workspace
from kg.launcher import attach, stop_store
from tests.api.tiny_world import HEAP

__all__ = ["reading_in"]


@contextmanager
def reading_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a folder the working one, with one engine for all commands that are run there."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("UMBRA_FOLDER", raising=False)
    graph = Workspace(folder / ".umbra").graph
    hold = attach(graph, HEAP)
    try:
        yield folder
    finally:
        hold.close()
        stop_store(graph)
