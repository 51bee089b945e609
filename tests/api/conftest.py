"""A small world behind the REST door, shared by the tests that only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.world import WorldEngine, open_world

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
