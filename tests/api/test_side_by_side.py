"""Steps in processes side by side: outcomes, errors, deaths and interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from api.side_by_side import Task, end_with_parent, side_by_side
from kg.errors import JobError, MissingPartError
from kg.progress import Progress, silent


def squared(number: int, *, progress: Progress) -> dict[str, int]:
    progress(number, number)
    return {"square": number**2, "pid": os.getpid()}


def missing(*, progress: Progress) -> dict[str, int]:
    progress(0, 1)
    raise MissingPartError("no sun", hint="wait")


def killed(*, progress: Progress) -> dict[str, int]:
    progress(0, 1)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def endless(marks: str, *, progress: Progress) -> dict[str, int]:
    progress(0, 1)
    try:
        Path(marks, "started").touch()
        while True:
            time.sleep(0.01)
    finally:
        Path(marks, "ended").touch()


def task(function, *arguments: object, done=lambda: None) -> Task:  # type: ignore[no-untyped-def]
    return Task(title="t", unit="u", done=done, function=function, arguments=arguments)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_outcomes_come_back_by_name(workers: int) -> None:
    told: list[tuple[int, int]] = []

    def bars(_title: str, _unit: str) -> Progress:
        return lambda done, total: told.append((done, total))

    tasks = {str(n): task(squared, n) for n in range(3)}
    tasks["old"] = task(missing, done=lambda: {"square": -1})
    found = side_by_side(tasks, bars, workers=workers)
    assert {name: one["square"] for name, one in found.items()} == {
        "0": 0,
        "1": 1,
        "2": 4,
        "old": -1,
    }
    assert sorted(told) == [(0, 0), (1, 1), (2, 2)]
    assert (found["1"]["pid"] == os.getpid()) == (workers == 0)


def test_an_error_ends_the_others_and_is_raised(tmp_path: Path) -> None:
    tasks = {"slow": task(endless, str(tmp_path)), "bad": task(missing)}
    with pytest.raises(MissingPartError, match="no sun"):
        side_by_side(tasks, lambda *_: silent)
    assert not (tmp_path / "started").exists() or (tmp_path / "ended").exists()


def test_a_killed_step_is_named() -> None:
    with pytest.raises(JobError, match="'fragile' was killed"):
        side_by_side({"fragile": task(killed)}, lambda *_: silent)


def test_an_interruption_ends_all_steps(tmp_path: Path) -> None:
    def bars(_title: str, _unit: str) -> Progress:
        def interrupted(_done: int, _total: int) -> None:
            while not (tmp_path / "started").exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

        return interrupted

    with pytest.raises(KeyboardInterrupt):
        side_by_side({"slow": task(endless, str(tmp_path))}, bars)
    assert (tmp_path / "ended").exists()


IDLE_S = 600


def idle() -> None:
    end_with_parent()
    print(os.getpid(), flush=True)
    time.sleep(IDLE_S)


def leave_idle() -> None:
    """Start an idle process and wait to be killed."""
    process = get_context("spawn").Process(target=idle)
    process.start()
    process.join()


def test_a_process_ends_after_its_parent_was_killed() -> None:
    code = "from tests.api.test_side_by_side import leave_idle as f; f()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().strip().isdigit()
        started = time.monotonic()
        parent.kill()
        assert parent.stdout.read() == b""  # the child holds the pipe open until it ends
    assert time.monotonic() - started < IDLE_S


def test_a_process_that_nobody_started_goes_on() -> None:
    code = (
        "import time; from api.side_by_side import end_with_parent as f;"
        "f(); time.sleep(0.5); print(7)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found.stdout.split() == [b"7"]
