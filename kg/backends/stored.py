"""What lies behind a Bolt server, as it lies there: nodes and edges as labels and properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

from kg.backends.translation import translated
from kg.store import Stored

if TYPE_CHECKING:
    from kg.backends.connection import Connection

__all__ = ["stored_by"]

_NODES: LiteralString = "MATCH (n) WHERE NOT n:`_Umbra` RETURN labels(n), properties(n)"
_EDGES: LiteralString = "MATCH (h)-[r]->(t) RETURN h.key, type(r), t.key, properties(r)"


def stored_by(connection: Connection) -> Stored:
    """Read everything while no other process writes.

    Args:
        connection: To the server.
    """
    connection.check_open()
    with connection.link.writing(), translated():
        nodes = [(row[0], row[1]) for row in connection.read(_NODES, {})]
        edges = [(row[0], row[1], row[2], row[3]) for row in connection.read(_EDGES, {})]
        return Stored(nodes=nodes, edges=edges, complaints=connection.link.complaints())
