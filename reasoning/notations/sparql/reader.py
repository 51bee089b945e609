"""A fragment of SPARQL: the text that returns known rows also asks for likely answers.

Read: SELECT of one variable (several are a pattern), or of a COUNT(DISTINCT …), with triples of
relations, labels (``a label:Country``) and attributes, paths of ``^``, ``|`` and ``/``, FILTER with
comparisons, IN, CONTAINS, STRSTARTS, STRENDS, ``&&``, ``||``, ``!`` and EXISTS, MINUS, UNION,
VALUES of one variable, PREFIX, DISTINCT, LIMIT. Anything else is refused with its place.
How names become IRIs: `kg.rdf.names`.
"""

from __future__ import annotations

from reasoning.notations.reading import Reading
from reasoning.notations.sparql.parser import parse
from reasoning.notations.sparql.tree import asked_by

__all__ = ["read_sparql"]


def read_sparql(text: str) -> Reading:
    """Read a text of the fragment.

    Raises:
        QuerySyntaxError: It is not SPARQL.
        UnsupportedQueryError: It is outside the fragment; line, column and reason are given.
        LimitError: It is too long or too deep.

    Example:
        >>> from reasoning.query import structure_name
        >>> text = "SELECT ?c { ?c relation:speaks entity:language:ara }"
        >>> structure_name(read_sparql(text).tree)
        '1p'
    """
    select = parse(text)
    columns = select.variables if select.column is None else (select.column,)
    return Reading(
        asked=asked_by(select),
        limit=select.limit,
        columns=columns,
        counted=select.column is not None,
    )
