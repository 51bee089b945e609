"""Umbra: a multimodal knowledge graph that answers what is known and what is likely.

A thin package: it re-exports the public names and loads them when they are first used.

Example:
    >>> import umbra
    >>> graph = umbra.open("world")                            # doctest: +SKIP
    >>> graph.ask("MATCH (c:Country)-[:borders]->(:Country {name: 'Chad'}) RETURN c")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from api.client import Client as Client
    from api.engine import Engine as Engine
    from api.frames import ask_frame as ask_frame
    from api.frames import link_frame as link_frame
    from api.frames import search_frame as search_frame
    from api.retrieval.context import context_for as context_for
    from api.steps.check_scenes import check_scenes as check_scenes
    from kg.errors import EngineError as EngineError
    from kg.model import Edge as Edge
    from kg.model import Entity as Entity
    from kg.model import EntityKey as EntityKey
    from kg.provenance import Provenance as Provenance
    from kg.snapshot import Snapshot as Snapshot
    from reasoning.answers import Answer as Answer
    from reasoning.answers import Answers as Answers
    from reasoning.query import Anchor as Anchor
    from reasoning.query import Compare as Compare
    from reasoning.query import Date as Date
    from reasoning.query import Intersection as Intersection
    from reasoning.query import Labelled as Labelled
    from reasoning.query import Negation as Negation
    from reasoning.query import Projection as Projection
    from reasoning.query import SoftAnchor as SoftAnchor
    from reasoning.query import Union as Union

__version__ = "0.1.0"

_HOMES = {
    "Anchor": "reasoning.query",
    "Answer": "reasoning.answers",
    "Answers": "reasoning.answers",
    "Client": "api.client",
    "Compare": "reasoning.query",
    "Date": "reasoning.query",
    "Edge": "kg.model",
    "Engine": "api.engine",
    "EngineError": "kg.errors",
    "Entity": "kg.model",
    "EntityKey": "kg.model",
    "Intersection": "reasoning.query",
    "Labelled": "reasoning.query",
    "Negation": "reasoning.query",
    "Projection": "reasoning.query",
    "Provenance": "kg.provenance",
    "Snapshot": "kg.snapshot",
    "SoftAnchor": "reasoning.query",
    "Union": "reasoning.query",
    "ask_frame": "api.frames",
    "check_scenes": "api.steps.check_scenes",
    "context_for": "api.retrieval.context",
    "link_frame": "api.frames",
    "search_frame": "api.frames",
}

__all__ = [*_HOMES, "open"]


def open(folder: str | Path | None = None, *, snapshot: str = "full") -> Engine:  # noqa: A001
    """Open the graph of a working folder.

    Args:
        folder: The folder; by default ``UMBRA_FOLDER`` or the nearest ``.umbra``.
        snapshot: Name of the snapshot that questions run on.

    Example:
        >>> with umbra.open() as graph:                         # doctest: +SKIP
        ...     print(graph.entity("country:AL").name)
    """
    from api.engine import Engine

    return Engine.open(folder, snapshot=snapshot)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'umbra' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
