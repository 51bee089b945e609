"""A backup holds all of the graph, comes back equal, and is refused whole if it is damaged."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main
from api.engine import Engine
from api.steps.backup import backup_graph, restore_graph
from api.steps.check_graph import check_folder
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import ConflictError, EngineError, ForeignFileError, FormatVersionError, InputError
from kg.store import Store
from tests.api.world import WorldEngine, open_world


@pytest.fixture
def world(tmp_path: Path) -> WorldEngine:
    engine = open_world(tmp_path / "world")
    engine.workspace.review.parent.mkdir()
    engine.workspace.review.write_text('{"decision": 1}\n')
    return engine


@pytest.fixture
def backup(world: WorldEngine, tmp_path: Path) -> Path:
    path = tmp_path / "world.umbra.zip"
    backup_graph(world, path)
    return path


def empty(folder: Path) -> Engine:
    return Engine(Workspace(folder), store=MemoryStore())


def content(store: Store) -> list[Any]:
    return [*store.entities(), *store.edges()]


def test_a_restored_graph_equals_the_one_that_was_backed_up(
    world: WorldEngine, backup: Path, tmp_path: Path
) -> None:
    other = empty(tmp_path / "other")
    held = restore_graph(other, backup)
    assert content(other.store) == content(world.store)
    assert held["entities"] == len(list(world.store.entities())) > 0
    assert held["images"] > 0
    assert check_folder(other) == []  # every image is there and whole
    assert other.workspace.review.read_text() == world.workspace.review.read_text()
    assert not (other.workspace.folder / "restoring").exists()


def test_a_restore_that_was_interrupted_goes_on(
    world: WorldEngine, backup: Path, tmp_path: Path
) -> None:
    other = empty(tmp_path / "other")

    def interrupt(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_graph(other, backup, progress=interrupt)
    restore_graph(other, backup)
    assert content(other.store) == content(world.store)


def test_a_graph_is_never_restored_over(world: WorldEngine, backup: Path) -> None:
    before = content(world.store)
    with pytest.raises(ConflictError, match="a graph already"):
        restore_graph(world, backup)
    assert content(world.store) == before


def test_a_backup_of_a_graph_that_lacks_an_image_is_refused_and_leaves_no_file(
    world: WorldEngine, tmp_path: Path
) -> None:
    image = next(e.images[0] for e in world.store.entities() if e.images)
    world.images.path(image.sha256).unlink()
    with pytest.raises(InputError, match="image of the graph is missing"):
        backup_graph(world, tmp_path / "none.zip")
    assert not (tmp_path / "none.zip").exists()


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """Write an archive anew with some members changed or left out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, before in members.items():
            after = change(name, before)
            if after is not None:
                archive.writestr(name, after)


def manifest(**changes: Any) -> Callable[[str, bytes], bytes]:
    def change(name: str, before: bytes) -> bytes:
        return before if name != "manifest.json" else json.dumps(
            json.loads(before) | changes
        ).encode()  # fmt: skip

    return change


DAMAGE: dict[str, tuple[Callable[[str, bytes], bytes | None], type[EngineError]]] = {
    "a changed row": (
        lambda name, b: b.replace(b'"name"', b'"nama"', 1) if name == "graph.jsonl" else b,
        ForeignFileError,
    ),
    "a row too many": (
        lambda name, b: b + b"{}\n" if name == "graph.jsonl" else b,
        ForeignFileError,
    ),
    "no graph": (lambda name, b: None if name == "graph.jsonl" else b, ForeignFileError),
    "no manifest": (lambda name, b: None if name == "manifest.json" else b, ForeignFileError),
    "an image lost": (
        lambda name, b: None if name.startswith("images/") else b,
        ForeignFileError,
    ),
    "an image changed": (
        lambda name, b: b + b"x" if name.startswith("images/") else b,
        ForeignFileError,
    ),
    "a bomb": (
        lambda name, b: bytes(50_000_000) if name == "graph.jsonl" else b,
        ForeignFileError,
    ),
    "another format": (manifest(format=99), FormatVersionError),
    "a way out of the folder": (manifest(files={"../../x": "0"}), ForeignFileError),
    "an unknown field": (manifest(more=1), ForeignFileError),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_is_refused_before_anything_is_written(
    damage: str, backup: Path, tmp_path: Path
) -> None:
    change, error = DAMAGE[damage]
    rewritten(backup, change)
    other = empty(tmp_path / "other")
    with pytest.raises(error):
        restore_graph(other, backup)
    assert content(other.store) == []
    assert not any(tmp_path.glob("x"))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_backup_that_was_cut_off_is_refused(share: float, backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(share * len(whole))])
    other = empty(tmp_path / "other")
    with pytest.raises(ForeignFileError, match="not a whole backup"):
        restore_graph(other, backup)
    assert content(other.store) == []


def test_the_commands_back_up_and_restore_the_embedded_store(
    world: WorldEngine, backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, again = str(tmp_path / "embedded"), str(tmp_path / "again.zip")
    assert main(["graph", "restore", str(backup), "--folder", folder]) == 0
    assert main(["graph", "check", "--folder", folder]) == 0
    assert main(["graph", "backup", again, "--folder", folder, "--json"]) == 0
    capsys.readouterr()
    other = empty(tmp_path / "other")
    restore_graph(other, Path(again))
    assert content(other.store) == content(world.store)
    assert main(["graph", "restore", again, "--folder", folder]) != 0
    assert main(["graph", "restore", str(tmp_path / "none.zip"), "--folder", folder + "2"]) != 0
    said = capsys.readouterr().err
    assert "a graph already" in said
    assert "no such file" in said
    assert main(["store", "stop", "--folder", folder]) == 0
