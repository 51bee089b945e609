"""`umbra link review`: list, decide from a file, ask in a terminal, go on, undo."""

from __future__ import annotations

import json
import os
import pty
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import api.engine
from api.cli.main import main
from api.cli.review_screen import ReviewScreen, read_key
from api.review_desk import ReviewDesk
from api.review_schemas import CasesOut, DecisionIn, DecisionsOut
from kg.model import Entity, EntityKey
from tests.api.world import WorldEngine, open_world

Shown = pytest.CaptureFixture[str]
CASES = (
    ("m1", "Turkiye", ("TR", "GR"), (0.45, 0.2)),
    ("m2", "Hellas", ("TR", "GR"), (0.41, 0.4)),
    ("m3", "\x1b[2JZembla", ("ML",), (0.1,)),
    ("m4", "Turkiye", ("TR", "GR"), (0.46, 0.2)),
)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorldEngine]:
    with open_world(tmp_path / ".umbra") as engine:
        monkeypatch.setattr(api.engine.Engine, "open", lambda *_, **__: engine)
        yield engine


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """What a linking job has read and written."""
    links, mentions = tmp_path / "links.jsonl", tmp_path / "mentions.jsonl"
    with links.open("w") as out, mentions.open("w") as rows:
        for name, surface, codes, chances in CASES:
            text = f"Ships reached {surface} ({name})."
            rows.write(json.dumps({"id": name, "words": surface, "context": text}) + "\n")
            candidates = [
                {"entity": f"country:{code}", "score": 0.0, "probability": chance,
                 "signals": {"spelling": chance}}
                for code, chance in zip(codes, chances, strict=True)
            ]  # fmt: skip
            nil = round(1 - sum(chances), 6)
            state = "nil" if nil > max(chances) else "review"
            link = {
                "mention": name, "state": state, "probability": max(nil, *chances),
                "entity": None if state == "nil" else f"country:{codes[0]}",
                "nil_probability": nil, "reason": None, "candidates": candidates,
            }  # fmt: skip
            out.write(json.dumps(link) + "\n")
    return links, mentions


def run(shown: Shown, *arguments: object, code: int = 0) -> str:
    shown.readouterr()
    found = main(["link", "review", *map(str, arguments)])
    printed = shown.readouterr()
    assert found == code, printed.err
    return printed.out


@pytest.fixture
def loaded(engine: WorldEngine, files: tuple[Path, Path], capsys: Shown) -> CasesOut:
    assert engine.workspace.review.exists() is False
    links, mentions = files
    wanted = (links, "--mentions", mentions, "--map", "surface=words")
    found = run(capsys, *wanted, "--list", "--json")
    assert run(capsys, *wanted, "--list", "--json") == found  # loading again changes nothing
    return CasesOut.model_validate_json(found)


def test_the_most_useful_case_comes_first(loaded: CasesOut, capsys: Shown) -> None:
    assert [case.mention for case in loaded.cases][:3] == ["Turkiye", "Turkiye", "Hellas"]
    assert loaded.open == 4
    first = loaded.cases[0]
    assert first.context is not None
    assert [c.name for c in first.candidates] == ["Turkey", "Greece"]
    printed = run(capsys, "--list", "--limit", 2)
    assert "Turkey [country:TR]" in printed
    assert "4 open, 0 decided" in printed
    assert "\x1b" not in run(capsys, "--list")


def test_decisions_of_a_file_are_made_once(
    engine: WorldEngine, loaded: CasesOut, tmp_path: Path, capsys: Shown
) -> None:
    by_words = {case.mention: case.id for case in loaded.cases}
    rows: list[Any] = [
        {"case": by_words["Hellas"], "kind": "other", "entity": "Greece"},
        {"case": by_words["Turkiye"], "kind": "accept", "who": "bob"},
        {"case": by_words["Turkiye"], "kind": "reject"},
        {"case": "none", "kind": "accept"},
        {"kind": "approve"},
        "not an object",
        {"case": by_words["\x1b[2JZembla"], "kind": "other", "entity": "Grece"},
    ]
    file = tmp_path / "decisions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for _ in range(2):
        outcome = json.loads(run(capsys, "--decide", file, "--who", "ada", "--json", code=2))
        assert {kind: outcome[kind] for kind in ("other", "accept")} == {"other": 1, "accept": 1}
        assert [reject["line"] for reject in outcome["rejects"]] == [3, 4, 5, 6, 7]
    assert "greece" in outcome["rejects"][-1]["reason"]
    greece = engine.store.entity(EntityKey("country:GR"))
    assert greece is not None
    assert "Hellas" in greece.aliases
    log = DecisionsOut.model_validate_json(run(capsys, "--log", "--json")).decisions
    assert [(d.kind, d.who, d.entity, d.state) for d in log] == [
        ("other", "ada", "country:GR", "done"),
        ("accept", "bob", "country:TR", "done"),
    ]
    assert "Hellas" in run(capsys, "--log")
    back = tmp_path / "back.jsonl"
    back.write_text('{"kind": "undo", "undoes": 2}\n')
    assert json.loads(run(capsys, "--decide", back, "--who", "ada", "--json"))["undo"] == 1
    outcome = json.loads(run(capsys, "--decide", file, "--who", "ada", "--json", code=2))
    # line 3 decides the case anew, line 2 is what was undone
    assert [outcome.get(kind) for kind in ("other", "accept", "undone", "reject")] == [
        1, None, 1, 1,
    ]  # fmt: skip


