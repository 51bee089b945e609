"""One open linker for a server's requests, opened again when the graph has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.steps.link import open_linker

if TYPE_CHECKING:
    from api.engine import Engine
    from linkers import Linker

__all__ = ["HeldLinker"]


class HeldLinker:
    """Lends the trained linker of an engine to one request at a time.

    Args:
        engine: Whose linker.
        opener: Opens it (tests open a smaller one).
    """

    def __init__(self, engine: Engine, *, opener: Callable[[Engine], Linker] = open_linker) -> None:
        self._engine = engine
        self._opener = opener
        self._lock = threading.Lock()
        self._linker: Linker | None = None
        self._version = -1

    @contextmanager
    def lent(self) -> Iterator[Linker]:
        """Return a context with the linker on the entities as they are now.

        Raises:
            MissingPartError: No linker was trained.
        """
        with self._lock:
            version = self._engine.store.version
            if self._linker is None or version != self._version:
                self._linker = self._opener(self._engine)
                self._version = version
            yield self._linker
