"""The calls of the REST service, one method an operation of its OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Self

from api.check_schemas import ChecksOut
from api.client.connection import Connection, path_of
from api.client.finding import Finding
from api.client.reviewing import Reviewing
from api.client.streamed_rows import StreamedRows
from api.job_parameters import JobIn, JobKindName
from api.plain.schemas import PlainIn, PlainOut, Reader
from api.running_queries import EndedQueryOut, RunningQueriesOut
from api.schemas import (
    GRAPH,
    NDJSON,
    AnswersOut,
    CypherIn,
    EntityOut,
    HealthOut,
    InfoOut,
    JobOut,
    JobsOut,
    QueryIn,
    TableOut,
    WhyNotIn,
    WhyNotOut,
)
from api.text_schemas import TextIn, TextLinksOut

if TYPE_CHECKING:
    import httpx

__all__ = ["OPERATIONS", "Client"]

OPERATIONS: Mapping[str, str] = {
    "POST /v1/query": "query",
    "POST /v1/why-not": "why_not",
    "POST /v1/plain": "plain",
    "POST /v1/cypher": "cypher",
    "GET /v1/queries": "queries",
    "DELETE /v1/queries/{id}": "end_query",
    "POST /v1/sparql": "sparql",
    "GET /v1/search": "search",
    "GET /v1/suggestions": "suggest",
    "POST /v1/suggestions": "suggest_next",
    "GET /v1/context": "context",
    "GET /v1/entities": "entities",
    "GET /v1/entities/{key}": "entity",
    "GET /v1/images/sheet": "sheet",
    "GET /v1/images/{sha256}": "image",
    "GET /v1/checks/{key}": "checks",
    "GET /v1/info": "info",
    "GET /healthz": "healthz",
    "GET /readyz": "readyz",
    "POST /v1/link/text": "link_text",
    "POST /v1/jobs": "start_job",
    "GET /v1/jobs": "jobs",
    "GET /v1/jobs/{id}": "job",
    "DELETE /v1/jobs/{id}": "cancel_job",
    "POST /v1/jobs/{id}/pause": "pause_job",
    "POST /v1/jobs/{id}/resume": "resume_job",
    "POST /v1/jobs/{id}/retry": "retry_job",
    "GET /v1/jobs/{id}/output": "job_output",
    "GET /v1/jobs/{id}/events": "job_events",
    "GET /v1/review/cases": "review_cases",
    "POST /v1/review/cases": "load_review_cases",
    "GET /v1/review/decisions": "review_decisions",
    "POST /v1/review/decisions": "decide",
    "GET /v1/review/duplicates": "duplicates",
    "POST /v1/review/duplicates": "review_duplicates",
    "GET /v1/review/export": "export_review",
    "POST /v1/review/import": "import_review",
    "GET /v1/review/facts": "facts",
    "POST /v1/review/facts": "decide_fact",
    "POST /v1/undo": "undo",
    "GET /v1/history/{key}": "history",
    "GET /v1/diff": "diff",
}
"""Operations and the methods that call them. The reconciliation service has clients of its own."""


class Client(Finding, Reviewing):
    """Calls a server; use it as a context manager.

    Args:
        address: Of the server.
        key: API key, where the server needs one.
        timeout_s: Most seconds without a byte.
        retries: How often a read that met 429 or 503 is sent again, or a write with an
            idempotency key.
        client: An open `httpx.Client` to use instead; its owner closes it.

    Raises:
        MissingPartError: httpx is not installed (extra `client`).

    Example:
        >>> with Client("http://127.0.0.1:8321") as graph:                # doctest: +SKIP
        ...     read = graph.plain("Which countries border Chad?")
        ...     found = graph.query(read.query)
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8321",
        key: str | None = None,
        *,
        timeout_s: float = 60.0,
        retries: int = 2,
        client: httpx.Client | None = None,
    ) -> None:
        self._to = Connection(address, key, timeout_s=timeout_s, retries=retries, client=client)

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the connection."""
        self._to.close()

    def query(self, query: str | Mapping[str, Any], **options: Any) -> AnswersOut:
        """Ask a question; options are the fields of `QueryIn`."""
        body = QueryIn.model_validate({"query": query, **options})
        return self._to.read("POST", "/v1/query", AnswersOut, body=body)

    def why_not(self, query: str | Mapping[str, Any], entity: str, **options: Any) -> WhyNotOut:
        """Ask what an entity lacks to be an answer; options are the fields of `WhyNotIn`."""
        body = WhyNotIn.model_validate({"query": query, "entity": entity, **options})
        return self._to.read("POST", "/v1/why-not", WhyNotOut, body=body)

    def plain(self, question: str, *, by: Reader = "rules") -> PlainOut:
        """Read a question in plain language; send its `query` to ask it."""
        body = PlainIn(question=question, by=by)
        return self._to.read("POST", "/v1/plain", PlainOut, body=body)

    def cypher(self, query: str, **options: Any) -> TableOut:
        """Run read-only Cypher; options are the fields of `CypherIn`."""
        body = CypherIn.model_validate({"query": query, **options})
        return self._to.read("POST", "/v1/cypher", TableOut, body=body)

    @contextmanager
    def stream_cypher(self, query: str, **options: Any) -> Iterator[StreamedRows]:
        """Run read-only Cypher and read its rows while the query runs; leaving the context ends it.

        Options are the fields of `CypherIn`.
        """
        body = CypherIn.model_validate({"query": query, **options})
        accept = {"Accept": NDJSON}
        with self._to.lines("POST", "/v1/cypher", body=body, headers=accept) as lines:
            yield StreamedRows(lines)

    def cypher_graph(self, query: str, **options: Any) -> dict[str, Any]:
        """Run read-only Cypher and return the ``nodes`` and ``edges`` that stand in its rows."""
        body = CypherIn.model_validate({"query": query, **options})
        found = self._to.content("POST", "/v1/cypher", body=body, headers={"Accept": GRAPH})
        result: dict[str, Any] = json.loads(found)
        return result

    def queries(self) -> RunningQueriesOut:
        """List the Cypher queries that run on the store now; needs the scope `admin`."""
        return self._to.read("GET", "/v1/queries", RunningQueriesOut)

    def end_query(self, id: str, *, idempotency_key: str | None = None) -> EndedQueryOut:  # noqa: A002
        """End one of them; its caller is told that it was ended."""
        path = path_of("/v1/queries/{id}", id=id)
        return self._to.read("DELETE", path, EndedQueryOut, once=idempotency_key)

    def sparql(self, query: str) -> dict[str, Any]:
        """Run a SELECT or ASK query; the result is SPARQL 1.1's JSON."""
        accept = {"Accept": "application/sparql-results+json"}
        found = self._to.content("POST", "/v1/sparql", form={"query": query}, headers=accept)
        result: dict[str, Any] = json.loads(found)
        return result

    def entity(self, key: str, *, limit: int | None = None, after: str | None = None) -> EntityOut:
        """Read an entity and a page of its edges; `after` is the `next` of the page before."""
        path = path_of("/v1/entities/{key}", key=key)
        return self._to.read("GET", path, EntityOut, query={"limit": limit, "after": after})

    def image(self, sha256: str, *, part: str | None = None, side: int | None = None) -> bytes:
        """Read an image, a PNG at most `side` pixels long, or the outline of a part as SVG."""
        path = path_of("/v1/images/{sha256}", sha256=sha256)
        return self._to.content("GET", path, query={"part": part, "side": side})

    def checks(self, key: str, *, limit: int | None = None, after: str | None = None) -> ChecksOut:
        """Read what is in conflict with an entity's pictures; `limit` is of the parts of a page."""
        path = path_of("/v1/checks/{key}", key=key)
        return self._to.read("GET", path, ChecksOut, query={"limit": limit, "after": after})

    def sheet(
        self,
        keys: Sequence[str] = (),
        *,
        labels: Sequence[str] = (),
        most: int = 24,
        columns: int = 4,
        side: int = 320,
        format: Literal["svg", "png"] = "svg",  # noqa: A002 - the parameter's name
    ) -> bytes:
        """Draw pictures with their parts on one page: of keys, of labels, or the first ones."""
        look = {"most": most, "columns": columns, "side": side, "format": format}
        query = {"key": list(keys), "label": list(labels), **look}
        return self._to.content("GET", "/v1/images/sheet", query=query)

    def info(self) -> InfoOut:
        """Read what the graph holds."""
        return self._to.read("GET", "/v1/info", InfoOut)

    def healthz(self) -> HealthOut:
        """Tell whether the server lives."""
        return self._to.read("GET", "/healthz", HealthOut)

    def readyz(self) -> HealthOut:
        """Tell whether the server answers questions."""
        return self._to.read("GET", "/readyz", HealthOut)

    def link_text(self, text: str, *, name: str = "text") -> TextLinksOut:
        """Find the mentions of a text and what they mean."""
        return self._to.read(
            "POST", "/v1/link/text", TextLinksOut, body=TextIn(text=text, name=name)
        )

    def start_job(
        self,
        kind: JobKindName,
        parameters: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> JobOut:
        """Start a job; with the same idempotency key it is started once."""
        body = JobIn(kind=kind, parameters=dict(parameters))
        return self._to.read("POST", "/v1/jobs", JobOut, body=body, once=idempotency_key)

    def jobs(self, *, limit: int | None = None, after: str | None = None) -> JobsOut:
        """List a page of the jobs, newest first; `after` is the last job of the page before."""
        return self._to.read("GET", "/v1/jobs", JobsOut, query={"limit": limit, "after": after})

    def job(self, id: str) -> JobOut:  # noqa: A002 - the service's name
        """Read how far a job has come."""
        return self._job("GET", id)

    def cancel_job(self, id: str, *, idempotency_key: str | None = None) -> JobOut:  # noqa: A002
        """Cancel a job."""
        return self._job("DELETE", id, once=idempotency_key)

    def pause_job(self, id: str, *, idempotency_key: str | None = None) -> JobOut:  # noqa: A002
        """Pause a job after its present records."""
        return self._job("POST", id, "/pause", once=idempotency_key)

    def resume_job(self, id: str, *, idempotency_key: str | None = None) -> JobOut:  # noqa: A002
        """Let a paused job go on."""
        return self._job("POST", id, "/resume", once=idempotency_key)

    def retry_job(self, id: str, *, idempotency_key: str | None = None) -> JobOut:  # noqa: A002
        """Try the failed records of a job again."""
        return self._job("POST", id, "/retry", once=idempotency_key)

    def job_output(self, id: str) -> Iterator[dict[str, Any]]:  # noqa: A002
        """Read the rows that a job wrote."""
        content = self._to.content("GET", path_of("/v1/jobs/{id}/output", id=id))
        return (json.loads(line) for line in content.splitlines() if line)

    def job_events(
        self,
        id: str,  # noqa: A002
        *,
        last_event_id: str | None = None,
    ) -> Iterator[JobOut]:
        """Follow a job until it ends, or go on after an event of an earlier stream."""
        path = path_of("/v1/jobs/{id}/events", id=id)
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        for data in self._to.events(path, headers):
            yield JobOut.model_validate_json(data)

    def _job(self, method: str, id: str, what: str = "", **sent: Any) -> JobOut:  # noqa: A002
        return self._to.read(method, path_of("/v1/jobs/{id}", id=id) + what, JobOut, **sent)
