"""Tokens of the SPARQL fragment."""

from __future__ import annotations

import re

from reasoning.notations.tokens import Token, TokenKind, tokenise, unescaped
from reasoning.query import Span

__all__ = ["sparql_tokens"]

_TOKEN = re.compile(
    r"""
      (?P<space>    \s+ | \#[^\n]* )
    | (?P<iri>      <[^<>"{}|^`\\\x00-\x20]*> )
    | (?P<variable> [?$]\w+ | _:\w+ )
    | (?P<long>     '{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3} | "{3}(?:"{0,2}(?:[^"\\]|\\.))*"{3} )
    | (?P<text>     '(?:[^'\\\n\r]|\\.)*' | "(?:[^"\\\n\r]|\\.)*" )
    | (?P<prefixed> (?:[^\W\d_][\w-]{0,60})?:
                    (?:[\w:-]|%[0-9A-Fa-f]{2}|\\[_~.!$&'()*+,;=/?\#@%-]|\.(?=[\w:%\\.-]))* )
    | (?P<number>   \d+\.\d+(?:[eE][+-]?\d+)? | \.\d+(?:[eE][+-]?\d+)? | \d+(?:[eE][+-]?\d+)? )
    | (?P<word>     [^\W\d]\w* )
    | (?P<symbol>   \^\^ | && | \|\| | != | <= | >= | [()\[\]{}.,;=<>!*/|^+?@-] )
    """,
    re.VERBOSE | re.DOTALL,
)


def sparql_tokens(text: str) -> list[Token]:
    """Return the tokens of a text, an `end` last; see `tokenise`.

    Raises:
        QuerySyntaxError: A character, an escape or an open quote that SPARQL does not know.
    """
    return tokenise(text, _TOKEN, _token)


def _token(found: re.Match[str], span: Span) -> Token:
    text = found.group()
    match found.lastgroup:
        case "long":
            return Token("text", unescaped(text[3:-3], span), span)
        case "text":
            return Token("text", unescaped(text[1:-1], span), span)
        case "iri":
            return Token("iri", text[1:-1], span)
        case "variable":
            return Token("variable", text[1:] if text[0] in "?$" else text, span)
        case "prefixed":
            return Token("prefixed", re.sub(r"\\(.)", r"\1", text), span)
        case "number" | "word" as kind:
            kept: TokenKind = "number" if kind == "number" else "word"
            return Token(kept, text, span)
        case _:
            return Token("symbol", text, span)
