"""The job ledger: jobs, shards and leases, with processes that are killed at random moments."""

import contextlib
import errno
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.errors import (
    ConflictError,
    ForeignFileError,
    FormatVersionError,
    InputError,
    JobError,
    MissingPartError,
)
from kg.ledger import Ledger, Shard, ShardResult, Worker, run_job
from kg.ledger_file import LedgerFile
from kg.ledger_repair import mend, retry_failed
from tests.kg.ledger_worker import shard_output, work

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("ledger_worker.py")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    with Ledger(tmp_path / "jobs" / "ledger.sqlite", clock=clock) as opened:
        yield opened


def doubled(shard: Shard) -> ShardResult:
    number = shard.parameters["n"]
    return ShardResult(output=b"%d\n" % (2 * number), counts={"even": 1, "sum": number})


def submit(ledger: Ledger, count: int = 3, **options):
    return ledger.submit("double", {"why": "test"}, [{"n": n} for n in range(count)], **options)


def test_a_job_is_done_shard_by_shard_and_its_output_is_in_order(ledger, tmp_path):
    job = submit(ledger)
    assert job.state == "pending"
    told: list[tuple[int, int]] = []
    after = run_job(
        ledger, job.id, doubled, progress=lambda done, total: told.append((done, total))
    )
    assert (after.state, after.done, after.total) == ("done", 3, 3)
    assert after.counts == {"even": 3, "sum": 3}
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    ledger.write_output(job.id, tmp_path / "all")
    assert (tmp_path / "all").read_bytes() == b"0\n2\n4\n"


def test_the_same_submission_is_the_same_job(ledger):
    first = submit(ledger)
    assert submit(ledger).id == first.id
    assert submit(ledger, 4).id != first.id
    assert [job.id for job in ledger.jobs("double")].count(first.id) == 1
    assert list(ledger.jobs("other")) == []


def test_a_key_names_one_submission(ledger):
    first = submit(ledger, key="mine")
    assert submit(ledger, key="mine").id == first.id
    assert submit(ledger, key="yours").id != first.id
    with pytest.raises(ConflictError, match="'mine' was used for another job"):
        submit(ledger, 4, key="mine")


def test_jobs_are_listed_newest_first(ledger, clock):
    old = submit(ledger, 1)
    clock.now += 1
    new = submit(ledger, 2)
    assert [job.id for job in ledger.jobs()] == [new.id, old.id]


def test_sizes_are_the_unit_of_progress(ledger):
    job = submit(ledger, 2, sizes=[10, 5])
    ledger.complete(ledger.lease_next(job.id, Worker.here()), ShardResult(output=b""))
    after = ledger.progress(job.id)
    assert (after.done, after.total, after.shards) == (10, 15, {"done": 1, "pending": 1})


def test_a_job_without_shards_is_done_at_once(ledger):
    job = submit(ledger, 0)
    assert job.state == "done"
    assert run_job(ledger, job.id, doubled).total == 0


def test_no_two_workers_hold_one_shard(ledger):
    job = submit(ledger)
    leased = [ledger.lease_next(job.id, Worker.here()).number for _ in range(3)]
    assert leased == [0, 1, 2]
    assert ledger.lease_next(job.id, Worker.here()) is None


def test_a_lease_expires(ledger, clock):
    job = submit(ledger, 1)
    assert ledger.lease_next(job.id, Worker.here(), lease_s=60).number == 0
    clock.now += 59
    assert ledger.lease_next(job.id, Worker.here()) is None
    clock.now += 2
    assert ledger.lease_next(job.id, Worker.here()).number == 0


def test_the_lease_of_a_dead_process_is_free_at_once(ledger):
    job = submit(ledger, 1)
    here = Worker.here()
    ledger.lease_next(job.id, Worker(here.host, here.pid, "1", "before"), lease_s=1e9)
    assert ledger.lease_next(job.id, here).number == 0


def test_a_process_on_another_machine_is_not_called_dead(ledger):
    job = submit(ledger, 1)
    ledger.lease_next(job.id, Worker("elsewhere", 1, "1", "far"), lease_s=1e9)
    assert ledger.lease_next(job.id, Worker.here()) is None


def test_a_worker_reads_back_as_it_was_written():
    worker = Worker.here()
    assert Worker.parse(str(worker)) == worker
    assert not worker.is_dead()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert Worker(worker.host, child.pid, "12", "x").is_dead()


