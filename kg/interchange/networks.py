"""A graph as a networkx multigraph, and back; nothing is lost."""

from __future__ import annotations

from typing import Any

from kg.graph_formats.properties import edge_of_row, edge_row, entity_of_row, entity_row
from kg.graph_formats.protocol import Graph
from kg.model import Edge, Entity
from kg.provenance import Provenance

__all__ = ["from_networkx", "to_networkx"]

RELATED = "related_to"


def to_networkx(graph: Graph) -> Any:
    """Return a graph as a ``networkx.MultiDiGraph``.

    A node is a key with its properties: attributes, ``name``, ``aliases``, ``_label``, and as JSON
    ``_images``, ``_part``, ``_records``, ``_claims``. An edge's key is its relation, its data
    are its properties.

    Args:
        graph: A store, or whatever else has entities and edges.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> from kg.model import EntityKey
        >>> store = MemoryStore()
        >>> _ = store.upsert_entities([Entity(key=EntityKey("a"), label="Town", name="A")])
        >>> to_networkx(store).nodes["a"]
        {'name': 'A', '_label': 'Town'}
    """
    import networkx as nx  # slow to import

    network = nx.MultiDiGraph()
    for entity in graph.entities():
        properties = entity_row(entity)
        network.add_node(properties.pop("key"))
        network.nodes[entity.key].update(properties)
    for edge in graph.edges():
        network.add_edge(edge.head, edge.tail, edge.relation)
        network.edges[edge.head, edge.tail, edge.relation].update(edge_row(edge))
    return network


def from_networkx(
    network: Any, *, source: str = "networkx", relation: str = RELATED
) -> tuple[list[Entity], list[Edge]]:
    """Return the entities and edges of a networkx graph, Umbra's or any other.

    Args:
        network: Directed or not; of an undirected edge, the direction is that of networkx.
        source: Source of what carries no record.
        relation: Relation of edges that have none: no text as their key, and no ``relation``.

    Raises:
        InputError: A property is no text, number, truth value or list of these; names cannot be
            stored.

    Example:
        >>> import networkx as nx
        >>> entities, edges = from_networkx(nx.DiGraph([("a", "b")]))
        >>> [entity.key for entity in entities], edges[0].key
        (['a', 'b'], ('a', 'related_to', 'b'))
    """
    asserted = Provenance(kind="asserted", source=source)
    entities = [
        entity_of_row({"name": str(node), **data, "key": str(node)}, asserted)
        for node, data in network.nodes(data=True)
    ]
    edges = []
    for head, tail, key, data in _edges(network):
        properties = dict(data)
        named = key if isinstance(key, str) else properties.pop("relation", relation)
        edges.append(edge_of_row(str(head), named, str(tail), properties, asserted))
    return entities, edges


def _edges(network: Any) -> Any:
    if network.is_multigraph():
        return network.edges(keys=True, data=True)
    return ((head, tail, None, data) for head, tail, data in network.edges(data=True))
