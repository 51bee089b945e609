"""Ctrl+C and SIGTERM as a `KeyboardInterrupt`, at a moment that every library can bear.

A compiled module that is interrupted while it is being imported may end the whole process (a C++
initialiser throws where nothing catches), or come back half made. So an interrupt that arrives
within an import waits until the import is over. One that is raised where Python cannot hand an
error on (a finaliser, the callback of a weak reference) would be printed and lost, and compiled
modules clear errors that they do not expect: an interrupt that nothing holds any more a moment
later is raised again. A library that catches an interrupt and raises one of its own, without the
signal's name, is put right when the block ends.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

__all__ = ["interruptible", "is_importing"]

IMPORT_SYSTEM = "<frozen importlib._bootstrap>"
"""File name of the frames that every import has on the stack."""
RETRY_S = 0.05
"""Seconds after which an interrupt that had to wait looks again."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None


def is_importing(frame: FrameType | None) -> bool:
    """Tell whether an import is under way on the stack that ends with a frame.

    Example:
        >>> import sys
        >>> is_importing(sys._getframe())
        False
    """
    while frame is not None:
        if frame.f_code.co_filename == IMPORT_SYSTEM:
            return True
        frame = frame.f_back
    return False


@contextmanager
def interruptible(*numbers: signal.Signals, last: bool = False) -> Iterator[None]:
    """Raise a `KeyboardInterrupt` named like the signal for each that comes, within no import.

    A signal that is ignored (Ctrl+C in the background of a shell) stays so. Only the main thread
    can handle signals: in another one nothing changes.

    Args:
        numbers: The signals; SIGINT and SIGTERM if none is given.
        last: The process ends after this: from then on a signal ends it at once and quietly.
            Otherwise the handlers of before come back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers or SIGNALS}
    before = {number: one for number, one in before.items() if one is not signal.SIG_IGN}
    if not any(isinstance(getattr(one, "__self__", None), _Delivery) for one in before.values()):
        _Delivery.raised = None  # what came before this outermost block is over
    delivery = _Delivery()
    hook = sys.unraisablehook
    try:
        sys.unraisablehook = partial(delivery.take_back, hook)
        for number in before:
            signal.signal(number, delivery.take)
        yield
    except KeyboardInterrupt as interrupt:
        delivery.name(interrupt)
        raise
    finally:
        delivery.cancel()
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if last or handler is None else handler)


class _Delivery:
    """Raises an interrupt, or keeps it until no import is under way."""

    raised: KeyboardInterrupt | None = None
    """The last one of this process, by whichever block: blocks stand within one another."""

    def __init__(self) -> None:
        self._kept: signal.Signals | None = None
        self._alarm: Handler = None
        self._timer = (0.0, 0.0)

    def take(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if is_importing(frame):
            self._keep(signal.Signals(number))
            return
        self.cancel()
        _Delivery.raised = KeyboardInterrupt(signal.Signals(number).name)
        self._keep(signal.Signals(number))  # until it is seen to have arrived
        raise _Delivery.raised

    def take_back(self, otherwise: Callable[[Any], Any], unraisable: Any) -> None:
        """Print no interrupt that nothing could catch: it comes again (a `sys.unraisablehook`)."""
        if _Delivery.raised is None or unraisable.exc_value is not _Delivery.raised:
            otherwise(unraisable)

    def name(self, interrupt: KeyboardInterrupt) -> None:
        """Name an interrupt that a library raised in place of ours after the signal behind it."""
        if _Delivery.raised is not None:
            interrupt.args = _Delivery.raised.args

    def cancel(self) -> None:
        """Forget what is kept and give the alarm back to whoever had it."""
        if self._kept is None:
            return
        signal.setitimer(signal.ITIMER_REAL, *self._timer)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if self._alarm is None else self._alarm)
        self._kept = None

    def _keep(self, number: signal.Signals) -> None:
        if self._kept is None:
            self._alarm = signal.signal(signal.SIGALRM, self._try_again)
            self._timer = signal.setitimer(signal.ITIMER_REAL, RETRY_S, RETRY_S)
        self._kept = number

    def _try_again(self, _number: int, frame: FrameType | None) -> None:
        kept = self._kept
        if kept is None or is_importing(frame) or self._is_on_its_way():
            return
        self.cancel()
        signal.raise_signal(kept)  # to whoever handles it now: a server may have taken over

    @staticmethod
    def _is_on_its_way() -> bool:
        """Tell whether somebody beside this class holds the last interrupt."""
        ours = 2  # the attribute, and the argument below
        return _Delivery.raised is not None and sys.getrefcount(_Delivery.raised) > ours
