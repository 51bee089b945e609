"""A graph as an rdflib graph, and back; only the order of an entity's aliases is lost."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import Any

from pyoxigraph import RdfFormat, serialize

from kg.errors import InputError, MissingPartError
from kg.formats.records import Reject
from kg.graph_formats.protocol import Graph
from kg.graph_formats.rdf import opened_rdf
from kg.import_shards import RowTable
from kg.mapped_rows import MappedRow
from kg.model import Edge, Entity
from kg.rdf.names import NAMESPACES, UMBRA
from kg.rdf.quads import edge_quads, entity_quads

__all__ = ["from_rdflib", "to_rdflib"]


def to_rdflib(graph: Graph) -> Any:
    """Return a graph as an ``rdflib.Graph`` (`docs/formats.md` says in which terms).

    Raises:
        MissingPartError: rdflib is not installed.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> from kg.model import EntityKey
        >>> store = MemoryStore()
        >>> _ = store.upsert_entities([Entity(key=EntityKey("a"), label="Town", name="A")])
        >>> len(to_rdflib(store))
        5
    """
    try:
        import rdflib
    except ImportError as error:
        raise MissingPartError("rdflib is not installed", hint="pip install rdflib") from error
    quads = chain(
        chain.from_iterable(map(entity_quads, graph.entities())),
        chain.from_iterable(map(edge_quads, graph.edges())),
    )
    found = rdflib.Graph()
    for prefix, namespace in {**NAMESPACES, "umbra": UMBRA}.items():
        found.bind(prefix, namespace)
    text = serialize((quad.triple for quad in quads), format=RdfFormat.N_TRIPLES)
    return found.parse(data=text or b"", format="nt")


def from_rdflib(graph: Any, *, source: str = "rdflib") -> tuple[list[Entity], list[Edge]]:
    """Return the entities and edges of an rdflib graph, Umbra's or any other.

    Args:
        graph: An ``rdflib.Graph``.
        source: Source of what carries no record.

    Raises:
        InputError: Something in it cannot be stored.
    """
    lines = sorted(graph.serialize(format="nt", encoding="utf-8").splitlines(keepends=True))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / source.replace("/", "_")
        file.write_bytes(b"".join(lines))
        with opened_rdf(RdfFormat.N_TRIPLES, file, Path(folder)) as opened:
            entities = [row.entity for table in opened.entities for row in _whole(table)]
            edges = [row.edge for table in opened.edges for row in _whole(table)]
    return [e for e in entities if e is not None], [e for e in edges if e is not None]


def _whole(table: RowTable) -> list[MappedRow]:
    """Return all rows of a table; a reject is an error here."""
    rows = list(table.rows(1))
    rejects: list[Reject] = [reject for row in rows for reject in row.rejects]
    if rejects:
        raise InputError(rejects[0].reason, where=rejects[0].text)
    return rows