def test_decisions_go_to_other_tools_and_come_back(
    engine: WorldEngine, loaded: CasesOut, tmp_path: Path, capsys: Shown
) -> None:
    (hellas,) = [case for case in loaded.cases if case.mention == "Hellas"]
    ReviewDesk(engine).decide(DecisionIn(kind="other", case=hellas.id, entity="Greece", who="ada"))
    engine.workspace.review.rename(tmp_path / "elsewhere.jsonl")
    for name, rows in (("tasks.json", 4), ("mappings.tsv", 4), ("pairs.jsonl", 1)):
        (tmp_path / "elsewhere.jsonl").rename(engine.workspace.review)
        written = json.loads(run(capsys, "--export", tmp_path / name, "--json"))
        assert written == {"rows": rows, "output": str(tmp_path / name)}
        engine.workspace.review.rename(tmp_path / "elsewhere.jsonl")
        if name != "pairs.jsonl":
            for made, held in ((1, 0), (0, 1)):
                found = json.loads(run(capsys, "--import", tmp_path / name, "--json"))
                assert found == {"made": made, "held_already": held, "rejects": []}
            assert "ada" in run(capsys, "--log")
            engine.workspace.review.unlink()
    run(capsys, "--import", tmp_path / "pairs.jsonl", code=2)
    run(capsys, "--export", tmp_path / "x.xml", code=2)
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    tasks[-1]["data"]["umbra"]["id"] = "\x1b[2J"
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    assert "rejects 1" in run(capsys, "--import", tmp_path / "tasks.json", code=2)


def answered(desk: ReviewDesk, keys: str, *lines: str) -> int:
    """Run the screen with these keys and lines of input, then the end of input."""
    given_keys, given_lines = iter(keys), iter(lines)

    def key(_prompt: str) -> str:
        try:
            return next(given_keys)
        except StopIteration:
            raise EOFError from None

    return ReviewScreen(desk, "ada", key=key, line=lambda _: next(given_lines)).run()


@pytest.mark.usefixtures("loaded")
def test_keys_decide_undo_skip_and_go_on(engine: WorldEngine, capsys: Shown) -> None:
    desk = ReviewDesk(engine)
    assert answered(desk, "x9u") == 0  # no such key, no such candidate, nothing to undo
    printed = capsys.readouterr().out
    assert "no answer has this key" in printed
    assert "nothing to undo" in printed
    assert "Ships reached [Turkiye]" not in printed  # the place of the words was not declared
    assert answered(desk, "a2q") == 2
    assert [d.kind for d in desk.decisions().decisions] == ["accept", "other"]
    assert answered(ReviewDesk(engine), "su") == 0
    assert [d.state for d in desk.decisions().decisions] == ["done", "undone", "done"]
    assert answered(ReviewDesk(engine), "own", "Greece", "New Zembla", "", "") == 3
    done = [d for d in desk.decisions().decisions if d.state == "done"]
    assert [d.kind for d in done] == ["accept", "undo", "other", "new", "reject"]
    made = engine.store.entity(EntityKey("country:new-zembla"))
    assert made is not None
    assert (made.label, made.name) == ("Country", "New Zembla")
    assert desk.cases().open == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.usefixtures("loaded")
def test_the_command_reads_answers_from_a_pipe(
    capsys: Shown, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.txt"
    answers.write_text("accept\nn\nq\n")
    with answers.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        printed = run(capsys, "--who", "ada")
    assert "review: decided 2" in printed
    assert "review: open 2" in printed


def test_one_key_is_enough_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        with _pressed(master, b"a"):
            assert read_key("> ") == "a"
        with _pressed(master, b"\x04"), pytest.raises(EOFError):
            read_key("> ")
    os.close(master)


@contextmanager
def _pressed(master: int, key: bytes) -> Iterator[None]:
    """Press a key as soon as keys are read one by one: before that, Ctrl+D ends a line."""

    def press() -> None:
        while termios.tcgetattr(master)[3] & termios.ICANON:
            time.sleep(0.001)
        os.write(master, key)

    thread = threading.Thread(target=press, daemon=True)
    thread.start()
    yield
    thread.join()


def test_duplicates_become_cases_that_a_key_merges(engine: WorldEngine, capsys: Shown) -> None:
    copy = Entity(key=EntityKey("land:turkiye"), label="Country", name="TURKEY")
    engine.store.upsert_entities([copy])
    capsys.readouterr()
    assert main(["link", "duplicates", "--dry-run"]) == 0
    printed = capsys.readouterr()
    assert "Turkey [country:TR]" in printed.out
    assert "(+7)" in printed.out
    assert "1 pairs, 0 new cases" in printed.err
    assert not engine.workspace.review.exists()
    assert main(["link", "duplicates", "--least", "0.9"]) == 0
    assert "0 pairs" in capsys.readouterr().err
    assert main(["link", "duplicates", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new_cases"] == 1
    assert "country:TR = land:turkiye?" in run(capsys, "--list")
    desk = ReviewDesk(engine)
    assert answered(desk, "1oa") == 1  # a pair has no candidates to choose from
    assert engine.store.entity(copy.key) is None
    assert answered(desk, "") == 0
    assert main(["link", "duplicates", "--least", "7"]) == 2


@pytest.mark.usefixtures("engine")
def test_what_cannot_be_reviewed_is_said(files: tuple[Path, Path], capsys: Shown) -> None:
    run(capsys, files[0], "--list", code=2)  # no mentions
    run(capsys, files[0], "--states", "failed", code=2)
    run(capsys, "--list", "--limit", 0, code=2)
    run(capsys, files[0].with_name("nothing.jsonl"), "--list", code=2)
