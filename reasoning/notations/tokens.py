"""Tokens of a text notation, each with its place in the text.

Positions are why this is not left to a library: every refusal names its line and column.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kg.errors import QuerySyntaxError
from reasoning.query import Span

__all__ = ["ESCAPES", "Token", "TokenKind", "spanned", "tokenise", "unescaped"]

TokenKind = Literal[
    "word",
    "quoted",
    "number",
    "text",
    "parameter",
    "variable",
    "iri",
    "prefixed",
    "symbol",
    "end",
]


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: `quoted` is a name between backticks, `prefixed` one like ``rdf:type``; `end` stands
            once, at the end of the text.
        text: The characters, without quotes and with escapes resolved.
        span: Where it stands.
    """

    kind: TokenKind
    text: str
    span: Span

    def is_word(self, *words: str) -> bool:
        """Tell whether this is one of some keywords (given in capitals), in any case."""
        return self.kind == "word" and self.text.upper() in words

    def is_symbol(self, *symbols: str) -> bool:
        """Tell whether this is one of some symbols."""
        return self.kind == "symbol" and self.text in symbols


ESCAPES: Mapping[str, str] = {
    "\\": "\\",
    "'": "'",
    '"': '"',
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
}
"""What stands for what after a backslash."""


def tokenise(
    text: str, pattern: re.Pattern[str], make: Callable[[re.Match[str], Span], Token]
) -> list[Token]:
    """Return the tokens of a text without white space and comments, an `end` last.

    Args:
        text: Any text.
        pattern: Of one token; white space and comments are its group ``space``.
        make: Makes a token of a match.

    Raises:
        QuerySyntaxError: A character, an escape or an open quote that the notation does not know.
    """
    lines = [0, *(place + 1 for place, letter in enumerate(text) if letter == "\n")]
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        found = pattern.match(text, place)
        if found is None:
            raise _unreadable(text, _span(lines, place, place + 1))
        span = _span(lines, place, found.end())
        if found.lastgroup != "space":
            tokens.append(make(found, span))
        place = found.end()
    tokens.append(Token("end", "", _span(lines, len(text), len(text))))
    return tokens


def unescaped(text: str, span: Span) -> str:
    r"""Return a text with its escapes resolved.

    An escape by code point is refused, as the gate of the store does, since readers disagree on it.

    Raises:
        QuerySyntaxError: An escape that is not in `ESCAPES`.
    """
    parts: list[str] = []
    letters = iter(text)
    for letter in letters:
        if letter != "\\":
            parts.append(letter)
            continue
        escape = next(letters, "")
        if escape not in ESCAPES:
            raise QuerySyntaxError(
                f"a text holds the escape \\{escape}, which is not read",
                position=span.start,
                line=span.line,
                column=span.column,
                hint="write the character itself",
            )
        parts.append(ESCAPES[escape])
    return "".join(parts)


def _unreadable(text: str, span: Span) -> QuerySyntaxError:
    letter = text[span.start]
    what = "a quote is never closed" if letter in "'\"`" else f"{letter!r} means nothing here"
    return QuerySyntaxError(what, position=span.start, line=span.line, column=span.column)


def _span(lines: Sequence[int], start: int, end: int) -> Span:
    line = bisect_right(lines, start)
    return Span(start, end, line, start - lines[line - 1] + 1)


def spanned(first: Span, last: Span) -> Span:
    """Return the span from the start of one to the end of another."""
    return Span(first.start, last.end, first.line, first.column)
