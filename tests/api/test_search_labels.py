"""A search in a label that no entity has is refused, and says which labels there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.main import main
from api.search.neighbourhood import Neighbourhood
from api.settings import Settings
from api.unknown_label import SHOWN, unknown_label
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import InputError
from kg.model import Entity, EntityKey
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.world import open_world


def of_labels(*labels: str) -> MemoryStore:
    store = MemoryStore()
    store.upsert_entities(Entity(key=EntityKey(f"of:{x}"), label=x, name="Peru") for x in labels)
    return store


def test_every_door_names_the_labels_that_there_are(tmp_path: Path) -> None:
    with (
        open_world(tmp_path / ".umbra", settings=Settings(text_encoder="tiny")) as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as client,
    ):
        for path in ("/v1/search", "/v1/context", "/v1/suggestions"):
            found = client.get(path, params={"q": "turkey", "label": ["Country", "contry"]})
            told = problem(found, "input-error", 400)
            assert "no entity has the label 'contry'" in told["detail"]
            assert told["hint"].startswith("did you mean 'Country'? Also there: ")
            assert "'Shape'" in told["hint"]
        engine.store.upsert_entities([Entity(key=EntityKey("new"), label="contry", name="New")])
        assert client.get("/v1/search?q=turkey&label=contry").status_code == 200


@pytest.mark.parametrize("command", ["search", "context", "suggest"])
def test_the_commands_say_it_too(
    stored: Workspace, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    place = ["--folder", str(stored.folder)]
    assert main([command, "turkey", "--label", "Nope", *place]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "no entity has the label 'Nope'" in printed.err
    assert "labels that there are: 'Country'" in printed.err


def test_labels_beyond_those_held_in_memory_are_still_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.search.neighbourhood.MOST", 2)
    near = Neighbourhood(of_labels("A", "B", "C"))
    absent, known = near.lacking(["C", "D", "D", "A"])
    assert absent == ["D"]
    assert known <= {"A", "B", "C"}


def test_the_nearest_labels_come_first_and_not_more_than_a_few() -> None:
    many = [f"Kind{n:02}" for n in range(30)]
    told = str(unknown_label("contry", ["Zone", *many, "Country"], where="--label"))
    assert told.index("'Country'") < told.index("'Kind00'")
    assert told.count("Kind") == SHOWN - 1
    assert "and 22 more" in told
    assert "holds no entity" in str(unknown_label("x", (), where="label"))
    assert isinstance(unknown_label("x", (), where="label"), InputError)
