"""Host names that a server on loopback answers to."""

from __future__ import annotations

__all__ = ["LOOPBACK"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
