"""How queries are written: JSON, which expresses everything, Cypher, SPARQL and BetaE's tuples."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args, overload

import numpy as np

from kg.errors import QuerySyntaxError, SettingError
from kg.snapshot import Snapshot
from reasoning.notations.betae import BetaeNames, read_betae, write_betae
from reasoning.notations.cypher import read_cypher, write_cypher
from reasoning.notations.json import json_values, read_json, write_json
from reasoning.notations.names import resolve, resolve_pattern
from reasoning.notations.pattern_json import is_pattern, read_pattern, write_pattern
from reasoning.notations.reading import Reading
from reasoning.notations.sparql import read_sparql, write_sparql
from reasoning.patterns import Pattern
from reasoning.query import Query

__all__ = [
    "BetaeNames",
    "Notation",
    "Reading",
    "read",
    "read_query",
    "write_pattern",
    "write_query",
]

Notation = Literal["json", "cypher", "sparql", "betae"]
"""How a query is written."""

_SPARQL_START = re.compile(
    r"(?:\s|\#[^\n]*(?:\n|$))*"
    r"(?:(?:prefix|base|select|ask|construct|describe|insert)\b|delete\s*(?:\{|data\b|where\b))",
    re.IGNORECASE,
)

_MATCH = re.compile(r"\bmatch\b", re.IGNORECASE)
_ENGLISH = "begin with MATCH; English is read by `umbra ask --plain`, over REST by /v1/plain"


def read_query(
    query: str | Mapping[str, Any] | Sequence[Any],
    *,
    notation: Notation | None = None,
    snapshot: Snapshot | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Query:
    """Read a query from JSON, Cypher, SPARQL or BetaE's nested tuples.

    Args:
        query: A text, or plain values: an object is JSON, a tuple or list is BetaE's.
        notation: How it is written; by default its beginning says so: a brace is JSON, another
            bracket is BetaE's, SELECT or PREFIX is SPARQL, anything else is Cypher.
        snapshot: If given, names are checked against it, and ``{name: 'Arabic'}`` that one entity
            fulfils becomes an anchor.
        parameters: Values of ``$name`` in Cypher.

    Raises:
        QuerySyntaxError: It does not parse; line and column, or the path in JSON, are given.
        UnsupportedQueryError: It is outside the fragment, or no tree, or has an unknown label.
        UnknownEntityError: A key or name that the snapshot does not hold.
        UnknownRelationError: A relation that the snapshot does not hold.
        LimitError: It is too long or too deep.
        SettingError: There is no such notation.

    Example:
        >>> read_query("MATCH (c:Country) WHERE c.area > 5 RETURN c") == read_query(
        ...     {"all": [{"label": "Country"},
        ...              {"attribute": "area", "comparison": ">", "value": 5}]})
        True
    """
    return read(query, notation=notation, snapshot=snapshot, parameters=parameters).tree


def read(
    query: str | Mapping[str, Any] | Sequence[Any],
    *,
    notation: Notation | None = None,
    snapshot: Snapshot | None = None,
    parameters: Mapping[str, Any] | None = None,
    tuples: BetaeNames | None = None,
) -> Reading:
    """Read a query as `read_query` does, with what else its text says (LIMIT, columns, a count).

    Several free variables, or edges that form a cycle, are read too: `Reading.asked` is a pattern.

    Args:
        query: As `read_query` takes it.
        notation: How it is written; its beginning says so by default.
        snapshot: The graph that names are checked against.
        parameters: Values of ``$name`` in Cypher.
        tuples: What numbers stand for in BetaE's nested tuples; names of themselves by default.

    Raises:
        InputError: As `read_query`.
        LimitError: It is too long or too deep.
    """
    if tuples is None:
        tuples = BetaeNames(known=None if snapshot is None else snapshot.relation_names)
    reading = _read(query, notation or _notation_of(query), snapshot, parameters, tuples)
    if snapshot is None:
        return reading
    asked = reading.asked
    if isinstance(asked, Pattern):
        return replace(reading, asked=resolve_pattern(asked, snapshot))
    return replace(reading, asked=resolve(asked, snapshot))


def _notation_of(query: str | Mapping[str, Any] | Sequence[Any]) -> Notation:
    if isinstance(query, Mapping):
        return "json"
    if not isinstance(query, str):
        return "betae"
    start = query.lstrip()[:1]
    if start == "{":
        return "json"
    if start and start in "([":
        return "betae"
    return "sparql" if _SPARQL_START.match(query) else "cypher"


def _read(
    query: str | Mapping[str, Any] | Sequence[Any],
    notation: Notation,
    snapshot: Snapshot | None,
    parameters: Mapping[str, Any] | None,
    tuples: BetaeNames,
) -> Reading:
    if notation == "betae":
        return Reading(asked=read_betae(query, tuples))
    if notation == "json" or not isinstance(query, str):
        return _read_values(json_values(query) if isinstance(query, str) else query)
    if notation == "sparql":
        return read_sparql(query)
    if notation != "cypher":
        raise _unknown(notation)
    try:
        return read_cypher(
            query,
            parameters=parameters,
            has_loops=lambda relation: snapshot is not None and _has_loops(snapshot, relation),
        )
    except QuerySyntaxError as error:
        if error.hint is None and _MATCH.search(query) is None:
            error.hint = _ENGLISH
        raise


def _read_values(value: Any) -> Reading:
    if is_pattern(value):
        pattern = read_pattern(value)
        return Reading(asked=pattern, columns=pattern.answer)
    return Reading(asked=read_json(value))


def _has_loops(snapshot: Snapshot, relation: str) -> bool:
    span = snapshot.edges_of(snapshot.relation_id(relation))
    return bool(np.any(snapshot.heads[span] == snapshot.tails[span]))


def _unknown(notation: str) -> SettingError:
    known = ", ".join(get_args(Notation))
    return SettingError(f"unknown notation {notation!r:.60}", hint=f"use one of {known}")


@overload
def write_query(tree: Query, notation: Literal["json"] = "json") -> dict[str, Any]:  # noqa: D418
    """Write plain values for JSON."""


@overload
def write_query(  # noqa: D418
    tree: Query, notation: Literal["cypher", "sparql", "betae"]
) -> str:
    """Write a text."""


def write_query(tree: Query, notation: Notation = "json") -> dict[str, Any] | str:
    """Write a query: plain values for JSON, a text for the others.

    Args:
        tree: A query.
        notation: `json` expresses every tree as it is, `betae` every tree of paths as it is;
            `cypher` and `sparql` a safe one, by its normal form.

    Raises:
        UnsupportedQueryError: The notation cannot express it; the part is named.
        UnsafeQueryError: Cypher or SPARQL, and the query is unsafe.

    Example:
        >>> from reasoning.query import Labelled
        >>> write_query(Labelled("Country"), "cypher")
        'MATCH (a:Country) RETURN DISTINCT a.key AS key'
    """
    match notation:
        case "json":
            return write_json(tree)
        case "cypher":
            return write_cypher(tree)
        case "sparql":
            return write_sparql(tree)
        case "betae":
            return write_betae(tree)
        case _:
            raise _unknown(notation)
