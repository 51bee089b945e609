"""Linkers: mentions in, links to entities of the graph out, with probabilities and reasons.

Public names are loaded when they are first used: a review, a gazetteer or the reader of a table
needs no network, and torch takes seconds to load.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linkers.config import LinkerConfig as LinkerConfig
    from linkers.decision import DecisionConfig as DecisionConfig
    from linkers.knowledge_base import KnowledgeBase as KnowledgeBase
    from linkers.linker import Linker as Linker
    from linkers.matching import MatchingConfig as MatchingConfig
    from linkers.model import Candidate as Candidate
    from linkers.model import Link as Link
    from linkers.model import LinkState as LinkState
    from linkers.model import Mention as Mention
    from linkers.model import NilReason as NilReason
    from linkers.vectors import Encoders as Encoders

_HOMES = {
    "Candidate": "linkers.model",
    "DecisionConfig": "linkers.decision",
    "Encoders": "linkers.vectors",
    "KnowledgeBase": "linkers.knowledge_base",
    "Link": "linkers.model",
    "LinkState": "linkers.model",
    "Linker": "linkers.linker",
    "LinkerConfig": "linkers.config",
    "MatchingConfig": "linkers.matching",
    "Mention": "linkers.model",
    "NilReason": "linkers.model",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'linkers' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(_HOMES)
