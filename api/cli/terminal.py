"""What a terminal is given: texts from a graph or a file must not steer it."""

from __future__ import annotations

import sys
from typing import Any, TextIO

__all__ = ["guard_terminal", "visible"]

_SIGNS = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"},
    127: "\u2421",
    **dict.fromkeys(range(128, 160), "\ufffd"),
}
"""Control characters as the signs that Unicode has for them."""


def visible(text: str) -> str:
    r"""Return a text with signs in the place of control characters, but for lines and tabs.

    Example:
        >>> visible("Peru\x1b[2J\n")
        'Peru␛[2J\n'
    """
    return text.translate(_SIGNS)


def guard_terminal() -> None:
    """Have standard output show control characters where it is a terminal.

    Files and other programs get the very text.
    """
    if sys.stdout.isatty():
        sys.stdout = _Visible(sys.stdout)


class _Visible:
    """A stream whose texts are made `visible`; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(visible(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
