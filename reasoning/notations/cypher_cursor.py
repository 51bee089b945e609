"""Reading along the tokens of a text: look, take, expect, and complain at the right place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kg.errors import LimitError, QuerySyntaxError
from reasoning.notations.cypher_tokens import Token
from reasoning.notations.cypher_values import unsupported
from reasoning.query import Scalar

__all__ = ["Cursor"]

_MAX_NESTING = 40
_INT64 = 2**63


class Cursor:
    """A place in a list of tokens.

    Args:
        tokens: An `end` token last.
        parameters: Values of ``$name``.
    """

    def __init__(self, tokens: Sequence[Token], parameters: Mapping[str, Any]) -> None:
        self._tokens = tokens
        self._parameters = parameters
        self._place = 0
        self._nesting = 0

    def peek(self, ahead: int = 0) -> Token:
        """Return a token further on without taking it."""
        return self._tokens[min(self._place + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self._place += 1
        return token

    @property
    def last(self) -> Token:
        """The token taken last."""
        return self._tokens[self._place - 1]

    def accept(self, *symbols: str) -> bool:
        """Take the next token if it is one of some symbols."""
        if self.peek().is_symbol(*symbols):
            self._place += 1
            return True
        return False

    def accept_word(self, *words: str) -> bool:
        """Take the next tokens if they are these keywords, one after the other."""
        if all(self.peek(ahead).is_word(word) for ahead, word in enumerate(words)):
            self._place += len(words)
            return True
        return False

    def expect(self, symbol: str, what: str) -> Token:
        """Take a symbol.

        Raises:
            QuerySyntaxError: Something else stands here.
        """
        if not self.peek().is_symbol(symbol):
            raise self.wrong(f"{symbol!r} {what}")
        return self.take()

    def name(self, what: str) -> str:
        """Take a name, with or without backticks.

        Raises:
            QuerySyntaxError: Something else stands here.
        """
        if self.peek().kind not in ("word", "quoted"):
            raise self.wrong(what)
        return self.take().text

    def wrong(self, expected: str) -> QuerySyntaxError:
        """Return the error that something else was expected here."""
        token = self.peek()
        found = "the text ends" if token.kind == "end" else f"{token.text[:40]!r} stands here"
        return QuerySyntaxError(
            f"{found}, but {expected} was expected",
            position=token.span.start,
            line=token.span.line,
            column=token.span.column,
        )

    def enter(self) -> None:
        """Go one level deeper into brackets.

        Raises:
            LimitError: That is too deep.
        """
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise LimitError(
                f"a query text is nested deeper than {_MAX_NESTING}", hint="ask it in parts"
            )

    def leave(self) -> None:
        """Come back from a level of brackets."""
        self._nesting -= 1

    def closing(self) -> Token:
        """Return what stands after the bracket that closes the one that stands here."""
        depth = 0
        for ahead in range(len(self._tokens) - self._place):
            token = self.peek(ahead)
            depth += token.is_symbol("(", "[", "{") - token.is_symbol(")", "]", "}")
            if depth == 0:
                return self.peek(ahead + 1)
        return self._tokens[-1]

    def is_value(self) -> bool:
        """Tell whether a value stands here."""
        token = self.peek()
        return (
            token.kind in ("number", "text", "parameter")
            or token.is_word("TRUE", "FALSE", "NULL")
            or token.is_symbol("-", "+", "[")
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
        if token.is_word("NULL"):
            raise unsupported("a comparison with NULL is never true", token.span)
        raise self.wrong("a value")

    def _number(self, token: Token) -> int | float:
        if token.kind != "number":
            self._place -= 1
            raise self.wrong("a number")
        if not token.text.isdecimal() or not token.text.isascii():
            number = float(token.text)
            if number in (float("inf"), float("-inf")):
                raise unsupported("a number is too large", token.span)
            return number
        if len(token.text) > 1 and token.text.startswith("0"):
            raise unsupported("a number starts with 0", token.span, "leave the 0 out")
        if len(token.text) > len(str(_INT64)) or int(token.text) >= _INT64:
            raise unsupported("a whole number does not fit 64 bits", token.span)
        return int(token.text)

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
