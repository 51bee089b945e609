"""A few hundred of the requests that `bench.rest_fuzz` makes, and that it can find something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from requests import ReadTimeout
from schemathesis import Case
from starlette.responses import JSONResponse

from bench.rest_fuzz import KEY, Findings, fuzz, served
from bench.rest_fuzz_wire import query_fits
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


def test_a_request_that_should_be_refused_and_is_not_is_found(tmp_path: Path) -> None:
    findings = Findings()
    of_number = {"in": "query", "name": "n", "required": True, "schema": {"type": "integer"}}
    with served(tmp_path / "world", store=QuietStore()) as app:

        @app.get("/v1/lax", openapi_extra={"parameters": [of_number]})
        def lax() -> dict[str, str]:
            return {}

        fuzz(app, findings, each=2, seed=1, choose="/v1/lax".__eq__)
    assert "GET /v1/lax: Schema-violating request accepted" in findings.failures


def test_a_request_without_an_answer_is_noted_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = Findings()
    with served(tmp_path / "world", store=QuietStore()) as app:

        @app.get("/v1/slow")
        def slow() -> dict[str, str]:
            return {}

        def never(*_: Any, **__: Any) -> None:
            raise ReadTimeout("no byte came")

        monkeypatch.setattr(Case, "call_and_validate", never)
        fuzz(app, findings, each=1, seed=1, choose=("/v1/slow", "/healthz").__contains__)
    assert findings.failures.keys() == {
        "GET /v1/slow: no answer in time", "GET /healthz: no answer in time",
    }  # fmt: skip
    assert "GET /v1/slow" in findings.failures["GET /v1/slow: no answer in time"]


LABEL = {"in": "query", "name": "label", "schema": {"type": "array", "items": {"type": "string"}}}
COUNT = {"in": "query", "name": "k", "required": True, "schema": {"type": "integer", "maximum": 9}}


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("label=-6974&k=1", True),  # a list of one text, whatever it was made from
        ("label=a&label=b&k=9", True),
        ("k=1&unknown=x", True),
        ("label=a", False),  # k is missing
        ("k=ten", False),
        ("k=10", False),
        ("k=1.5", False),
        ("k=", False),
    ],
)
def test_a_query_is_judged_as_it_stands_on_the_wire(query: str, fits: bool) -> None:
    of_body = {"in": "header", "name": "x", "required": True, "schema": {"type": "string"}}
    assert query_fits(f"http://x/v1/search?{query}", [LABEL, COUNT, of_body]) is fits
