"""A working day by the typed client alone: import, look, decide, undo, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.client import Client
from api.fact_schemas import FactIn
from api.review_schemas import DuplicatesIn
from api.settings import Settings
from api.undo_schemas import UndoIn
from kg.model import EntityKey
from tests.api.conftest import ADDRESS
from tests.api.test_engine_jobs import TURTLE
from tests.api.world import WorldEngine, open_world


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[WorldEngine, Client]]:
    settings = Settings(text_encoder="tiny")
    with (
        open_world(tmp_path / ".umbra", settings=settings) as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as http,
        Client(client=http) as graph,
    ):
        yield engine, graph


def test_a_graph_grows_is_looked_at_decided_on_and_made_as_before(
    served: tuple[WorldEngine, Client],
) -> None:
    engine, graph = served
    before = {entity.key for entity in engine.store.entities()}
    asked = {"format": "turtle", "text": TURTLE}
    job = graph.start_job("import", asked, idempotency_key="monday")
    assert graph.start_job("import", asked, idempotency_key="monday").id == job.id
    *_, last = graph.job_events(job.id)
    assert (last.state, graph.job(job.id).state) == ("done", "done")
    assert [one.id for one in graph.jobs(limit=1).jobs] == [job.id]
    assert graph.jobs(after=job.id).jobs == ()
    (report,) = graph.job_output(job.id)
    assert report["entities"] == 2

    hits = graph.search("Narnia", k=1).hits
    assert hits[0].name == "Narnia"
    (edge,) = graph.entity(hits[0].key).edges
    assert edge.relation == "touches"
    assert "Narnia" in graph.context("Narnia", budget=200).text
    assert graph.suggest("republic", limit=3).suggestions
    turkey = graph.entity("country:TR", limit=3)
    assert turkey.next is not None
    later = graph.entity("country:TR", after=turkey.next).edges
    assert later
    assert not [edge for edge in later if edge in turkey.edges]
    assert len(graph.image(turkey.images[0].sha256, side=16)) > 50

    verdict = FactIn(head="Greece", relation="borders", tail="Georgia", verdict="accept", who="ada")
    accepted = graph.decide_fact(verdict, idempotency_key="tuesday")
    assert graph.decide_fact(verdict, idempotency_key="tuesday") == accepted
    assert graph.facts().facts == (accepted,)
    assert any(event.source == "ada" for event in graph.history("country:GR").events)
    first = graph.history("country:GR", limit=1)
    older = graph.history("country:GR", after=first.next).events
    assert (*first.events, *older) == graph.history("country:GR").events
    rejected = verdict.model_copy(update={"tail": "country:AZ", "verdict": "reject"})
    held = graph.decide_fact(rejected)
    assert graph.facts(limit=1).facts == (held,)
    assert graph.facts(after=graph.facts(limit=1).next).facts == (accepted,)
    for one in (verdict, rejected):
        graph.decide_fact(one.model_copy(update={"verdict": "undo"}))
    assert graph.facts().facts == ()
    assert graph.review_duplicates(DuplicatesIn(label="Country", least=0.99)).pairs == ()
    assert graph.review_cases().cases == ()

    would = graph.undo(UndoIn(job=report["jobs"][0]))
    assert (would.done, would.entities_gone) == (False, 2)
    assert engine.store.entity(EntityKey(hits[0].key)) is not None  # only said so far
    graph.undo(UndoIn(job=report["jobs"][0], confirm=True))
    assert {entity.key for entity in engine.store.entities()} == before
