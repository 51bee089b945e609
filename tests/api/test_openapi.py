"""OpenAPI: complete, its examples are sent, its problems are declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from api.errors import HTTP_PROBLEMS, OUTCOMES, TYPE_PREFIX
from api.job_kinds import check_link
from api.job_parameters import JobIn
from api.routes.answer_examples import ANSWERS, WHY_NOT
from api.routes.examples import (
    ABSENCES,
    CYPHER,
    ENTITY_KEYS,
    JOB,
    JOBS,
    QUESTIONS,
    TABLE,
)
from api.schemas import AnswersOut, EntityOut, JobOut, ProblemOut, TableOut, WhyNotOut
from tests.api.test_guard import problem

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


def test_every_address_is_there_and_described(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/v1/query", "/v1/why-not", "/v1/plain", "/v1/cypher", "/v1/sparql",
        "/v1/queries", "/v1/queries/{id}",
        "/v1/entities", "/v1/entities/{key}",
        "/v1/images/{sha256}", "/v1/images/sheet", "/v1/checks/{key}",
        "/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/events", "/v1/jobs/{id}/output", "/v1/info",
        "/v1/jobs/{id}/pause", "/v1/jobs/{id}/resume", "/v1/jobs/{id}/retry",
        "/v1/search", "/v1/suggestions", "/v1/context",
        "/v1/reconcile", "/v1/reconcile/suggest/{kind}",
        "/v1/reconcile/properties", "/v1/reconcile/preview",
        "/v1/link/text", "/v1/review/cases", "/v1/review/decisions", "/v1/review/duplicates",
        "/v1/review/export", "/v1/review/import", "/v1/review/facts",
        "/v1/undo", "/v1/history/{key}", "/v1/diff",
        "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        assert operation["description"], (path, method)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    used = set(re.findall(r"#/components/schemas/(\w+)", repr(document["paths"]) + repr(schemas)))
    assert used <= set(schemas)
    assert "ProblemOut" in used
    assert "HTTPValidationError" not in used


def test_problems_are_declared_with_examples_that_fit(document: dict[str, Any]) -> None:
    slugs = {kind.slug for kind in OUTCOMES} | set(HTTP_PROBLEMS)
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            examples = response.get("content", {}).get("application/problem+json", {})
            if status < "400":
                continue
            assert examples, (path, method, status)
            for example in examples["examples"].values():
                found = ProblemOut.model_validate(example["value"])
                assert str(found.status) == status
                assert found.type.removeprefix(TYPE_PREFIX) in slugs


@pytest.mark.parametrize("name", QUESTIONS)
def test_examples_of_questions_are_answered(client: TestClient, name: str) -> None:
    response = client.post("/v1/query", json=QUESTIONS[name]["value"])
    assert response.status_code == 200, response.text
    assert AnswersOut.model_validate(response.json()).answers


@pytest.mark.parametrize("name", ABSENCES)
def test_the_example_of_why_not_is_what_is_said(client: TestClient, name: str) -> None:
    response = client.post("/v1/why-not", json=ABSENCES[name]["value"])
    assert response.status_code == 200, response.text
    assert response.json() == WHY_NOT


@pytest.mark.parametrize("name", ENTITY_KEYS)
def test_examples_of_keys_are_found(client: TestClient, name: str) -> None:
    response = client.get(f"/v1/entities/{ENTITY_KEYS[name]['value']}")
    assert EntityOut.model_validate(response.json()).key == ENTITY_KEYS[name]["value"]


def shape_of(value: Any) -> Any:
    """The names in a JSON value, whatever the values are and however many."""
    if isinstance(value, dict):
        return {name: shape_of(inner) for name, inner in value.items()}
    return [shape_of(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_the_example_of_answers_looks_like_answers(client: TestClient) -> None:
    sent = {"query": ANSWERS["text"], "k": 1}
    real = client.post("/v1/query", json=sent).json()
    for name in ("query", "text", "structure", "answerer"):
        assert real[name] == ANSWERS[name]
    proof, example = (found["answers"][0]["proof"] for found in (real, ANSWERS))
    assert shape_of(proof["edges"]) == shape_of(example["edges"])
    assert set(real["answers"][0]) == set(ANSWERS["answers"][0])
    assert set(real) == set(ANSWERS)


def test_examples_of_responses_fit_their_schemas(document: dict[str, Any]) -> None:
    for path, status, model, example in (
        ("/v1/query", "200", AnswersOut, ANSWERS),
        ("/v1/why-not", "200", WhyNotOut, WHY_NOT),
        ("/v1/cypher", "200", TableOut, TABLE),
        ("/v1/jobs", "202", JobOut, JOB),
    ):
        content = document["paths"][path]["post"]["responses"][status]["content"]
        sent = model.model_validate(content["application/json"]["example"])  # nulls left out
        assert sent.model_dump(mode="json") == example
        assert "schema" in content["application/json"]


def test_examples_stand_in_the_document(document: dict[str, Any]) -> None:
    bodies = {
        "/v1/query": QUESTIONS,
        "/v1/why-not": ABSENCES,
        "/v1/cypher": CYPHER,
        "/v1/jobs": JOBS,
    }
    for path, examples in bodies.items():
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        assert body["examples"] == examples
    check_link(TypeAdapter(JobIn).validate_python(JOBS["link"]["value"]).parameters)


def test_what_a_question_can_meet_is_declared(client: TestClient, document: dict[str, Any]) -> None:
    wrong = {
        "query-syntax": "MATCH (",
        "unknown-relation": "MATCH (c:Country)-[:bordrs]->(d:Country) RETURN c",
        "unknown-entity": "MATCH (c)-[:borders]->(:Country {key: 'country:XX'}) RETURN c",
        "unsupported-query": "MATCH (c:Country) RETURN c.name ORDER BY c.name SKIP 1",
        "unsafe-query": '{"not": {"anchor": "country:TR"}}',
    }
    for slug, query in wrong.items():
        for path, more in (("/v1/query", {}), ("/v1/why-not", {"entity": "Greece"})):
            declared = document["paths"][path]["post"]["responses"]
            response = client.post(path, json={"query": query, **more})
            problem(response, slug, response.status_code)
            content = declared[str(response.status_code)]["content"]["application/problem+json"]
            assert slug in content["examples"]
