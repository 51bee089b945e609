"""Jobs: one after another, watched, cancelled, paused with the server, resumed by the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.errors import HttpProblem
from api.runner import JobKind, JobRun, JobRunner
from api.schemas import JobOut
from kg.errors import InputError, JobError, LimitError, MissingPartError
from kg.progress import Progress


def until(condition: Callable[[], bool], wait_s: float = 20.0) -> None:
    deadline = time.monotonic() + wait_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def state_of(runner: JobRunner, job: JobOut) -> str:
    return runner.get(job.id).state


def ended(runner: JobRunner, job: JobOut) -> JobOut:
    until(lambda: runner.peek(job.id)[2])
    return runner.get(job.id)


def count(run: JobRun, progress: Progress) -> dict[str, Any]:
    """Count to a number; the lines written so far are kept, so that it can go on."""
    out = run.folder / "out.jsonl"
    done = len(out.read_text().splitlines()) if out.exists() else 0
    total = run.parameters["to"]
    while done < total:
        progress(done, total)
        with out.open("a") as file:
            file.write(f"{done}\n")
        done += 1
        if run.parameters.get("slow"):
            time.sleep(0.01)
    progress(total, total)
    return {"linked": total, "seconds": 0.1, "output": out}


KINDS = {"link": JobKind(work=count)}


def test_a_job_is_done_and_its_output_is_whole(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path, KINDS)
    job, created = runner.start("link", {"to": 5})
    assert created
    found = ended(runner, job)
    assert (found.state, found.done, found.total) == ("done", 5, 5)
    assert found.counts == {"linked": 5}
    assert found.output == f"/v1/jobs/{job.id}/output"
    assert runner.output(job.id).read_text() == "0\n1\n2\n3\n4\n"
    assert runner.close()


def test_the_same_key_gives_the_same_job(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path, KINDS)
    first, _ = runner.start("link", {"to": 2, "slow": False}, idempotency_key="a")
    again, created = runner.start("link", {"slow": False, "to": 2}, idempotency_key="a")
    assert (again.id, created) == (first.id, False)
    assert runner.start("link", {"to": 2, "slow": False}, idempotency_key="b")[1]
    with pytest.raises(HttpProblem) as refused:
        runner.start("link", {"to": 3}, idempotency_key="a")
    assert refused.value.slug == "idempotency-key-reused"
    assert runner.close()
    later = JobRunner(tmp_path, KINDS)  # the key is remembered by the next server too
    assert later.start("link", {"to": 2, "slow": False}, idempotency_key="a")[1] is False
    assert later.close()


def test_a_running_job_is_cancelled(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path, KINDS)
    job, _ = runner.start("link", {"to": 10**6, "slow": True})
    waiting, _ = runner.start("link", {"to": 1})
    until(lambda: runner.get(job.id).done > 1)
    assert state_of(runner, waiting) == "pending"
    runner.cancel(job.id)
    assert ended(runner, job).state == "cancelled"
    assert ended(runner, waiting).state == "done"
    assert runner.cancel(waiting.id).state == "done"  # it had ended
    assert runner.close()


def test_a_paused_job_waits_for_somebody_also_over_restarts(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path, KINDS)
    job, _ = runner.start("link", {"to": 40, "slow": True})
    waiting, _ = runner.start("link", {"to": 1})
    until(lambda: runner.get(job.id).done > 1)
    runner.pause(job.id)
    assert ended(runner, waiting).state == "done"
    assert state_of(runner, job) == "paused"
    assert runner.pause(job.id).state == "paused"
    with pytest.raises(JobError, match="that is done cannot be paused"):
        runner.pause(waiting.id)
    with pytest.raises(JobError, match="that is done cannot be resumed"):
        runner.resume(waiting.id)
    with pytest.raises(JobError, match="that is paused cannot be retried"):
        runner.retry(job.id)
    assert runner.close()
    later = JobRunner(tmp_path, KINDS)
    other, _ = later.start("link", {"to": 1})
    assert ended(later, other).state == "done"
    assert state_of(later, job) == "paused"
    assert later.resume(job.id).state == "pending"
    assert ended(later, job).state == "done"
    assert later.output(job.id).read_text() == "".join(f"{n}\n" for n in range(40))
    assert later.close()


def test_a_job_that_is_resumed_before_it_has_stopped_goes_on(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path, KINDS)
    job, _ = runner.start("link", {"to": 60, "slow": True})
    until(lambda: runner.get(job.id).done > 1)
    for _ in range(5):
        runner.pause(job.id)
        runner.resume(job.id)
        time.sleep(0.01)
    assert ended(runner, job).state == "done"
    assert runner.close()


def test_an_ended_job_is_retried(tmp_path: Path) -> None:
    asked: list[str] = []

    def fails_once(_run: JobRun, _progress: Progress) -> dict[str, Any]:
        if not asked:
            raise InputError("not this time")
        return {"linked": len(asked)}

    kinds = {"link": JobKind(work=fails_once, again=lambda run: asked.append(run.id))}
    runner = JobRunner(tmp_path, kinds)
    job, _ = runner.start("link", {})
    assert ended(runner, job).error == "not this time"
    assert runner.retry(job.id).error is None
    found = ended(runner, job)
    assert (found.state, found.counts, asked) == ("done", {"linked": 1}, [job.id])
    assert runner.close()


def test_a_waiting_job_is_cancelled_at_once(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path, KINDS)
    job, _ = runner.start("link", {"to": 10**6, "slow": True})
    waiting, _ = runner.start("link", {"to": 1})
    assert runner.cancel(waiting.id).state == "cancelled"
    assert [j.id for j in runner.jobs()] == [waiting.id, job.id]
    assert runner.close()


def test_what_the_server_leaves_unfinished_the_next_one_ends(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path, KINDS)
    job, _ = runner.start("link", {"to": 60, "slow": True})
    until(lambda: runner.get(job.id).done > 3)
    _, before, _ = runner.peek(job.id)
    assert runner.close()
    assert state_of(runner, job) == "paused"
    later = JobRunner(tmp_path, KINDS)
    assert ended(later, job).state == "done"
    assert later.output(job.id).read_text() == "".join(f"{n}\n" for n in range(60))
    assert later.peek(job.id)[1] > before  # event ids never fall
    assert later.close()


def test_a_second_server_leaves_the_first_ones_jobs_alone(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path, KINDS)
    job, _ = runner.start("link", {"to": 10**6, "slow": True})
    until(lambda: state_of(runner, job) == "running")
    second = JobRunner(tmp_path, KINDS)
    assert state_of(second, job) == "running"  # as it stands on disk; not begun a second time
    assert second.close()
    assert runner.close()


def test_failures_say_what_an_engine_error_says_and_hide_the_rest(tmp_path: Path) -> None:
    def missing(_run: JobRun, _progress: Progress) -> dict[str, Any]:
        raise MissingPartError("no linker is trained", hint="run `umbra link train`")

    def broken(_run: JobRun, _progress: Progress) -> dict[str, Any]:
        raise ValueError("secret inside")

    for work, said in ((missing, "no linker is trained"), (broken, "an unforeseen error")):
        runner = JobRunner(tmp_path / work.__name__, {"link": JobKind(work=work)})
        job, _ = runner.start("link", {})
        found = ended(runner, job)
        assert found.state == "failed"
        assert said in (found.error or "")
        assert "secret" not in (found.error or "")
        assert runner.close()


def test_the_queue_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.runner.MAX_WAITING", 2)
    go = threading.Event()

    def wait(_run: JobRun, _progress: Progress) -> dict[str, Any]:
        return {"waited": int(go.wait(20))}

    runner = JobRunner(tmp_path, {"link": JobKind(work=wait)})
    first, _ = runner.start("link", {})
    until(lambda: state_of(runner, first) == "running")
    runner.start("link", {})
    runner.start("link", {})
    with pytest.raises(LimitError):
        runner.start("link", {})
    go.set()
    assert runner.close(5)


def test_a_foreign_file_among_the_jobs_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "0123456789abcdef").mkdir()
    (tmp_path / "0123456789abcdef" / "job.json").write_text("[]")
    runner = JobRunner(tmp_path, KINDS)
    assert runner.jobs() == ()
    for stranger in ("0123456789abcdef", "../../etc", ""):
        with pytest.raises(HttpProblem) as refused:
            runner.get(stranger)
        assert refused.value.slug == "unknown-job"
    assert runner.close()
