"""Edges of a pattern as a text has them: alternatives, either direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reasoning.patterns import PatternEdge
from reasoning.query import Projection, Query, Span, Union

__all__ = ["Direction", "Hop", "pattern_edge", "projected"]

Direction = Literal["out", "in", "both"]


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """An edge of a pattern between two variables.

    Attributes:
        left: Variable before it in the text.
        right: Variable after it.
        relations: Alternatives; at least one.
        direction: `out` from left to right, `in` from right to left, `both` for either way.
        span: Where it stands.
        clause: Number of the clause that it stands in.
    """

    left: str
    right: str
    relations: tuple[str, ...]
    direction: Direction
    span: Span
    clause: int = 0

    def ways(self) -> list[tuple[str, str]]:
        """Return (start, end) variables of the edge, both ways for one without an arrow."""
        out, back = (self.left, self.right), (self.right, self.left)
        return {"out": [out], "in": [back], "both": [out, back]}[self.direction]

    def other(self, name: str) -> str:
        """Return the variable at the other end."""
        return self.right if name == self.left else self.left


def pattern_edge(hop: Hop) -> PatternEdge:
    """Return a hop as an edge of a pattern."""
    head, tail = hop.ways()[0]
    return PatternEdge(head, hop.relations, tail, hop.direction == "both", hop.span)


def projected(hop: Hop, child: Query, *, forward: bool) -> Query:
    """Return what a hop reaches from a child; `forward` if the child is on its left."""
    inverse = {"out": (not forward,), "in": (forward,), "both": (False, True)}[hop.direction]
    ways: list[Query] = [
        Projection(relation, child, way, hop.span) for relation in hop.relations for way in inverse
    ]
    return ways[0] if len(ways) == 1 else Union(tuple(ways), hop.span)
