"""A small world behind the REST door, shared by the tests that only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.workspace import Workspace
from kg.backends import open_store
from kg.launcher import attach, stop_store
from tests.api.browser import Browser, browsing, chromium
from tests.api.explorer_world import Explorer, exploring
from tests.api.tiny_world import HEAP, make_data, make_workspace
from tests.api.world import WorldEngine, fill, make_world, open_world

ADDRESS = "http://127.0.0.1:8321"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldEngine]:
    folder: Path = tmp_path_factory.mktemp("world")
    with open_world(folder / ".umbra") as engine:
        yield engine


@pytest.fixture(scope="session")
def client(world: WorldEngine) -> Iterator[TestClient]:
    with TestClient(create_app(world), base_url=ADDRESS) as client:
        yield client


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory, engine_folder: Path) -> Workspace:
    """The small world in the embedded store of this test run."""
    workspace = make_world(tmp_path_factory.mktemp("served") / ".umbra")
    workspace.settings.write_text('text_encoder = "tiny"\n')
    workspace.graph.symlink_to(engine_folder)
    with open_store(workspace.graph) as store:
        fill(store, workspace)
    return workspace


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the tiny demo (`tests.api.tiny_world`)."""
    return make_data(tmp_path_factory.mktemp("tiny") / "data")


@pytest.fixture(scope="session")
def tiny_demo(tiny_data: Path) -> Iterator[Workspace]:
    """The tiny demo after one run without interrupts; its store runs until the last test.

    It runs in this process: in a whole run, all that it imports is imported already.
    """
    from api.demo.pipeline import run_demo  # slow to import
    from api.demo.recipe import load_recipe
    from api.engine import Engine
    from kg.progress import silent
    from tests.api.short_trainings import shortened

    workspace = make_workspace(tiny_data.parent / "whole")
    with Engine(workspace) as engine, shortened():
        run_demo(engine, load_recipe(tiny_data), lambda _title, _unit: silent, workers=0)
    hold = attach(workspace.graph, HEAP)
    yield workspace
    hold.close()
    stop_store(workspace.graph)


@pytest.fixture(scope="session")
def shared_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium for all tests that look at the page."""
    program = chromium()
    assert program is not None
    with browsing(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Leave the last page that is looked at: a graph drawn there asks for frames to the end."""
    browser = getattr(item, "funcargs", {}).get("shared_browser")
    following = getattr(nextitem, "fixturenames", ("shared_browser",))  # none follows: it has ended
    if browser is not None and "shared_browser" not in following:
        browser.open("about:blank")


@pytest.fixture
def browser(shared_browser: Browser) -> Iterator[Browser]:
    shared_browser.complaints.clear()
    shared_browser.prefer("light")
    yield shared_browser
    assert shared_browser.complaints == []  # nothing was thrown, nothing blocked


@pytest.fixture(scope="session")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    """The explorer on the small world; tests begin where they need to, whatever ran before."""
    with exploring(tmp_path_factory.mktemp("explorer") / ".umbra") as explorer:
        yield explorer
