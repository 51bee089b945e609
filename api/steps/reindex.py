"""The step that makes the derived indexes anew."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["reindex"]


def reindex(engine: Engine, *, progress: Progress = silent) -> dict[str, Any]:
    """Throw the indexes of words and meaning and the vectors of parts away, and make the first two.

    They follow the graph by themselves, and what is damaged is found when it is opened: this is for
    whoever does not want to trust them. Vectors of parts are made when they are asked for. Searches
    of other processes go on with what they hold.

    Args:
        engine: Whose.
        progress: Told texts encoded.

    Returns:
        For each index the store's version that it has reached, and how many it is behind.

    Raises:
        MissingPartError: There is no graph yet.

    Example:
        >>> reindex(engine)["words"]["behind"]  # doctest: +SKIP
        0
    """
    from api.inspection import indexes_of
    from api.search.hybrid import HybridSearch

    workspace = engine.workspace
    workspace.require()
    version = engine.store.version  # a store that cannot be reached leaves all as it is
    for folder in (workspace.words, workspace.indexes / "parts"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in workspace.indexes.glob("meaning-*"):
        file.unlink(missing_ok=True)
    search = HybridSearch(engine)
    search.catch_up(progress=progress)
    search("a", k=1)
    return indexes_of(engine, version)
