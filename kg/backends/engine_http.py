"""The embedded engine's HTTP face, for what Bolt cannot: databases, types, running queries."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kg.errors import InputError, StoreError, StoreUnavailableError
from kg.launcher import Endpoint

__all__ = ["EngineHttp", "RunningQuery"]

PIECE_BYTES = 2**22
"""Most of a large answer that is in memory at a time."""
TAIL_BYTES = 1_000
"""What is enough for the last line of an answer, which tells its number of rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningQuery:
    """A query that runs at the store now.

    Attributes:
        id: What `end_query` takes.
        text: Its Cypher text.
        user: The role that runs it.
        elapsed_s: Seconds since its start.
        database: The graph that it reads.
    """

    id: str
    text: str
    user: str
    elapsed_s: float
    database: str


class EngineHttp:
    """Administration of one running engine as its root; every call is one request."""

    def __init__(self, endpoint: Endpoint, *, timeout_s: float = 30.0) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        token = base64.b64encode(f"root:{endpoint.passwords['root']}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def request(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Send one POST and return its status and decoded answer.

        Raises:
            StoreUnavailableError: The engine does not answer.
        """
        with self._answer(path, json.dumps(body).encode(), {}) as response:
            text = response.read().decode()
        try:
            return response.status, json.loads(text) if text else {}
        except ValueError:
            return response.status, {"detail": text[:300]}

    @contextmanager
    def _answer(
        self, path: str, body: bytes | Iterable[bytes], headers: dict[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        host, port = self._endpoint.host, self._endpoint.http_port
        try:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout_s)
            with closing(connection):
                connection.request("POST", path, body, self._headers | headers)
                yield connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise StoreUnavailableError(
                f"the embedded graph engine does not answer ({error})",
                hint="run the command again: it starts anew",
            ) from error

    def load(
        self,
        database: str,
        lines: Iterable[bytes],
        *,
        records: int | None = None,
        together: int = 100_000,
        committed: int | None = None,
    ) -> dict[str, str]:
        """Send vertices, or edges between record ids, to the batch endpoint, once.

        It is neither atomic nor to be tried again: whoever calls it throws the database away if
        it fails.

        Args:
            database: Its name.
            lines: Pieces of what is sent; lines may go on from one to the next.
            records: How many vertices and edges there are; the engine refuses any other number.
                With it the pieces are made ready while they are sent.
            together: Edges that the engine makes together.
            committed: Edges or ends of edges in one of its transactions, one after the other; by
                default all that are made together, and all ends.

        Returns:
            Record ids by the ids that the vertices had in the lines.

        Raises:
            StoreError: The engine took not all of them.
            StoreUnavailableError: It does not answer.
        """
        path = f"/api/v1/batch/{quote(database, safe='')}?idMapping=true&batchSize={together}"
        if committed:
            path += f"&parallelFlush=false&commitEvery={committed}"
        sent = {"Content-Type": "application/x-ndjson"}
        if records is None:
            sent["Content-Length"] = str(sum(map(len, lines)))
        else:
            path += f"&expectedRecords={records}"
        with self._answer(path, lines, sent) as response:
            answer = json.loads(response.read() or b"{}")
        if response.status != 200:
            raise StoreError(
                f"the graph engine refused a load: {answer.get('detail') or answer}"[:500],
                hint="look at engine.log in the graph's folder",
            )
        found: dict[str, str] = answer.get("idMapping") or {}
        return found

    def rows(self, database: str, query: str) -> Iterator[bytes]:
        """Run a query that only reads and yield its rows as lines of JSON, in large pieces.

        Each row is an object ``record``; no piece ends within a line.

        Raises:
            StoreError: The engine refused the query, or ended it before its last row.
            StoreUnavailableError: It does not answer.
        """
        path = f"/api/v1/query/{quote(database, safe='')}"
        body = json.dumps({"language": "sql", "command": query, "limit": -1}).encode()
        rest, tail = b"", b""
        with self._answer(path, body, {"Accept": "application/x-ndjson"}) as response:
            if response.status != 200:
                raise StoreError(f"the graph engine refused a query: {response.read(400)!r}")
            while piece := response.read(PIECE_BYTES):
                whole, line, rest = (rest + piece).rpartition(b"\n")
                tail = (tail + piece[-TAIL_BYTES:])[-TAIL_BYTES:]
                if line:
                    yield whole + line
        if not tail.rstrip().rpartition(b"\n")[2].startswith(b'{"stats"'):
            raise StoreError("the graph engine ended a query before its last row")

    def server(self, command: str) -> Any:
        """Run a server command and return its result."""
        return self._result(*self.request("/api/v1/server", {"command": command}))

    def sql(self, database: str, script: str) -> list[dict[str, Any]] | None:
        """Run SQL statements and return the last one's rows, None if there is no such database."""
        path = f"/api/v1/command/{quote(database, safe='')}"
        status, answer = self.request(path, {"language": "sqlscript", "command": script})
        if status == 404:
            return None
        rows = self._result(status, answer)
        return rows if isinstance(rows, list) else []

    @staticmethod
    def _result(status: int, answer: Any) -> Any:
        if status != 200:
            raise StoreError(
                f"the graph engine refused a command: {answer.get('detail') or answer}"[:500],
                hint="look at engine.log in the graph's folder",
            )
        return answer.get("result")

    def running_queries(self) -> list[RunningQuery]:
        """Return what runs now, oldest first."""
        return [
            RunningQuery(
                id=row["id"],
                text=row.get("text", ""),
                user=row.get("user", ""),
                elapsed_s=row.get("elapsedMs", 0) / 1000,
                database=row.get("database", ""),
            )
            for row in self.server("list queries")
        ]

    def end_query(self, query: str) -> bool:
        """End a running query; False if it has ended already.

        Raises:
            InputError: The text is not the id of a query.
        """
        if not re.fullmatch(r"[\w-]{1,80}", query):
            raise InputError(f"{query!r:.80} is not the id of a query")
        answer = self.server(f"terminate query {query}")
        return bool(answer.get("status") != "not found")