def test_a_slow_worker_that_comes_second_changes_nothing(ledger, clock):
    job = submit(ledger, 1)
    slow, fast = Worker.here(), Worker.here()
    late = ledger.lease_next(job.id, slow, lease_s=1)
    clock.now += 2
    early = ledger.lease_next(job.id, fast)
    ledger.complete(early, doubled(early))
    ledger.release(late, slow)
    ledger.fail(late, "too late", slow)
    ledger.complete(late, doubled(late))
    assert ledger.progress(job.id).state == "done"


def test_a_function_that_is_not_pure_is_found_out(ledger, clock):
    job = submit(ledger, 1)
    late = ledger.lease_next(job.id, Worker.here(), lease_s=1)
    clock.now += 2
    early = ledger.lease_next(job.id, Worker.here())
    ledger.complete(early, ShardResult(output=b"a"))
    with pytest.raises(JobError, match="done twice with different results"):
        ledger.complete(late, ShardResult(output=b"b"))
    assert ledger.output(next(ledger.shards(job.id))) == b"a"


def test_a_failed_shard_can_be_tried_again(ledger):
    def picky(shard: Shard) -> ShardResult:
        if shard.number == 1:
            raise InputError("no odd numbers")
        return doubled(shard)

    job = submit(ledger)
    after = run_job(ledger, job.id, picky)
    assert (after.state, after.error) == ("failed", "no odd numbers")
    assert after.shards == {"done": 2, "failed": 1}
    assert run_job(ledger, job.id, doubled).state == "failed", "it is not tried again by itself"
    assert ledger.retry(job.id) == 1
    after = run_job(ledger, job.id, doubled)
    assert (after.state, after.error, after.counts["even"]) == ("done", None, 3)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_shard_is_given_back(ledger, error):
    calls = []

    def interrupted(shard: Shard) -> ShardResult:
        calls.append(shard.number)
        if len(calls) == 2:
            raise error
        return doubled(shard)

    job = submit(ledger)
    with pytest.raises(error):
        run_job(ledger, job.id, interrupted)
    assert ledger.progress(job.id).shards == {"done": 1, "pending": 2}
    assert run_job(ledger, job.id, interrupted).state == "done"
    assert calls == [0, 1, 1, 2]


def test_raising_from_progress_ends_the_loop_with_nothing_in_hand(ledger):
    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    job = submit(ledger)
    with pytest.raises(KeyboardInterrupt):
        run_job(ledger, job.id, doubled, progress=stop)
    assert ledger.progress(job.id).shards == {"done": 2, "pending": 1}


