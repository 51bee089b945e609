"""Commands that are interrupted or killed at random moments, as processes: they end, and resume."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.engine import Engine
from api.settings import load_settings
from api.steps.build import build_graph
from api.steps.open_linker import open_linker
from api.workspace import Workspace
from kg.backends import open_store
from kg.backends.memory import MemoryStore
from kg.launcher import attach, stop_store, store_status
from kg.ledger import Ledger
from linkers.pipeline import LinkTask, run_link_job
from tests.api.command_line import Shown, umbra
from tests.api.short_trainings import shortened
from tests.api.tiny_world import HEAP, make_workspace, started
from tests.conformance.store_rules import content

pytestmark = pytest.mark.timeout(300)
MANY = pytest.mark.slow, pytest.mark.timeout(1200)
STOPPED = "umbra: stopped; the same command goes on where it was"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
Process = subprocess.Popen[str]


def until(condition: Callable[[], bool], *, limit_s: float = 60.0, pause_s: float = 0.02) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(pause_s)


def is_ready(process: Process) -> bool:
    """Tell whether the command has begun: it handles SIGTERM (or has ended already)."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return True
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return process.poll() is not None or bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def children(pid: int) -> list[int]:
    """Return the processes that a process started and their own, but not the detached store."""
    started_by: dict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        started_by[int(fields[1])].append(int(stat.parent.name))
    found = list(started_by[pid])
    for child in found:  # it grows as it is gone through
        found += started_by[child]
    return found


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def interrupt(process: Process, number: signal.Signals, after_s: float) -> bool:
    """Send a signal after a while and check the end; return False if the command was faster."""
    with process:
        until(lambda: is_ready(process))
        time.sleep(after_s)
        started_by_it = children(process.pid)
        if number is signal.SIGINT and process.poll() is None:
            os.killpg(process.pid, number)  # as a terminal does: to all of the group
        else:
            process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors, errors
    told = [line for line in errors.splitlines() if line.startswith("umbra: ")]
    if process.returncode in (0, -number):  # it was done; at most the interpreter was going down
        assert told == []
        return False
    assert process.returncode == CODES[number], errors
    assert told == [STOPPED]
    assert errors.splitlines()[-1] == STOPPED
    until(lambda: not any(runs(pid) for pid in started_by_it), limit_s=10)
    return True


def finished(*arguments: str, cwd: Path | None = None) -> str:
    """Run a command to its end and return what it printed."""
    with started(*arguments, cwd=cwd) as process:
        out, errors = process.communicate(timeout=250)
    assert process.returncode == 0, errors
    return out


