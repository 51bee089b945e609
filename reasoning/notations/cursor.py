"""Reading along the tokens of a text: look, take, expect, and complain at the right place."""

from __future__ import annotations

from collections.abc import Sequence

from kg.errors import LimitError, QuerySyntaxError
from reasoning.notations.tokens import Token

__all__ = ["Cursor"]


class Cursor:
    """A place in a list of tokens.

    Args:
        tokens: An `end` token last.
        deepest: Most brackets within brackets.
    """

    def __init__(self, tokens: Sequence[Token], deepest: int = 40) -> None:
        self._tokens = tokens
        self._deepest = deepest
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

    def back(self) -> None:
        """Give the token taken last back."""
        self._place -= 1

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
        if self._nesting > self._deepest:
            raise LimitError(
                f"a query text is nested deeper than {self._deepest}", hint="ask it in parts"
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
