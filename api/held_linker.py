"""One open linker for a server's requests, opened again after a change or a decision."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from api.steps.open_linker import open_linker

if TYPE_CHECKING:
    from api.engine import Engine
    from linkers.protocols import MentionLinker

__all__ = ["HeldLinker"]


class HeldLinker:
    """Lends the trained linker of an engine to one request at a time.

    Args:
        engine: Whose linker.
        opener: Opens it (tests open a smaller one).
    """

    def __init__(
        self, engine: Engine, *, opener: Callable[[Engine], MentionLinker] = open_linker
    ) -> None:
        self._engine = engine
        self._opener = opener
        self._lock = threading.Lock()
        self._linker: MentionLinker | None = None
        self._seen: tuple[int, int] | None = None

    @contextmanager
    def lent(self) -> Iterator[MentionLinker]:
        """Return a context with the linker on the entities as they are now.

        Raises:
            MissingPartError: No linker was trained.
        """
        with self._lock:
            seen = (self._engine.store.version, _size(self._engine.workspace.review))
            if self._linker is None or seen != self._seen:
                self._linker = self._opener(self._engine)
                self._seen = seen
            yield self._linker


def _size(path: Path) -> int:
    """Return the size of the log of decisions, which only grows."""
    return path.stat().st_size if path.exists() else 0
