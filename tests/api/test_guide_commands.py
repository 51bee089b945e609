"""The guides to linking, word for word: their commands run one after another as a user types them.

The graph is that of a dozen countries, the encoders are tiny; the tables are as they are shipped.
"""

from __future__ import annotations

import io
import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.main import main
from api.workspace import Workspace
from evaluation import read_result
from tests.api.reader_folder import reading_in
from tests.api.tiny_world import SETTINGS
from tests.meta.test_guides import DOCS, blocks

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def place(
    tiny_demo: Workspace, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder as the project's, with less data, and the demo beside it."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "countries").symlink_to(tiny_data)
    shutil.copytree(DOCS.parent / "examples" / "linking", tmp_path / "examples" / "linking")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / ".umbra").symlink_to(tiny_demo.folder)
    (tmp_path / ".umbra").mkdir()
    (tmp_path / ".umbra" / "umbra.toml").write_text(SETTINGS, encoding="utf-8")
    with reading_in(tmp_path, monkeypatch) as folder:
        yield folder


def commands(page: str) -> Iterator[list[str]]:
    for block in blocks(page):
        if block["kind"] == "sh" and not block["skip"]:
            yield from (shlex.split(line)[1:] for line in block["text"].splitlines())


def links(path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_the_guides_run_word_for_word(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = 0
    seen: dict[str, list[dict[str, object]]] = {}
    for page in ("link-your-table", "check-your-links", "review-links"):
        for command in commands(page):
            monkeypatch.setattr("sys.stdin", io.StringIO("n\nq\n"))  # one answer, then quit
            code = main(command)
            told = capsys.readouterr().err
            assert code == 0, (command, told)
            if "--out" in command and not (out := command[command.index("--out") + 1]).endswith(
                "parquet"
            ):
                seen[" ".join(command)] = links(out)
            ran += 1
    assert ran >= 30
    first = next(rows for line, rows in seen.items() if "trade.csv" in line)
    assert [row["mention"] for row in first] == ["1", "2", "3", "4", "5", "6"]
    assert {row["state"] for row in first} <= {"linked", "nil", "review"}
    rejects = links(str(place / ".umbra" / "rejects" / "trade.csv.rejects.jsonl"))
    assert (rejects[0]["line"], rejects[0]["reason"]) == (8, "3 fields, the header has 4")
    flags = next(rows for line, rows in seen.items() if "flags.csv" in line)
    assert [row["state"] for row in flags[1:]] == ["failed", "failed"]
    assert flags[0]["state"] != "failed"
    boats = [rows for line, rows in seen.items() if "boats.csv" in line]
    for rows in boats:
        named = rows[0]["candidates"]
        assert isinstance(named, list)
        assert named[0]["entity"] == "river:AD"
    assert read_result(place / "check.json").protocol == "link-check"
    log = Workspace(place / ".umbra").review.read_text(encoding="utf-8")
    assert '"kind": "reject"' in log  # the one answer
    assert json.loads(Path("pairs.jsonl").read_text())["entity_id"] is None


def test_the_table_of_the_guide_is_the_one_that_is_shipped() -> None:
    shown = {block["text"] for block in blocks("link-your-table")}
    for name in ("trade.csv", "flags.csv"):
        assert (DOCS.parent / "examples" / "linking" / name).read_text() in shown
