"""Tokens of the Cypher fragment, each with its place in the text.

Positions are why this is not left to a library: every refusal names its line and column. An escape
by code point is refused, as the gate of the store does, since readers disagree on it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kg.errors import QuerySyntaxError
from reasoning.query import Span

__all__ = ["Token", "TokenKind", "spanned", "tokenise"]

TokenKind = Literal["word", "quoted", "number", "text", "parameter", "symbol", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: `quoted` is a name between backticks; `end` stands once, at the end of the text.
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


_TOKEN = re.compile(
    r"""
      (?P<space>    \s+ | //[^\n]* | /\*.*?\*/ )
    | (?P<number>   \d+\.\d+(?:[eE][+-]?\d+)? | \.\d+(?:[eE][+-]?\d+)? | \d+(?:[eE][+-]?\d+)? )
    | (?P<word>     [^\W\d]\w* )
    | (?P<quoted>   `(?:[^`]|``)+` )
    | (?P<text>     '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" )
    | (?P<parameter> \$\w+ )
    | (?P<symbol>   <> | <= | >= | =~ | \.\. | [()\[\]{}:,.;|<>=+*/%^!&-] )
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPES = {
    "\\": "\\",
    "'": "'",
    '"': '"',
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
}


def tokenise(text: str) -> list[Token]:
    """Return the tokens of a text without white space and comments, an `end` last.

    Raises:
        QuerySyntaxError: A character, an escape or an open quote that Cypher does not know.
    """
    lines = [0, *(place + 1 for place, letter in enumerate(text) if letter == "\n")]
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise _unreadable(text, _span(lines, place, place + 1))
        span = _span(lines, place, found.end())
        if found.lastgroup != "space":
            tokens.append(_token(found, span))
        place = found.end()
    tokens.append(Token("end", "", _span(lines, len(text), len(text))))
    return tokens


def _token(found: re.Match[str], span: Span) -> Token:
    text = found.group()
    match found.lastgroup:
        case "text":
            return Token("text", _unescaped(text[1:-1], span), span)
        case "quoted":
            return Token("quoted", text[1:-1].replace("``", "`"), span)
        case "parameter":
            return Token("parameter", text[1:], span)
        case "number":
            return Token("number", text, span)
        case "word":
            return Token("word", text, span)
        case _:
            return Token("symbol", text, span)


def _unescaped(text: str, span: Span) -> str:
    parts: list[str] = []
    letters = iter(text)
    for letter in letters:
        if letter != "\\":
            parts.append(letter)
            continue
        escape = next(letters, "")
        if escape not in _ESCAPES:
            raise QuerySyntaxError(
                f"a text holds the escape \\{escape}, which is not read",
                position=span.start,
                line=span.line,
                column=span.column,
                hint="write the character itself",
            )
        parts.append(_ESCAPES[escape])
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
