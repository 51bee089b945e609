"""The parser of the Cypher fragment: one method a rule, recursive descent, no backtracking.

It refuses what lies outside the fragment by name, where it stands. What it lets through is read
further by `cypher_tree`, which sees whether the pattern is a tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kg.errors import LimitError
from reasoning.notations.cypher.conditions import ConditionParser
from reasoning.notations.cypher.cursor import CypherCursor
from reasoning.notations.cypher.syntax import MatchText, SelectText
from reasoning.notations.cypher.tokens import cypher_tokens
from reasoning.notations.tokens import spanned
from reasoning.notations.values import unsupported

__all__ = ["MAX_CHARS", "parse"]

MAX_CHARS = 20_000
"""Longest text that is read."""

_WRITES = "it would change the graph, and questions only read it"
_CLAUSES = {
    "OPTIONAL": ("OPTIONAL MATCH keeps rows without a match", "use MATCH, or leave the clause out"),
    "WITH": ("WITH makes steps that a tree does not have", "write one pattern around the answer"),
    "UNWIND": ("UNWIND makes rows from a list", "use IN with the list"),
    "CALL": ("CALL runs procedures or subqueries", "use EXISTS { … }"),
    "FOREACH": (_WRITES, None),
    "CREATE": (_WRITES, None),
    "MERGE": (_WRITES, None),
    "SET": (_WRITES, None),
    "DELETE": (_WRITES, None),
    "DETACH": (_WRITES, None),
    "REMOVE": (_WRITES, None),
    "LOAD": ("LOAD reads files", None),
    "USE": ("USE picks another graph", None),
    "ORDER": ("answers have an order of their own", "leave ORDER BY out"),
    "SKIP": ("answers cannot be skipped", "leave SKIP out"),
    "OFFSET": ("answers cannot be skipped", "leave OFFSET out"),
}


def parse(text: str, parameters: Mapping[str, Any]) -> tuple[SelectText, ...]:
    """Parse a text into its queries, several where it is a UNION.

    Raises:
        QuerySyntaxError: It is not Cypher.
        UnsupportedQueryError: It is Cypher outside the fragment.
        LimitError: It is too long or too deeply nested.
    """
    if len(text) > MAX_CHARS:
        raise LimitError(
            f"a query text has {len(text)} characters, more than {MAX_CHARS}",
            hint="ask it in parts",
        )
    return _StatementParser(CypherCursor(cypher_tokens(text), parameters)).statement()


class _StatementParser:
    """Clauses and what they return; patterns and conditions are read by `ConditionParser`."""

    def __init__(self, cursor: CypherCursor) -> None:
        self._cursor = cursor
        self._conditions = ConditionParser(cursor)

    def statement(self) -> tuple[SelectText, ...]:
        selects = [self._select()]
        while self._cursor.accept_word("UNION"):
            self._cursor.accept_word("ALL") or self._cursor.accept_word("DISTINCT")
            selects.append(self._select())
        self._cursor.accept(";")
        self._refuse_clause()
        if self._cursor.peek().kind != "end":
            raise self._cursor.wrong("the end of the query")
        return tuple(selects)

    def _refuse_clause(self) -> None:
        token = self._cursor.peek()
        known = _CLAUSES.get(token.text.upper()) if token.kind == "word" else None
        if known is not None:
            raise unsupported(known[0], token.span, known[1])

    def _select(self) -> SelectText:
        matches: list[MatchText] = []
        self._refuse_clause()
        while self._cursor.accept_word("MATCH"):
            matches.append(self._conditions.match())
            self._refuse_clause()
        if not matches:
            raise self._cursor.wrong("MATCH")
        if not self._cursor.accept_word("RETURN"):
            raise self._cursor.wrong("RETURN, WHERE or another MATCH")
        return self._returned(tuple(matches))

    def _returned(self, matches: tuple[MatchText, ...]) -> SelectText:
        self._cursor.accept_word("DISTINCT")
        start = self._cursor.peek().span
        if self._cursor.peek().is_word("COUNT") and self._cursor.peek(1).is_symbol("("):
            return self._counted(matches)
        variables: dict[str, None] = {}
        columns: list[tuple[str, str | None]] = []
        while not columns or self._cursor.accept(","):
            variable, column = self._item()
            variables[variable] = None
            columns.append(column)
        span = spanned(start, self._cursor.last.span)
        return SelectText(matches, tuple(variables), tuple(columns), self._limit(), span)

    def _counted(self, matches: tuple[MatchText, ...]) -> SelectText:
        start = self._cursor.take().span
        self._cursor.expect("(", "after count")
        distinct = self._cursor.accept_word("DISTINCT")
        if self._cursor.peek().is_symbol("*") or (not distinct and _has_hops(matches)):
            raise unsupported(
                "this counts rows, and one answer can stand in several",
                start,
                "write count(DISTINCT x)",
            )
        variable = self._cursor.name("a variable")
        if self._cursor.accept("."):
            attribute = self._cursor.name("the name of an attribute")
            if attribute != "key":
                raise unsupported(
                    "this counts values, and entities can share one",
                    start,
                    f"count(DISTINCT {variable}) counts the entities",
                )
        self._cursor.expect(")", "to close count")
        name = f"count({variable})"
        if self._cursor.accept_word("AS"):
            name = self._cursor.name("the name of a column")
        if self._cursor.peek().is_symbol(","):
            raise unsupported(
                "a count for each group", self._cursor.peek().span, "return the count alone"
            )
        span = spanned(start, self._cursor.last.span)
        return SelectText(matches, (variable,), ((name, None),), self._limit(), span, counted=True)

    def _item(self) -> tuple[str, tuple[str, str | None]]:
        """Take one column; return its variable, and its name and property."""
        token = self._cursor.peek()
        if token.is_symbol("*"):
            raise unsupported("RETURN * returns every variable", token.span, "return one of them")
        following = self._cursor.peek(1)
        if following.is_symbol("("):
            raise unsupported(
                f"{token.text}(…) is computed from the rows",
                token.span,
                "return the variable itself; functions run on the store",
            )
        variable = self._cursor.name("a variable")
        attribute = None
        if self._cursor.accept("."):
            attribute = self._cursor.name("the name of an attribute")
        name = variable if attribute is None else f"{variable}.{attribute}"
        if self._cursor.accept_word("AS"):
            name = self._cursor.name("the name of a column")
        return variable, (name, attribute)

    def _limit(self) -> int | None:
        self._refuse_clause()
        if not self._cursor.accept_word("LIMIT"):
            return None
        span = self._cursor.peek().span
        value = self._cursor.value()
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise unsupported("LIMIT takes a whole number of at least 1", span)
        return value


def _has_hops(matches: tuple[MatchText, ...]) -> bool:
    return any(len(match.paths) > 1 or path.hops for match in matches for path in match.paths)
