"""`umbra link text`, its REST route and Python say the same of a text."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.main import main
from api.engine import Engine
from api.routes.examples import TEXTS
from api.steps.link_text import TextSource, link_plain_text
from api.text_schemas import MAX_REQUEST, TextLinksOut
from api.workspace import Workspace
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem

TEXT = "From Kazakhstan to ALGERIA; not Zembla."
Shown = pytest.CaptureFixture[str]


def run(shown: Shown, folder: Path, *arguments: object) -> tuple[int, str, str]:
    shown.readouterr()
    code = main(["link", "text", *map(str, arguments), "--folder", str(folder)])
    printed = shown.readouterr()
    return code, printed.out, printed.err


def test_every_door_finds_the_same_mentions(
    tiny_demo: Workspace, tmp_path: Path, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "report.txt", tmp_path / "links.jsonl"
    file.write_text(TEXT, encoding="utf-8-sig")
    code, printed, _ = run(capsys, tiny_demo.folder, file, "--out", out, "--json")
    assert code == 0
    by_command = TextLinksOut.model_validate_json(printed)
    assert [TEXT[m.start : m.end] for m in by_command.mentions] == ["Kazakhstan", "ALGERIA"]
    assert by_command.mentions[0].candidates[0].entity == "country:KZ"
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert lines == [m.model_dump(mode="json") for m in by_command.mentions]
    with Engine(tiny_demo) as engine:
        assert link_plain_text(engine, TEXT, TextSource(name="report.txt")) == by_command
        with TestClient(create_app(engine), base_url=ADDRESS) as client:
            sent = {"text": TEXT, "name": "report.txt"}
            for _ in range(2):
                response = client.post("/v1/link/text", json=sent)
                assert TextLinksOut.model_validate(response.json()) == by_command
            too_long = client.post("/v1/link/text", json={"text": "x" * (MAX_REQUEST + 1)})
            problem(too_long, "invalid-request", 422)
    monkeypatch.setattr("sys.stdin", io.StringIO(TEXT))
    for given in ("-", TEXT):
        code, printed, _ = run(capsys, tiny_demo.folder, given)
        assert code == 0
        assert "5-15" in printed
        assert "Zembla" not in printed


def test_what_cannot_be_linked_is_said_in_one_line(tmp_path: Path, capsys: Shown) -> None:
    broken, long = tmp_path / "broken.txt", tmp_path / "long.txt"
    broken.write_bytes(b"Peru \xff")
    long.write_bytes(b"x" * 900_000)
    for given, said, code in (
        (tmp_path / "nowhere.txt", "no such text file", 2),
        (broken, "byte 5 is no UTF-8", 2),
        (long, "split it", 4),
        ("y" * 200_001, "200,001 characters", 4),
        ("Peru", "no linker is trained", 3),
    ):
        found, out, line = run(capsys, tmp_path / ".umbra", given)
        assert (found, out, line.count("\n")) == (code, "", 1)
        assert said in line
    assert not (tmp_path / ".umbra").exists()


def test_without_a_linker_the_example_is_a_declared_problem(client: TestClient) -> None:
    problem(client.post("/v1/link/text", json=TEXTS["report"]["value"]), "missing-part", 503)
    document = client.get("/openapi.json").json()["paths"]["/v1/link/text"]["post"]
    assert document["requestBody"]["content"]["application/json"]["examples"] == TEXTS
