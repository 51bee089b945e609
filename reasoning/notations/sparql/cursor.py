"""Reading along the tokens of a SPARQL text: IRIs, literals and terms."""

from __future__ import annotations

from collections.abc import Sequence

from kg.errors import QuerySyntaxError
from kg.rdf.names import NAMESPACES, RDF_TYPE, XSD, Kind, name_of
from reasoning.notations.cursor import Cursor
from reasoning.notations.sparql.syntax import Term
from reasoning.notations.tokens import Token, spanned
from reasoning.notations.values import day_of, number_of, unsupported
from reasoning.query import Scalar, Span

__all__ = ["SparqlCursor"]

_NUMBERS = ("integer", "decimal", "double", "float", "int", "long")


class SparqlCursor(Cursor):
    """A place in the tokens of a SPARQL text, with the prefixes that it has declared.

    Args:
        tokens: An `end` token last.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        super().__init__(tokens)
        self.prefixes = {
            **NAMESPACES,
            "rdf": RDF_TYPE.removesuffix("type"),
            "xsd": XSD,
        }

    def is_iri(self) -> bool:
        """Tell whether an IRI stands here."""
        return self.peek().kind in ("iri", "prefixed")

    def iri(self, what: str) -> str:
        """Take an IRI.

        Raises:
            QuerySyntaxError: Something else stands here, or the prefix is not declared.
        """
        token = self.peek()
        if token.kind == "iri":
            return self.take().text
        if token.kind != "prefixed":
            raise self.wrong(what)
        prefix, _, local = self.take().text.partition(":")
        if prefix not in self.prefixes:
            raise QuerySyntaxError(
                f"the prefix {prefix + ':'!r} is not declared",
                position=token.span.start,
                line=token.span.line,
                column=token.span.column,
                hint=f"write PREFIX {prefix}: <…> first, or use {', '.join(NAMESPACES)}",
            )
        return self.prefixes[prefix] + local

    def named(self, kind: Kind, what: str) -> str:
        """Take an IRI that stands for a name of one kind.

        Raises:
            UnsupportedQueryError: It stands for nothing, or for a name of another kind.
        """
        span = self.peek().span
        iri = self.iri(what)
        found = name_of(iri)
        if found is None or found[0] not in (kind, None):
            raise unsupported(
                f"{iri[:80]!r} is no {kind}", span, f"write {kind}:NAME ({NAMESPACES[kind]}NAME)"
            )
        return found[1]

    def term(self, what: str) -> Term:
        """Take a variable, an entity or a literal.

        Raises:
            QuerySyntaxError: Something else stands here.
        """
        token = self.peek()
        if token.kind == "variable":
            return Term(self.take().span, variable=token.text)
        if token.is_symbol("[") and self.peek(1).is_symbol("]"):
            self.take()
            return Term(spanned(token.span, self.take().span), variable=f"[]{token.span.start}")
        if token.is_symbol("[", "("):
            raise unsupported(
                "a blank node with properties or a list", token.span, "use a variable for it"
            )
        if self.is_iri():
            return Term(token.span, entity=self.named("entity", what))
        value = self.literal(what)
        return Term(spanned(token.span, self.last.span), value=value)

    def literal(self, what: str) -> Scalar:
        """Take a literal.

        Raises:
            QuerySyntaxError: Something else stands here.
            UnsupportedQueryError: It has a language, or a datatype that is not read.
        """
        token = self.peek()
        if token.kind == "text":
            return self._typed(self.take())
        if token.is_symbol("-", "+"):
            self.take()
            if self.peek().kind != "number":
                raise self.wrong("a number")
            number = number_of(self.take())
            return -number if token.text == "-" else number
        if token.kind == "number":
            return number_of(self.take())
        if token.kind == "word" and token.text in ("true", "false"):
            return self.take().text == "true"
        raise self.wrong(what)

    def _typed(self, token: Token) -> Scalar:
        if self.peek().is_symbol("@"):
            raise unsupported(
                "texts have no language here", self.peek().span, "leave the language out"
            )
        if not self.accept("^^"):
            return token.text
        span = self.peek().span
        datatype = self.iri("a datatype")
        kind = datatype.removeprefix(XSD) if datatype.startswith(XSD) else ""
        if kind == "string":
            return token.text
        if kind == "boolean" and token.text in ("true", "false", "1", "0"):
            return token.text in ("true", "1")
        if kind == "date":
            return day_of(token.text, token.span)
        if kind in _NUMBERS:
            return _number(token.text, whole=kind in ("integer", "int", "long"), span=token.span)
        raise unsupported(
            f"{token.text[:40]!r} of the datatype {datatype[:80]!r}",
            span,
            "use a text, a number, a truth value or a date",
        )


def _number(text: str, *, whole: bool, span: Span) -> int | float:
    sign = -1 if text.startswith("-") else 1
    digits = text[1:] if text[:1] in ("+", "-") else text
    try:
        if not digits[:1].isdigit() and digits[:1] != ".":
            raise ValueError(text)
        value = float(digits)
    except ValueError as error:
        raise unsupported(f"{text[:40]!r} is no number", span) from error
    number = number_of(Token("number", digits, span)) if whole or digits.isdecimal() else value
    return sign * number
