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
from api.routes.review_files import FILES
from api.runner import JobKind, JobRun
from api.steps.review_files import MEDIA_TYPES, export_review
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
    first = server.get("/v1/review/decisions?limit=1")
    second = server.get(first.links["next"]["url"])
    pages = [one for page in (first, second) for one in page.json()["decisions"]]
    assert pages == log.model_dump(mode="json")["decisions"][:2]
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
    assert server.get("/v1/review/decisions").json() == {"decisions": [], "next": None}


def test_examples_stand_in_the_document(server: TestClient) -> None:
    document = server.get("/openapi.json").json()["paths"]["/v1/review/decisions"]["post"]
    assert document["requestBody"]["content"]["application/json"]["examples"] == DECISIONS
    merge = server.post("/v1/review/decisions", json=DECISIONS["merge"]["value"])
    assert merge.json()["state"] == "done"
    assert server.post("/v1/review/decisions", json=DECISIONS["undo"]["value"]).status_code == 200


def test_decisions_go_to_other_tools_and_come_back_as_by_the_command_line(
    server: TestClient, engine: WorldEngine, tmp_path: Path
) -> None:
    cases = loaded(server)
    hellas = next(case for case in cases.cases if case.mention == "Hellas")
    other = {"kind": "other", "case": hellas.id, "entity": "Greece", "who": "ada"}
    assert server.post("/v1/review/decisions", json=other).status_code == 200
    written: dict[str, str] = {}
    for kind, ending in (("label-studio", "json"), ("sssom", "tsv"), ("pairs", "jsonl")):
        response = server.get(f"/v1/review/export?format={kind}")
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";")[0] == MEDIA_TYPES[kind]
        assert response.headers["content-disposition"].endswith(f'"review.{ending}"')
        desk = ReviewDesk(engine)
        export_review(desk.review, tmp_path / ending, kind, names=desk.name)
        written[kind] = response.text
        assert response.content == (tmp_path / ending).read_bytes()
    pair = json.loads(written["pairs"])
    assert (pair["mention"], pair["entity_id"], pair["who"]) == ("Hellas", "country:GR", "ada")
    for kind in ("label-studio", "sssom"):
        engine.workspace.review.unlink()
        app = create_app(engine, job_kinds={"link": JobKind(work=linked)})
        tasks = json.loads(written[kind]) if kind == "label-studio" else written[kind]
        with TestClient(app, base_url=ADDRESS) as fresh:
            for made in (1, 0):
                sent = {"format": kind, "who": "bob", "content": tasks}
                found = fresh.post("/v1/review/import", json=sent)
                assert found.json() == {"made": made, "held_already": 1 - made, "rejects": []}
            log = DecisionsOut.model_validate(fresh.get("/v1/review/decisions").json())
            assert [(d.who, d.entity) for d in log.decisions] == [("ada", "country:GR")]


def test_what_is_no_file_of_decisions_is_a_problem(server: TestClient) -> None:
    for slug, sent in (
        ("record", {"format": "sssom", "content": "no table"}),
        ("record", {"format": "label-studio", "content": "{}"}),
        ("record", {"format": "label-studio", "content": "[" * 50_000}),
        ("invalid-request", {"format": "pairs", "content": ""}),
        ("invalid-request", {"format": "sssom", "content": 5}),
    ):
        found = server.post("/v1/review/import", json={"who": "ada", **sent})
        problem(found, slug, 422)
        assert "review-" not in found.text  # the name of a file of ours
    problem(server.get("/v1/review/export?format=xml"), "invalid-request", 422)
    rows = [{"annotations": [{"result": []}]}, 5]
    sent = {"format": "label-studio", "who": "ada", "content": json.dumps(rows)}
    found = server.post("/v1/review/import", json=sent).json()
    assert [reject["line"] for reject in found["rejects"]] == [1, 2]
    for example in FILES.values():
        assert server.post("/v1/review/import", json=example["value"]).json()["rejects"] == []
    decided = server.get("/v1/review/decisions").json()["decisions"]
    assert [decision["kind"] for decision in decided] == ["reject"]