@pytest.fixture
def finished_here(capsys: Shown, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command to its end in this process, which has its imports; returns what it printed."""

    def run(*arguments: str, cwd: Path | None = None) -> str:
        if cwd is not None:
            monkeypatch.chdir(cwd)
        with shortened():
            code, out, errors = umbra(capsys, *arguments)
        assert code == 0, errors
        return out

    return run


@pytest.fixture(scope="module")
def built(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    """What an uninterrupted build leaves, by the store that has no files."""
    workspace = Workspace(tmp_path_factory.mktemp("built") / ".umbra")
    with Engine(workspace, store=MemoryStore()) as engine:
        build_graph(engine, tiny_data / "graph.toml")
        return content(engine.store)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty working folder; its store is ended afterwards."""
    made = make_workspace(tmp_path / ".umbra")
    yield made
    stop_store(made.graph)


def assert_built(workspace: Workspace, built: object) -> None:
    with open_store(workspace.graph, launcher=HEAP) as store:
        assert content(store) == built
        edges = store.query("MATCH ()-[r]->() RETURN count(r)").rows[0][0]
        assert edges == sum(1 for _ in store.edges())  # none is there twice


@pytest.mark.parametrize("times", [1, pytest.param(4, marks=MANY)])
def test_a_build_interrupted_at_random_moments_goes_on(
    workspace: Workspace, tiny_data: Path, built: object, times: int
) -> None:
    command = ("build", str(tiny_data / "graph.toml"), "--folder", str(workspace.folder))
    chance = random.Random(11)
    numbers = [signal.SIGTERM, signal.SIGINT] * times
    waits = (0.0, *(chance.uniform(0.0, 1.2) for _ in numbers[1:]))
    ended = [interrupt(started(*command), n, s) for n, s in zip(numbers, waits, strict=True)]
    assert ended[0]
    finished(*command)
    assert_built(workspace, built)


@pytest.mark.parametrize("times", [1, pytest.param(4, marks=MANY)])
def test_a_build_whose_process_or_store_is_killed_goes_on(
    workspace: Workspace, tiny_data: Path, built: object, times: int
) -> None:
    command = ("build", str(tiny_data / "graph.toml"), "--folder", str(workspace.folder))
    hold = attach(workspace.graph, HEAP)
    chance = random.Random(13)
    for victim in ("umbra", "java") * times:
        with started(*command) as process:
            until(lambda process=process: is_ready(process))
            time.sleep(chance.uniform(0.2, 1.4))
            if victim == "umbra":
                process.kill()
            elif (java := store_status(workspace.graph).pid) is not None:
                os.kill(java, signal.SIGKILL)
            _, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors
        assert process.returncode in ((0, -9) if victim == "umbra" else (0, 5)), errors
        assert process.returncode != 5 or errors.count("\n") == 1
    hold.close()
    finished(*command)
    assert_built(workspace, built)


@pytest.mark.parametrize(
    ("numbers", "workers"),
    [((signal.SIGINT,), "0"), pytest.param((signal.SIGINT, signal.SIGTERM) * 3, "2", marks=MANY)],
    ids=["once", "many times"],
)
def test_a_demo_interrupted_at_random_moments_ends_with_the_same_graph(
    workspace: Workspace,
    tiny_data: Path,
    tiny_demo: Workspace,
    tmp_path: Path,
    finished_here: Callable[..., str],
    numbers: tuple[signal.Signals, ...],
    workers: str,
) -> None:
    """It is begun in processes side by side; this one is enough to end it and saves imports."""
    command = ("demo", str(tiny_data), "--folder", str(workspace.folder))
    chance = random.Random(17)
    for number in numbers:
        interrupt(started(*command, cwd=tmp_path), number, chance.uniform(1.0, 5.0))
        assert not (tmp_path / "report.html").exists()
    end = finished_here if workers == "0" else finished
    end(*command, "--workers", workers, cwd=tmp_path)
    assert (tmp_path / "report.html").exists()
    with (
        open_store(workspace.graph, launcher=HEAP) as store,
        open_store(tiny_demo.graph, launcher=HEAP) as whole,
    ):
        assert content(store) == content(whole)
    for name in ("snapshot-full", "snapshot-evaluation"):
        assert workspace.recorded(name)["hash"] == tiny_demo.recorded(name)["hash"]
    for step in ("scenes", "linker", "answers"):
        figures = [dict(place.recorded(step)) for place in (workspace, tiny_demo)]
        assert [one.pop("seconds") for one in figures]
        assert figures[0] == figures[1]


def test_a_killed_demo_leaves_no_process_behind(
    workspace: Workspace, tiny_data: Path, tmp_path: Path
) -> None:
    with started("demo", str(tiny_data), "--folder", str(workspace.folder), cwd=tmp_path) as demo:
        # two steps and what tracks their resources; each look goes through all of /proc
        until(lambda: len(children(demo.pid)) >= 3, pause_s=0.1)
        time.sleep(random.Random(19).uniform(0.0, 2.0))
        left = children(demo.pid)
        demo.kill()
        until(lambda: not any(runs(pid) for pid in left), limit_s=20)
        demo.communicate()


@pytest.mark.parametrize("more", [0, pytest.param(4, marks=MANY)])
def test_a_link_job_interrupted_at_random_moments_ends_byte_for_byte_the_same(
    tiny_demo: Workspace,
    tiny_data: Path,
    tmp_path: Path,
    finished_here: Callable[..., str],
    more: int,
) -> None:
    mentions, out = tmp_path / "mentions.jsonl.gz", tmp_path / "links.jsonl"
    mentions.write_bytes((tiny_data / "mentions.jsonl.gz").read_bytes())
    folder = ("--folder", str(tiny_demo.folder))
    command = ("link", "run", str(mentions), "--out", str(out), "--shard-rows", "3", *folder)
    chance = random.Random(23)
    numbers = [signal.SIGINT, signal.SIGTERM, *[signal.SIGINT] * more]
    waits = (0.0, chance.uniform(1.0, 2.5), *(chance.uniform(0.3, 2.5) for _ in range(more)))
    ended = [interrupt(started(*command), n, s) for n, s in zip(numbers, waits, strict=True)]
    assert ended[0]
    finished_here(*command)
    with Engine(tiny_demo) as engine, Ledger(tmp_path / "ledger.sqlite") as ledger:
        task = LinkTask(mentions=mentions, output=tmp_path / "whole.jsonl", shard_rows=50)
        whole = run_link_job(open_linker(engine), task, ledger=ledger)
    assert sum(whole.rows.values()) > 30
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_an_interrupted_training_goes_on_and_is_asked(
    tiny_demo: Workspace, finished_here: Callable[..., str]
) -> None:
    folder = ("--folder", str(tiny_demo.folder))
    chance = random.Random(29)
    numbers = [signal.SIGTERM, signal.SIGINT]
    # The first comes while it loads, so that even a quick machine is interrupted; the other comes
    # while it loads or trains, or finds the training over.
    waits = (0.0, chance.uniform(2.0, 3.0))
    ended = [
        interrupt(started("train", *folder), number, wait)
        for number, wait in zip(numbers, waits, strict=True)
    ]
    assert ended[0]
    finished_here("train", *folder)
    question = "MATCH (c:Country)-[:borders]->(:Country {name: 'Kazakhstan'}) RETURN c"
    assert "Uzbekistan" in finished_here("ask", question, *folder)
    interrupt(started("ask", question, *folder), numbers[1], chance.uniform(0.0, 1.0))
    assert load_settings(tiny_demo.settings).text_encoder == "tiny"


@pytest.mark.parametrize("number", CODES)
def test_a_server_that_starts_is_interrupted(tiny_demo: Workspace, number: signal.Signals) -> None:
    process = started("serve", "--port", "0", "--folder", str(tiny_demo.folder))
    with process:
        until(lambda: is_ready(process))
        time.sleep(random.Random(number).uniform(0.0, 1.0))
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, CODES[number]), errors
    assert "Traceback" not in errors
