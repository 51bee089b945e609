"""The gate before untrusted SPARQL: what would reach out or write is refused by its words.

It is the first wall. The second is the process that runs the query: it can open nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kg.errors import LimitError, QuerySyntaxError, ReadOnlyError
from kg.text_positions import place_of

__all__ = ["MAX_CHARS", "check", "syntax_error", "words"]

MAX_CHARS = 20_000

_WRITING = frozenset(
    ("ADD", "CLEAR", "COPY", "CREATE", "DELETE", "DROP", "INSERT", "LOAD", "MOVE", "WITH")
)
_PROLOGUE = frozenset(("BASE", "PREFIX", "VERSION"))
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_TOKEN = re.compile(
    r"""
    (?P<skip> \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
      | \"(?:\\.|[^"\\\n\r])*\" | '(?:\\.|[^'\\\n\r])*'
      | <[^<>"{}|^`\\\x00-\x20]*> | \#[^\n\r]* | [?$@]\w+ )
    | (?P<word> [^\W\d][\w.-]* (?: :[\w.%:-]* )? | :[\w.%:-]* )
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def check(text: str, *, max_chars: int = MAX_CHARS) -> None:
    """Let a query through if it only reads this graph.

    Args:
        text: Untrusted SPARQL.
        max_chars: Longest text that is looked at.

    Raises:
        ReadOnlyError: It is an update, or asks another server.
        LimitError: It is too long.
        QuerySyntaxError: It holds half a character.

    Example:
        >>> check("SELECT * { ?s ?p 'SERVICE' }")
    """
    if len(text) > max_chars:
        raise LimitError(f"a query of {len(text)} characters; at most {max_chars} are read")
    half = re.search("[\ud800-\udfff]", text)
    if half is not None:
        raise syntax_error(text, half.start(), "half a character")
    prologue = True
    for word, offset in words(text):
        name = word.upper()
        if name == "SERVICE" or (prologue and name in _WRITING):
            raise ReadOnlyError(
                f"{name} is refused: a query may only read this graph",
                where=syntax_error(text, offset, "").where,
                hint="write through an import or a job; ask other servers yourself",
            )
        prologue = prologue and (name in _PROLOGUE or ":" in name)


def syntax_error(text: str, offset: int, what: str) -> QuerySyntaxError:
    """Return the error at a place of a text."""
    return QuerySyntaxError(what, **place_of(text, offset))


def words(text: str) -> Iterator[tuple[str, int]]:
    """Yield bare words and prefixed names with their places, none within quotes or IRIs.

    Escapes are read as the letters that they stand for.
    """
    offsets = [match.start() for match in _ESCAPE.finditer(text)]
    plain = _ESCAPE.sub(_letter, text) if offsets else text
    for token in _TOKEN.finditer(plain):
        if token["word"] is not None:
            yield token["word"], min(token.start(), len(text) - 1) if offsets else token.start()


def _letter(escape: re.Match[str]) -> str:
    number = int(escape[1] or escape[2], 16)
    return chr(number) if number < 0x110000 else " "
