"""From a parsed pattern to a query tree: the returned variable is the root.

A pattern is read if its variables and relationships form a tree. Cypher lets no two relationships
of one MATCH clause be the same edge, a tree knows no such rule: where the two could differ the text
is refused, with the way to write it (a MATCH clause for each).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reasoning.normal_form import EVERYTHING
from reasoning.notations.cypher.overlap import Hop, check_overlaps
from reasoning.notations.cypher.syntax import (
    Both,
    Condition,
    Either,
    HopText,
    MatchText,
    Not,
    PatternTest,
    SelectText,
    VariableTest,
)
from reasoning.notations.values import everything, unsupported
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Span,
    Union,
)

__all__ = ["tree_of"]

_ANONYMOUS = "#"
"""Begins what stands for the variable of a node without one."""


def tree_of(select: SelectText, has_loops: Callable[[str], bool]) -> Query:
    """Return the tree of one query.

    Args:
        select: As parsed.
        has_loops: Whether the graph has an edge of a relation from an entity to itself.

    Raises:
        UnsupportedQueryError: The pattern is no tree, or means something else than its tree.
    """
    block = _Block(has_loops, frozenset())
    for match in select.matches:
        block.add(match)
    if select.variable not in block.nodes:
        raise unsupported(f"{select.variable} is returned but not matched", select.span)
    return block.tree(select.variable)


@dataclass(slots=True)
class _Node:
    """A variable: where it stands first, and what is said of it."""

    span: Span
    constraints: list[Query] = field(default_factory=list)


class _Block:
    """MATCH clauses that see each other's variables: a whole query, or the inside of EXISTS."""

    def __init__(self, has_loops: Callable[[str], bool], outer: frozenset[str]) -> None:
        self.nodes: dict[str, _Node] = {}
        self._hops: list[Hop] = []
        self._conditions: list[tuple[Condition, bool]] = []
        self._has_loops = has_loops
        self._outer = outer
        self._matches = 0

    def add(self, match: MatchText) -> None:
        """Take in a MATCH clause."""
        self._matches += 1
        for path in match.paths:
            names = [self._named(node.variable, node.span) for node in path.nodes]
            for name, node in zip(names, path.nodes, strict=True):
                self.nodes[name].constraints.extend(node.constraints)
            for place, hop in enumerate(path.hops):
                self._hops.append(Hop(names[place], names[place + 1], hop, self._matches))
        if match.where is not None:
            self._conditions.append((match.where, True))

    def _named(self, variable: str | None, span: Span) -> str:
        if variable is not None and variable.startswith(_ANONYMOUS):
            raise unsupported(f"a variable begins with {_ANONYMOUS}", span, "call it otherwise")
        name = f"{_ANONYMOUS}{len(self.nodes)}" if variable is None else variable
        self.nodes.setdefault(name, _Node(span))
        return name

    def tree(self, root: str) -> Query:
        """Return the tree around a variable."""
        while self._conditions:
            self._attach(*self._conditions.pop(0))
        constraints = {name: node.constraints for name, node in self.nodes.items()}
        check_overlaps(self._hops, constraints, self._has_loops)
        seen: set[str] = set()
        tree = self._around(root, None, seen)
        for name, node in self.nodes.items():
            if name not in seen:
                raise unsupported(
                    f"nothing connects this part of the pattern with {root}",
                    node.span,
                    "connect it by a relationship, or leave it out",
                )
        return tree

    def _around(self, name: str, came_by: Hop | None, seen: set[str]) -> Query:
        seen.add(name)
        parts = list(self.nodes[name].constraints)
        for hop in self._hops:
            if hop is came_by or name not in (hop.left, hop.right):
                continue
            other = hop.right if name == hop.left else hop.left
            if other in seen:
                raise unsupported(
                    "this relationship closes a cycle, and only trees are read",
                    hop.text.span,
                    "leave it out, or use another variable",
                )
            child = self._around(other, hop, seen)
            parts.append(_projected(hop.text, child, forward=name == hop.right))
        return _joined(parts, self.nodes[name].span)

    def _attach(self, condition: Condition, positive: bool) -> None:
        """Hand each part of a conjunction to the variable that it is about."""
        if isinstance(condition, Not):
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
                self._check_local(variable, span)
                return variable, condition.query if positive else condition.opposite
            case PatternTest(span=span):
                name, tree = self._pattern(condition)
                return name, tree if positive else Negation(tree, span)
            case Both(parts=parts) | Either(parts=parts):
                found = [self._tested(part, positive) for part in parts]
                names = list(dict.fromkeys(name for name, _ in found))
                if len(names) > 1:
                    raise unsupported(
                        f"alternatives about two variables, {names[0]} and {names[1]}",
                        _place(condition),
                        "write two queries joined by UNION",
                    )
                make = Intersection if isinstance(condition, Both) == positive else Union
                return names[0], make(tuple(query for _, query in found), _place(condition))

    def _check_local(self, variable: str, span: Span) -> None:
        if variable in self.nodes:
            return
        if variable in self._outer:
            raise unsupported(
                f"a condition on {variable} stands in a pattern that is not about it",
                span,
                "put it beside the pattern",
            )
        raise unsupported(f"{variable} is not matched", span, "name it in a MATCH pattern")

    def _pattern(self, test: PatternTest) -> tuple[str, Query]:
        """Return the variable of this block that a pattern starts from, and its tree there."""
        scope = self._outer | {name for name in self.nodes if not name.startswith(_ANONYMOUS)}
        inner = _Block(self._has_loops, scope)
        for match in test.match:
            inner.add(match)
        shared = [name for name in inner.nodes if name in scope]
        if len(shared) != 1:
            what = "joins " + " and ".join(shared) if shared else "has no variable of the query"
            raise unsupported(f"this condition {what}", test.span, "use one variable of the query")
        for name, node in inner.nodes.items():
            is_new = name not in scope and not name.startswith(_ANONYMOUS)
            if is_new and not test.names_variables:
                raise unsupported(
                    f"a pattern in WHERE cannot name a new variable ({name})",
                    node.span,
                    "write it as EXISTS { … }",
                )
        self._check_local(shared[0], test.span)
        return shared[0], inner.tree(shared[0])


def _place(condition: Condition) -> Span:
    match condition:
        case Not(part=part):
            return _place(part)
        case Both(parts=parts):
            return _place(parts[0])
        case _:
            return condition.span


def _projected(hop: HopText, child: Query, *, forward: bool) -> Query:
    """Return what a hop reaches from a child; `forward` if the child is on its left."""
    inverse = {"out": (not forward,), "in": (forward,), "both": (False, True)}[hop.direction]
    ways: list[Query] = [
        Projection(relation, child, way, hop.span) for relation in hop.relations for way in inverse
    ]
    return ways[0] if len(ways) == 1 else Union(tuple(ways), hop.span)


def _joined(parts: Sequence[Query], span: Span) -> Query:
    """Intersect; what holds of everything is left out beside a part that names its answers."""
    if any(isinstance(part, Anchor | Labelled | Projection) for part in parts) or any(
        isinstance(part, Compare) and part != EVERYTHING for part in parts
    ):
        parts = [part for part in parts if part != EVERYTHING]
    if not parts:
        return everything(span)
    return parts[0] if len(parts) == 1 else Intersection(tuple(parts), span)
