"""Tokens of the Cypher fragment."""

from __future__ import annotations

import re

from reasoning.notations.tokens import Token, tokenise, unescaped
from reasoning.query import Span

__all__ = ["cypher_tokens"]

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


def cypher_tokens(text: str) -> list[Token]:
    """Return the tokens of a text, an `end` last; see `tokenise`.

    Raises:
        QuerySyntaxError: A character, an escape or an open quote that Cypher does not know.
    """
    return tokenise(text, _TOKEN, _token)


def _token(found: re.Match[str], span: Span) -> Token:
    text = found.group()
    match found.lastgroup:
        case "text":
            return Token("text", unescaped(text[1:-1], span), span)
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
