"""The job ledger: jobs, shards, their states, and any order of events."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.errors import (
    ConflictError,
    InputError,
    JobError,
    MissingPartError,
)
from kg.ledger import Ledger, Shard, ShardResult, Worker, run_job
from kg.ledger_repair import mend, retry_failed
from tests.kg.ledger_jobs import Clock, doubled, submit


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
