"""Independent steps in processes side by side, one a core, their progress told to the caller.

Training is one thread's work: two processes halve the demo's time on two cores, and each stays
deterministic. A step that was done before is never started.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NoReturn

from api.signals import interruptible
from kg.errors import EngineError, JobError
from kg.progress import Progress

__all__ = ["Bars", "Task", "end_with_parent", "side_by_side"]

Bars = Callable[[str, str], Progress]
"""Given a title and a unit, opens a bar and returns what tells it how far work has come."""

Outcome = dict[str, Any]
GRACE_S = 1.0
"""Seconds that a step has to end by itself when all is stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A step.

    Attributes:
        title: Of its bar.
        unit: Of its progress.
        done: Returns its outcome if there is nothing to do.
        function: A module's own function; called with `arguments` and ``progress=``.
        arguments: Plain values that can be sent to a process.
    """

    title: str
    unit: str
    done: Callable[[], Outcome | None]
    function: Callable[..., Outcome]
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Running:
    name: str
    process: BaseProcess
    progress: Progress


def side_by_side(tasks: Mapping[str, Task], bars: Bars, *, workers: int = 2) -> dict[str, Outcome]:
    """Run tasks, at most `workers` at a time, and return their outcomes by name.

    Args:
        tasks: The tasks; they are started in this order.
        bars: Shows progress.
        workers: Processes; 0 runs one task after the other in this process.

    Raises:
        EngineError: What a task raised; the others are ended first.
        JobError: A task's process was killed.
    """
    found = {name: task.done() for name, task in tasks.items()}
    waiting = [(name, tasks[name]) for name, outcome in found.items() if outcome is None]
    if workers == 0:
        for name, task in waiting:
            progress = bars(task.title, task.unit)
            found[name] = task.function(*task.arguments, progress=progress)
    else:
        found.update(_in_processes(waiting, bars, workers))
    return {name: outcome for name, outcome in found.items() if outcome is not None}


def _in_processes(waiting: list[tuple[str, Task]], bars: Bars, workers: int) -> dict[str, Outcome]:
    running: dict[Connection, _Running] = {}
    found: dict[str, Outcome] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                connection, one = _started(*waiting.pop(0), bars)
                running[connection] = one
            ready = set(wait(list(running), timeout=0.5))
            for connection in [c for c in running if c in ready]:
                _listen(connection, running, found)
    finally:
        _end([one.process for one in running.values()])
    return found


def _started(name: str, task: Task, bars: Bars) -> tuple[Connection, _Running]:
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, task.function, task.arguments))
    resource_tracker.ensure_running()  # starting it would unblock what is blocked here
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the process can ignore it
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    theirs.close()
    return ours, _Running(name, process, bars(task.title, task.unit))


def _listen(
    connection: Connection, running: dict[Connection, _Running], found: dict[str, Outcome]
) -> None:
    one = running[connection]
    try:
        kind, value = connection.recv()
    except EOFError:
        one.process.join()
        code = one.process.exitcode or 0
        how = f"killed by signal {-code}" if code < 0 else f"ended by a fault (exit code {code})"
        raise JobError(
            f"the step {one.name!r} was {how}",
            hint="run the same command again; it goes on where it was",
        ) from None
    if kind == "progress":
        one.progress(*value)
        return
    del running[connection]
    one.process.join()
    if kind == "error":
        raise value
    found[one.name] = value


def _end(processes: list[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(GRACE_S)
        if process.is_alive():
            process.kill()
            process.join()


def _work(
    connection: Connection, function: Callable[..., Outcome], arguments: tuple[Any, ...]
) -> None:
    """Run one task in this process and send what becomes of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the parent, which ends us
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    end_with_parent()

    def progress(done: int, total: int) -> None:
        connection.send(("progress", (done, total)))

    try:
        with interruptible(signal.SIGTERM):
            connection.send(("outcome", function(*arguments, progress=progress)))
    except EngineError as error:
        connection.send(("error", error))
    except (KeyboardInterrupt, BrokenPipeError):  # ended by the parent, or the parent has gone
        os._exit(1)  # all is closed; taking the interpreter down takes seconds on a busy machine


def end_with_parent() -> None:
    """Have this process end soon after its parent: nobody else would, were the parent killed.

    In a process that no other started by `multiprocessing` it changes nothing.
    """
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> NoReturn:
    parent.join()
    signal.raise_signal(signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)
