"""From a parsed Cypher pattern to what is asked; see `reasoning.notations.blocks`.

Cypher lets no two relationships of one MATCH clause be the same edge, a tree knows no such rule:
where the two could differ the text is refused, with the way to write it (a MATCH clause for each).
"""

from __future__ import annotations

from collections.abc import Callable

from reasoning.notations.blocks import ANONYMOUS, Block
from reasoning.notations.conditions import PatternTest
from reasoning.notations.cypher.overlap import check_overlaps
from reasoning.notations.cypher.syntax import ExistsTest, MatchText, SelectText
from reasoning.notations.hops import Hop
from reasoning.notations.values import unsupported
from reasoning.patterns import Pattern
from reasoning.query import Query, Span

__all__ = ["asked_by"]


def asked_by(select: SelectText, has_loops: Callable[[str], bool]) -> Query | Pattern:
    """Return what one query asks for.

    Args:
        select: As parsed.
        has_loops: Whether the graph has an edge of a relation from an entity to itself.

    Raises:
        UnsupportedQueryError: The pattern means something else than what would be asked.
    """
    block = _CypherBlock(has_loops, frozenset())
    for match in select.matches:
        block.add(match)
    for variable in select.variables:
        if variable not in block.nodes:
            raise unsupported(f"{variable} is returned but not matched", select.span)
    return block.asked(select.variables, select.span)


class _CypherBlock(Block):
    """MATCH clauses that see each other's variables: a whole query, or the inside of EXISTS."""

    def __init__(self, has_loops: Callable[[str], bool], outer: frozenset[str]) -> None:
        super().__init__()
        self._has_loops = has_loops
        self._outer = outer
        self._matches = 0

    def add(self, match: MatchText) -> None:
        """Take in a MATCH clause."""
        self._matches += 1
        for path in match.paths:
            names = [self.named(node.variable, node.span) for node in path.nodes]
            for name, node in zip(names, path.nodes, strict=True):
                self.nodes[name].constraints.extend(node.constraints)
            for place, hop in enumerate(path.hops):
                ends = (names[place], names[place + 1])
                self.hops.append(Hop(*ends, hop.relations, hop.direction, hop.span, self._matches))
        if match.where is not None:
            self.conditions.append((match.where, True))

    def check(self) -> None:
        """Refuse a clause of which two hops may be one edge."""
        constraints = {name: node.constraints for name, node in self.nodes.items()}
        check_overlaps(self.hops, constraints, self._has_loops)

    def check_local(self, variable: str, span: Span) -> None:
        """Refuse a condition on a variable that is not one of this block."""
        if variable in self.nodes:
            return
        if variable in self._outer:
            raise unsupported(
                f"a condition on {variable} stands in a pattern that is not about it",
                span,
                "put it beside the pattern",
            )
        raise unsupported(f"{variable} is not matched", span, "name it in a MATCH pattern")

    def pattern_tree(self, test: PatternTest) -> tuple[str, Query]:
        """Return the variable of this block that a pattern starts from, and its tree there."""
        if not isinstance(test, ExistsTest):
            raise TypeError(test)
        scope = self._outer | {name for name in self.nodes if not name.startswith(ANONYMOUS)}
        inner = _CypherBlock(self._has_loops, scope)
        for match in test.match:
            inner.add(match)
        shared = [name for name in inner.nodes if name in scope]
        if len(shared) != 1:
            what = "joins " + " and ".join(shared) if shared else "has no variable of the query"
            raise unsupported(f"this condition {what}", test.span, "use one variable of the query")
        for name, node in inner.nodes.items():
            is_new = name not in scope and not name.startswith(ANONYMOUS)
            if is_new and not test.names_variables:
                raise unsupported(
                    f"a pattern in WHERE cannot name a new variable ({name})",
                    node.span,
                    "write it as EXISTS { … }",
                )
        self.check_local(shared[0], test.span)
        return shared[0], inner.tree(shared[0])
