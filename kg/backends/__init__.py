"""Graph stores: in memory, and behind Bolt (the embedded engine, or a Neo4j server)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kg.errors import InputError

if TYPE_CHECKING:
    from kg.engine_command import LauncherConfig
    from kg.store import Store

__all__ = ["open_store"]

SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


def open_store(
    address: str | Path,
    *,
    database: str | None = None,
    auth: tuple[str, str] | None = None,
    launcher: LauncherConfig | None = None,
) -> Store:
    """Open a graph store; close it when done, or use it as a context manager.

    Args:
        address: ``memory:``, a ``bolt://`` or ``neo4j://`` address, or a folder, whose embedded
            engine is started if it does not run.
        database: Name of the graph there (by default ``kg`` in a folder, ``neo4j`` on a server).
        auth: User and password of a server.
        launcher: How to start the embedded engine.

    Raises:
        StoreUnavailableError: The store cannot be reached or started.
        ForeignFileError: Something else lies where the store should be.

    Example:
        >>> open_store("memory:").capabilities.cypher
        False
    """
    text = str(address)
    if text == "memory:":
        from kg.backends.memory import MemoryStore

        return MemoryStore()
    from kg.backends.bolt import BoltStore

    if isinstance(address, str) and "://" in address:
        if urlsplit(address).scheme not in SCHEMES:
            raise InputError(
                f"no store has an address like {address.split('://')[0]}://…",
                hint=f"use a folder, memory:, or one of {', '.join(SCHEMES)}",
            )
        from kg.backends.links import RemoteLink

        return BoltStore(RemoteLink(address, auth=auth, database=database or "neo4j"))
    from kg.backends.embedded import EmbeddedLink

    return BoltStore(EmbeddedLink(Path(text), database=database or "kg", config=launcher))
