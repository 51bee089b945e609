"""Interrupts that hide behind another error.

A library that Ctrl+C interrupts at a bad moment (a compiled module while it loads, a driver within
a message) may end with an error of its own; what the user did was to interrupt.
"""

from __future__ import annotations

__all__ = ["interrupt_behind"]


def interrupt_behind(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interrupt that caused an error or during whose handling it came, if there is one.

    Example:
        >>> interrupt_behind(ValueError()) is None
        True
    """
    seen: set[int] = set()
    before: BaseException | None = error
    while before is not None and id(before) not in seen:
        if isinstance(before, KeyboardInterrupt):
            return before
        seen.add(id(before))
        before = before.__cause__ or before.__context__
    return None
