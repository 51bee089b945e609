"""What an agent is told when a tool cannot do what it asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mcp.server.mcpserver.exceptions import ToolError

from kg.errors import EngineError

__all__ = ["told"]


@contextmanager
def told() -> Iterator[None]:
    """Let the model read what is wrong: an error of the engine says it, with what to do."""
    try:
        yield
    except EngineError as error:
        raise ToolError(f"{error.slug}: {error}") from error