@pytest.mark.parametrize(("end", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_pausing_and_cancelling_take_effect_after_the_shard_in_hand(ledger, end, state):
    job = submit(ledger)

    def ends(shard: Shard) -> ShardResult:
        if shard.number == 1:
            getattr(ledger, end)(job.id)
        return doubled(shard)

    after = run_job(ledger, job.id, ends)
    assert (after.state, after.done) == (state, 2)
    assert ledger.lease_next(job.id, Worker.here()) is None
    ledger.resume(job.id)
    assert run_job(ledger, job.id, doubled).state == "done"


def test_the_last_shard_in_hand_does_not_undo_a_cancel_silently(ledger):
    job = submit(ledger, 1)
    shard = ledger.lease_next(job.id, Worker.here())
    ledger.cancel(job.id)
    ledger.complete(shard, doubled(shard))
    assert ledger.progress(job.id).done == 1
    assert ledger.job(job.id).state == "done", "all of it is there, so it is done"


def test_a_finished_job_cannot_be_paused(ledger):
    job = submit(ledger)
    run_job(ledger, job.id, doubled)
    with pytest.raises(JobError, match="a job that is done cannot become paused"):
        ledger.pause(job.id)
    with pytest.raises(MissingPartError, match="no job 'nothing'"):
        ledger.pause("nothing")


def test_everything_can_be_done_again(ledger):
    job = submit(ledger)
    run_job(ledger, job.id, doubled)
    assert ledger.retry(job.id, everything=True) == 3
    assert ledger.progress(job.id).done == 0
    assert run_job(ledger, job.id, doubled).state == "done"


def test_shards_can_be_added_once(ledger, tmp_path):
    job = submit(ledger, 2)
    run_job(ledger, job.id, doubled)
    ledger.add_shards(job.id, [{"n": 1}, {"n": 5}], sizes=[3, 4])
    ledger.add_shards(job.id, [{"n": 5}])
    assert ledger.progress(job.id).total == 6
    after = run_job(ledger, job.id, doubled)
    assert (after.state, after.done) == ("done", 6)
    ledger.write_output(job.id, tmp_path / "all")
    assert (tmp_path / "all").read_bytes() == b"0\n2\n10\n"
    with pytest.raises(MissingPartError):
        ledger.add_shards("nothing", [])


def test_an_output_that_was_changed_or_deleted_is_not_returned(ledger):
    job = submit(ledger, 1)
    with pytest.raises(MissingPartError, match="no output of shard 0"):
        ledger.output(next(ledger.shards(job.id)))
    run_job(ledger, job.id, doubled)
    shard = next(ledger.shards(job.id))
    path = next(path for path in ledger.outputs.rglob("*") if path.name == shard.sha256)
    path.write_bytes(b"changed")
    with pytest.raises(MissingPartError, match="no output of shard 0"):
        ledger.output(shard)


def test_a_ledger_is_the_same_after_opening_it_again(tmp_path):
    with Ledger(tmp_path / "l") as first:
        job = submit(first)
        run_job(first, job.id, doubled)
        before = (list(first.jobs()), list(first.shards(job.id)))
    with Ledger(tmp_path / "l") as second:
        assert (list(second.jobs()), list(second.shards(job.id))) == before
    second.close()


@pytest.mark.parametrize("content", [b"hello, I am no database\n" * 100, b"\x00" * 4096])
def test_a_foreign_file_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError, match="not a job ledger"):
        Ledger(path)
    assert path.read_bytes() == content


def test_a_foreign_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "ledger.sqlite"
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE shards_of_glass (x)")
    foreign.close()
    before = path.read_bytes()
    with pytest.raises(ForeignFileError):
        Ledger(path)
    assert path.read_bytes() == before
    with pytest.raises(ForeignFileError):
        Ledger(tmp_path)


def test_a_ledger_of_another_format_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(FormatVersionError, match="format 99"):
        Ledger(path)


def test_threads_share_a_ledger(ledger):
    job = submit(ledger, 40)
    seen: list[int] = []

    def counted(shard: Shard) -> ShardResult:
        seen.append(shard.number)
        return doubled(shard)

    threads = [threading.Thread(target=run_job, args=(ledger, job.id, counted)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(40))
    assert ledger.progress(job.id).state == "done"


def start(ledger_path: Path, job: str, nap_s: float, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(WORKER), str(ledger_path), job, str(nap_s), str(log)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})


def whole(count: int) -> bytes:
    return b"".join(map(shard_output, range(count)))


def test_processes_never_do_the_same_shard(tmp_path):
    path, log = tmp_path / "ledger.sqlite", tmp_path / "log"
    with Ledger(path) as ledger:
        job = submit(ledger, 60)
        workers = [start(path, job.id, 0.002, log) for _ in range(3)]
        assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]
        assert ledger.progress(job.id).state == "done"
        ledger.write_output(job.id, tmp_path / "all")
    assert Counter(log.read_text().split()) == {str(number): 1 for number in range(60)}
    assert (tmp_path / "all").read_bytes() == whole(60)


OPENER = """
import sys
from pathlib import Path
from kg.ledger import Ledger
print("ready", flush=True)
for line in sys.stdin:
    with Ledger(Path(line.strip())) as ledger:
        print(ledger.submit("same", {}, [{"n": 1}]).id, flush=True)
"""


def test_several_processes_may_open_a_new_ledger_at_once(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=environment,
        )
        for _ in range(4)
    ]
    try:
        assert {process.stdout.readline() for process in processes} == {"ready\n"}
        for number in range(12):
            for process in processes:
                process.stdin.write(f"{tmp_path / str(number) / 'ledger.sqlite'}\n")
            assert len({process.stdout.readline() for process in processes}) == 1
    finally:
        for process in processes:
            process.communicate()


def test_a_ledger_made_while_it_is_looked_at_is_not_foreign(tmp_path, monkeypatch):
    path = tmp_path / "ledger.sqlite"
    pragma = LedgerFile._pragma

    def slowly(file, name):
        monkeypatch.setattr(LedgerFile, "_pragma", pragma)
        found = pragma(file, name)
        with contextlib.suppress(JobError), Ledger(path) as other:
            other.submit("same", {}, [{"n": 1}])
        return found

    monkeypatch.setattr("kg.ledger_file.BUSY_S", 0.2)
    monkeypatch.setattr(LedgerFile, "_pragma", slowly)
    with Ledger(path) as ledger:
        assert submit(ledger).state == "pending"


