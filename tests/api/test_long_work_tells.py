"""Commands that encode or train for long tell how far they are, on stderr."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.main import main
from api.workspace import Workspace
from tests.api.test_link_train import MAP, entities, table, umbra, write


@pytest.fixture(autouse=True)
def at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.cli.printing.EVERY_S", 0.0)


def test_training_a_linker_and_linking_tell_each_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = table(tmp_path / "known.csv")
    base = write(tmp_path / "entities.jsonl", entities())
    to = ("--linker", tmp_path / "linker", "--entities", base)
    trained = ("--entities", base, "--save", tmp_path / "linker", "--gold", "key", "--trees", 20)
    trained = (*trained, "--folder", tmp_path / "trained")
    assert umbra("link", "train", known, *MAP, *trained, "--json") == 0
    told = capsys.readouterr().err.splitlines()
    parts = list(dict.fromkeys(line.partition(":")[0] for line in told))
    assert parts == ["encoding entities", "encoding mentions", "describing", "training"]
    assert any(line.endswith("1 of 1 rankers") for line in told)
    to = (*to, "--out", tmp_path / "links.jsonl", "--folder", tmp_path / "linked")
    assert umbra("link", "run", known, *MAP, *to, "--json") == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("encoding entities: ")
    assert told[-1].endswith("mentions")


@pytest.mark.parametrize(
    "command", [["search", "turkey"], ["context", "turkey"], ["suggest", "republic"]]
)
def test_a_search_tells_what_it_encodes_and_only_where_texts_are_new(
    stored: Workspace, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    place = ["--folder", str(stored.folder)]
    assert main(["graph", "reindex", *place]) == 0
    line = capsys.readouterr().err.splitlines()[-1]
    done, _, total = line.removeprefix("encoding texts: ").removesuffix(" texts").partition(" of ")
    assert int(done) == int(total) > 10
    assert main([*command, "--json", *place]) == 0
    assert "encoding texts" not in capsys.readouterr().err
    for file in stored.indexes.glob("meaning-*"):
        file.unlink()
    assert main([*command, "--json", *place]) == 0
    assert line in capsys.readouterr().err.splitlines()
