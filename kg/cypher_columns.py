"""The columns of a Cypher query by its text, for an engine that sends none with an empty result."""

from __future__ import annotations

from collections.abc import Iterator

from cypherast.errors import CypherastError
from cypherast.lexer import Lexer, Token, TokenKind

__all__ = ["columns_of"]

_OPENING = frozenset({TokenKind.LPAREN, TokenKind.LBRACKET, TokenKind.LBRACE})
_CLOSING = frozenset({TokenKind.RPAREN, TokenKind.RBRACKET, TokenKind.RBRACE})
_ENDS = frozenset(
    {TokenKind.EOF, TokenKind.SEMICOLON, TokenKind.UNION, TokenKind.ORDER, TokenKind.SKIP,
     TokenKind.LIMIT}
)  # fmt: skip


def columns_of(text: str) -> tuple[str, ...]:
    """Return the names of the columns that a query returns, as Cypher names them.

    A column without an alias is called by its expression as it is written. Empty for a query that
    returns nothing, or everything (``*``), or that cannot be read.

    Example:
        >>> columns_of("MATCH (n) WHERE n.x > 1 RETURN n.name AS name, count( * ) LIMIT 2")
        ('name', 'count( * )')
    """
    try:
        tokens = Lexer(text).tokenize()
    except CypherastError:
        return ()
    names: list[str] = []
    for item, end in _items(text, tokens):
        if item[0].kind is TokenKind.STAR and len(item) == 1:
            return ()
        if len(item) > 2 and item[-2].kind is TokenKind.AS:
            names.append(item[-1].text)
        else:
            names.append(text[item[0].position.offset : end].strip())
    return tuple(names)


def _items(text: str, tokens: list[Token]) -> Iterator[tuple[list[Token], int]]:
    """Yield the tokens of each item of the first outer RETURN, and where its text ends."""
    depth, inside, item = 0, False, list[Token]()
    before: Token | None = None
    for token in tokens:
        depth += (token.kind in _OPENING) - (token.kind in _CLOSING)
        named = before is not None and before.kind in (TokenKind.DOT, TokenKind.COLON)
        before = token
        if not inside:
            inside = depth == 0 and token.kind is TokenKind.RETURN and not named
            continue
        ends = depth == 0 and token.kind in _ENDS and not named
        if item and (ends or (depth == 0 and token.kind is TokenKind.COMMA)):
            yield item, _before_comments(text, item[-1].position.offset, token)
            item = []
        elif item or token.kind is not TokenKind.DISTINCT:
            item.append(token)
        if ends:
            return


def _before_comments(text: str, last: int, following: Token) -> int:
    """Return where comments begin that stand before a token, else where the token does."""
    end: int = following.position.offset
    for comment in reversed(following.comments):
        end = max(text.rfind(mark + comment, last, end) for mark in ("//", "/*"))
    return end
