"""The parser of the SPARQL fragment: one method a rule, recursive descent, no backtracking.

It refuses what lies outside the fragment by name, where it stands.
"""

from __future__ import annotations

from kg.errors import LimitError
from kg.rdf.names import NAMESPACES, RDF_TYPE
from reasoning.notations.hops import Direction
from reasoning.notations.sparql.cursor import SparqlCursor
from reasoning.notations.sparql.filters import FilterParser
from reasoning.notations.sparql.syntax import Edge, Group, Label, Select, Term, Value
from reasoning.notations.sparql.tokens import sparql_tokens
from reasoning.notations.sparql.variables import bound_variables
from reasoning.notations.tokens import spanned
from reasoning.notations.values import unsupported
from reasoning.query import Span

__all__ = ["MAX_CHARS", "parse"]

MAX_CHARS = 20_000
"""Longest text that is read."""

_REFUSED = {
    "ASK": ("ASK has no answers", "SELECT the variable"),
    "CONSTRUCT": ("CONSTRUCT makes triples", "SELECT the variable"),
    "DESCRIBE": ("DESCRIBE makes triples", "SELECT the variable"),
    "INSERT": ("it would change the graph, and questions only read it", None),
    "DELETE": ("it would change the graph, and questions only read it", None),
    "LOAD": ("LOAD reads files", None),
    "FROM": ("there is one graph", "leave FROM out"),
    "BASE": ("BASE is not read", "write whole IRIs, or use PREFIX"),
    "OPTIONAL": ("OPTIONAL keeps rows without a match", "write the pattern itself"),
    "GRAPH": ("there is one graph", "write the pattern without GRAPH"),
    "SERVICE": ("SERVICE asks another server", None),
    "BIND": ("BIND makes new values", "write the value where it is needed"),
    "SELECT": ("a query stands inside a query", "write its pattern"),
    "ORDER": ("answers have an order of their own", "leave ORDER BY out"),
    "OFFSET": ("answers cannot be skipped", "leave OFFSET out"),
    "GROUP": ("rows are not grouped", "count one variable"),
    "HAVING": ("rows are not grouped", None),
}


def parse(text: str) -> Select:
    """Parse a text.

    Raises:
        QuerySyntaxError: It is not SPARQL.
        UnsupportedQueryError: It is SPARQL outside the fragment.
        LimitError: It is too long or too deeply nested.
    """
    if len(text) > MAX_CHARS:
        raise LimitError(
            f"a query text has {len(text)} characters, more than {MAX_CHARS}",
            hint="ask it in parts",
        )
    return _Parser(SparqlCursor(sparql_tokens(text))).select()


