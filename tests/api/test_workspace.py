"""The working folder: found like git's, its steps done once for the same inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.workspace import Workspace, find_workspace
from kg.errors import ForeignFileError, MissingPartError


def test_the_nearest_folder_going_up_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UMBRA_FOLDER", raising=False)
    (tmp_path / ".umbra").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_workspace().folder == tmp_path / ".umbra"
    monkeypatch.setenv("UMBRA_FOLDER", str(tmp_path / "named"))
    assert find_workspace().folder == tmp_path / "named"
    assert find_workspace(tmp_path / "given").folder == tmp_path / "given"


def test_a_file_in_its_place_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / ".umbra"
    path.write_text("mine")
    with pytest.raises(ForeignFileError, match="a file stands where"):
        Workspace(path).create()
    assert path.read_text() == "mine"


def test_a_step_is_done_for_its_inputs_only(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.done("link", "a") is None
    with workspace.doing("link", "a") as outcome:
        outcome["rows"] = 3
    done = workspace.done("link", "a")
    assert done is not None
    assert done["rows"] == 3
    assert workspace.done("link", "b") is None
    assert workspace.recorded("link")["rows"] == 3


def test_a_step_that_fails_is_not_done(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(RuntimeError), workspace.doing("link", "a"):
        raise RuntimeError
    assert workspace.done("link", "a") is None
    with pytest.raises(MissingPartError, match="link"):
        workspace.recorded("link")


def test_a_foreign_stamp_is_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.step("link").parent.mkdir()
    workspace.step("link").write_text("not ours")
    with pytest.raises(ForeignFileError, match=r"link\.json"):
        workspace.done("link", "a")
