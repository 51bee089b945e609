"""Patterns of the Cypher fragment: paths of nodes with labels and properties, and typed hops."""

from __future__ import annotations

from typing import Literal

from kg.backends.names import BASE_LABEL
from kg.errors import LimitError
from reasoning.notations.cypher.cursor import CypherCursor
from reasoning.notations.cypher.syntax import HopText, NodeText, PathText
from reasoning.notations.tokens import spanned
from reasoning.notations.values import comparison_nodes, everything, unsupported
from reasoning.query import Labelled, Query

__all__ = ["PatternParser"]

MAX_HOPS = 60
"""Most hops of one path; a tree is not deeper either."""


class PatternParser:
    """Reads patterns from a cursor."""

    def __init__(self, cursor: CypherCursor) -> None:
        self._cursor = cursor

    def path(self) -> PathText:
        """Take nodes and the hops between them."""
        token = self._cursor.peek()
        if token.kind in ("word", "quoted"):
            what = "a named path" if self._cursor.peek(1).is_symbol("=") else f"{token.text}(…)"
            raise unsupported(f"{what} is no tree of single hops", token.span)
        nodes, hops = [self._node()], []
        while self._cursor.peek().is_symbol("-", "<"):
            hops.append(self._hop())
            nodes.append(self._node())
            if len(hops) > MAX_HOPS:
                raise LimitError(f"a path has more than {MAX_HOPS} hops", hint="ask it in parts")
        return PathText(tuple(nodes), tuple(hops))

    def _node(self) -> NodeText:
        start = self._cursor.expect("(", "to open a node")
        variable = None
        if self._cursor.peek().kind in ("word", "quoted"):
            variable = self._cursor.take().text
        constraints: list[Query] = list(self.labels())
        if self._cursor.peek().is_symbol("{"):
            constraints.extend(self._properties())
        if self._cursor.peek().is_word("WHERE"):
            raise unsupported(
                "WHERE stands inside a node", self._cursor.peek().span, "put it after the pattern"
            )
        self._cursor.expect(")", "to close a node")
        return NodeText(variable, tuple(constraints), spanned(start.span, self._cursor.last.span))

    def labels(self) -> list[Query]:
        """Take ``:Label`` as often as it stands."""
        labels: list[Query] = []
        while self._cursor.accept(":"):
            token = self._cursor.peek()
            if token.is_symbol("!", "(", "%"):
                raise unsupported("a label expression", token.span, "use WHERE with AND, OR, NOT")
            name = self._cursor.name("a label")
            is_base = name == BASE_LABEL
            labels.append(everything(token.span) if is_base else Labelled(name, token.span))
            if self._cursor.peek().is_symbol("|", "&"):
                raise unsupported(
                    "a label expression",
                    self._cursor.peek().span,
                    "write the alternatives in WHERE: n:A OR n:B",
                )
        return labels

    def _properties(self) -> list[Query]:
        self._cursor.expect("{", "to open properties")
        found: list[Query] = []
        while not self._cursor.accept("}"):
            if found:
                self._cursor.expect(",", "between two properties")
            start = self._cursor.peek().span
            attribute = self._cursor.name("the name of an attribute")
            self._cursor.expect(":", "after the name of an attribute")
            value = self._cursor.value()
            span = spanned(start, self._cursor.last.span)
            found.append(comparison_nodes(attribute, "=", value, span)[0])
        return found

    def _hop(self) -> HopText:
        start = self._cursor.peek().span
        comes_in = self._cursor.accept("<")
        self._cursor.expect("-", "in a relationship")
        if not self._cursor.peek().is_symbol("["):
            raise unsupported(
                "a relationship without a type may be any", start, "name its type: -[:borders]->"
            )
        relations = self._relations()
        self._cursor.expect("-", "after a relationship")
        goes_out = self._cursor.accept(">")
        direction: Literal["out", "in", "both"] = "both"
        if comes_in != goes_out:
            direction = "in" if comes_in else "out"
        return HopText(relations, direction, spanned(start, self._cursor.last.span))

    def _relations(self) -> tuple[str, ...]:
        start = self._cursor.take().span
        if self._cursor.peek().kind in ("word", "quoted"):
            self._cursor.take()  # a name that no condition uses changes nothing
        if not self._cursor.peek().is_symbol(":"):
            self._refuse_in_relationship()
            raise unsupported(
                "a relationship without a type may be any", start, "name its type: -[:borders]->"
            )
        relations: list[str] = []
        while self._cursor.accept(":", "|"):
            self._cursor.accept(":")
            relations.append(self._cursor.name("the type of a relationship"))
        self._refuse_in_relationship()
        self._cursor.expect("]", "to close a relationship")
        return tuple(dict.fromkeys(relations))

    def _refuse_in_relationship(self) -> None:
        token = self._cursor.peek()
        if token.is_symbol("*") or token.is_symbol(".."):
            raise unsupported(
                "a path of any length is no tree", token.span, "write out each number of hops"
            )
        if token.is_symbol("{") or token.is_word("WHERE"):
            raise unsupported("conditions on relationships are not read", token.span)
        if token.is_symbol("&", "!"):
            raise unsupported("an expression of types", token.span, "use | between types")
