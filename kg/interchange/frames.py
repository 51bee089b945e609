"""A graph as two pandas frames, and back; nothing is lost."""

from __future__ import annotations

from typing import Any

from kg.errors import InputError, MissingPartError
from kg.graph_formats.properties import edge_of_row, edge_row, entity_of_row, entity_row
from kg.graph_formats.protocol import Graph
from kg.model import Edge, Entity
from kg.provenance import Provenance

__all__ = ["from_pandas", "to_pandas"]


def to_pandas(graph: Graph) -> tuple[Any, Any]:
    """Return a graph as a frame of entities and one of edges.

    A column for each property (see `kg.interchange.to_networkx`), edges have ``head``, ``relation``
    and ``tail`` first. Columns are of dtype object, so that whole numbers stay whole; an attribute
    of an edge called ``head``, ``relation`` or ``tail`` is refused.

    Raises:
        MissingPartError: pandas is not installed.
        InputError: An attribute of an edge has the name of a column.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> from kg.model import EntityKey
        >>> store = MemoryStore()
        >>> _ = store.upsert_entities([Entity(key=EntityKey("a"), label="Town", name="A")])
        >>> to_pandas(store)[0].to_dict("records")
        [{'key': 'a', '_label': 'Town', 'name': 'A'}]
    """
    pandas = _pandas()
    entities = [
        {"key": entity.key, "_label": entity.label, **entity_row(entity)}
        for entity in graph.entities()
    ]
    edges = []
    for edge in graph.edges():
        ends = {"head": edge.head, "relation": edge.relation, "tail": edge.tail}
        properties = edge_row(edge)
        if taken := ends.keys() & properties.keys():
            raise InputError(
                f"an attribute called {min(taken)!r}, and a column has that name",
                where=" ".join(edge.key),
            )
        edges.append(ends | properties)
    return (
        pandas.DataFrame(entities, dtype=object) if entities else pandas.DataFrame(columns=["key"]),
        pandas.DataFrame(edges, dtype=object)
        if edges
        else pandas.DataFrame(columns=["head", "relation", "tail"]),
    )


def from_pandas(
    entities: Any, edges: Any, *, source: str = "pandas"
) -> tuple[list[Entity], list[Edge]]:
    """Return the entities and edges of two frames, Umbra's or others.

    Args:
        entities: A frame with the column ``key``; ``name`` and ``_label`` where there are any.
        edges: A frame with ``head``, ``relation``, ``tail``.
        source: Source of what carries no record.

    Raises:
        InputError: One is no frame; a column is missing; a value is no text, number,
            truth value or list of these.
    """
    asserted = Provenance(kind="asserted", source=source)
    found = [entity_of_row(row, asserted) for row in _rows(entities, ("key",))]
    facts = []
    for row in _rows(edges, ("head", "relation", "tail")):
        head, relation, tail = (row.pop(name, "") for name in ("head", "relation", "tail"))
        facts.append(edge_of_row(head, relation, tail, row, asserted))
    return found, facts


def _rows(frame: Any, needed: tuple[str, ...]) -> list[dict[str, Any]]:
    if not isinstance(frame, _pandas().DataFrame):
        raise InputError(
            f"not a frame of pandas but {type(frame).__name__}",
            hint="give two frames: entities, edges; one may be empty: DataFrame(columns=['key'])",
        )
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise InputError(f"a frame without the column {missing[0]!r}")
    return [
        {str(name): _plain(value) for name, value in row.items() if not _is_missing(value)}
        for row in frame.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value


def _is_missing(value: Any) -> bool:
    return value is None or (
        not isinstance(value, list | tuple | str) and bool(_pandas().isna(value))
    )


def _pandas() -> Any:
    try:
        import pandas as pd  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingPartError("pandas is not installed", hint="pip install pandas") from error
    return pd
