"""What may go wrong in a linking job, as a user of `umbra link run` meets it.

Each ends in a reject that is named, or in a clean stop after which the same command goes on. Of
pictures `tests.api.test_link_command` tells.
"""

from __future__ import annotations

import gzip
import json
import resource
import shutil
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main
from tests.linkers.boosted.made_world import entities, mentions, write

Shown = pytest.CaptureFixture[str]

ROWS = [
    {"id": row["id"], "mention": row["mention"], "context": row["context"]}
    for row in mentions(40, seed=5)
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a linker and the entities that it was trained on."""
    folder = tmp_path_factory.mktemp("trained")
    known = write(folder / "known.jsonl", mentions(120))
    base = write(folder / "entities.jsonl", entities())
    places = ("--entities", base, "--save", folder / "linker", "--folder", folder / ".umbra")
    named = ("--map", "surface=mention", "--map", "document=caption_id", "--gold", "entity_id")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UMBRA_TEXT_ENCODER", "tiny")
        assert umbra("link", "train", known, *named, *places, "--trees", 5) == 0
    return folder


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UMBRA_TEXT_ENCODER", "tiny")
    monkeypatch.setenv("UMBRA_FOLDER", str(tmp_path / ".umbra"))


def umbra(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def link(
    trained: Path, shown: Shown, table: Path, out: Path, *more: object
) -> tuple[int, dict[str, Any], str]:
    """Run the command; return exit code, what it found, and what it said on stderr."""
    shown.readouterr()
    to = ("--linker", trained / "linker", "--entities", trained / "entities.jsonl")
    given = ("--map", "surface=mention", "--shard-rows", 8, "--out", out, *more)
    code = umbra("link", "run", table, *to, *given, "--json")
    printed = shown.readouterr()
    assert "Traceback" not in printed.err
    return code, json.loads(printed.out) if printed.out else {}, printed.err


def test_a_full_disk_stops_it_and_the_same_command_goes_on(
    trained: Path, tmp_path: Path, capsys: Shown
) -> None:
    table, out = write(tmp_path / "full.jsonl", ROWS), tmp_path / "links.jsonl"
    assert link(trained, capsys, table, out)[0] == 0
    whole = out.read_bytes()
    out.unlink()
    shutil.rmtree(tmp_path / ".umbra")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit, ending, full in ((2_000, 3, "ledger.sqlite"), (len(whole) - 1, 1, "links.jsonl")):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            code, _, told = link(trained, capsys, table, out)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (code, full in told) == (ending, True)
        assert not out.exists()
    assert link(trained, capsys, table, out)[0] == 0
    assert out.read_bytes() == whole


def test_a_damaged_file_of_the_table_is_named_and_the_mended_one_is_linked(
    trained: Path, tmp_path: Path, capsys: Shown
) -> None:
    folder, out = tmp_path / "in", tmp_path / "links.jsonl"
    folder.mkdir()
    write(folder / "a.jsonl", ROWS[:8])
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS[8:]).encode())
    (folder / "b.jsonl.gz").write_bytes(whole[:-20])
    code, _, told = link(trained, capsys, folder, out)
    assert code == 2
    assert "b.jsonl.gz" in told
    assert not out.exists()
    (folder / "b.jsonl.gz").write_bytes(whole)
    code, found, _ = link(trained, capsys, folder, out)
    assert (code, found["state"]) == (0, "done")
    assert len(out.read_text().splitlines()) == len(ROWS)


def test_corrupt_shards_are_linked_again(trained: Path, tmp_path: Path, capsys: Shown) -> None:
    table, out = write(tmp_path / "table.jsonl", ROWS), tmp_path / "links.jsonl"
    assert link(trained, capsys, table, out)[0] == 0
    whole = out.read_bytes()
    out.unlink()
    kept = sorted(path for path in tmp_path.rglob("outputs/**/*") if path.is_file())
    cut, changed, gone = kept[:3]
    cut.write_bytes(cut.read_bytes()[:-9])
    changed.write_bytes(b"0" * changed.stat().st_size)
    gone.unlink()
    assert link(trained, capsys, table, out)[0] == 0
    assert out.read_bytes() == whole


def test_a_line_of_100_mb_is_a_reject_with_its_number(
    trained: Path, tmp_path: Path, capsys: Shown
) -> None:
    table, out = write(tmp_path / "long.jsonl", ROWS[:3]), tmp_path / "links.jsonl"
    with table.open("ab") as file:
        file.write(b'{"id": "long", "mention": "' + b"a" * 100_000_000 + b'"}\n')
        file.write(json.dumps(ROWS[3]).encode() + b"\n")
    code, found, _ = link(trained, capsys, table, out)
    (reject,) = map(json.loads, Path(found["rejects_file"]).read_text().splitlines())
    assert (reject["file"], reject["line"]) == ("long.jsonl", 4)
    assert reject["reason"] == "longer than 4,194,304 bytes"
    assert (code, found["state"], found["rejects"]) == (0, "done", 1)
    links = [json.loads(line)["mention"] for line in out.read_text().splitlines()]
    assert links == [row["id"] for row in ROWS[:4]]


def test_a_folder_without_a_linker_is_named(trained: Path, tmp_path: Path, capsys: Shown) -> None:
    table = write(tmp_path / "few.jsonl", ROWS[:3])
    given = ("--entities", trained / "entities.jsonl", "--out", tmp_path / "links.jsonl")
    assert umbra("link", "run", table, "--linker", tmp_path / "none", *given) == 3
    assert "no linker lies there, in " in capsys.readouterr().err
