"""A snapshot of the embedded engine's graph, over its HTTP face and into arrays at once.

An edge comes as two record ids and its records, one relation after the other, two at a time; no
row becomes an object of Python's, which is what makes reading over Bolt slow. What Bolt would show
(`kg.snapshot.build_snapshot` of the store's rows) is the same, hash and all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pyarrow import json as arrow_json

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
_ROW = pa.struct([("h", pa.string()), ("t", pa.string()), ("r", pa.list_(pa.string()))])
_OPTIONS = arrow_json.ParseOptions(
    explicit_schema=pa.schema([("record", _ROW)]), unexpected_field_behavior="ignore"
)
# As `Provenance.to_json` writes it; inside a text its quotes would stand behind backslashes.
_PROBABILITY = r'(?:^|[^\\])"probability": (?P<p>[0-9.eE+-]+)'
_RECORD_ID = r"#(?P<bucket>\d+):(?P<place>\d+)"


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
    rows, ids = [], []
    for record in _records(http, database, f"SELECT FROM {BASE_LABEL}"):
        ids.append(_code(record["@rid"]))
        rows.append(_entity(record))
    order = sorted(range(len(rows)), key=lambda n: rows[n].key)
    codes = np.array([ids[n] for n in order], dtype=np.int64)
    relations = [name for name in _edge_types(http, database) if is_name(name)]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        columns = list(
            pool.map(
                lambda n: _edges(http, database, relations[n], n, codes), range(len(relations))
            )
        )
    return assembled_snapshot([rows[n] for n in order], relations, EdgeColumns.together(columns))


def _records(http: EngineHttp, database: str, query: str) -> Iterator[dict[str, Any]]:
    for piece in http.rows(database, query):
        for line in piece.splitlines():
            if line.startswith(b'{"record"'):
                yield json.loads(line)["record"]


def _edge_types(http: EngineHttp, database: str) -> list[str]:
    rows = http.sql(database, "SELECT name FROM schema:types WHERE type = 'edge'") or ()
    return sorted(row["name"] for row in rows)


def _entity(record: dict[str, Any]) -> Entity:
    properties = {
        name: value
        for name, value in record.items()
        if not name.startswith("@") and name not in (RECORDS, CLAIMS, "_images")
    }
    return entity_from_row((record["@type"],), properties)


def _code(record_id: str) -> int:
    bucket, _, place = record_id[1:].partition(":")
    return int(bucket) << 40 | int(place)


def _edges(
    http: EngineHttp, database: str, relation: str, number: int, codes: NDArray[np.int64]
) -> EdgeColumns:
    """Return the edges of a relation between entities, whose ids are places in `codes`."""
    by_code = np.argsort(codes)
    query = f"SELECT @out AS h, @in AS t, {RECORDS} AS r FROM `{relation}`"  # noqa: S608 - a name
    pieces = [_parsed(piece) for piece in http.rows(database, query)]
    found = [EdgeColumns.together([])]
    for table in pieces:
        ends = [_places(table.field(end), codes, by_code) for end in ("h", "t")]
        keep = (ends[0] >= 0) & (ends[1] >= 0)
        heads, tails = ends[0][keep].astype(np.int32), ends[1][keep].astype(np.int32)
        found.append(
            EdgeColumns(
                heads=heads,
                relations=np.full(len(heads), number, dtype=np.int32),
                tails=tails,
                probabilities=_probabilities(table.field("r"))[keep],
            )
        )
    return EdgeColumns.together(found)


def _parsed(piece: bytes) -> Any:
    """Return the rows of a piece as one struct array."""
    options = arrow_json.ReadOptions(use_threads=False, block_size=len(piece) + 1)
    table = arrow_json.read_json(BytesIO(piece), options, _OPTIONS)
    column = table.column("record").combine_chunks()
    column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    return column.drop_null()


def _places(
    record_ids: Any, codes: NDArray[np.int64], by_code: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return where each record id stands in `codes`, -1 for what is no entity."""
    parts = pc.extract_regex(record_ids, _RECORD_ID)
    bucket, place = (pc.cast(parts.field(n), pa.int64()).to_numpy() for n in (0, 1))
    wanted = bucket << 40 | place
    found = np.searchsorted(codes, wanted, sorter=by_code)
    found[found == len(codes)] = 0
    places = by_code[found] if len(codes) else np.zeros(0, dtype=np.int64)
    return np.where(codes[places] == wanted, places, -1)


def _probabilities(records: Any) -> NDArray[np.float32]:
    """Return the probability of the strongest record of each edge, 0 without one."""
    best = np.zeros(len(records), dtype=np.float32)
    matched = pc.extract_regex(pc.list_flatten(records), _PROBABILITY)
    told = pc.cast(matched.field(0), pa.float64()).to_numpy(zero_copy_only=False)
    np.maximum.at(best, pc.list_parent_indices(records).to_numpy(), told.astype(np.float32))
    return best
