"""A few new edges in one request: the engine makes all of them in a transaction, or none.

Over Bolt such a write waits for two answers, and the driver's own work costs more than the
engine's. Here the statement fails where an edge is there already or an end is missing, so the
engine takes all of it back, the counter too; the ordinary write, which reads and merges, does it.
Whatever else goes wrong, the ordinary write does it too: a request whose answer was lost has made
its edges or not, and the ordinary write finds those that it made.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, LiteralString
from urllib.parse import quote

from kg.backends import statements
from kg.backends.merging import fold_edges, merge_edges
from kg.backends.rows import RECORDS, edge_properties
from kg.changes import Note, written

if TYPE_CHECKING:
    from kg.backends.connection import Connection
    from kg.launcher import Endpoint
    from kg.model import Edge

__all__ = ["FEW", "ShortWrites", "made_at_once"]

FEW = 16
"""Most edges of such a write."""
IDLE_S = 5.0
"""Seconds after which a connection is not used again: the engine closes those that wait long."""


def made_at_once(connection: Connection, rows: Sequence[Edge]) -> bool:
    """Make new edges in one request; False if nothing of it may be taken as done.

    Only edges of one relation without attributes: values would pass through JSON, whose numbers
    are not those of Bolt.

    Args:
        connection: To the graph.
        rows: Edges of a call.

    Raises:
        InputError: A row cannot be stored.
    """
    link = connection.link
    if not 0 < len(rows) <= FEW or link.raise_and_note is None:
        return False
    relation = rows[0].relation
    if any(row.relation != relation or not row.provenance for row in rows):
        return False
    if not link.is_ready(set(), {relation}):
        return False
    edges = [merge_edges(None, same) for same in fold_edges(rows).values()]
    maps = [edge_properties(edge) for edge in edges]
    if any(found.keys() != {RECORDS} for found in maps):
        return False
    for edge, found in zip(edges, maps, strict=True):
        found |= {"_head": edge.head, "_tail": edge.tail}
    touched = written(Note(edges=frozenset(edge.key for edge in edges)))
    text = statements.make_new_edges(relation, [RECORDS])
    return connection.at_once(f"{link.raise_and_note} {text}", {"rows": maps, "_touched": touched})


class ShortWrites:
    """Requests to the engine as its writer, by connections that are kept for a moment.

    Args:
        endpoint: The engine.
        database: The graph.
        timeout_s: Seconds that an answer may take.
    """

    def __init__(self, endpoint: Endpoint, database: str, *, timeout_s: float) -> None:
        token = base64.b64encode(f"writer:{endpoint.passwords['writer']}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._address = (endpoint.host, endpoint.http_port)
        self._path = f"/api/v1/command/{quote(database, safe='')}"
        self._timeout_s = timeout_s
        self._kept: list[tuple[float, http.client.HTTPConnection]] = []

    def done(self, text: LiteralString, parameters: Mapping[str, Any]) -> bool:
        """Run a statement in a transaction of its own and tell whether it was committed.

        Args:
            text: The statement.
            parameters: Texts, and lists and maps of texts.
        """
        body = {"language": "opencypher", "command": text, "params": parameters}
        connection = None
        try:
            sent = json.dumps(body, ensure_ascii=False).encode()
            connection = self._connection()
            connection.request("POST", self._path, sent, self._headers)
            with connection.getresponse() as response:
                response.read()
        except (OSError, http.client.HTTPException, UnicodeEncodeError):
            if connection is not None:
                connection.close()
            return False
        except BaseException:  # an interrupt: the rest of an answer may be under way
            if connection is not None:
                connection.close()
            raise
        self._kept.append((time.monotonic(), connection))
        return response.status == 200

    def _connection(self) -> http.client.HTTPConnection:
        with suppress(IndexError):
            while True:
                used, kept = self._kept.pop()  # another thread may have taken it
                if time.monotonic() - used < IDLE_S:
                    return kept
                kept.close()
        made = http.client.HTTPConnection(*self._address, timeout=self._timeout_s)
        made.connect()
        made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def close(self) -> None:
        """Close what is kept."""
        while self._kept:
            self._kept.pop()[1].close()
