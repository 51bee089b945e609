"""Review: people decide what the linker could not, and the graph and the linker learn from it."""

from linkers.review.change import Change
from linkers.review.model import Case, Decision, Request, case_of, mention_hash
from linkers.review.review import Review

__all__ = ["Case", "Change", "Decision", "Request", "Review", "case_of", "mention_hash"]
