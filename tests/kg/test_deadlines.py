"""Something done when a time passes, and nothing kept of what was cancelled."""

from __future__ import annotations

import threading
import weakref

from kg.backends.deadlines import Deadline, waiting


class Held:
    def act(self) -> None:
        raise AssertionError("it was cancelled")


def test_a_deadline_acts_once_when_its_time_has_come() -> None:
    done = threading.Event()
    deadline = Deadline(0.01, done.set)
    assert done.wait(10)
    deadline.cancel()


def test_what_is_cancelled_is_not_kept_until_its_time() -> None:
    last = Deadline(600, print)
    before = waiting()
    held = Held()
    gone = weakref.ref(held)
    made = [Deadline(900 + n, held.act) for n in range(500)]
    for deadline in made:
        deadline.cancel()
        deadline.cancel()
    assert waiting() <= 2 * before
    del held, deadline, made
    assert gone() is None
    last.cancel()
