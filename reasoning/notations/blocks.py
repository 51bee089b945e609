"""From variables, hops and conditions to a query tree: the returned variable is the root.

What Cypher's MATCH and SPARQL's group patterns have in common. A block is read if its variables and
hops form a tree; a variable that stands for one given entity is many leaves rather than a knot of
the tree. A block with a cycle, or of which several variables are asked, is a
`reasoning.patterns.Pattern`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from kg.errors import LimitError
from reasoning.normal_form import EVERYTHING
from reasoning.notations.conditions import (
    Both,
    Condition,
    DifferenceTest,
    Either,
    Not,
    PatternTest,
    VariableTest,
    place_of,
)
from reasoning.notations.hops import Hop, pattern_edge, projected
from reasoning.notations.values import everything, unsupported
from reasoning.patterns import Pattern
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Span,
    Union,
)
from reasoning.safety import MAX_DEPTH

__all__ = ["ANONYMOUS", "Block"]

ANONYMOUS = "#"
"""Begins what stands for the variable of a node without one."""


@dataclass(slots=True)
class _Node:
    """A variable: where it stands first, and what is said of it."""

    span: Span
    constraints: list[Query] = field(default_factory=list)


class Block(ABC):
    """Patterns that see each other's variables: a whole query, or the inside of a condition."""

    def __init__(self) -> None:
        self.nodes: dict[str, _Node] = {}
        self.hops: list[Hop] = []
        self.conditions: list[tuple[Condition, bool]] = []
        self._closing: Hop | None = None
        self._different: list[DifferenceTest] = []

    @abstractmethod
    def pattern_tree(self, test: PatternTest) -> tuple[str, Query]:
        """Return the variable of this block that a pattern starts from, and its tree there.

        Raises:
            UnsupportedQueryError: It has no such variable, or several.
        """

    @abstractmethod
    def check_local(self, variable: str, span: Span) -> None:
        """Refuse a condition on a variable that is not one of this block.

        Raises:
            UnsupportedQueryError: It is none.
        """

    @abstractmethod
    def check(self) -> None:
        """Refuse what would mean something else as a tree; called when all is taken in.

        Raises:
            UnsupportedQueryError: The notation's own rules differ here.
        """

    def named(self, variable: str | None, span: Span) -> str:
        """Return the name of a variable, and take it in if it is new.

        Raises:
            UnsupportedQueryError: It begins as nameless ones do.
        """
        if variable is not None and variable.startswith(ANONYMOUS):
            raise unsupported(f"a variable begins with {ANONYMOUS}", span, "call it otherwise")
        name = f"{ANONYMOUS}{len(self.nodes)}" if variable is None else variable
        self.nodes.setdefault(name, _Node(span))
        return name

    def asked(self, answer: Sequence[str], span: Span) -> Query | Pattern:
        """Return what is asked: a tree around one variable, else a pattern.

        Args:
            answer: Free variables.
            span: Where they stand.

        Raises:
            UnsupportedQueryError: A part is not connected with the rest, or `check` refuses.
        """
        self._settle()
        if len(answer) == 1:
            tree = self._tree(answer[0])
            if self._closing is None and not self._different:
                return tree
        conditions = [(name, part) for name in self.nodes for part in self.nodes[name].constraints]
        return Pattern(
            answer=tuple(answer),
            edges=tuple(pattern_edge(hop) for hop in self.hops),
            conditions=tuple(pair for pair in conditions if pair[1] != EVERYTHING),
            different=tuple((test.left, test.right) for test in self._different),
            variables=tuple(self.nodes),
            span=self._place(span),
        )

    def tree(self, root: str) -> Query:
        """Return the tree around a variable.

        Raises:
            UnsupportedQueryError: The block is no tree, or `check` refuses.
        """
        self._settle()
        tree = self._tree(root)
        if self._closing is not None or self._different:
            raise unsupported(
                "this makes a condition more than a tree",
                self._place(self.nodes[root].span),
                "leave it out, or use another variable",
            )
        return tree

    def _place(self, span: Span) -> Span:
        """Return what makes a pattern of a tree; `span` where that is its answer."""
        if self._closing is not None:
            return self._closing.span
        return self._different[0].span if self._different else span

    def _settle(self) -> None:
        while self.conditions:
            self._attach(*self.conditions.pop(0))
        self.check()

    def _tree(self, root: str) -> Query:
        seen: set[str] = set()
        tree = self._around(root, None, seen, self._reached(root), 1)
        for name, node in self.nodes.items():
            if name not in seen:
                raise unsupported(
                    f"nothing connects this part of the pattern with {root}",
                    node.span,
                    "connect it by a relationship, or leave it out",
                )
        return tree

    def _is_given(self, name: str) -> bool:
        return any(isinstance(part, Anchor) for part in self.nodes[name].constraints)

    def _reached(self, root: str) -> set[str]:
        """Return the variables that hops reach from the root without passing a given entity."""
        reached, left = {root}, [root]
        while left:
            name = left.pop()
            if name != root and self._is_given(name):
                continue
            for hop in self.hops:
                if name in (hop.left, hop.right) and hop.other(name) not in reached:
                    reached.add(hop.other(name))
                    left.append(hop.other(name))
        return reached

    def _around(
        self, name: str, came_by: Hop | None, seen: set[str], reached: set[str], depth: int
    ) -> Query:
        if depth > MAX_DEPTH:
            raise LimitError(f"a pattern has more than {MAX_DEPTH} hops in a row")
        seen.add(name)
        parts = list(self.nodes[name].constraints)
        leaf = came_by is not None and self._is_given(name)
        for hop in self.hops:
            if hop is came_by or name not in (hop.left, hop.right):
                continue
            other = hop.other(name)
            if leaf and (other in reached or other in seen):
                continue  # the other end names this entity itself
            if other not in seen:
                child = self._around(other, hop, seen, reached, depth + 1)
            elif other != name and self._is_given(other):
                child = _joined(self.nodes[other].constraints, self.nodes[other].span)
            else:
                self._closing = self._closing or hop
                continue
            parts.append(projected(hop, child, forward=name == hop.right))
        return _joined(parts, self.nodes[name].span)

    def _attach(self, condition: Condition, positive: bool) -> None:
        """Hand each part of a conjunction to the variable that it is about."""
        if isinstance(condition, DifferenceTest) and positive:
            self.check_local(condition.left, condition.span)
            self.check_local(condition.right, condition.span)
            self._different.append(condition)
        elif isinstance(condition, Not):
            self._attach(condition.part, not positive)
        elif isinstance(condition, Both if positive else Either):
            for part in condition.parts:
                self._attach(part, positive)
        else:
            name, query = self._tested(condition, positive)
            self.nodes[name].constraints.append(query)

    def _tested(self, condition: Condition, positive: bool) -> tuple[str, Query]:
        """Return the one variable that a condition is about, and what it says of it."""
        match condition:
            case Not(part=part):
                return self._tested(part, not positive)
            case VariableTest(variable=variable, span=span):
                self.check_local(variable, span)
                return variable, condition.query if positive else condition.opposite
            case DifferenceTest(span=span):
                raise unsupported(
                    "two variables are compared inside OR or NOT", span, "join it with AND"
                )
            case PatternTest(span=span):
                name, tree = self.pattern_tree(condition)
                return name, tree if positive else Negation(tree, span)
            case Both(parts=parts) | Either(parts=parts):
                found = [self._tested(part, positive) for part in parts]
                names = list(dict.fromkeys(name for name, _ in found))
                if len(names) > 1:
                    raise unsupported(
                        f"alternatives about two variables, {names[0]} and {names[1]}",
                        place_of(condition),
                        "write two queries joined by UNION",
                    )
                make = Intersection if isinstance(condition, Both) == positive else Union
                return names[0], make(tuple(query for _, query in found), place_of(condition))


def _joined(parts: Sequence[Query], span: Span) -> Query:
    """Intersect; what holds of everything is left out beside a part that names its answers."""
    named = Anchor | SoftAnchor | Labelled | Projection
    if any(isinstance(part, named) for part in parts) or any(
        isinstance(part, Compare) and part != EVERYTHING for part in parts
    ):
        parts = [part for part in parts if part != EVERYTHING]
    if not parts:
        return everything(span)
    return parts[0] if len(parts) == 1 else Intersection(tuple(parts), span)
