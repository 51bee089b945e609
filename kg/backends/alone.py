"""One edge, written by one statement that is its own transaction: one round trip in place of two.

The embedded engine commits each writing clause of a statement by itself when no transaction is
open. So the edge, the change counter and the note of the change feed are made within one clause, a
FOREACH: all of them are there after its one commit, or none (docs/adr/0016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from kg.backends import statements
from kg.backends.edge_maps import made_maps
from kg.backends.merging import fold_edges, merge_edge
from kg.changes import Note, written
from kg.errors import QueryValueError
from kg.model import Edge

if TYPE_CHECKING:
    from kg.backends.connection import Connection

__all__ = ["LoneWrite", "made_alone"]


@dataclass(frozen=True, slots=True)
class LoneWrite:
    """How a server keeps its counter and its feed within one statement.

    Attributes:
        begin: Clauses that read the counter; the statement begins with them.
        change: Clause that raises it, and fails if somebody has raised it since.
        note: Expression that keeps ``$_touched`` for the version made so.
    """

    begin: LiteralString
    change: LiteralString
    note: LiteralString


def made_alone(connection: Connection, edge: Edge) -> bool:
    """Make an edge that is not there, by one statement.

    Args:
        connection: To the server.
        edge: What is written; checked as ever.

    Returns:
        Whether it is there now, just as it is said. If not, nothing was written: it exists and
        says something else, an end is missing, somebody wrote at the same time, or the server
        cannot do this. A transaction finds out which.

    Raises:
        InputError: The edge cannot be stored.
        ConflictError: This thread has a transaction open.
    """
    connection.check_open()
    folded, link = fold_edges([edge]), connection.link
    if link.lone is None or not edge.provenance or not link.is_ready(set(), {edge.relation}):
        return False
    fresh = [merge_edge(None, rows[0]) for rows in folded.values()]
    maps, names = made_maps(fresh, folded)
    text = statements.make_edges(edge.relation, names, link.lone)
    touched = written(Note(edges=frozenset(folded)))
    try:
        count, found = connection.write_once(text, {"rows": maps, "_touched": touched})[0]
    except QueryValueError:
        return False
    return count == 1 or isinstance(next(iter(found), None), str)
