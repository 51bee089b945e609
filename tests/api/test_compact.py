"""`umbra graph compact`: what nothing can need goes, all else stays, whenever it is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

import pytest

from api.cli.main import main
from api.engine import Engine
from api.steps.check_graph import check_folder
from api.steps.compact import MEANINGS, compact
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import ConflictError, MissingPartError
from kg.files import STALE_S
from kg.full_text import FullTextIndex
from kg.jobs import ShardResult, Worker
from kg.ledger import Ledger, run_job
from kg.model import Entity, EntityKey

DEAD = {"part", "words", "output", "restore"}
KILLED = """
import os, signal, sys
from pathlib import Path
from api.engine import Engine
from api.steps.compact import compact
from api.workspace import Workspace
from kg.backends.memory import MemoryStore

for allowed, folder in enumerate(sys.argv[1:]):
    if not (child := os.fork()):
        left = [allowed]
        def before(event, _arguments):
            if event in ("os.remove", "os.rmdir"):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        engine = Engine(Workspace(Path(folder)), store=MemoryStore())
        sys.addaudithook(before)
        compact(engine)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""
"""Compacts each folder in a process of its own, killed before one removal later than the last."""


def age(path: Path) -> None:
    """Make a place and all in it look as if nobody had touched it for long."""
    for one in (path, *path.rglob("*")):
        told = one.stat().st_mtime - 2 * STALE_S
        os.utime(one, (told, told))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("ledger.sqlite-")
    }


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A folder with one of each kind of waste beside a current index and a finished job."""
    workspace = Workspace(tmp_path / "graph")
    workspace.create()
    store = MemoryStore()
    store.upsert_entities([Entity(key=EntityKey("a"), label="Thing", name="Haus")])
    FullTextIndex(store, workspace.words).search("haus")
    with Ledger(workspace.ledger) as ledger:
        job = ledger.submit("test", {}, [{}])
        run_job(ledger, job.id, lambda _: ShardResult(output=b"first"))
        ledger.retry(job.id, everything=True)
        run_job(ledger, job.id, lambda _: ShardResult(output=b"second"))
    (workspace.outputs / "links.jsonl").write_text("{}\n")
    (workspace.words / "index-older").mkdir()
    (workspace.words / "index-older" / "meta.json").write_text("{}")
    (workspace.folder / "restoring").mkdir()
    (workspace.folder / "restoring" / "graph.jsonl").write_text("{}\n")
    (workspace.folder / ".umbra.toml.x.part").write_text("half")
    age(workspace.folder)
    return Engine(workspace, store=store)


def test_what_nothing_can_need_goes_and_all_else_stays(engine: Engine) -> None:
    folder = engine.workspace.folder
    before = files(folder)
    told = compact(engine, dry_run=True)
    assert files(folder) == before
    done = compact(engine)
    assert {one["kind"] for one in done["removed"]} == DEAD <= set(MEANINGS)
    assert done["removed"] == told["removed"]
    digest = sha256(b"first").hexdigest()
    gone = {
        "restoring/graph.jsonl", ".umbra.toml.x.part", "indexes/full-text/index-older/meta.json",
        f"jobs/outputs/{digest[:2]}/{digest}",
    }  # fmt: skip
    assert set(before) - set(files(folder)) == gone
    assert done["bytes_before"] - sum(len(before[name]) for name in gone) <= done["bytes_after"]
    assert sum(one["bytes"] for one in done["removed"]) == sum(len(before[n]) for n in gone)
    assert check_folder(engine) == []
    assert [h.key for h in FullTextIndex(engine.store, engine.workspace.words).search("haus")]
    assert compact(engine)["removed"] == []


def test_what_is_young_or_still_needed_stays(engine: Engine) -> None:
    folder = engine.workspace.folder
    for path in folder.rglob("*"):
        os.utime(path)
    (folder / "restoring.json").write_text('{"backup": "x"}')
    age(folder / "restoring")
    assert compact(engine)["removed"] == []


def test_it_is_refused_while_a_job_runs(engine: Engine) -> None:
    with Ledger(engine.workspace.ledger) as ledger:
        job = ledger.submit("test", {"n": 2}, [{}])
        worker = Worker.here()
        ledger.lease_next(job.id, worker)
        before = files(engine.workspace.folder)
        with pytest.raises(ConflictError, match="a job runs") as caught:
            compact(engine)
        assert job.id in str(caught.value)
        assert files(engine.workspace.folder) == before
        worker.retire()
    assert {one["kind"] for one in compact(engine)["removed"]} == DEAD


@pytest.mark.parametrize("allowed", range(4))
def test_a_kill_between_two_removals_leaves_a_whole_folder(engine: Engine, allowed: int) -> None:
    left = [allowed]

    def killed() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    def rmtree(path: Path, real: object = shutil.rmtree) -> None:
        killed()
        real(path)  # type: ignore[operator]

    def unlink(path: Path, missing_ok: bool = False, real: object = Path.unlink) -> None:
        if path.name.startswith("current"):
            raise AssertionError("the pointer goes")
        killed()
        real(path, missing_ok=missing_ok)  # type: ignore[operator]

    with (
        patch("api.steps.compact.shutil.rmtree", rmtree),
        patch.object(Path, "unlink", unlink),
        pytest.raises(KeyboardInterrupt),
    ):
        compact(engine)
    assert check_folder(engine) == []
    assert len(compact(engine)["removed"]) == len(DEAD) - allowed
    assert check_folder(engine) == []


def test_sigkill_before_any_removal_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    folders = [tmp_path / f"killed{n}" for n in range(9)]
    for folder in folders:
        shutil.copytree(engine.workspace.folder, folder)
        age(folder)
    whole = files(engine.workspace.folder)
    compact(engine)
    kept = files(engine.workspace.folder)
    told = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, folders)],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    kills = told.count(str(int(signal.SIGKILL)))
    assert told == [str(int(signal.SIGKILL))] * kills + ["0"] * (len(folders) - kills)
    assert len(DEAD) <= kills < len(folders)  # so each removal was the one before which it died
    for folder in folders:
        found = files(folder)
        assert kept.items() <= found.items() <= whole.items()
        one = Engine(Workspace(folder), store=engine.store)
        assert check_folder(one) == []
        age(folder)
        compact(one)
        assert files(folder) == kept
        assert check_folder(one) == []


def test_an_output_that_was_swept_in_mid_shard_is_written_again(tmp_path: Path) -> None:
    from kg.ledger_sweep import sweep_outputs

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        job = ledger.submit("test", {}, [{}])
        shard = ledger.lease_next(job.id, Worker.here())
        assert shard is not None
        digest = sha256(b"bytes").hexdigest()
        path = ledger.outputs / digest[:2] / digest
        path.parent.mkdir(parents=True)
        path.write_bytes(b"bytes")  # of an earlier attempt that nobody names
        age(path)
        real = ledger._keep

        def keep(of: str, output: bytes) -> None:
            real(of, output)
            if path.exists() and first.pop():
                assert [p for p, _ in sweep_outputs(ledger, remove=True)] == [path]

        first = [False, True]
        with patch.object(ledger, "_keep", keep):
            ledger.complete(shard, ShardResult(output=b"bytes"))
        (done,) = ledger.shards(job.id)
        assert ledger.output(done) == b"bytes"


def test_without_a_graph_there_is_nothing_to_compact(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError):
        compact(Engine(Workspace(tmp_path / "none"), store=MemoryStore()))


def test_the_command_says_what_goes(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--folder", str(engine.workspace.folder)]
    assert main(["graph", "compact", "--dry-run", *folder]) == 0
    assert "would go" in (told := capsys.readouterr().out)
    assert "index-older" in told
    assert "would be left" in told
    assert main(["graph", "compact", "--json", *folder]) == 0
    done = json.loads(capsys.readouterr().out)
    assert {one["kind"] for one in done["removed"]} == DEAD
    assert done["bytes_after"] < done["bytes_before"]
