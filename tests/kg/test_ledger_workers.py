"""Workers of one ledger: leases, threads, processes, kills at random moments."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from kg.errors import (
    JobError,
)
from kg.ledger import Ledger, Shard, ShardResult, Worker, run_job
from tests.kg.ledger_jobs import ROOT, doubled, submit
from tests.kg.ledger_worker import shard_output, work

WORKER = Path(__file__).with_name("ledger_worker.py")


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
