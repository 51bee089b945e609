"""Jobs of the REST door that change or measure the graph: the steps of the command line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.access.keys import KeyRing
from api.app import create_app
from api.settings import Settings
from kg.model import EntityKey
from tests.api.short_trainings import shortened
from tests.api.world import WorldEngine, open_world

ADDRESS = "http://127.0.0.1:8321"
TURTLE = """@prefix e: <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
e:Narnia a e:Country ; rdfs:label "Narnia" ; e:touches e:Archenland .
e:Archenland a e:Country ; rdfs:label "Archenland" .
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[WorldEngine, TestClient]]:
    settings = Settings(text_encoder="tiny", image_encoder="tiny")
    with (
        open_world(tmp_path / ".umbra", settings=settings) as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as client,
    ):
        yield engine, client


def ended(client: TestClient, kind: str, **parameters: Any) -> dict[str, Any]:
    """Start a job and wait for its end."""
    started = client.post("/v1/jobs", json={"kind": kind, "parameters": parameters})
    assert started.status_code == 202, started.text
    for _ in range(3000):
        job: dict[str, Any] = client.get(started.headers["location"]).json()
        if job["state"] in {"done", "failed", "cancelled"}:
            return job
        time.sleep(0.02)
    raise AssertionError(job)


def report_of(client: TestClient, job: dict[str, Any]) -> list[dict[str, Any]]:
    assert job["state"] == "done", job
    lines = client.get(job["output"]).text.splitlines()
    return [json.loads(line) for line in lines]


def test_a_graph_in_a_request_is_imported_and_taken_back(
    own: tuple[WorldEngine, TestClient],
) -> None:
    engine, client = own
    before = {entity.key for entity in engine.store.entities()}
    job = ended(client, "import", format="turtle", text=TURTLE)
    (report,) = report_of(client, job)
    assert job["counts"]["entities"] == report["entities"] == 2
    assert report["rejected"] == []
    fresh = {entity.name for entity in engine.store.entities() if entity.key not in before}
    assert fresh == {"Narnia", "Archenland"}
    (edge,) = engine.store.edges(relation="touches")
    assert engine.store.entity(edge.tail).name == "Archenland"  # type: ignore[union-attr]
    assert engine.store.entity(EntityKey("http://example.org/Narnia")) is not None
    undone = client.post("/v1/undo", json={"job": report["jobs"][0], "confirm": True})
    assert undone.status_code == 200, undone.text
    assert {entity.key for entity in engine.store.entities()} == before


def test_rejects_of_an_import_are_in_its_report(own: tuple[WorldEngine, TestClient]) -> None:
    _, client = own
    good = {"key": "country:NA", "label": "Country", "name": "Narnia"}
    text = json.dumps({"entity": good}) + "\n{broken\n"
    job = ended(client, "import", format="jsonl", text=text)
    (report,) = report_of(client, job)
    assert report["rejects"] == len(report["rejected"]) > 0
    assert any(row["line"] == 2 for row in report["rejected"])


def test_a_model_is_trained_and_held_out_edges_are_ranked(
    own: tuple[WorldEngine, TestClient],
) -> None:
    engine, client = own
    with shortened():
        trained = ended(client, "train", model="symbolic")
        (report,) = report_of(client, trained)
        assert engine.workspace.model("full", "symbolic").is_dir()
        assert trained["counts"]["entities"] == sum(1 for _ in engine.store.entities())
        evaluated = ended(
            client, "evaluate", relations=["borders"], undirected=["borders"], share=0.3
        )
    (row,) = report_of(client, evaluated)
    assert report["snapshot"] == client.get("/v1/info").json()["snapshot"]
    assert row["relation"] == "borders"
    assert row["n"] == evaluated["counts"]["edges"] > 0
    assert not engine.workspace.snapshot("evaluation").exists()  # the demo's, were there one
    assert not engine.workspace.step("snapshot-evaluation").exists()
    assert set(row["mrr"]) == {"symbolic", "random", "frequent tail"}


def test_what_cannot_be_done_ends_with_its_reason(own: tuple[WorldEngine, TestClient]) -> None:
    _, client = own
    scenes = ended(client, "scenes", label="Country")
    assert (scenes["state"], "model" in scenes["error"]) == ("failed", True)
    unknown = ended(client, "evaluate", relations=["bordres"])
    assert (unknown["state"], "bordres" in unknown["error"]) == ("failed", True)


@pytest.mark.parametrize(
    ("kind", "parameters", "place"),
    [
        ("import", {"format": "turtle"}, "parameters.text"),
        ("import", {"format": "parquet", "text": "x"}, "parameters.format"),
        ("import", {"format": "turtle", "text": "x", "path": "/etc/passwd"}, "parameters.path"),
        ("scenes", {}, "parameters.label"),
        ("train", {"model": "exact"}, "parameters.model"),
        ("train", {"seed": -1}, "parameters.seed"),
        ("evaluate", {"relations": []}, "parameters.relations"),
        ("evaluate", {"relations": ["borders"], "share": 1.5}, "parameters.share"),
    ],
)
def test_wrong_parameters_are_named_before_anything_runs(
    client: TestClient, kind: str, parameters: dict[str, Any], place: str
) -> None:
    answer = client.post("/v1/jobs", json={"kind": kind, "parameters": parameters})
    assert answer.status_code == 400
    assert place in answer.json()["detail"]


def test_a_key_for_jobs_alone_changes_no_graph(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra") as engine:
        secrets = {
            scopes: KeyRing(engine.workspace.keys).create("-".join(scopes), scopes=scopes)[1]
            for scopes in (("jobs",), ("jobs", "write"))
        }
        with TestClient(create_app(engine), base_url=ADDRESS) as client:
            body = {"kind": "import", "parameters": {"format": "turtle", "text": TURTLE}}
            got = {
                scopes: client.post(
                    "/v1/jobs", json=body, headers={"Authorization": f"Bearer {secret}"}
                )
                for scopes, secret in secrets.items()
            }
        refused = got[("jobs",)]
        assert (refused.status_code, refused.json()["type"].rsplit(":", 1)[-1]) == (
            403,
            "insufficient-scope",
        )
        assert got[("jobs", "write")].status_code == 202
