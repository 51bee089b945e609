"""Decisions of people are safe against any kill; a log is told from other files."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kg.backends import open_store
from kg.backends.memory import MemoryStore
from kg.errors import (
    EngineError,
    ForeignFileError,
    FormatVersionError,
)
from kg.store import Store
from linkers.review import Change, Request, Review
from tests.linkers.review_world import (
    AT,
    HEAP,
    STEPS,
    case,
    content,
    entity,
    fill,
    step,
)


def test_a_kill_in_a_replay_is_caught_up(
    review: Review, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    anew = fill(MemoryStore())
    shaken = Review(anew, tmp_path / "log.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr(Change, "apply", dies)
        with pytest.raises(Killed):
            shaken.replay()
    again = Review(anew, tmp_path / "log.jsonl")
    assert again.has_pending
    assert again.catch_up() == 1
    assert entity(anew, "PE").aliases == ("Piruw",)
    assert again.replay() == {"done": 0, "known": 1, "skipped": 0}


class Killed(BaseException):
    """What a killed process does to the code that runs: it does not go on."""


def dies(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("place", ["before", "torn", "logged", "done"])
@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_kill_at_any_place_loses_and_doubles_nothing(
    tmp_path: Path, number: int, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = fill(MemoryStore()), fill(MemoryStore())
    steady = Review(whole, tmp_path / "whole.jsonl", now=lambda: AT)
    shaken = Review(broken, tmp_path / "broken.jsonl", now=lambda: AT)
    for earlier in range(number):
        step(steady, earlier)
        step(shaken, earlier)
    step(steady, number)
    append, apply = shaken._journal.append, Change.apply

    def torn(*entries: Any) -> None:
        if "decision" in entries[0]:
            with shaken._journal.path.open("ab") as file:
                file.write(json.dumps(entries[0]).encode()[:-9])
            raise Killed
        append(*entries)

    def marks(*entries: Any) -> None:
        append(*entries) if "number" not in entries[0] else dies()

    if place == "before":
        monkeypatch.setattr(shaken, "_planned", dies)
    elif place == "torn":
        monkeypatch.setattr(shaken._journal, "append", torn)
    elif place == "logged":
        monkeypatch.setattr(Change, "apply", dies)
    else:
        monkeypatch.setattr(shaken._journal, "append", marks)
    with pytest.raises(Killed):
        step(shaken, number)
    monkeypatch.setattr(Change, "apply", apply)
    again = Review(broken, tmp_path / "broken.jsonl", now=lambda: AT)
    assert again.catch_up() == (place in ("logged", "done"))
    step(again, number)
    assert content(broken) == content(whole)
    assert Review(None, tmp_path / "broken.jsonl").decisions == steady.decisions


def test_processes_that_are_killed_lose_and_double_nothing(
    engine_folder: Path, tmp_path: Path
) -> None:
    """One process after another goes on where the last was killed, within a decision."""
    count, rng, log = 8, random.Random(6), tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "tests.linkers.review_world"]
    arguments = [str(engine_folder), "reviewkill", str(log), str(count)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with (
        open_store(engine_folder, database="reviewkill", launcher=HEAP) as store,
        subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        fill(store)
        killed = 0
        for stop in (2, 4, count):
            process.stdin.write("go\n")
            process.stdin.flush()
            child = int(process.stdout.readline().split()[1])
            said = ""
            while said.strip() not in ("end", "gone"):
                said = process.stdout.readline()
                if said.strip() == str(stop):
                    time.sleep(rng.random() * 0.03)
                    with suppress(ProcessLookupError):  # on a fast machine it may be done
                        os.kill(child, signal.SIGKILL)
            if said == "end\n":
                assert process.stdout.readline() == "gone\n"
            else:
                killed += 1
        assert killed >= 1
        assert said == "end\n"
        process.stdin.close()
        whole = fill(MemoryStore())
        steady = Review(whole, tmp_path / "whole.jsonl", now=lambda: AT)
        for number in range(count):
            step(steady, number)
        assert content(store) == content(whole)
        assert Review(None, log).decisions == steady.decisions


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"some": "thing"}\n', ForeignFileError),
        ("no json\n", ForeignFileError),
        ('{"kind": "umbra review", "format": 99}\n', FormatVersionError),
        ('{"kind": "umbra review", "format": 1}\n\xff\n', ForeignFileError),
    ],
)
def test_a_foreign_log_is_left_alone(tmp_path: Path, text: str, error: type[EngineError]) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(error):
        Review(None, path)
    assert path.read_text(encoding="latin-1") == text


def test_a_torn_last_line_does_not_count(review: Review, store: Store, tmp_path: Path) -> None:
    review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    path = tmp_path / "log.jsonl"
    with path.open("ab") as file:
        file.write(b'{"case": {"id": ')
    again = Review(store, path)
    assert [d.state for d in again.decisions] == ["done"]
    assert again.add([case(9)]) == 1
    assert len(Review(None, path).cases()) == 4
