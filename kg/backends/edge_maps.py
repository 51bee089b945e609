"""Edges as the maps that statements take and the rows that they return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kg.backends.rows import edge_from_row, edge_properties
from kg.changes import Note
from kg.model import Edge, EdgeKey

__all__ = ["by_key", "by_relation", "edge_note", "ends", "made_maps"]


def made_maps(
    edges: Sequence[Edge], folded: Mapping[EdgeKey, Sequence[Edge]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the maps of edges for `kg.backends.statements.make_edges`, and their properties.

    Args:
        edges: What is made of the rows of each edge.
        folded: These rows. One alone, without claims, changes nothing where it is there just so,
            and gets its place in `edges` as ``_n``.
    """
    maps = [{**edge_properties(edge), **ends(edge.key)} for edge in edges]
    names = sorted({name for row in maps for name in row} - {"_head", "_tail"})
    for n, edge in enumerate(edges):
        if len(folded[edge.key]) == 1 and not edge.claims:
            maps[n]["_n"] = str(n)
    return maps, names


def by_key(relation: str, rows: Iterable[Sequence[Any]]) -> dict[EdgeKey, Edge]:
    """Return the edges of rows of head, tail and properties."""
    found = (edge_from_row(head, relation, tail, values) for head, tail, values in rows)
    return {edge.key: edge for edge in found}


def edge_note(relation: str, rows: Iterable[Mapping[str, Any]]) -> Note:
    """Return the note of the edges of maps."""
    return Note(edges=frozenset((row["_head"], relation, row["_tail"]) for row in rows))


def ends(key: EdgeKey) -> dict[str, str]:
    """Return the map of an edge that says which it is."""
    return {"_head": key[0], "_tail": key[2]}


def by_relation(keys: Iterable[EdgeKey]) -> dict[str, list[EdgeKey]]:
    """Return edges by their relations."""
    groups: dict[str, list[EdgeKey]] = {}
    for key in keys:
        groups.setdefault(key[1], []).append(key)
    return groups
