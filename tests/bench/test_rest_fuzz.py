"""A few hundred of the requests that `bench.rest_fuzz` makes, and that it can find something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse

from bench.rest_fuzz import KEY, Findings, fuzz, served
from kg.backends.memory import MemoryStore
from kg.store import Table


class QuietStore(MemoryStore):
    """A store in memory to which every query that may run is without rows."""

    def query(self, *_text: Any, **_limits: Any) -> Table:
        return Table(columns=(), rows=(), truncated=False)


def test_no_request_makes_the_service_fail(tmp_path: Path) -> None:
    findings = Findings()
    with served(tmp_path / "world", key=KEY, store=QuietStore()) as app:
        fuzz(app, findings, each=4, seed=1, key=KEY, borders=False, choose="/v1/link/text".__ne__)
    assert findings.failures == {}
    assert findings.cases.total() > 200
    assert {200, 202, 400, 404, 422} <= set(findings.statuses)


def test_what_the_document_does_not_say_is_found(tmp_path: Path) -> None:
    findings = Findings()
    with served(tmp_path / "world", store=QuietStore()) as app:

        @app.get("/v1/teapot")
        def teapot() -> JSONResponse:
            return JSONResponse({}, status_code=418)

        fuzz(app, findings, each=1, seed=1, choose="/v1/teapot".__eq__)
    assert "GET /v1/teapot: Undocumented status code" in findings.failures
