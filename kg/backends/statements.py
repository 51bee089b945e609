"""The Cypher texts of the Bolt backend: constants, and the places where a checked name goes in.

Values are always parameters. Labels, relations and property names cannot be; they pass
`kg.backends.names` and stand between backticks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, LiteralString

from kg.backends.names import BASE_LABEL, is_name
from kg.errors import InputError

if TYPE_CHECKING:
    from kg.backends.alone import LoneWrite

__all__ = [
    "ANY",
    "COUNT_ENDS",
    "DELETE_ENTITIES",
    "EDGES_FROM",
    "EDGES_TO",
    "EDGES_TOUCHED",
    "ENTITIES",
    "ENTITIES_TOUCHED",
    "ENTITY",
    "FIND_ENTITIES",
    "create_entities",
    "create_index",
    "delete_edges",
    "drop_index",
    "edges",
    "edges_from",
    "entities",
    "find_edges",
    "make_edges",
    "set_edges",
    "set_entities",
]

ANY: LiteralString = "MATCH (n) WHERE NOT n:`_Umbra` RETURN 1 LIMIT 1"
ENTITY: LiteralString = "MATCH (n:Entity {key: $key}) RETURN labels(n), properties(n)"
ENTITIES: LiteralString = "MATCH (n:Entity) RETURN labels(n), properties(n)"
FIND_ENTITIES: LiteralString = (
    "UNWIND $keys AS key MATCH (n:Entity {key: key}) RETURN labels(n), properties(n)"
)
COUNT_ENDS: LiteralString = "UNWIND $keys AS key MATCH (n:Entity {key: key}) RETURN n.key"
DELETE_ENTITIES: LiteralString = "UNWIND $keys AS key MATCH (n:Entity {key: key}) DETACH DELETE n"
EDGES_FROM: LiteralString = (
    "UNWIND $keys AS key MATCH (h:Entity {key: key}) MATCH (h)-[r]->(t:Entity) "
    "RETURN h.key, type(r), t.key"
)
EDGES_TO: LiteralString = (
    "UNWIND $keys AS key MATCH (t:Entity {key: key}) MATCH (h:Entity)-[r]->(t) "
    "RETURN h.key, type(r), t.key"
)
ENTITIES_TOUCHED: LiteralString = (
    "MATCH (n:Entity) WHERE any(r IN n._records WHERE any(x IN $needles WHERE r CONTAINS x)) "
    "RETURN labels(n), properties(n)"
)
EDGES_TOUCHED: LiteralString = (
    "MATCH (h:Entity)-[r]->(t:Entity) "
    "WHERE any(y IN r._records WHERE any(x IN $needles WHERE y CONTAINS x)) "
    "RETURN h.key, type(r), t.key, properties(r)"
)


def _quoted(name: str) -> str:
    """Return a name between backticks; nothing but a checked name gets this far."""
    if not is_name(name.removeprefix("_")):
        raise InputError(f"{name!r:.80} cannot stand in a statement")
    return f"`{name}`"


def _row_map(names: Iterable[str]) -> str:
    return ", ".join(f"{_quoted(name)}: row.{_quoted(name)}" for name in names)


def _row_sets(variable: str, names: Iterable[str]) -> str:
    return ", ".join(f"{variable}.{_quoted(name)} = row.{_quoted(name)}" for name in names)


def create_entities(labels: Iterable[str], names: Iterable[str]) -> LiteralString:
    """Return the statement that makes nodes of `$rows`, which have these properties.

    Naming each property is ten times faster on the embedded engine than ``SET n = row``.
    """
    pattern = "".join(f":{_quoted(label)}" for label in labels)
    return _literal(f"UNWIND $rows AS row CREATE (n{pattern} {{{_row_map(names)}}})")


def set_entities(names: Iterable[str]) -> LiteralString:
    """Return the statement that sets these properties of existing nodes; null takes one away."""
    return _literal(
        f"UNWIND $rows AS row MATCH (n:Entity {{key: row.key}}) SET {_row_sets('n', names)}"
    )


# Both ends first: in one pattern the engine tries each neighbour of the head, which took a hundred
# times as long for a head of 8,000 edges.
_ENDS = "MATCH (h:Entity {key: row._head}) MATCH (t:Entity {key: row._tail})"
_BETWEEN = f"{_ENDS} MATCH (h)-[r:%s]->(t)"


def find_edges(relation: str) -> LiteralString:
    """Return the statement that reads the edges of `$rows` that exist."""
    between = _BETWEEN % _quoted(relation)
    return _literal(f"UNWIND $rows AS row {between} RETURN h.key, t.key, properties(r)")


def make_edges(relation: str, names: Iterable[str], lone: LoneWrite | None = None) -> LiteralString:
    """Return the statement that makes those edges of `$rows` that do not exist.

    It returns how many it made, and what it found: ends and properties of those that exist, or
    `_n` alone of a row that has one and says just what is there. A row one of whose ends is missing
    is neither. The ends are no OPTIONAL MATCH: the embedded engine takes an end that is null for
    any end.

    Args:
        relation: Of all rows.
        names: Properties of the rows.
        lone: Makes the statement, for one row, a whole write transaction.
    """
    type_ = _quoted(relation)
    map_ = f"{{{_row_map(names)}}}"
    make = f"CREATE (h)-[:{type_} {map_}]->(t)"
    if lone is not None:
        make = f"{lone.change} FOREACH (noted IN [{lone.note}] | {make})"
    present = (
        f"CASE WHEN r IS NULL THEN null WHEN row._n IS NOT NULL AND properties(r) = {map_} "
        "THEN row._n ELSE [h.key, t.key, properties(r)] END"
    )
    begin = "" if lone is None else f"{lone.begin} "
    return _literal(
        f"{begin}UNWIND $rows AS row {_ENDS} OPTIONAL MATCH (h)-[r:{type_}]->(t) "
        f"FOREACH (one IN CASE WHEN r IS NULL THEN [1] ELSE [] END | {make}) "
        f"RETURN count(*) - count(r), collect({present})"
    )


def set_edges(relation: str, names: Iterable[str]) -> LiteralString:
    """Return the statement that sets these properties of existing edges."""
    between = _BETWEEN % _quoted(relation)
    return _literal(f"UNWIND $rows AS row {between} SET {_row_sets('r', names)}")


def delete_edges(relation: str) -> LiteralString:
    """Return the statement that deletes the edges of `$rows`."""
    return _literal(f"UNWIND $rows AS row {_BETWEEN % _quoted(relation)} DELETE r")


def edges(
    *, head: bool, relation: str | None, tail: bool, limited: bool = False, later: bool = False
) -> LiteralString:
    """Return the statement that reads edges with a given head, relation or tail.

    Args:
        head: Whether ``$head`` is given.
        relation: The one that is read; None for all.
        tail: Whether ``$tail`` is given.
        limited: Read the first ``$limit`` in order.
        later: Of those after the edge ``$after``, a list of head, relation and tail.
    """
    left = f"(h:{BASE_LABEL} {{key: $head}})" if head else f"(h:{BASE_LABEL})"
    right = f"(t:{BASE_LABEL} {{key: $tail}})" if tail else f"(t:{BASE_LABEL})"
    middle = "[r]" if relation is None else f"[r:{_quoted(relation)}]"
    return _literal(f"MATCH {left}-{middle}->{right}{_page(limited=limited, later=later)}")


def edges_from(*, limited: bool, later: bool) -> LiteralString:
    """Return the statement that reads the edges that go out from ``$keys``; cut as in `edges`."""
    heads = "UNWIND $keys AS key MATCH (h:Entity {key: key}) MATCH (h)-[r]->(t:Entity)"
    return _literal(f"{heads}{_page(limited=limited, later=later)}")


def _page(*, limited: bool, later: bool) -> str:
    where = f" WHERE {_LATER}" if later else ""
    order = " ORDER BY h.key, type(r), t.key LIMIT $limit" if limited else ""
    return f"{where} RETURN h.key, type(r), t.key, properties(r){order}"


_LATER = (
    "h.key > $after[0] OR (h.key = $after[0] AND (type(r) > $after[1] "
    "OR (type(r) = $after[1] AND t.key > $after[2])))"
)


def entities(label: str) -> LiteralString:
    """Return the statement that reads the entities of a label."""
    return _literal(f"MATCH (n:{_quoted(label)}) RETURN labels(n), properties(n)")


def create_index(label: str, attribute: str) -> LiteralString:
    """Return the statement that makes an index at a Neo4j server."""
    return _literal(
        f"CREATE INDEX IF NOT EXISTS FOR (n:{_quoted(label)}) ON (n.{_quoted(attribute)})"
    )


def drop_index(name: str) -> LiteralString:
    """Return the statement that drops an index; its name is the server's own."""
    if "`" in name:
        raise InputError(f"the index {name!r:.80} has to be dropped at the server")
    return _literal(f"DROP INDEX `{name}` IF EXISTS")


def _literal(text: str) -> LiteralString:
    """Say to the type checker that only checked names went into a text."""
    return text  # type checkers that know LiteralString want a cast here; mypy takes any str
