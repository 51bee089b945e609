"""The engine that graphs are measured on: opened as Umbra does, and by the bare driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.engine_command import LauncherConfig

if TYPE_CHECKING:
    from neo4j import Driver

    from kg.backends.links import Role

__all__ = ["LONG", "bare_driver", "opened"]

LONG = LauncherConfig(java_options=())
"""For minutes of work: both of Java's compilers, as `kg.engine_command` advises."""


@contextmanager
def opened(work: Path, database: str = "kg") -> Iterator[BoltStore]:
    """Open a graph of the bench's engine."""
    with BoltStore(EmbeddedLink(work / "graph", database=database, config=LONG)) as store:
        yield store


@contextmanager
def bare_driver(work: Path, role: Role) -> Iterator[Driver]:
    """Open the official driver on the same engine."""
    link = EmbeddedLink(work / "graph")
    link.connect()
    with link.driver(role) as driver:
        yield driver
    link.close()
