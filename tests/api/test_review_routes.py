"""`/v1/review`: cases of a job, decisions, undo, duplicates; the same as Python sees."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.job_kinds import mentions_of
from api.review_desk import ReviewDesk
from api.review_schemas import CasesOut, DecisionOut, DecisionsOut, DuplicatesOut
from api.routes.examples import DECISIONS
from api.runner import JobKind, JobRun
from kg.model import Edge, Entity, EntityKey
from kg.progress import Progress
from kg.provenance import Provenance
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.world import WorldEngine, open_world


def linked(run: JobRun, _progress: Progress) -> dict[str, Any]:
    """Stand in for the linker: everything may be Turkey."""
    rows = run.parameters["mentions"]
    mentions_of(run.folder, run.id).write_text("".join(json.dumps(row) + "\n" for row in rows))
    candidate = {"entity": "country:TR", "score": 0.0, "probability": 0.6, "signals": {"x": 1.0}}
    links = [
        {"mention": row["id"], "state": "review", "entity": "country:TR", "probability": 0.6,
         "nil_probability": 0.4, "reason": None, "candidates": [candidate]}
        for row in rows
    ]  # fmt: skip
    output = run.folder / "links.jsonl"
    output.write_text("".join(json.dumps(link) + "\n" for link in links))
    return {"output": output}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WorldEngine]:
    with open_world(tmp_path / ".umbra") as engine:
        yield engine


@pytest.fixture
def server(engine: WorldEngine) -> Iterator[TestClient]:
    app = create_app(engine, job_kinds={"link": JobKind(work=linked)})
    with TestClient(app, base_url=ADDRESS) as client:
        yield client


def loaded(server: TestClient) -> CasesOut:
    """Run a job over two mentions and make cases of its links."""
    mentions = [{"id": "m1", "words": "Turkiye"}, {"id": "m2", "words": "Hellas"}]
    sent = {"mentions": mentions, "columns": {"surface": "words"}}
    job = server.post("/v1/jobs", json={"kind": "link", "parameters": sent}).json()["id"]
    while server.get(f"/v1/jobs/{job}").json()["state"] != "done":
        time.sleep(0.01)
    for new in (2, 0):
        response = server.post("/v1/review/cases", json={"job": job})
        assert response.json() == {"new_cases": new}, response.text
    return CasesOut.model_validate(server.get("/v1/review/cases").json())


def test_a_jobs_links_are_reviewed(server: TestClient, engine: WorldEngine) -> None:
    cases = loaded(server)
    assert {case.mention for case in cases.cases} == {"Turkiye", "Hellas"}
    assert cases.cases[0].candidates[0].reasons == {"x": 1.0}
    by_words = {case.mention: case.id for case in cases.cases}
    sent = {"kind": "accept", "case": by_words["Turkiye"], "who": "ada", "id": "one"}
    for _ in range(2):
        response = server.post("/v1/review/decisions", json=sent)
        assert DecisionOut.model_validate(response.json()).number == 1
    other = {"kind": "other", "case": by_words["Hellas"], "entity": "Greece", "who": "bob"}
    assert server.post("/v1/review/decisions", json=other).json()["entity"] == "country:GR"
    aliases = server.get("/v1/entities/country:TR").json()["aliases"]
    assert "Turkiye" in aliases
    left = CasesOut.model_validate(server.get("/v1/review/cases?limit=1").json())
    assert (left.open, left.decided) == (0, 2)
    log = DecisionsOut.model_validate(server.get("/v1/review/decisions").json())
    assert log == ReviewDesk(engine).decisions()
    undone = server.post("/v1/review/decisions", json=DECISIONS["undo"]["value"])
    assert undone.json()["details"] == {"undoes": 2}
    assert server.get("/v1/review/cases").json()["open"] == 1


def test_duplicates_are_found_and_merged_by_a_decision(
    server: TestClient, engine: WorldEngine
) -> None:
    told = (Provenance(kind="asserted", source="second.jsonl"),)
    copy = EntityKey("land:turkiye")
    engine.store.upsert_entities(
        [Entity(key=copy, label="Country", name="TURKEY", provenance=told)]
    )
    engine.store.upsert_edges(
        [Edge(head=copy, relation="borders", tail=EntityKey("country:GR"), provenance=told)]
    )
    dry = DuplicatesOut.model_validate(server.get("/v1/review/duplicates").json())
    assert [(pair.stays, pair.goes) for pair in dry.pairs] == [("country:TR", copy)]
    assert dry.new_cases == 0
    assert server.get("/v1/review/cases").json()["open"] == 0
    found = server.post("/v1/review/duplicates", json={"label": "Country"}).json()
    assert found["new_cases"] == 1
    (case,) = CasesOut.model_validate(server.get("/v1/review/cases").json()).cases
    assert case.pair is not None
    assert [candidate.name for candidate in case.pair] == ["Turkey", "TURKEY"]
    sent = {"kind": "accept", "case": case.id, "who": "ada"}
    assert server.post("/v1/review/decisions", json=sent).json()["kind"] == "merge"
    problem(server.get(f"/v1/entities/{copy}"), "unknown-entity", 404)
    assert server.get("/v1/review/duplicates").json()["pairs"] == []
    assert server.get("/v1/review/duplicates?label=Shape").json()["pairs"] == []


def test_what_cannot_be_done_is_a_problem(server: TestClient) -> None:
    cases = loaded(server)
    case = cases.cases[0].id
    for slug, status, sent in (
        ("input-error", 400, {"kind": "accept", "case": "none"}),
        ("input-error", 400, {"kind": "new", "case": case}),
        ("unknown-entity", 404, {"kind": "other", "case": case, "entity": "Grece"}),
        ("conflict", 409, {"kind": "merge", "entity": "Turkey", "keys": ["shape:crescent"]}),
        ("invalid-request", 422, {"kind": "approve"}),
        ("invalid-request", 422, {"kind": "undo", "colour": "red"}),
    ):
        found = server.post("/v1/review/decisions", json={"who": "ada", **sent})
        problem(found, slug, status)
    problem(server.post("/v1/review/cases", json={"job": "0" * 16}), "unknown-job", 404)
    problem(server.get("/v1/review/duplicates?least=2"), "invalid-request", 422)
    assert server.get("/v1/review/decisions").json() == {"decisions": []}


def test_examples_stand_in_the_document(server: TestClient) -> None:
    document = server.get("/openapi.json").json()["paths"]["/v1/review/decisions"]["post"]
    assert document["requestBody"]["content"]["application/json"]["examples"] == DECISIONS
    merge = server.post("/v1/review/decisions", json=DECISIONS["merge"]["value"])
    assert merge.json()["state"] == "done"
    assert server.post("/v1/review/decisions", json=DECISIONS["undo"]["value"]).status_code == 200
