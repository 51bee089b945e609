"""Opens newer snapshots and models while the server answers with those it has."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from kg.errors import EngineError

if TYPE_CHECKING:
    from api.engine import Engine
    from api.serving.measures import Measures

__all__ = ["Reloading"]

LOG = logging.getLogger("umbra.serving")
LOOK_EVERY_S = 1.0
REST_S = 30.0
"""How long files that cannot be opened are left alone if they do not change."""


class Reloading:
    """A thread that looks whether the working folder has a newer snapshot or model.

    Files that are half written do not open: the server goes on with what it has, and looks again.

    Args:
        engine: Whose; it is told to reload.
        measures: Where reloads are counted.
        every_s: Seconds between two looks.
        when_done: Called after each reload.
    """

    def __init__(
        self,
        engine: Engine,
        measures: Measures | None = None,
        *,
        every_s: float = LOOK_EVERY_S,
        when_done: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._measures = measures
        self._every_s = every_s
        self._when_done = when_done
        self._closing = threading.Event()
        self._failed: tuple[object, int] = (None, 0)
        self._thread = threading.Thread(target=self._run, name="umbra-reloading", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float = 0.2) -> bool:
        """Look no longer; return whether the thread has ended within the time."""
        self._closing.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._closing.wait(self._every_s):
            self.look()

    def look(self) -> bool:
        """Reload if there is something newer; return whether it did."""
        lying = self._engine.lying_there()
        if lying == self._failed[0] and self._failed[1] * self._every_s < REST_S:
            self._failed = (lying, self._failed[1] + 1)
            return False
        try:
            done = self._engine.reload()
            served = self._engine.snapshot.hash[:12] if done else ""
        except (EngineError, OSError) as error:
            LOG.warning("a newer snapshot or model cannot be opened yet: %s", error)
            self._failed = (lying, 0)
            self._count("failed")
            return False
        self._failed = (None, 0)
        if done:
            LOG.info("serving snapshot %s", served)
            self._count("done")
            self._when_done()
        return done

    def _count(self, outcome: str) -> None:
        if self._measures is not None:
            self._measures.reloaded(outcome)