def test_an_output_that_cannot_be_kept_gives_the_shard_back(ledger, monkeypatch):
    job = submit(ledger)
    full = OSError(errno.ENOSPC, "No space left on device")

    def fails(*_):
        raise full

    monkeypatch.setattr(ledger, "_keep", fails)
    with pytest.raises(OSError, match="No space"):
        run_job(ledger, job.id, doubled)
    monkeypatch.undo()
    assert {shard.state for shard in ledger.shards(job.id)} == {"pending"}
    assert run_job(ledger, job.id, doubled).state == "done"


def test_what_is_lost_or_failed_is_done_again_and_nothing_else(ledger):
    job = submit(ledger, 5)

    def some_fail(shard: Shard) -> ShardResult:
        if shard.number == 1:
            raise InputError("too odd")
        counts = {"failed": 1} if shard.number == 3 else {"linked": 1}
        return ShardResult(output=b"%d" % shard.number, counts=counts)

    run_job(ledger, job.id, some_fail)
    outputs = {shard.number: shard.sha256 for shard in ledger.shards(job.id)}
    ledger.retry(job.id)
    run_job(ledger, job.id, lambda _: ShardResult(output=b"1"))
    assert mend(ledger, job.id) == 0
    damaged, deleted = (ledger.outputs / outputs[n][:2] / outputs[n] for n in (0, 2))
    damaged.write_bytes(b"x")
    deleted.unlink()
    assert mend(ledger, job.id) == 2
    assert [s.number for s in ledger.shards(job.id) if s.state == "pending"] == [0, 2]
    assert run_job(ledger, job.id, some_fail).state == "done"
    assert [ledger.output(shard) for shard in ledger.shards(job.id)] == [
        b"%d" % number for number in range(5)
    ]
    assert retry_failed(ledger, job.id) == 1
    assert [s.number for s in ledger.shards(job.id) if s.state == "pending"] == [3]
    assert ledger.job(job.id).state == "running"
    ledger.cancel(job.id)
    ledger.free(job.id, [0])
    assert ledger.job(job.id).state == "cancelled"


def test_kills_at_random_moments_lose_and_double_nothing(tmp_path):
    path, log, count = tmp_path / "ledger.sqlite", tmp_path / "log", 60
    log.touch()
    generator = random.Random(0)
    with Ledger(path) as ledger:
        job = submit(ledger, count)
        kills = 0
        while kills < 20 and ledger.progress(job.id).state != "done":
            worker = start(path, job.id, 0.01, log)
            begun = len(log.read_text().split())
            deadline = time.monotonic() + 30
            while len(log.read_text().split()) == begun and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(generator.uniform(0, 0.03))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            kills += 1
        assert kills >= 10, "the worker was killed while it had work"
        after = run_job(ledger, job.id, work)
        assert (after.state, after.counts) == ("done", {"rows": 10 * count})
        ledger.write_output(job.id, tmp_path / "all")
    assert (tmp_path / "all").read_bytes() == whole(count)
    begun = Counter(log.read_text().split())
    assert sum(begun.values()) <= count + kills, "a kill costs at most the shard in hand"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(st.sampled_from(["lease", "done", "fail", "free", "wait", "retry"]), max_size=30)
)
def test_any_order_of_events_ends_with_every_shard_done_once(tmp_path_factory, moves):
    clock = Clock()
    with Ledger(tmp_path_factory.mktemp("ledger") / "l", clock=clock) as ledger:
        job = submit(ledger, 3)
        worker, held = Worker.here(), []
        for move in moves:
            if move == "lease":
                leased = ledger.lease_next(job.id, worker, lease_s=10)
                held += [leased] if leased else []
            elif move == "wait":
                clock.now += 11
            elif move == "retry":
                ledger.retry(job.id)
            elif held:
                shard = held.pop()
                if move == "done":
                    ledger.complete(shard, doubled(shard))
                elif move == "fail":
                    ledger.fail(shard, "on purpose", worker)
                else:
                    ledger.release(shard, worker)
            states = ledger.progress(job.id).shards
            assert sum(states.values()) == 3
            assert (ledger.job(job.id).state == "done") == (states.get("done") == 3)
        clock.now += 1_000
        ledger.retry(job.id)
        after = run_job(ledger, job.id, doubled)
        assert (after.state, after.counts) == ("done", {"even": 3, "sum": 3})
