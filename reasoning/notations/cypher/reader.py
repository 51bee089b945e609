"""A fragment of Cypher: the text that returns known rows from a store also asks for likely answers.

Read: MATCH clauses whose paths form a tree around the one returned variable, labels, inline
properties, relationship types (``|`` for alternatives, no arrow for both ways), WHERE with AND, OR,
NOT over comparisons, labels, patterns and EXISTS {…}, UNION, RETURN of one variable or its
attributes, DISTINCT, LIMIT, parameters. Anything else is refused with its place and the reason.

A node about which nothing is said stands for every entity, as does the label ``Entity``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reasoning.notations.cypher.parser import parse
from reasoning.notations.cypher.syntax import SelectText
from reasoning.notations.cypher.tree import asked_by
from reasoning.notations.reading import Reading
from reasoning.notations.values import unsupported
from reasoning.query import Union

__all__ = ["read_cypher"]


def read_cypher(
    text: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    has_loops: Callable[[str], bool] = lambda _relation: False,
) -> Reading:
    """Read a text of the fragment.

    Args:
        text: Cypher.
        parameters: Values of ``$name``.
        has_loops: Whether the graph has an edge of a relation from an entity to itself; such an
            edge can tell ``(a)-[:r]->(b)-[:r]->(c)`` from its tree. Not given: it has none.

    Raises:
        QuerySyntaxError: It is not Cypher.
        UnsupportedQueryError: It is outside the fragment; line, column and reason are given.
        LimitError: It is too long or too deep.

    Example:
        >>> from reasoning.query import structure_name
        >>> text = "MATCH (c)-[:speaks]->({key: 'language:ara'}) RETURN c"
        >>> structure_name(read_cypher(text).tree)
        '1p'
    """
    selects = parse(text, parameters or {})
    first = selects[0]
    asked = [asked_by(select, has_loops) for select in selects]
    columns = tuple(name for name, _ in first.columns)
    if len(selects) == 1:
        return Reading(asked=asked[0], limit=first.limit, columns=columns, counted=first.counted)
    for select in selects:
        _check_union(select, first)
    parts = tuple(Reading(asked=part).tree for part in asked)
    return Reading(asked=Union(parts), columns=columns)


def _check_union(select: SelectText, first: SelectText) -> None:
    if select.limit is not None:
        raise unsupported("LIMIT in a UNION", select.span, "ask for k answers instead")
    if select.counted:
        raise unsupported("counting in a UNION", select.span, "count each part on its own")
    if select.columns != first.columns:
        raise unsupported(
            "the parts of a UNION return different columns",
            select.span,
            "return the same attributes under the same names in each",
        )
