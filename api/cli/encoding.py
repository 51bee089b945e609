"""Vectors of meaning that a search needs, made with a bar where it would be silent for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["catch_up"]


def catch_up(engine: Engine) -> None:
    """Encode the texts that are new since the last search, and tell how many are done."""
    from api.cli.printing import progress_bar
    from api.inspection import indexes_of

    reached = indexes_of(engine, engine.store.version).get("meaning")
    if reached is not None and reached["behind"] == 0:
        return
    with progress_bar("encoding texts", "texts") as progress:
        engine.search.catch_up(progress=progress)
