"""Conditions of the Cypher fragment: what may stand after WHERE."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from reasoning.notations.conditions import (
    Condition,
    DifferenceTest,
    VariableTest,
)
from reasoning.notations.cypher.patterns import PatternParser
from reasoning.notations.cypher.syntax import ExistsTest, MatchText
from reasoning.notations.precedence import joined_condition
from reasoning.notations.tokens import spanned
from reasoning.notations.values import comparison_nodes, flipped, presence, unsupported
from reasoning.query import Comparison, Negation, Scalar, Span

__all__ = ["ConditionParser"]

_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class _Left:
    """The left side of a comparison: an attribute of a variable, or that as a date."""

    variable: str
    attribute: str
    as_day: bool = False


class ConditionParser(PatternParser):
    """Reads MATCH clauses (after the word) and their conditions from a cursor."""

    def match(self) -> MatchText:
        """Take the paths of a MATCH and its WHERE."""
        paths = [self.path()]
        while self._cursor.accept(","):
            paths.append(self.path())
        where = self.condition() if self._cursor.accept_word("WHERE") else None
        return MatchText(tuple(paths), where)

    def condition(self) -> Condition:
        """Take a condition: OR over AND over NOT."""
        found = joined_condition(
            self._cursor,
            either=lambda: self._cursor.accept_word("OR"),
            both=lambda: self._cursor.accept_word("AND"),
            negation=lambda: self._cursor.accept_word("NOT"),
            atom=self._atom,
        )
        if self._cursor.peek().is_word("XOR"):
            raise unsupported("XOR", self._cursor.peek().span, "write it with AND, OR and NOT")
        return found

    def _atom(self) -> Condition:
        token = self._cursor.peek()
        if token.is_symbol("("):
            return self._pattern() if self._starts_pattern() else self._bracketed()
        if token.is_word("EXISTS"):
            return self._exists()
        if token.is_word("COALESCE") and self._cursor.peek(1).is_symbol("("):
            return self._two_valued()
        if self._is_difference():
            return self._difference()
        return self._test()

    def _is_difference(self) -> bool:
        """Tell whether ``a <> b`` stands here, two variables."""
        names = (self._cursor.peek(), self._cursor.peek(2))
        after = self._cursor.peek(3)
        return (
            all(token.kind in ("word", "quoted") for token in names)
            and not names[1].is_word("TRUE", "FALSE", "NULL")
            and self._cursor.peek(1).is_symbol("<>")
            and not after.is_symbol(".", "(")
        )

    def _difference(self) -> Condition:
        start = self._cursor.peek().span
        left = self._cursor.name("a variable")
        self._cursor.take()
        right = self._cursor.name("a variable")
        return DifferenceTest(spanned(start, self._cursor.last.span), left, right)

    def _starts_pattern(self) -> bool:
        inside, after = self._cursor.peek(1), self._cursor.peek(2)
        looks = inside.is_symbol(")", ":", "{") or (
            inside.kind in ("word", "quoted") and after.is_symbol(")", ":", "{")
        )
        return looks and self._cursor.closing().is_symbol("-", "<")

    def _bracketed(self) -> Condition:
        self._cursor.enter()
        self._cursor.expect("(", "to open a condition")
        inner = self.condition()
        self._cursor.expect(")", "to close a condition")
        self._cursor.leave()
        return inner

    def _pattern(self) -> Condition:
        start = self._cursor.peek().span
        path = self.path()
        span = spanned(start, self._cursor.last.span)
        return ExistsTest(span, (MatchText((path,), None),), names_variables=False)

    def _exists(self) -> Condition:
        start = self._cursor.take().span
        self._cursor.enter()
        if not self._cursor.peek().is_symbol("{"):
            raise unsupported("EXISTS without braces", start, "write EXISTS { (a)-[:r]->(b) }")
        self._cursor.take()
        matches: list[MatchText] = []
        while self._cursor.accept_word("MATCH") or not matches:
            matches.append(self.match())
        if self._cursor.peek().is_word("RETURN", "UNION", "WITH", "OPTIONAL", "CALL"):
            raise unsupported(
                f"{self._cursor.peek().text} stands inside EXISTS",
                self._cursor.peek().span,
                "write only patterns and WHERE there",
            )
        self._cursor.expect("}", "to close EXISTS")
        self._cursor.leave()
        span = spanned(start, self._cursor.last.span)
        return ExistsTest(span, tuple(matches), names_variables=True)

    def _two_valued(self) -> Condition:
        """Take ``coalesce(comparison, false)``: a comparison that is false where it is unknown."""
        start = self._cursor.take().span
        self._cursor.take()
        inner = self._test()
        self._cursor.expect(",", "after the comparison in coalesce")
        if not self._cursor.accept_word("FALSE"):
            raise unsupported("coalesce is read only as coalesce(comparison, false)", start)
        self._cursor.expect(")", "to close coalesce")
        span = spanned(start, self._cursor.last.span)
        return VariableTest(inner.variable, inner.query, Negation(inner.query, span), span)

    def _test(self) -> VariableTest:
        start = self._cursor.peek().span
        if self._cursor.is_value():
            value = self._cursor.value()
            token = self._cursor.peek()
            comparison = flipped(token.text) if token.kind == "symbol" else None
            if comparison is None:
                raise unsupported(
                    "a comparison starts with an attribute", token.span, "write it first: n.name …"
                )
            self._cursor.take()
            return self._compared(self._attribute(), comparison, value, start)
        if self._cursor.peek(1).is_symbol(":"):
            return self._label_test()
        left = self._attribute()
        if self._cursor.accept_word("IS"):
            return self._presence_test(left, start)
        comparison = self._comparison()
        if not self._cursor.is_value():
            self._refuse_right_side()
        return self._compared(left, comparison, self._cursor.value(), start)

    def _presence_test(self, left: _Left, start: Span) -> VariableTest:
        there = self._cursor.accept_word("NOT")
        if not self._cursor.accept_word("NULL"):
            raise self._cursor.wrong("NULL or NOT NULL")
        span = spanned(start, self._cursor.last.span)
        if left.as_day:
            raise unsupported("IS of a date", span, "ask whether the attribute IS NOT NULL")
        variable, present = left.variable, presence(left.attribute, span)
        absent = Negation(present, span)
        if there:
            return VariableTest(variable, present, absent, span)
        return VariableTest(variable, absent, present, span)

    def _compared(
        self,
        left: _Left,
        comparison: Comparison,
        value: Scalar | tuple[Scalar, ...],
        start: Span,
    ) -> VariableTest:
        span = spanned(start, self._cursor.last.span)
        true, false = comparison_nodes(left.attribute, comparison, value, span, as_day=left.as_day)
        return VariableTest(left.variable, true, false, span)

    def _label_test(self) -> VariableTest:
        start = self._cursor.peek().span
        variable = self._cursor.name("a variable")
        labels = self.labels()
        span = spanned(start, self._cursor.last.span)
        if len(labels) > 1:
            raise unsupported("several labels in one condition", span, "join them with AND")
        return VariableTest(variable, labels[0], Negation(labels[0], span), span)

    def _attribute(self) -> _Left:
        """Take ``n.attribute`` or ``date(n.attribute)``."""
        token = self._cursor.peek()
        if token.is_word("DATE") and self._cursor.peek(1).is_symbol("("):
            self._cursor.take()
            self._cursor.take()
            left = self._attribute()
            self._cursor.expect(")", "to close date")
            return replace(left, as_day=True)
        if token.is_word("RETURN", "MATCH", "WHERE", "AND", "OR", "UNION"):
            raise self._cursor.wrong("a condition")
        variable = self._cursor.name("a condition")
        if self._cursor.peek().is_symbol("("):
            raise unsupported(f"the function {token.text}(…) is not read", token.span)
        if not self._cursor.accept("."):
            raise unsupported(
                f"{variable} is compared as a whole", token.span, f"compare {variable}.key"
            )
        return _Left(variable, self._cursor.name("the name of an attribute"))

    def _comparison(self) -> Comparison:
        token = self._cursor.peek()
        if token.is_symbol(*_COMPARISONS):
            return cast("Comparison", self._cursor.take().text)
        for words in ("IN", "CONTAINS", "STARTS WITH", "ENDS WITH"):
            if self._cursor.accept_word(*words.split()):
                return cast("Comparison", words.lower())
        if token.is_symbol("=~", "+", "-", "*", "/", "%", "^", "["):
            raise unsupported(f"{token.text!r} on an attribute is not read", token.span)
        raise self._cursor.wrong("a comparison")

    def _refuse_right_side(self) -> None:
        token = self._cursor.peek()
        if token.kind in ("word", "quoted"):
            raise unsupported(
                f"a comparison with {token.text} joins two variables or calls a function",
                token.span,
                "compare with a value",
            )
        raise self._cursor.wrong("a value")
