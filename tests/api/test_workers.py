"""The threads behind the server: bounded, and honest about what still runs."""

from __future__ import annotations

import threading

import pytest

from api.errors import HttpProblem
from api.workers import Workers


def test_results_and_errors_come_back() -> None:
    workers = Workers(threads=2, waiting=8)
    assert [workers.submit(lambda n=n: n * n).result(5) for n in range(6)] == [0, 1, 4, 9, 16, 25]
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 / 0).result(5)
    assert workers.submit(lambda: "alive").result(5) == "alive"
    assert workers.close()


def test_too_many_calls_are_refused_until_one_has_really_ended() -> None:
    workers = Workers(threads=1, waiting=1)
    go, begun = threading.Event(), threading.Event()
    running = workers.submit(lambda: (begun.set(), go.wait(20)))
    waiting = workers.submit(lambda: 2)
    assert begun.wait(20)
    with pytest.raises(HttpProblem) as refused:
        workers.submit(lambda: 3)
    assert refused.value.slug == "busy"
    assert running.cancel() is False  # abandoned, yet it still counts
    assert workers.open_calls == 2
    go.set()
    assert waiting.result(5) == 2
    assert workers.submit(lambda: 4).result(5) == 4
    assert workers.close()
    assert workers.open_calls == 0


def test_a_call_that_nobody_wants_is_never_begun() -> None:
    workers = Workers(threads=1, waiting=4)
    go, begun = threading.Event(), threading.Event()
    workers.submit(lambda: go.wait(20))
    unwanted = workers.submit(begun.set)
    assert unwanted.cancel()
    go.set()
    assert workers.submit(lambda: 1).result(5) == 1
    assert not begun.is_set()
    assert workers.close()


def test_closing_does_not_wait_for_what_hangs() -> None:
    workers = Workers(threads=1, waiting=1)
    go = threading.Event()
    hanging = workers.submit(lambda: go.wait(20))
    assert workers.close(timeout_s=0.05) is False
    go.set()
    hanging.result(5)
