"""What is broken, missing or foreign: one clear error each, and nothing half written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.engine import Engine
from api.settings import load_settings
from api.steps.build import build_graph
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import (
    CheckpointMismatchError,
    ForeignFileError,
    FormatVersionError,
    InputError,
    JobError,
    MappingError,
    SettingError,
    StoreUnavailableError,
)
from kg.launcher import LauncherConfig, attach
from kg.model import EntityKey
from tests.api.command_line import Shown, refused

QUESTION = "MATCH (c:Country)-[:borders]->(:Country {name: 'Kazakhstan'}) RETURN c"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UMBRA_FOLDER", raising=False)


@pytest.fixture
def data(tiny_data: Path, tmp_path: Path) -> Path:
    """A copy of the data that a test may break."""
    for name in ("graph.toml", "countries.jsonl.gz", "flags"):
        source = tiny_data / name
        target = tmp_path / "data" / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return tmp_path / "data"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty graph in memory."""
    workspace = Workspace(tmp_path / ".umbra")
    workspace.create()
    with Engine(workspace, store=MemoryStore()) as engine:
        yield engine


def rejects(outcome: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(outcome["rejects_file"]).read_text().splitlines()]


BROKEN = {
    "cut": lambda whole: whole[: len(whole) // 2],
    "text": lambda _: b"this is no picture",
    "empty": lambda _: b"",
    "bomb": lambda _: (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\x00\x00\x00"
        b"\x00\x00\x00\x00\x00\x00\x00\x00IEND\xaeB`\x82"
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_picture_is_a_reject_and_the_build_goes_on(
    engine: Engine, data: Path, how: str
) -> None:
    picture = data / "flags" / "KZ.png"
    picture.write_bytes(BROKEN[how](picture.read_bytes()))
    outcome = build_graph(engine, data / "graph.toml")
    (reject,) = rejects(outcome)
    assert reject["reason"]
    assert "KZ.png" in json.dumps(reject)
    assert "\n" not in reject["reason"]
    kept = engine.store.entity(EntityKey("country:KZ"))
    assert kept is not None
    assert kept.images == ()
    other = engine.store.entity(EntityKey("country:UZ"))
    assert other is not None
    assert len(other.images) == 1
    files = [path for path in engine.workspace.images.rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".png"]) <= 7
    assert not [path for path in files if path.name.endswith(".part")]


def test_too_many_rejects_end_a_build_that_can_go_on(engine: Engine, data: Path) -> None:
    (data / "flags" / "KZ.png").unlink()
    with pytest.raises(JobError, match="1 rejects, more than the 0 allowed"):
        build_graph(engine, data / "graph.toml", max_errors=0)
    (line,) = (engine.workspace.rejects / "graph.jsonl").read_text().splitlines()
    assert "KZ" in line
    assert build_graph(engine, data / "graph.toml")["entities"] > 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('label = "Country"', 'label = "Country"\ncolour = "red"', "colour"),
        ("format = 1", "format = 99", "format 1"),
        ('key = "country:{cca2}"', 'key = "country:{cca2"', "country:"),
        ('file = "countries.jsonl.gz"', 'file = "../../../etc/passwd"', "passwd"),
        ('file = "countries.jsonl.gz"', 'file = "missing.jsonl"', "missing.jsonl"),
        ("format = 1", "format = = 1", "TOML"),
    ],
)
def test_a_wrong_mapping_is_named_and_writes_nothing(
    engine: Engine, data: Path, before: str, after: str, told: str
) -> None:
    mapping = data / "graph.toml"
    mapping.write_text(mapping.read_text().replace(before, after, 1))
    with pytest.raises((MappingError, InputError, FormatVersionError)) as refusal:
        build_graph(engine, mapping)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert list(engine.store.entities()) == []
    assert not engine.workspace.rejects.exists()


def test_a_checkpoint_of_another_snapshot_is_refused_by_name(
    tiny_demo: Workspace, tmp_path: Path, capsys: Shown
) -> None:
    workspace = Workspace(tmp_path / ".umbra")
    shutil.copytree(tiny_demo.snapshot("full"), workspace.snapshot("full"))
    shutil.copytree(tiny_demo.model("evaluation", "symbolic"), workspace.model("full", "symbolic"))
    with Engine(workspace) as engine, pytest.raises(CheckpointMismatchError) as refusal:
        engine.ask(QUESTION)
    hashes = [tiny_demo.recorded(f"snapshot-{name}")["hash"] for name in ("evaluation", "full")]
    assert [refusal.value.trained_on, refusal.value.asked_for] == hashes
    line = refused(capsys, 3, "ask", QUESTION, "--folder", workspace.folder)
    assert all(name[:12] in line for name in hashes)