class _Parser(FilterParser):
    """Queries and group patterns; conditions are read by `FilterParser`."""

    def select(self) -> Select:
        cursor = self._cursor
        while cursor.accept_word("PREFIX"):
            self._prefix()
        if not cursor.peek().is_word("SELECT"):
            self._refuse()
            raise cursor.wrong("SELECT or PREFIX")
        cursor.take()
        # answers are distinct in any case
        cursor.accept_word("DISTINCT") or cursor.accept_word("REDUCED")
        start = cursor.peek().span
        column = None
        if cursor.peek().is_symbol("("):
            variables, column = self._count()
        else:
            variables = self._variables()
        span = spanned(start, cursor.last.span)
        if cursor.peek().is_symbol("(") or (column and cursor.peek().kind == "variable"):
            raise unsupported(
                "something is computed beside a variable, and rows are not grouped",
                cursor.peek().span,
                "SELECT variables, or one COUNT(DISTINCT ?x)",
            )
        self._refuse("FROM")
        cursor.accept_word("WHERE")
        group = self.group()
        self._refuse()
        limit = self._limit() if cursor.accept_word("LIMIT") else None
        self._refuse()
        if cursor.peek().is_word("VALUES"):
            raise unsupported("VALUES stands after the pattern", cursor.peek().span, "move it in")
        if cursor.peek().kind != "end":
            raise cursor.wrong("the end of the query")
        return Select(variables, group, limit, span, column)

    def _prefix(self) -> None:
        token = self._cursor.peek()
        if token.kind != "prefixed" or not token.text.endswith(":"):
            raise self._cursor.wrong("a prefix such as entity:")
        self._cursor.take()
        if self._cursor.peek().kind != "iri":
            raise self._cursor.wrong("an IRI in angle brackets")
        self._cursor.prefixes[token.text[:-1]] = self._cursor.take().text

    def _refuse(self, *words: str) -> None:
        token = self._cursor.peek()
        known = _REFUSED.get(token.text.upper()) if token.kind == "word" else None
        if known is not None and (not words or token.is_word(*words)):
            raise unsupported(known[0], token.span, known[1])

    def _variables(self) -> tuple[str, ...]:
        if self._cursor.peek().is_symbol("*"):
            raise unsupported(
                "SELECT * returns every variable", self._cursor.peek().span, "name one of them"
            )
        names: dict[str, None] = {}
        while self._cursor.peek().kind == "variable":
            names[self._cursor.take().text] = None
        if not names:
            raise self._cursor.wrong("a variable")
        return tuple(names)

    def _count(self) -> tuple[tuple[str, ...], str]:
        start = self._cursor.take().span
        if not self._cursor.accept_word("COUNT"):
            raise unsupported("an expression is selected", start, "SELECT a variable or a COUNT")
        self._cursor.expect("(", "after COUNT")
        if not self._cursor.accept_word("DISTINCT"):
            raise unsupported(
                "this counts rows, and one answer can stand in several",
                self._cursor.peek().span,
                "write COUNT(DISTINCT ?x)",
            )
        counted = self._variable()
        self._cursor.expect(")", "to close COUNT")
        if not self._cursor.accept_word("AS"):
            raise self._cursor.wrong("AS")
        column = self._variable()
        self._cursor.expect(")", "to close the expression")
        return (counted,), column

    def _limit(self) -> int:
        span = self._cursor.peek().span
        value = self._cursor.literal("a number")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise unsupported("LIMIT takes a whole number of at least 1", span)
        return value

    def group(self) -> Group:
        """Take a group pattern."""
        cursor = self._cursor
        cursor.enter()
        group = Group(cursor.expect("{", "to open a group pattern").span)
        while not cursor.accept("}"):
            self._refuse()
            if cursor.accept_word("FILTER"):
                group.filters.append(self.filter())
            elif cursor.accept_word("MINUS"):
                before = bound_variables(group)
                group.minus.append((self.group(), before))
            elif cursor.accept_word("VALUES"):
                self._values(group)
            elif cursor.peek().is_symbol("{"):
                group.alternatives.append(self._union())
            else:
                self._triples(group)
                continue
            cursor.accept(".")
        cursor.leave()
        return group

    def _union(self) -> tuple[Group, ...]:
        parts = [self.group()]
        while self._cursor.accept_word("UNION"):
            parts.append(self.group())
        return tuple(parts)

    def _values(self, group: Group) -> None:
        start = self._cursor.peek()
        if start.is_symbol("("):
            raise unsupported("VALUES of several variables", start.span, "give values of one")
        variable = self._cursor.term("a variable")
        if variable.variable is None:
            raise unsupported("VALUES takes a variable", variable.span)
        self._cursor.expect("{", "to open values")
        terms: list[Term] = []
        while not self._cursor.accept("}"):
            if self._cursor.peek().is_word("UNDEF"):
                raise unsupported("UNDEF is any value", self._cursor.peek().span)
            term = self._cursor.term("an entity or a value")
            if term.variable is not None:
                raise unsupported("a variable stands among values", term.span)
            terms.append(term)
        if not terms:
            raise unsupported("VALUES without a value has no answers", start.span)
        group.values.append((variable, tuple(terms)))

    def _triples(self, group: Group) -> None:
        subject = self._cursor.term("a pattern")
        while True:
            self._predicate(group, subject)
            if not self._cursor.accept(";"):
                break
            while self._cursor.accept(";"):
                continue
            if self._cursor.peek().is_symbol(".", "}"):
                break
        if not self._cursor.accept(".") and not self._ends_triples():
            raise self._cursor.wrong("a dot between two triples")

    def _ends_triples(self) -> bool:
        token = self._cursor.peek()
        return token.is_symbol("}", "{") or token.kind == "word"

    def _predicate(self, group: Group, subject: Term) -> None:
        token = self._cursor.peek()
        if token.kind == "variable":
            raise unsupported("a relation is a variable", token.span, "name the relation")
        if token.kind == "word" and token.text == "a":
            self._cursor.take()
            return self._objects(group, subject, "label")
        if self._cursor.is_iri():
            iri = self._cursor.iri("a relation")
            if iri == RDF_TYPE:
                return self._objects(group, subject, "label")
            self._cursor.back()
            if iri.startswith(NAMESPACES["attribute"]):
                attribute = self._cursor.named("attribute", "an attribute")
                return self._objects(group, subject, "attribute", attribute)
        return self._path(group, subject)

    def _objects(self, group: Group, subject: Term, kind: str, attribute: str = "") -> None:
        while True:
            span = self._cursor.peek().span
            if kind == "label":
                if not self._cursor.is_iri():
                    raise unsupported("a label is no IRI", span, "name it: label:Country")
                group.triples.append(Label(subject, self._cursor.named("label", "a label"), span))
            else:
                value = self._cursor.term("a value or a variable")
                group.triples.append(Value(subject, attribute, value, spanned(span, span)))
            if not self._cursor.accept(","):
                return

    def _path(self, group: Group, subject: Term) -> None:
        steps = [self._step()]
        while self._cursor.accept("/"):
            steps.append(self._step())
        while True:
            target = self._cursor.term("an entity or a variable")
            start = subject
            for place, (relations, direction, span) in enumerate(steps):
                last = place == len(steps) - 1
                middle = f"/{span.start}/{target.span.start}"
                end = target if last else Term(span, variable=middle)
                group.triples.append(Edge(start, relations, direction, end, span))
                start = end
            if not self._cursor.accept(","):
                return

    def _step(self) -> tuple[tuple[str, ...], Direction, Span]:
        cursor = self._cursor
        start = cursor.peek().span
        bracket = cursor.accept("(")
        ways: dict[str, set[bool]] = {}
        while True:
            inverse = cursor.accept("^")
            if cursor.peek().is_symbol("!", "("):
                raise unsupported("this path", cursor.peek().span, "write it as patterns")
            ways.setdefault(cursor.named("relation", "a relation"), set()).add(inverse)
            if cursor.peek().is_symbol("*", "+", "?"):
                raise unsupported(
                    "a path of any length is no tree",
                    cursor.peek().span,
                    "write out each number of hops",
                )
            if not cursor.accept("|"):
                break
        if bracket:
            cursor.expect(")", "to close a path")
        elif len(ways) > 1 and cursor.peek().is_symbol("/"):
            raise unsupported("alternatives of a path of hops", start, "put them in brackets")
        span = spanned(start, cursor.last.span)
        kinds = {frozenset(both) for both in ways.values()}
        if len(kinds) > 1:
            raise unsupported("alternatives in two directions", span, "write them with UNION")
        directions: dict[frozenset[bool], Direction] = {
            frozenset((False,)): "out",
            frozenset((True,)): "in",
            frozenset((False, True)): "both",
        }
        return tuple(ways), directions[kinds.pop()], span
