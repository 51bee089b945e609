"""Interrupts at moments when a library cannot bear one, and the handlers that are left behind."""

from __future__ import annotations

import importlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from api.signals import interruptible
from tests.api.tiny_world import environment

pytestmark = pytest.mark.timeout(300)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
LOADING = """
import sys, time
from api.cli import ask, main

def run(_arguments):
    print("loading", flush=True)
    import torch
    time.sleep(120)
    sys.exit("nobody interrupted")

ask.run = run
sys.exit(main.main())
"""
"""The command line with an `ask` that does nothing but load a compiled library, and wait."""
HALF_MADE = """
import signal, sys
from api.cli import ask, main

class Connection:
    def __init__(self):
        signal.raise_signal(signal.SIGTERM)
        self.hooks = None

    def __del__(self):
        self.hooks.close()

ask.run = lambda _arguments: Connection()
sys.exit(main.main())
"""
"""An `ask` that is stopped within a constructor of a library, as Neo4j's driver has them."""
SLOW_MODULE = """
import signal
signal.raise_signal(signal.{name})
for _ in range(1000):
    pass
whole = True
"""


@pytest.fixture
def _handlers_stay() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    assert [signal.getsignal(number) for number in numbers] == before


def interrupted_while_loading(number: signal.Signals, after_s: float) -> str:
    """Interrupt a process that loads libraries; return what it said."""
    command = [sys.executable, "-c", LOADING, "ask", "a question"]
    with subprocess.Popen(
        command, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        time.sleep(after_s)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == CODES[number], errors
    return errors


def check_moments(count: int, longest_s: float, seed: int) -> None:
    chance = random.Random(seed)
    for round_number in range(count):
        number = list(CODES)[round_number % 2]
        errors = interrupted_while_loading(number, chance.uniform(0.0, longest_s))
        assert errors == "umbra: stopped; the same command goes on where it was\n"


def test_what_a_stop_leaves_half_made_says_nothing() -> None:
    command = [sys.executable, "-c", HALF_MADE, "ask", "a question"]
    ended = subprocess.run(command, env=environment(), text=True, capture_output=True, check=False)
    assert ended.returncode == CODES[signal.SIGTERM], ended.stderr
    assert ended.stderr == "umbra: stopped; the same command goes on where it was\n"


def test_a_process_that_loads_compiled_libraries_ends_in_order() -> None:
    check_moments(2, 1.0, seed=3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_process_that_loads_compiled_libraries_ends_in_order_at_many_moments() -> None:
    check_moments(40, 3.0, seed=5)


@pytest.mark.usefixtures("_handlers_stay")
@pytest.mark.parametrize("number", CODES)
def test_an_import_is_over_before_it_is_interrupted(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"slow_module_{number.name}"
    (tmp_path / f"{name}.py").write_text(SLOW_MODULE.format(name=number.name))
    monkeypatch.syspath_prepend(tmp_path)

    def load() -> None:
        with interruptible():
            importlib.import_module(name)
            until = time.monotonic() + 60
            while time.monotonic() < until:
                pass

    with pytest.raises(KeyboardInterrupt, match=number.name):
        load()
    assert sys.modules.pop(name).whole


@pytest.mark.usefixtures("_handlers_stay")
@pytest.mark.parametrize("number", CODES)
def test_elsewhere_an_interrupt_comes_at_once(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt, match=number.name), interruptible():
        signal.raise_signal(number)


@pytest.mark.usefixtures("_handlers_stay")
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("told", [(), ("interrupted",)])
@pytest.mark.parametrize("inner", [False, True])
def test_an_interrupt_that_a_library_raises_anew_keeps_its_name(
    number: signal.Signals, told: tuple[str, ...], inner: bool
) -> None:
    def extension() -> None:
        try:
            with interruptible() if inner else nullcontext():
                signal.raise_signal(number)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(*told) from None

    with pytest.raises(KeyboardInterrupt, match=number.name), interruptible():
        extension()


@pytest.mark.usefixtures("_handlers_stay")
def test_an_interrupt_of_an_earlier_block_names_none_of_a_later_one() -> None:
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), interruptible():
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt) as later, interruptible():
        raise KeyboardInterrupt
    assert later.value.args == ()


class Finalised:
    """Its finaliser, where an error cannot be raised, is interrupted."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __del__(self) -> None:
        signal.raise_signal(signal.Signals[self.name])


@pytest.mark.usefixtures("_handlers_stay")
@pytest.mark.parametrize("number", CODES)
def test_an_interrupt_within_a_finaliser_is_not_lost(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = sys.unraisablehook

    def finalise() -> None:
        with interruptible():
            Finalised(number.name)
            until = time.monotonic() + 60
            while time.monotonic() < until:
                pass

    with pytest.raises(KeyboardInterrupt, match=number.name):
        finalise()
    assert capsys.readouterr().err == ""
    assert sys.unraisablehook is hook


@pytest.mark.usefixtures("_handlers_stay")
@pytest.mark.parametrize("number", CODES)
def test_an_interrupt_that_a_library_swallows_is_raised_again(number: signal.Signals) -> None:
    def swallow() -> None:
        with interruptible():
            with suppress(BaseException):
                signal.raise_signal(number)
            until = time.monotonic() + 60
            while time.monotonic() < until:
                pass

    with pytest.raises(KeyboardInterrupt, match=number.name):
        swallow()


@pytest.mark.usefixtures("_handlers_stay")
def test_what_an_interrupt_has_to_clean_up_is_not_interrupted_again() -> None:
    def work() -> None:
        with interruptible():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                until = time.monotonic() + 0.3  # several alarms
                while time.monotonic() < until:
                    pass
                whole.append(True)

    whole: list[bool] = []
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        work()
    assert whole == [True]


@pytest.mark.usefixtures("_handlers_stay")
def test_another_error_within_a_finaliser_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_type))
    with interruptible():
        Finalised("no signal")
    assert told == [KeyError]


@pytest.mark.usefixtures("_handlers_stay")
def test_an_interrupt_that_waits_at_the_end_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_module.py").write_text(SLOW_MODULE.format(name="SIGTERM"))
    monkeypatch.syspath_prepend(tmp_path)
    with interruptible():
        importlib.import_module("slow_module")
    time.sleep(0.1)  # twice as long as an alarm takes
    del sys.modules["slow_module"]
    assert signal.getitimer(signal.ITIMER_REAL)[1] == 0.0


@pytest.mark.usefixtures("_handlers_stay")
def test_an_interrupt_that_waited_goes_to_whoever_handles_it_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_module.py").write_text(SLOW_MODULE.format(name="SIGTERM"))
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[int] = []
    with interruptible():
        importlib.import_module("slow_module")
        ours = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
        until = time.monotonic() + 60
        while not seen and time.monotonic() < until:
            time.sleep(0.01)
        signal.signal(signal.SIGTERM, ours)
    del sys.modules["slow_module"]
    assert seen == [signal.SIGTERM]


@pytest.mark.usefixtures("_handlers_stay")
def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_handlers_stay")
def test_a_thread_leaves_all_handlers_alone() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def run() -> None:
        with interruptible():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
