"""A snapshot of the embedded engine's graph, over its HTTP face and into arrays at once.

An edge comes as three record ids and its records, some relations after the other, two at a time; no
row becomes an object of Python's, which is what makes reading over Bolt slow. What Bolt would show
(`kg.snapshot.build_snapshot` of the store's rows) is the same, hash and all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kg.backends.edge_lines import BUCKET_BITS, EDGES, EdgeLines, record_code
from kg.backends.names import BASE_LABEL, is_name
from kg.backends.rows import CLAIMS, RECORDS, entity_from_row
from kg.model import Entity
from kg.snapshot_arrays import Snapshot
from kg.snapshot_building import EdgeColumns, assembled_snapshot, build_snapshot

if TYPE_CHECKING:
    from kg.backends.bolt import BoltStore
    from kg.backends.connection import Connection
    from kg.backends.engine_http import EngineHttp

__all__ = ["frozen"]

TRIES = 3
SIDE_BY_SIDE = 2
SHARED_EDGES = 20_000
"""Edges of relations that share a request."""


def frozen(store: BoltStore, connection: Connection) -> Snapshot:
    """Return a snapshot of a store as it is at one moment.

    Args:
        store: The graph.
        connection: The same.

    Raises:
        StoreError: The engine refused, or ended a query before its last row.
    """
    http = connection.link.export()
    if http is None:
        return build_snapshot(store.entities(), store.edges())
    database = connection.link.database
    for _ in range(TRIES):
        version = store.version
        snapshot = _exported(http, database)
        if store.version == version:
            return snapshot
    with connection.link.writing():  # somebody writes all the time: they wait once
        return _exported(http, database)


def _exported(http: EngineHttp, database: str) -> Snapshot:
    relations, groups = _relations(http, database)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        nodes = pool.submit(_nodes, http, database)
        jobs = [pool.submit(_lines, http, database, group) for group in groups]
        rows, codes = nodes.result()
        by_code = np.argsort(codes)
        columns = [_edges(job.result(), relations, codes, by_code) for job in jobs]
    return assembled_snapshot(rows, sorted(relations), EdgeColumns.together(columns))


def _relations(http: EngineHttp, database: str) -> tuple[dict[str, list[int]], list[list[str]]]:
    """Return the buckets of each relation, by number, and of each request, by name.

    A request costs as much as a thousand edges, so that small relations share one.
    """
    buckets = http.sql(database, "SELECT name, fileId FROM schema:buckets") or ()
    numbers = {row["name"]: int(row["fileId"]) for row in buckets}
    rows = http.sql(database, "SELECT FROM schema:types WHERE type = 'edge'") or ()
    relations, groups, edges = {}, list[list[str]](), SHARED_EDGES
    for row in rows:
        if is_name(row["name"]):
            relations[row["name"]] = [numbers[bucket] for bucket in row["buckets"]]
            if edges >= SHARED_EDGES:
                groups.append([])
                edges = 0
            groups[-1] += row["buckets"]
            edges += row["records"] + 1
    return relations, groups


def _nodes(http: EngineHttp, database: str) -> tuple[list[Entity], NDArray[np.int64]]:
    """Return the entities in the order of their keys, and the codes of their record ids."""
    rows, ids = [], []
    for record in _records(http, database, f"SELECT FROM {BASE_LABEL}"):
        ids.append(record_code(record["@rid"]))
        rows.append(_entity(record))
    order = sorted(range(len(rows)), key=lambda n: rows[n].key)
    return [rows[n] for n in order], np.array([ids[n] for n in order], dtype=np.int64)


def _records(http: EngineHttp, database: str, query: str) -> Iterator[dict[str, Any]]:
    for piece in http.rows(database, query):
        for line in piece.splitlines():
            if line.startswith(b'{"record"'):
                yield json.loads(line)["record"]


def _entity(record: dict[str, Any]) -> Entity:
    properties = {
        name: value
        for name, value in record.items()
        if not name.startswith("@") and name not in (RECORDS, CLAIMS, "_images")
    }
    return entity_from_row((record["@type"],), properties)


def _lines(http: EngineHttp, database: str, buckets: list[str]) -> EdgeLines:
    pieces = http.rows(database, EDGES.format(",".join(f"`{name}`" for name in buckets)))
    return EdgeLines.together([EdgeLines.read(piece) for piece in pieces])


def _edges(
    lines: EdgeLines,
    relations: Mapping[str, list[int]],
    codes: NDArray[np.int64],
    by_code: NDArray[np.int64],
) -> EdgeColumns:
    """Return those edges that lie between entities."""
    numbers = np.zeros(1 + max(map(max, relations.values())), dtype=np.int32)
    for number, name in enumerate(sorted(relations)):
        numbers[relations[name]] = number
    heads, tails = (_places(ends, codes, by_code) for ends in (lines.heads, lines.tails))
    keep = (heads >= 0) & (tails >= 0)
    return EdgeColumns(
        heads=heads[keep].astype(np.int32),
        relations=numbers[lines.edges[keep] >> BUCKET_BITS],
        tails=tails[keep].astype(np.int32),
        probabilities=lines.probabilities[keep],
    )


def _places(
    wanted: NDArray[np.int64], codes: NDArray[np.int64], by_code: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return where each code stands in `codes`, -1 for what is no entity."""
    if not len(codes):
        return np.full(len(wanted), -1)
    found = np.searchsorted(codes, wanted, sorter=by_code)
    found[found == len(codes)] = 0
    places = by_code[found]
    return np.where(codes[places] == wanted, places, -1)
