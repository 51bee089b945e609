"""The gate before untrusted Cypher: parse it, let through what only reads, refuse the rest.

An allow-list, twice: no writing keyword may stand where it is not a name, and every node of the
parsed tree and every function must be on a list. The user's own text goes on to the engine, never
a rendering of the tree (`cypherast`'s renderer loses parentheses). Since two lexers that disagree
are the classic way past a gate, characters that lexers read differently are refused. The second
wall is the engine's reader role.

This file and `kg.cypher_columns` are the only ones that know the parser.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from cypherast import ast
from cypherast.errors import CypherastError
from cypherast.lexer import Lexer, Token, TokenKind
from cypherast.parser import Parser

from kg.cypher_names import FUNCTIONS, PROCEDURES
from kg.errors import (
    LimitError,
    QuerySyntaxError,
    ReadOnlyError,
    UnsupportedQueryError,
)
from kg.text_positions import place_of

__all__ = ["CheckedQuery", "check"]

MAX_CHARS = 20_000
MAX_TOKENS = 5_000
MAX_DEPTH = 40
EXPLAIN = "EXPLAIN"

WRITING_TOKENS = frozenset(
    getattr(TokenKind, name)
    for name in ("CREATE", "MERGE", "SET", "DELETE", "DETACH", "REMOVE", "FOREACH", "INSERT")
)
# A keyword after one of these is a name: n.set, :Create, [:SET|MERGE].
NAME_FOLLOWS = frozenset({TokenKind.DOT, TokenKind.COLON, TokenKind.PIPE, TokenKind.AMP})
OPENING = frozenset({TokenKind.LPAREN, TokenKind.LBRACKET, TokenKind.LBRACE})
CLOSING = frozenset({TokenKind.RPAREN, TokenKind.RBRACKET, TokenKind.RBRACE})

READING: tuple[type[ast.AstNode], ...] = (
    # statements and clauses
    ast.Cypher, ast.Query, ast.Union, ast.Match, ast.Where, ast.With, ast.Return, ast.Unwind,
    ast.Order, ast.Ordered, ast.Skip, ast.Limit, ast.CallSubquery, ast.CallProcedure, ast.Yield,
    # patterns
    ast.Pattern, ast.PathPattern, ast.NodePattern, ast.RelationshipPattern, ast.LabelExpression,
    ast.ShortestPath, ast.QuantifiedPath, ast.PatternPredicate, ast.PatternComprehension,
    # expressions
    ast.Literal, ast.Parameter, ast.Identifier, ast.Star, ast.PropertySelector, ast.Property,
    ast.LabelPredicate, ast.Map, ast.List, ast.ListSubscript, ast.ListSlice, ast.Range, ast.Alias,
    ast.Binary, ast.Unary, ast.IsNull, ast.FunctionCall, ast.Case, ast.Coalesce,
    ast.ListComprehension, ast.Quantifier, ast.ListLambda, ast.MapProjection, ast.CountSubquery,
)  # fmt: skip
WRITING: tuple[type[ast.AstNode], ...] = (
    ast.Create, ast.Merge, ast.OnCreate, ast.OnMatch, ast.Set, ast.SetItem, ast.Delete,
    ast.Remove, ast.RemoveLabels, ast.Foreach, ast.Insert, ast.LoadCsv, ast.AdminStatement,
    ast.CreateGraphType, ast.GraphTypeRef, ast.SessionCommand, ast.TransactionCommand, ast.Use,
)  # fmt: skip

# Words that begin a statement which administers or reads files, where the parser knows them or not.
_ADMIN = re.compile(
    r"(ALTER|CREATE|DENY|DROP|DRYRUN|ENABLE|GRANT|LOAD|RENAME|REVOKE|SHOW|START|STOP|TERMINATE|USE)",
    re.IGNORECASE,
)
# Outside strings: tab, newline, space and printable characters; no other white space or control.
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f"
                  r"\u205f-\u206f\u3000\ufeff\ud800-\udfff]|\r(?!\n)")  # fmt: skip
_ESCAPE = re.compile(r"\\(.|\Z)", re.DOTALL)
_ESCAPES = frozenset("\\'\"nrtbf`")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedQuery:
    """A query that only reads.

    Attributes:
        text: The caller's own text, without a closing semicolon.
        parameters: Names of the parameters that it uses.
        explains: It begins with EXPLAIN: the store returns its plan and does not run it.
    """

    text: str
    parameters: frozenset[str]
    explains: bool = False


@lru_cache(maxsize=512)  # programs ask the same text with other parameters
def check(text: str, *, max_chars: int = MAX_CHARS) -> CheckedQuery:
    """Let a query through if it only reads.

    Args:
        text: Untrusted Cypher.
        max_chars: Longest text that is looked at.

    Returns:
        The query, for `kg.store.Store.query`'s backends.

    Raises:
        QuerySyntaxError: It does not parse; with line and column.
        ReadOnlyError: It writes, reads files or administers; `where` is line and column.
        UnsupportedQueryError: A function, procedure or clause that is not on the list.
        LimitError: It is too long or too deeply nested.

    Example:
        >>> check("MATCH (c:Country) RETURN c.name;").text
        'MATCH (c:Country) RETURN c.name'
    """
    if len(text) > max_chars:
        raise LimitError(f"a query of {len(text)} characters; at most {max_chars} are read")
    _refuse_odd_characters(text)
    tokens = _tokens(text)
    text, tokens = _without_semicolon(text, tokens)
    start = tokens[0].position.offset
    explains = tokens[0].text.upper() == EXPLAIN and text[start] != "`"
    if explains:
        tokens = tokens[1:]
    _refuse_by_tokens(tokens)
    # blanks in its place: the parser does not know it, and places in the text stay right
    blank = text[:start] + " " * len(EXPLAIN) + text[start + len(EXPLAIN) :]
    tree = _tree(blank if explains else text)
    names = set()
    for node in _nodes(tree):
        _check_node(node, tokens)
        if isinstance(node, ast.Parameter):
            names.add(str(node.name))
    return CheckedQuery(text=text, parameters=frozenset(names), explains=explains)


def _refuse_odd_characters(text: str) -> None:
    odd = _ODD.search(text)
    if odd is not None:
        raise QuerySyntaxError(
            f"the character {odd.group()!r} cannot stand in a query",
            hint="pass values with such characters as parameters",
            **place_of(text, odd.start()),
        )
    for escape in _ESCAPE.finditer(text):
        if escape.group(1) not in _ESCAPES:
            raise QuerySyntaxError(
                f"the escape {escape.group()!r} is not accepted",
                hint="write the character itself, or pass the value as a parameter",
                **place_of(text, escape.start()),
            )


def _syntax_error(error: CypherastError) -> QuerySyntaxError:
    # The parser's text begins with a code and a position and shows the line below.
    message = re.sub(r"^\[\w+\] (line \d+:\d+ )?", "", str(error).partition("\n")[0])
    place = error.position
    if place is None:
        return QuerySyntaxError(message)
    return QuerySyntaxError(message, position=place.offset, line=place.line, column=place.col)


def _tokens(text: str) -> list[Token]:
    try:
        tokens: list[Token] = Lexer(text).tokenize()
    except CypherastError as error:
        raise _syntax_error(error) from error
    if len(tokens) > MAX_TOKENS:
        raise LimitError(f"a query of {len(tokens)} words and signs; at most {MAX_TOKENS} are read")
    depth = 0
    for token in tokens:
        depth += (token.kind in OPENING) - (token.kind in CLOSING)
        if depth > MAX_DEPTH:
            raise LimitError(
                f"brackets nested more than {MAX_DEPTH} deep", where=_place(token),
                hint="split the query with WITH",
            )  # fmt: skip
    return tokens


def _without_semicolon(text: str, tokens: list[Token]) -> tuple[str, list[Token]]:
    """Take away one closing semicolon; another one means a second statement."""
    first = next((n for n, token in enumerate(tokens) if token.kind is TokenKind.SEMICOLON), None)
    if first is None:
        return text, tokens
    if len(tokens) > first + 2:
        raise QuerySyntaxError(
            "only one statement at a time",
            **place_of(text, tokens[first].position.offset),
            hint="send the statements one by one",
        )
    end = tokens[first].position.offset
    return text[:end].rstrip(), [*tokens[:first], tokens[-1]]


def _place(token: Token) -> str:
    return f"line {token.position.line}, column {token.position.col}"


def _read_only(what: str, token: Token | None) -> ReadOnlyError:
    return ReadOnlyError(
        f"{what} is refused: a query may only read",
        where=None if token is None else _place(token),
        hint="write through the store's own methods, an import or a job",
    )


def _refuse_by_tokens(tokens: list[Token]) -> None:
    """Refuse writing keywords and administration, whatever the parser would make of them."""
    if tokens and tokens[0].kind is not TokenKind.EOF and _ADMIN.fullmatch(tokens[0].text):
        raise _read_only(tokens[0].text.upper(), tokens[0])
    before: TokenKind | None = None
    for token, after in pairwise(tokens):
        # {set: 1} is a map's key; a label after a keyword, as in SET:x, begins no clause
        is_name = before in NAME_FOLLOWS or after.kind is TokenKind.COLON
        if token.kind in WRITING_TOKENS and not is_name:
            raise _read_only(token.text.upper(), token)
        if not is_name and (token.text.upper(), after.text.upper()) == ("LOAD", "CSV"):
            raise _read_only("LOAD CSV", token)
        before = token.kind


def _tree(text: str) -> ast.AstNode:
    try:
        return Parser(text, max_depth=MAX_DEPTH * 3).parse()
    except CypherastError as error:
        if error.code == "CG1105":
            raise LimitError("the query is nested too deeply", hint="split it") from error
        raise _syntax_error(error) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # a number of ten thousand digits, and the like
        raise QuerySyntaxError(f"the query cannot be read ({type(error).__name__})") from error


def _nodes(root: ast.AstNode) -> Iterator[ast.AstNode]:
    """Yield every node, also those inside tuples, without recursion."""
    stack: list[Any] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.AstNode):
            yield item
            stack.extend(item.args.values())
        elif isinstance(item, list | tuple | set | frozenset):
            stack.extend(item)
        elif isinstance(item, dict):
            stack.extend(item.values())


def _find(tokens: list[Token], word: str) -> Token | None:
    return next((token for token in tokens if token.text.lower() == word.lower()), None)


def _check_node(node: ast.AstNode, tokens: list[Token]) -> None:
    name = type(node).__name__
    if isinstance(node, WRITING):
        raise _read_only(name, _find(tokens, name))
    if not isinstance(node, READING):
        raise UnsupportedQueryError(f"the clause {name} is not supported here")
    if isinstance(node, ast.FunctionCall):
        _check_listed(str(node.name), FUNCTIONS, "function", tokens)
    elif isinstance(node, ast.CallProcedure):
        _check_listed(str(node.name), PROCEDURES, "procedure", tokens)
    elif isinstance(node, ast.CallSubquery) and node.in_transactions:
        raise _read_only("CALL … IN TRANSACTIONS", _find(tokens, "TRANSACTIONS"))
    elif isinstance(node, ast.Match) and (node.hints or node.search):
        raise UnsupportedQueryError("hints after MATCH are not supported here", hint="leave it out")
    elif isinstance(node, ast.RelationshipPattern) and node.memgraph_quantifier is not None:
        raise UnsupportedQueryError("this kind of path is not supported here")


def _check_listed(name: str, listed: frozenset[str], noun: str, tokens: list[Token]) -> None:
    if name.lower() in listed:
        return
    near = difflib.get_close_matches(name.lower(), listed, n=2)
    token = _find(tokens, name.rpartition(".")[2])
    position = None if token is None else token.position
    raise UnsupportedQueryError(
        f"the {noun} {name!r:.80} is not among those that a query may use",
        position=position.offset if position else None,
        line=position.line if position else None,
        column=position.col if position else None,
        hint=f"did you mean {' or '.join(near)}?" if near else None,
    )
