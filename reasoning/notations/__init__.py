"""How queries are written: JSON, which expresses everything, and a fragment of Cypher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, overload

import numpy as np

from kg.errors import SettingError
from kg.snapshot import Snapshot
from reasoning.notations.cypher import read_cypher, write_cypher
from reasoning.notations.json import read_json, read_json_text, write_json
from reasoning.notations.names import resolve
from reasoning.notations.reading import Reading
from reasoning.query import Query

__all__ = ["Reading", "read", "read_query", "write_query"]


def read_query(
    text_or_mapping: str | Mapping[str, Any],
    *,
    snapshot: Snapshot | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Query:
    """Read a query from JSON (a text that starts with a brace, or plain values) or Cypher.

    Args:
        text_or_mapping: The query.
        snapshot: If given, names are checked against it, and ``{name: 'Arabic'}`` that one entity
            fulfils becomes an anchor.
        parameters: Values of ``$name`` in Cypher.

    Raises:
        QuerySyntaxError: It is neither, or wrong; line and column, or the path in JSON, are given.
        UnsupportedQueryError: It is Cypher outside the fragment, or has an unknown label.
        UnknownEntityError: A key or name that the snapshot does not hold.
        UnknownRelationError: A relation that the snapshot does not hold.
        LimitError: It is too long or too deep.

    Example:
        >>> read_query("MATCH (c:Country) WHERE c.area > 5 RETURN c") == read_query(
        ...     {"all": [{"label": "Country"},
        ...              {"attribute": "area", "comparison": ">", "value": 5}]})
        True
    """
    return read(text_or_mapping, snapshot=snapshot, parameters=parameters).tree


def read(
    text_or_mapping: str | Mapping[str, Any],
    *,
    snapshot: Snapshot | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Reading:
    """Read a query as `read_query` does, with what else its text says (LIMIT, columns).

    Raises:
        InputError: As `read_query`.
        LimitError: It is too long or too deep.
    """
    if not isinstance(text_or_mapping, str):
        reading = Reading(tree=read_json(text_or_mapping))
    elif text_or_mapping.lstrip()[:1] in ("{", "["):
        reading = Reading(tree=read_json_text(text_or_mapping))
    else:
        reading = read_cypher(
            text_or_mapping,
            parameters=parameters,
            has_loops=lambda relation: snapshot is not None and _has_loops(snapshot, relation),
        )
    if snapshot is None:
        return reading
    return replace(reading, tree=resolve(reading.tree, snapshot))


def _has_loops(snapshot: Snapshot, relation: str) -> bool:
    span = snapshot.edges_of(snapshot.relation_id(relation))
    return bool(np.any(snapshot.heads[span] == snapshot.tails[span]))


@overload
def write_query(tree: Query, notation: Literal["json"] = "json") -> dict[str, Any]:  # noqa: D418
    """Write plain values for JSON."""


@overload
def write_query(tree: Query, notation: Literal["cypher"]) -> str:  # noqa: D418
    """Write a text of Cypher."""


def write_query(tree: Query, notation: Literal["json", "cypher"] = "json") -> dict[str, Any] | str:
    """Write a query: plain values for JSON, a text for Cypher.

    Args:
        tree: A query.
        notation: `json` expresses every tree as it is; `cypher` a safe one, by its normal form.

    Raises:
        UnsupportedQueryError: The notation cannot express it.
        UnsafeQueryError: Cypher, and the query is unsafe.

    Example:
        >>> from reasoning.query import Labelled
        >>> write_query(Labelled("Country"), "cypher")
        'MATCH (a:Country) RETURN DISTINCT a.key AS key'
    """
    if notation == "json":
        return write_json(tree)
    if notation == "cypher":
        return write_cypher(tree)
    raise SettingError(f"unknown notation {notation!r}", hint="use json or cypher")
