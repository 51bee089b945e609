"""Undo, history and differences over REST, and what they leave beside the graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.main import main
from api.engine import Engine
from api.routes.past import UNDOS
from api.steps.diff import diff_graphs
from api.steps.snapshot import freeze
from api.steps.undo import undo_in_graph
from api.undo_schemas import DiffOut, HistoryOut, UndoOut
from kg import snapshot_diff
from kg.errors import InputError
from kg.jobs import ShardResult
from kg.ledger import Ledger, run_job
from kg.model import EntityKey
from kg.upkeep.undo import Undo
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.world import WorldEngine, open_world
from tests.conformance.store_rules import content, fact, record, thing

TOLD = {"source": "countries.jsonl"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WorldEngine]:
    with open_world(tmp_path / ".umbra") as engine:
        yield engine


@pytest.fixture
def own(engine: WorldEngine) -> Iterator[TestClient]:
    with TestClient(create_app(engine), base_url=ADDRESS) as client:
        yield client


def sent(client: TestClient, body: dict[str, Any]) -> UndoOut:
    response = client.post("/v1/undo", json=body)
    assert response.status_code == 200, response.text
    return UndoOut.model_validate(response.json())


def test_an_undo_is_first_told_then_done_and_can_be_taken_back(
    engine: WorldEngine, own: TestClient
) -> None:
    before = content(engine.store)
    told = sent(own, TOLD)
    assert (told.done, told.brought_back_by) == (False, None)
    assert told.edges_gone > 10
    assert content(engine.store) == before
    done = sent(own, TOLD | {"confirm": True})
    assert done.model_copy(update={"done": False, "brought_back_by": None}) == told
    assert done.brought_back_by is not None
    assert done.brought_back_by.startswith("undone/")
    records = [
        r for fact in (*engine.store.entities(), *engine.store.edges()) for r in fact.provenance
    ]
    assert "countries.jsonl" not in {record.source for record in records}
    history = HistoryOut.model_validate(own.get("/v1/history/country:GR").json())
    assert {event.event for event in history.events} == {"it was taken back"}
    assert not history.present
    again = sent(own, TOLD | {"confirm": True})
    assert (again.records, again.brought_back_by) == (0, None)


def test_the_history_of_an_entity_is_its_records_and_those_of_its_edges(own: TestClient) -> None:
    found = HistoryOut.model_validate(own.get("/v1/history/country:TR").json())
    about = {event.about for event in found.events}
    assert {"country:TR", "country:TR borders country:GR"} <= about
    linked = next(event for event in found.events if event.kind == "linked")
    assert (linked.event, linked.probability) == ("a mention was linked", 0.7)
    few = HistoryOut.model_validate(own.get("/v1/history/country:TR?limit=2").json())
    assert (few.events, few.truncated) == (found.events[:2], True)
    problem(own.get("/v1/history/country:XX"), "unknown-entity", 404)


def test_a_snapshot_is_compared_with_the_store(engine: WorldEngine, own: TestClient) -> None:
    freeze(engine)
    same = DiffOut.model_validate(own.get("/v1/diff?old=full").json())
    assert not any((same.entities.added, same.edges.removed, same.entities.changed))
    (head, relation, tail) = key = next(engine.store.edges()).key
    undo_in_graph(engine, Undo(edge=key), confirm=True)
    found = DiffOut.model_validate(own.get("/v1/diff?old=full&new=store").json())
    assert f"- {head} {relation} {tail}" in found.edges.examples
    assert (found.edges.removed, found.edges.added) == (1, 0)


def test_a_difference_goes_on_by_its_cursor_until_all_was_told(
    engine: WorldEngine, own: TestClient
) -> None:
    freeze(engine)
    long = thing(f"long:{'x' * 900}")
    engine.store.upsert_entities([thing("new:1"), thing("new:2"), long, thing("new:3")])
    undo_in_graph(engine, Undo(source=TOLD["source"]), confirm=True)
    whole = DiffOut.model_validate(own.get("/v1/diff?old=full&limit=1000").json())
    assert whole.next is None
    told = {"entities": list[str](), "edges": list[str]()}
    address, pages = "/v1/diff?old=full&new=store&limit=3", 0
    while address:
        response = own.get(address)
        page = DiffOut.model_validate(response.json())
        assert (page.edges.removed, page.entities.added) == (
            whole.edges.removed, whole.entities.added,
        )  # fmt: skip
        told["entities"] += page.entities.examples
        told["edges"] += page.edges.examples
        address = response.links["next"]["url"] if "next" in response.links else ""
        assert bool(address) == (page.next is not None)
        pages += 1
    assert pages > 3
    for name, examples in told.items():
        assert len(examples) == len(set(examples))
        assert sorted(examples) == sorted(getattr(whole, name).examples)
    assert DiffOut.model_validate(own.get("/v1/diff?old=full&limit=0").json()).next is None
    problem(own.get("/v1/diff?old=full&after=WyIiXQ"), "input-error", 400)


def test_the_pages_of_a_difference_cost_one_comparison(
    engine: WorldEngine, own: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = Mock(side_effect=snapshot_diff.diff_snapshots)
    monkeypatch.setattr(snapshot_diff, "diff_snapshots", compared)
    freeze(engine)
    engine.store.upsert_entities([thing("one:1"), thing("one:2")])
    first = own.get("/v1/diff?old=full&limit=1")
    second = own.get(first.links["next"]["url"])
    assert compared.call_count == 1
    told = [DiffOut.model_validate(page.json()).entities.examples for page in (first, second)]
    assert told == [("+ one:1",), ("+ one:2",)]
    engine.store.upsert_entities([thing("one:3")])
    third = DiffOut.model_validate(own.get("/v1/diff?old=full").json())
    assert (compared.call_count, third.entities.added) == (2, 3)


def test_the_command_goes_on_where_a_page_of_a_history_ended(
    engine: WorldEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "open", lambda _: nullcontext(engine))
    told = ["graph", "history", "country:TR", "--json", "--limit"]
    assert main([*told, "1000"]) == 0
    whole = json.loads(capsys.readouterr().out)["events"]
    found, more = list[object](), list[str]()
    while True:
        assert main([*told, "3", *more]) == 0
        page = json.loads(capsys.readouterr().out)
        found += page["events"]
        if page["next"] is None:
            break
        more = ["--after", page["next"]]
    assert found == whole
    assert main(["graph", "history", "country:TR", "--limit", "1"]) == 0
    assert "there is more: --after " in capsys.readouterr().err
    assert main(["graph", "diff", "nothing", "store", "--after", "x"]) == 2
    assert "cursor" in capsys.readouterr().err


def test_a_difference_names_values_then_and_now(engine: WorldEngine, own: TestClient) -> None:
    turkey = engine.store.entity(EntityKey("country:TR"))
    assert turkey is not None
    freeze(engine)
    more = {**turkey.attributes, "motto": "peace"}
    engine.store.replace_entities([replace(turkey, name="Türkiye", attributes=more)])
    found = DiffOut.model_validate(own.get("/v1/diff?old=full").json()).entities
    assert (found.added, found.removed, found.changed) == (0, 0, 1)
    assert [(one.of, one.name, one.then, one.now) for one in found.values] == [
        ("country:TR", ".name", turkey.name, "Türkiye"),
        ("country:TR", "motto", None, "peace"),
    ]
    assert found.examples == (
        f"~ country:TR name: {turkey.name} -> Türkiye",
        "~ country:TR motto: nothing -> peace",
    )


@pytest.mark.parametrize("name", ["../full", "nothing", "/etc", "."])
def test_a_client_names_snapshots_and_no_files(
    engine: WorldEngine, own: TestClient, name: str
) -> None:
    problem(own.get("/v1/diff", params={"old": name}), "input-error", 400)
    with pytest.raises(InputError, match="no snapshot"):
        diff_graphs(engine, "no such file.zip", "store")


@pytest.mark.parametrize(
    ("body", "slug", "status"),
    [
        ({}, "input-error", 400),
        ({"source": "a", "job": "b"}, "input-error", 400),
        ({"source": ""}, "invalid-request", 422),
        ({"edge": ["a"]}, "invalid-request", 422),
    ],
)
def test_an_undo_of_nothing_or_of_two_things_is_refused(
    own: TestClient, body: dict[str, Any], slug: str, status: int
) -> None:
    problem(own.post("/v1/undo", json=body), slug, status)


@pytest.mark.parametrize("name", UNDOS)
def test_examples_are_dry_runs(own: TestClient, name: str) -> None:
    assert not sent(own, UNDOS[name]["value"]).done


def test_an_import_is_named_by_either_of_its_jobs(engine: WorldEngine) -> None:
    with Ledger(engine.workspace.ledger) as ledger:
        jobs = [
            ledger.submit(kind, {"mapping": "m", "content": "c"}, [{}]).id
            for kind in ("import-entities", "import-edges")
        ]
    said = record(locator="row 1", job=jobs[0])
    engine.store.upsert_entities([thing("country:TR", provenance=(said,))])
    engine.store.upsert_edges([fact("country:TR", "knows", "country:GR", said)])
    told = [undo_in_graph(engine, Undo(job=job)) for job in jobs]
    assert told[0] == told[1]
    assert (told[0].edges_gone, told[0].records) == (1, 2)


def test_jobs_that_wrote_it_are_not_taken_for_done(engine: WorldEngine) -> None:
    with Ledger(engine.workspace.ledger) as ledger:
        kinds = ("import-edges", "link", "scenes")
        jobs = [ledger.submit(kind, {}, [{}]).id for kind in kinds]
        for job in jobs:
            run_job(ledger, job, lambda _: ShardResult(output=b"kept"))
        undo_in_graph(engine, Undo(job=jobs[1]), confirm=True)
        assert [ledger.job(job).state for job in jobs] == ["running", "running", "done"]
