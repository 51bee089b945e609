"""Spans: named stretches of time that a tracer records, if there is one; else they cost nothing.

Nothing here knows OpenTelemetry: its tracers fit `Tracer`, and `api.serving.tracing` sets one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

__all__ = ["Tracer", "span", "watch"]


class Tracer(Protocol):
    """What records spans; a tracer of OpenTelemetry is one."""

    def start_as_current_span(
        self, name: str, *, attributes: dict[str, Any]
    ) -> AbstractContextManager[Any]:
        """Return a context that is the span."""
        ...


_watching: list[Tracer] = []


def watch(tracer: Tracer | None) -> None:
    """Record spans of this process by a tracer, or by none."""
    _watching[:] = [] if tracer is None else [tracer]


def span(name: str, **attributes: str | int | float | bool) -> AbstractContextManager[Any]:
    """Return a context that is recorded as a span.

    Args:
        name: What is done, such as ``store.read``; never a text of a user.
        **attributes: About it; no texts of users either, which may be secret.

    Example:
        >>> with span("store.read", rows=3):
        ...     pass
    """
    if not _watching:
        return nullcontext()
    return _watching[0].start_as_current_span(name, attributes=attributes)
