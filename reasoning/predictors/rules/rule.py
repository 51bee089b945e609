"""A path rule, and the facts of a graph that make it fire.

With variables at both ends, ``speaks(X, Y) <- in_block(X, A), in_block(B, A), speaks(B, Y)``; with
constants, ``speaks(X, english) <- in_block(X, anglosphere)``. These are the two kinds of rules of
AnyBURL (Meilicke et al., IJCAI 2019, "cyclic" and "acyclic" with one body atom).
"""

from __future__ import annotations

from dataclasses import dataclass

from kg.model import EdgeKey
from kg.snapshot import Snapshot
from reasoning.predictors.paths import Body

__all__ = ["Rule", "RuleReason", "rule_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: where its body leads from a head to a tail, the relation may hold too.

    Attributes:
        relation: Directed relation of the rule's head: r, or r + num_relations for r⁻¹.
        body: One to three directed relations.
        end: Id of the entity that the body must lead to; None where that is the tail itself.
        tail: Id of the entity that is predicted then; None together with `end`.
        support: Predictions on the sampled heads that are edges.
        predictions: All predictions on the sampled heads.
        confidence: support / (predictions + pseudo-count).
    """

    relation: int
    body: Body
    end: int | None = None
    tail: int | None = None
    support: int
    predictions: int
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReason:
    """A rule that speaks for an edge, and why it fires.

    Attributes:
        rule: The rule as text.
        confidence: Share of its predictions that were edges, in [0, 1].
        support: How many of them were edges.
        facts: Edges of the graph, one for each atom of the body, in its order.
    """

    rule: str
    confidence: float
    support: int
    facts: tuple[EdgeKey, ...]


def rule_text(rule: Rule, snapshot: Snapshot) -> str:
    """Return a rule in AnyBURL's notation; constants by their name."""
    last = "Y" if rule.end is None else snapshot.names[rule.end]
    tail = "Y" if rule.tail is None else snapshot.names[rule.tail]
    between = ("A", "B")[: len(rule.body) - 1]
    places = ("X", *between, last)
    atoms = [
        _atom(step, start, end, snapshot)
        for step, start, end in zip(rule.body, places, places[1:], strict=False)
    ]
    return f"{_atom(rule.relation, 'X', tail, snapshot)} <- {', '.join(atoms)}"


def _atom(step: int, start: str, end: str, snapshot: Snapshot) -> str:
    """Return an atom with the relation read forward."""
    count = snapshot.num_relations
    name = snapshot.relation_names.name(step % count)
    return f"{name}({end}, {start})" if step >= count else f"{name}({start}, {end})"