@pytest.mark.parametrize("file", ["model.safetensors", "snapshot.json"])
def test_a_damaged_snapshot_or_model_is_one_line(
    tiny_demo: Workspace, tmp_path: Path, capsys: Shown, file: str
) -> None:
    workspace = Workspace(tmp_path / ".umbra")
    shutil.copytree(tiny_demo.snapshot("evaluation"), workspace.snapshot("full"))
    shutil.copytree(tiny_demo.model("evaluation", "symbolic"), workspace.model("full", "symbolic"))
    damaged = 0
    folder = (
        workspace.snapshot("full") if "snapshot" in file else workspace.model("full", "symbolic")
    )
    for path in folder.rglob("*"):
        if path.suffix == Path(file).suffix:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            damaged += 1
    assert damaged
    refused(capsys, 3, "ask", QUESTION, "--folder", workspace.folder)


@pytest.mark.parametrize("java", ["missing", "false", "text"])
def test_a_java_that_cannot_start_names_its_log(tmp_path: Path, java: str) -> None:
    program = {"missing": tmp_path / "no-java", "false": Path("/bin/false"), "text": tmp_path / "t"}
    if java == "text":
        program["text"].write_text("no program")
        program["text"].chmod(0o755)
    folder = tmp_path / "graph"
    with pytest.raises(StoreUnavailableError) as refusal:
        attach(folder, LauncherConfig(java=program[java], start_timeout_s=20))
    assert refusal.value.hint is not None
    named = [word for word in refusal.value.hint.split() if word.endswith(".log")]
    assert len(named) == 1
    assert Path(named[0]).is_file()
    assert not (folder / "endpoint.json").exists()


def test_a_java_that_cannot_start_is_exit_code_5(
    tmp_path: Path, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UMBRA_JAVA", str(tmp_path / "no-java"))
    mapping = tmp_path / "graph.toml"
    (tmp_path / "rows.jsonl").write_text('{"id": "x"}\n')
    mapping.write_text(
        'format = 1\n[[entities]]\nfile = "rows.jsonl"\nlabel = "Thing"\n'
        'key = "thing:{id}"\nname = "{id}"\n'
    )
    line = refused(capsys, 5, "build", mapping, "--folder", tmp_path / ".umbra")
    assert ".log" in line


@pytest.mark.parametrize("place", ["", "graph"])
def test_a_foreign_file_stays_untouched(
    tmp_path: Path, data: Path, capsys: Shown, place: str
) -> None:
    folder = tmp_path / "world"
    path = folder / place if place else folder
    path.parent.mkdir(exist_ok=True)
    path.write_text("a letter")
    line = refused(capsys, 3, "build", data / "graph.toml", "--folder", folder)
    assert str(path) in line
    assert path.read_text() == "a letter"


def test_a_foreign_folder_where_the_store_should_be_stays_untouched(
    tmp_path: Path, data: Path, capsys: Shown
) -> None:
    graph = tmp_path / "world" / "graph"
    graph.mkdir(parents=True)
    (graph / "thesis.txt").write_text("a letter")
    refused(capsys, 3, "build", data / "graph.toml", "--folder", graph.parent)
    assert [path.name for path in graph.iterdir()] == ["thesis.txt"]
    assert (graph / "thesis.txt").read_text() == "a letter"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("timeout_s = ", "TOML"),
        ("timeout_s = -1\n", "timeout_s"),
        ("colour = 'red'\n", "colour"),
        ("\x00\xff", "umbra"),
    ],
)
def test_broken_settings_are_named(tmp_path: Path, capsys: Shown, text: str, told: str) -> None:
    folder = tmp_path / ".umbra"
    folder.mkdir()
    (folder / "umbra.toml").write_text(text, encoding="latin-1")
    with pytest.raises(SettingError, match=told):
        load_settings(folder / "umbra.toml")
    for command in (["info"], ["cypher", "RETURN 1"], ["serve", "--port", "0"]):
        line = refused(capsys, 2, *command, "--folder", folder)
        assert "umbra.toml" in line
    assert [path.name for path in folder.iterdir()] == ["umbra.toml"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ('{"format": 99, "inputs": "x", "outcome": {}}', FormatVersionError),
        ('{"format": 0}', FormatVersionError),
        ('{"format": 1}', ForeignFileError),
        ('{"format": 1, "inputs": "x", "outcome": 3}', ForeignFileError),
        ("[1, 2]", ForeignFileError),
        ("not JSON", ForeignFileError),
        ("", ForeignFileError),
    ],
)
def test_a_stamp_that_is_not_ours_is_named(tmp_path: Path, content: str, kind: type) -> None:
    workspace = Workspace(tmp_path)
    path = workspace.step("links")
    path.parent.mkdir()
    path.write_text(content)
    for read in (lambda: workspace.done("links", "x"), lambda: workspace.recorded("links")):
        with pytest.raises(kind, match="links"):
            read()
    assert path.read_text() == content
