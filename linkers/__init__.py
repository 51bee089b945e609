"""Linkers: mentions in, links to entities of the graph out, with probabilities and reasons."""

from linkers.config import LinkerConfig
from linkers.decision import DecisionConfig
from linkers.knowledge_base import KnowledgeBase
from linkers.linker import Linker
from linkers.matching import MatchingConfig
from linkers.model import Candidate, Link, LinkState, Mention, NilReason
from linkers.vectors import Encoders

__all__ = [
    "Candidate",
    "DecisionConfig",
    "Encoders",
    "KnowledgeBase",
    "Link",
    "LinkState",
    "Linker",
    "LinkerConfig",
    "MatchingConfig",
    "Mention",
    "NilReason",
]
