"""Conditions of the SPARQL fragment: what may stand after FILTER."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from kg.rdf.names import XSD
from reasoning.notations.conditions import Condition, DifferenceTest, Not
from reasoning.notations.precedence import joined_condition
from reasoning.notations.sparql.cursor import SparqlCursor
from reasoning.notations.sparql.syntax import Group, GroupTest, Term, TermTest
from reasoning.notations.tokens import Token, spanned
from reasoning.notations.values import flipped, unsupported
from reasoning.query import Comparison

__all__ = ["FilterParser"]

_COMPARISONS: Mapping[str, Comparison] = MappingProxyType(
    {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
)
_TEXTS: Mapping[str, Comparison] = MappingProxyType(
    {"CONTAINS": "contains", "STRSTARTS": "starts with", "STRENDS": "ends with"}
)


class FilterParser:
    """Reads conditions from a cursor; groups inside EXISTS are read by a subclass."""

    def __init__(self, cursor: SparqlCursor) -> None:
        self._cursor = cursor

    @abstractmethod
    def group(self) -> Group:
        """Take a group pattern."""

    def filter(self) -> Condition:
        """Take what stands after FILTER: brackets, a function or EXISTS."""
        token = self._cursor.peek()
        if not token.is_symbol("(") and token.kind not in ("word", "prefixed", "iri"):
            raise self._cursor.wrong("a condition in brackets")
        return self._atom()

    def _condition(self) -> Condition:
        return joined_condition(
            self._cursor,
            either=lambda: self._cursor.accept("||"),
            both=lambda: self._cursor.accept("&&"),
            negation=lambda: self._cursor.accept("!"),
            atom=self._atom,
        )

    def _atom(self) -> Condition:
        token = self._cursor.peek()
        if token.is_symbol("("):
            self._cursor.enter()
            self._cursor.take()
            inner = self._condition()
            self._cursor.expect(")", "to close a condition")
            self._cursor.leave()
            return inner
        if token.is_word("NOT") or token.is_word("EXISTS"):
            return self._exists()
        if token.is_word(*_TEXTS):
            return self._text_test(self._cursor.take())
        if self._is_call() and not self._is_cast():
            raise unsupported(
                f"the function {token.text[:40]}(…) is not read",
                token.span,
                "use comparisons, IN, CONTAINS, STRSTARTS, STRENDS and EXISTS",
            )
        return self._comparison()

    def _exists(self) -> Condition:
        start = self._cursor.peek().span
        negative = self._cursor.accept_word("NOT")
        if not self._cursor.accept_word("EXISTS"):
            raise self._cursor.wrong("EXISTS")
        test = GroupTest(start, self.group())
        return Not(test) if negative else test

    def _text_test(self, function: Token) -> Condition:
        self._cursor.expect("(", f"after {function.text}")
        variable = self._variable()
        self._cursor.expect(",", "between two arguments")
        part = self._operand()
        self._cursor.expect(")", f"to close {function.text}")
        if not isinstance(part.value, str):
            raise unsupported(f"{function.text} takes a text", part.span, "put it in quotes")
        span = spanned(function.span, self._cursor.last.span)
        return TermTest(span, variable, _TEXTS[function.text.upper()], (part,))

    def _comparison(self) -> Condition:
        first = self._operand()
        sign = self._cursor.peek()
        if first.variable is not None and sign.is_word("IN", "NOT"):
            return self._among(first)
        comparison = _COMPARISONS.get(sign.text) if sign.kind == "symbol" else None
        if comparison is None:
            raise self._cursor.wrong("a comparison")
        self._cursor.take()
        second = self._operand()
        span = spanned(first.span, self._cursor.last.span)
        if first.variable is None:
            turned = flipped(comparison)
            if second.variable is None or turned is None:
                raise unsupported("a comparison of two constants", span, "compare a variable")
            return TermTest(span, second.variable, turned, (first,), second.as_day)
        if second.variable is not None:
            if comparison != "<>" or first.as_day or second.as_day:
                raise unsupported("a comparison of two variables", span, "compare with a value")
            return DifferenceTest(span, first.variable, second.variable)
        return TermTest(span, first.variable, comparison, (second,), first.as_day)

    def _among(self, first: Term) -> Condition:
        negative = self._cursor.accept_word("NOT")
        if not self._cursor.accept_word("IN"):
            raise self._cursor.wrong("IN")
        self._cursor.expect("(", "after IN")
        terms: list[Term] = []
        while not self._cursor.accept(")"):
            if terms:
                self._cursor.expect(",", "between two values")
            terms.append(self._operand())
        span = spanned(first.span, self._cursor.last.span)
        if not terms or any(term.variable is not None for term in terms):
            raise unsupported("IN takes at least one value and no variables", span)
        test = TermTest(span, first.variable or "", "in", tuple(terms), first.as_day)
        return Not(test) if negative else test

    def _variable(self) -> str:
        if self._cursor.peek().kind != "variable":
            raise self._cursor.wrong("a variable")
        return self._cursor.take().text

    def _operand(self) -> Term:
        """Take a variable, ``xsd:date(?v)``, an entity or a literal."""
        if not self._is_cast():
            return self._cursor.term("a variable, an entity or a value")
        self._cursor.iri("a function")
        self._cursor.expect("(", "after xsd:date")
        variable = self._variable()
        span = self._cursor.last.span
        self._cursor.expect(")", "to close xsd:date")
        return Term(span, variable=variable, as_day=True)

    def _is_call(self) -> bool:
        token = self._cursor.peek()
        named = token.kind in ("word", "prefixed", "iri")
        return named and self._cursor.peek(1).is_symbol("(")

    def _is_cast(self) -> bool:
        """Tell whether ``xsd:date(`` stands here."""
        if not self._is_call() or not self._cursor.is_iri():
            return False
        iri = self._cursor.iri("a function")
        self._cursor.back()
        return iri == f"{XSD}date"
