"""A store whose Cypher is a generator of the test, served on a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from api.settings import Settings
from kg.backends.memory import MemoryStore
from kg.row_stream import RowStream
from tests.api.pages import listening
from tests.api.world import open_world

__all__ = ["MadeRows", "serving_made"]


class MadeRows(MemoryStore):
    """Answers every query with rows that are made when they are asked for.

    Attributes:
        make: Makes the rows.
        made: How many have been made.
        opened: Queries that are open.
    """

    def __init__(self) -> None:
        super().__init__()
        self.make: Callable[[], Iterator[tuple[Any, ...]]] = lambda: iter(())
        self.made = 0
        self.opened = 0

    @contextmanager
    def stream(
        self,
        cypher: str,  # noqa: ARG002
        parameters: Mapping[str, Any] | None = None,  # noqa: ARG002
        *,
        timeout_s: float = 20.0,  # noqa: ARG002
        max_rows: int = 1_000_000,
    ) -> Iterator[RowStream]:
        """Return the rows of the test."""
        self.opened += 1
        self.made = 0
        try:
            yield RowStream(("n", "text"), self._counted(), max_rows=max_rows)
        finally:
            self.opened -= 1

    def _counted(self) -> Iterator[tuple[Any, ...]]:
        for row in self.make():
            self.made += 1
            yield row


@contextmanager
def serving_made(folder: Path, **settings: Any) -> Iterator[tuple[httpx.Client, MadeRows]]:
    """Serve a store of made rows, whose working folder is ``folder/.umbra``."""
    store = MadeRows()
    with (
        open_world(folder / ".umbra", settings=Settings(**settings), store=store) as engine,
        listening(engine) as address,
        httpx.Client(base_url=address, timeout=60) as http,
    ):
        yield http, store
