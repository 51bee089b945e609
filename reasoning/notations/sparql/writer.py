"""Writes a query tree as SPARQL that returns its answers from the graph as RDF.

The text reads back as an equal normal form. How names become IRIs:
`kg.rdf.names`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count
from typing import assert_never

from kg.errors import UnsupportedQueryError
from kg.rdf.names import NAMESPACES, XSD, iri_text
from reasoning.normal_form import EVERYTHING, normalise
from reasoning.notations.tokens import ESCAPES
from reasoning.notations.values import unsupported
from reasoning.query import (
    Anchor,
    Compare,
    Comparison,
    Date,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Scalar,
    SoftAnchor,
    Union,
)
from reasoning.safety import check_safe, describe

__all__ = ["write_sparql"]

_SIGNS: dict[Comparison, str] = {
    "=": "=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
_FUNCTIONS: dict[Comparison, str] = {
    "contains": "CONTAINS",
    "starts with": "STRSTARTS",
    "ends with": "STRENDS",
}
_ESCAPED = str.maketrans({letter: f"\\{name}" for name, letter in ESCAPES.items() if name != "'"})


def write_sparql(tree: Query) -> str:
    """Return a text that selects the answers; it reads back as an equal normal form.

    A comparison ``key = 'x'`` reads back as an anchor.

    Raises:
        UnsafeQueryError: The query is unsafe.
        UnsupportedQueryError: The fragment cannot say it; the part is named.
        LimitError: The tree is too deep or too large.

    Example:
        >>> from kg.model import EntityKey
        >>> print(write_sparql(Projection("borders", Anchor(EntityKey("country:AL")))))
        PREFIX entity: <urn:umbra:entity:>
        PREFIX relation: <urn:umbra:relation:>
        SELECT DISTINCT ?a WHERE { entity:country:AL relation:borders ?a . }
    """
    check_safe(tree)
    body = " ".join(_pattern("?a", normalise(tree), _names()))
    prefixes = [
        f"PREFIX {kind}: <{namespace}>\n"
        for kind, namespace in {**NAMESPACES, "xsd": XSD}.items()
        if f"{kind}:" in body
    ]
    return f"{''.join(prefixes)}SELECT DISTINCT ?a WHERE {{ {body} }}"


def _names() -> Iterator[str]:
    """Iterate fresh variables: ?b to ?z, then ?v1, ?v2 and so on."""
    yield from (f"?{letter}" for letter in "bcdefghijklmnopqrstuvwxyz")
    for number in count(1):
        yield f"?v{number}"


def _pattern(x: str, node: Query, fresh: Iterator[str]) -> list[str]:
    """Return the parts of a group that binds a variable to the answers of a node."""
    match node:
        case Anchor(entity=key):
            return [f"VALUES {x} {{ {iri_text('entity', key)} }}"]
        case SoftAnchor():
            raise unsupported(
                f"SPARQL has no memberships ({describe(node)})", node.span, "write it as JSON"
            )
        case Labelled(label=label):
            return [_labelled(x, label)]
        case Compare():
            return _compared(x, node, next(fresh))
        case Projection():
            return _edge(x, node, fresh)
        case Intersection(children=branches):
            ordered = sorted(branches, key=lambda branch: isinstance(branch, Negation))
            return [part for branch in ordered for part in _pattern(x, branch, fresh)]
        case Union(children=branches):
            groups = (f"{{ {' '.join(_pattern(x, branch, fresh))} }}" for branch in branches)
            return [" UNION ".join(groups)]
        case Negation(child=Anchor(entity=key)):
            return [f"FILTER({x} != {iri_text('entity', key)})"]
        case Negation(child=child):
            return [f"MINUS {{ {' '.join(_pattern(x, child, fresh))} }}"]
        case _:
            assert_never(node)


def _labelled(x: str, label: str) -> str:
    if iri_text("label", label) == "label:Entity":
        raise UnsupportedQueryError(
            "the label Entity means every entity in SPARQL", hint="use the JSON notation"
        )
    return f"{x} a {iri_text('label', label)} ."


def _edge(x: str, node: Projection, fresh: Iterator[str]) -> list[str]:
    if isinstance(node.child, Anchor):
        y, rest = iri_text("entity", node.child.entity), []
    else:
        y = next(fresh)
        rest = _pattern(y, node.child, fresh)
    head, tail = (x, y) if node.inverse else (y, x)
    return [f"{head} {iri_text('relation', node.relation)} {tail} .", *rest]


def _compared(x: str, node: Compare, v: str) -> list[str]:
    if node == EVERYTHING:
        return [f"{x} a label:Entity ."]
    attribute = iri_text("attribute", node.attribute)
    if node.comparison == "=" and isinstance(node.value, str | bool):
        return [f"{x} {attribute} {_literal(node.value)} ."]
    return [f"{x} {attribute} {v} .", f"FILTER({_test(v, node)})"]


def _test(v: str, node: Compare) -> str:
    value = node.value
    if any(isinstance(part, Date) for part in (value if isinstance(value, tuple) else (value,))):
        v = f"xsd:date({v})"
    if node.comparison == "in":
        options = value if isinstance(value, tuple) else (value,)
        if not options:
            raise unsupported("IN needs at least one value here", node.span)
        return f"{v} IN ({', '.join(map(_literal, options))})"
    if isinstance(value, tuple):
        raise unsupported(f"a list in SPARQL ({describe(node)})", node.span, "write it as JSON")
    if node.comparison in _FUNCTIONS:
        return f"{_FUNCTIONS[node.comparison]}({v}, {_literal(value)})"
    return f"{v} {_SIGNS[node.comparison]} {_literal(value)}"


def _literal(value: Scalar) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value.translate(_ESCAPED)}"'
        case Date(text=text):
            return f'"{text}"^^xsd:date'
        case float():
            if not math.isfinite(value):
                raise UnsupportedQueryError(f"{value} cannot be written in SPARQL")
            text = repr(value)
            return text if "e" in text else f"{text}e0"
        case int():
            if abs(value) >= 2**63:
                raise UnsupportedQueryError(f"{value} does not fit 64 bits")
            return repr(value)
