"""Reading along the tokens of a Cypher text: values and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reasoning.notations.cursor import Cursor
from reasoning.notations.tokens import Token
from reasoning.notations.values import day_of, number_of, unsupported
from reasoning.query import Date, Scalar

__all__ = ["CypherCursor"]


class CypherCursor(Cursor):
    """A place in the tokens of a Cypher text.

    Args:
        tokens: An `end` token last.
        parameters: Values of ``$name``.
    """

    def __init__(self, tokens: Sequence[Token], parameters: Mapping[str, Any]) -> None:
        super().__init__(tokens)
        self._parameters = parameters

    def is_value(self) -> bool:
        """Tell whether a value stands here."""
        token = self.peek()
        return (
            token.kind in ("number", "text", "parameter")
            or token.is_word("TRUE", "FALSE", "NULL")
            or token.is_symbol("-", "+", "[")
            or self._is_date()
        )

    def _is_date(self) -> bool:
        """Tell whether ``date('…')`` stands here, and not ``date(n.attribute)``."""
        return (
            self.peek().is_word("DATE")
            and self.peek(1).is_symbol("(")
            and self.peek(2).kind in ("text", "parameter")
        )

    def value(self) -> Scalar | tuple[Scalar, ...]:
        """Take a value: a text, a number, a truth value, a parameter, or a list of such.

        Raises:
            QuerySyntaxError: No value stands here.
            UnsupportedQueryError: NULL, or a parameter without a value.
        """
        if not self.accept("["):
            return self._scalar_or_parameter()
        values: list[Scalar] = []
        while not self.accept("]"):
            if values:
                self.expect(",", "between two values of a list")
            span = self.peek().span
            value = self._scalar_or_parameter()
            if isinstance(value, tuple):
                raise unsupported("a list stands in a list", span)
            values.append(value)
        return tuple(values)

    def _scalar_or_parameter(self) -> Scalar | tuple[Scalar, ...]:
        token = self.peek()
        if token.kind == "parameter":
            self.take()
            return self._parameter(token)
        if token.is_symbol("-", "+"):
            self.take()
            number = self._number(self.take())
            return -number if token.text == "-" else number
        if token.kind == "number":
            return self._number(self.take())
        if token.kind == "text":
            return self.take().text
        if token.is_word("TRUE", "FALSE"):
            return self.take().is_word("TRUE")
        if self._is_date():
            return self._date()
        if token.is_word("NULL"):
            raise unsupported("a comparison with NULL is never true", token.span)
        raise self.wrong("a value")

    def _date(self) -> Date:
        span = self.take().span
        self.take()
        text = self._scalar_or_parameter()
        self.expect(")", "to close date")
        return day_of(text if isinstance(text, str) else "", span)

    def _number(self, token: Token) -> int | float:
        if token.kind != "number":
            self._place -= 1
            raise self.wrong("a number")
        return number_of(token)

    def _parameter(self, token: Token) -> Scalar | tuple[Scalar, ...]:
        if token.text not in self._parameters:
            raise unsupported(
                f"the parameter ${token.text} has no value", token.span, "give one with the query"
            )
        value = self._parameters[token.text]
        values = tuple(value) if isinstance(value, list | tuple) else (value,)
        for part in values:
            if not isinstance(part, str | int | float | bool):
                raise unsupported(
                    f"the parameter ${token.text} is no text, number, truth value or list of them",
                    token.span,
                )
        return values if isinstance(value, list | tuple) else value
