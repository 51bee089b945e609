"""The look of the bench of kills bites: what is lost, doubled, foreign or halved is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from api.engine import Engine
from api.settings import Settings
from api.workspace import Workspace
from bench.graph_kills_facts import COUNTER, Acks, edges_of, entities_of, setup
from bench.graph_kills_page import page, summed
from bench.graph_kills_truth import Found, look
from bench.graph_kills_work import World
from kg.backends.memory import MemoryStore
from kg.model import Edge
from tests.conformance.store_rules import fact, record, thing

RUNS = ["upsert-1", "load-2", "link-3"]
LINKS = {"m0": "made:0"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path, linker=cast("Any", None), rows=[], names=["Aba", "Bado"])


def written(world: World) -> MemoryStore:
    """A store and a log after three runs that nobody killed."""
    store, ack = MemoryStore(), Acks(world.log)
    store.upsert_entities(setup(world.names))
    for run in RUNS:
        store.upsert_entities(entities_of(run))
        store.upsert_edges(edges_of(run))
        ack(*(f"entity {row.key}" for row in entities_of(run)))
        ack(*(f"edge {' '.join(edge.key)}" for edge in edges_of(run)))
    mention = record("link-3.mentions.jsonl", kind="linked", locator="mention m0")
    store.upsert_edges([fact("page:p0", "mentions", "made:0", mention)])
    ack("linked link-3 m0", "asked", "counted", "asked")
    counter = next(row for row in store.entities() if row.key == COUNTER)
    store.replace_entities([replace(counter, attributes={"n": 1})])
    return store


def found(world: World, store: MemoryStore) -> Found:
    engine = Engine(Workspace(world.folder), settings=Settings(), store=store)
    return look(world, engine, "load-2", RUNS, LINKS)


def lose_an_entity(store: MemoryStore) -> None:
    store.delete_entities([entities_of("load-2")[3].key])


def lose_a_link(store: MemoryStore) -> None:
    store.delete_edges([edge.key for edge in store.edges(relation="mentions")])


def count(store: MemoryStore, value: int) -> None:
    counter = next(row for row in store.entities() if row.key == COUNTER)
    store.replace_entities([replace(counter, attributes={"n": value})])


def double_an_edge(store: MemoryStore) -> None:
    store.upsert_edges([replace(edges_of("load-2")[0], provenance=(record("again"),))])


PLANTED: dict[str, tuple[str, Callable[[MemoryStore], object]]] = {
    "an entity is lost": ("lost", lose_an_entity),
    "an edge of a link is lost": ("lost", lose_a_link),
    "a count is lost": ("lost", lambda store: count(store, 0)),
    "a count is doubled": ("doubled", lambda store: count(store, 3)),
    "an edge is there twice": ("doubled", double_an_edge),
    "nobody wrote it": ("foreign", lambda store: store.upsert_entities([thing("stranger")])),
}


def test_nothing_is_found_where_nothing_is_wrong(world: World) -> None:
    seen = found(world, written(world))
    assert (seen.lost, seen.doubled, seen.foreign, seen.faults) == ([], [], [], [])
    assert seen.acknowledged > 100


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(world: World, name: str) -> None:
    kind, plant = PLANTED[name]
    store = written(world)
    plant(store)
    seen = found(world, store).to_json()
    assert seen[kind], name


def test_half_a_transaction_is_found(world: World) -> None:
    store = written(world)
    world.log.write_text("")
    store.delete_entities([entities_of("upsert-1")[5].key])
    assert any("half a transaction" in text for text in found(world, store).foreign)


def test_a_commit_that_lands_while_rows_are_read_is_no_half(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = written(world)
    pair, edge = entities_of("upsert-1")[:2], edges_of("upsert-1")[0]
    world.log.write_text("")
    store.delete_entities([row.key for row in pair])
    read = store.edges

    def late(**which: Any) -> Iterator[Edge]:
        monkeypatch.undo()
        with store.transaction() as writer:
            writer.upsert_entities(pair)
            writer.upsert_edges([edge])
        return read(**which)

    monkeypatch.setattr("bench.graph_kills_truth.check_folder", lambda _: [])  # reads edges, too
    monkeypatch.setattr(store, "edges", late)
    assert found(world, store).foreign == []


def test_the_page_tells_every_operation() -> None:
    kill: dict[str, Any] = {"operation": "load", "victim": "umbra", "signal": "SIGKILL"}
    kill |= {"exit": -9, "ended_well": True, "seconds": 2.0}
    kill["looks"] = [Found(acknowledged=7).to_json()]
    wrong = kill | {"operation": "index", "looks": [Found(lost=["x"]).to_json()]}
    report = summed([kill, wrong])
    assert (report["total"]["kills"], report["total"]["wrong"]) == (2, 1)
    told: dict[str, Any] = {
        "command": "c",
        "commit": "d",
        "date": "e",
        "machine": {"cores": 2},
        "seed": 0,
        "kills": 9,
    }
    text = page(told | {"folder_runs": 30, "report": report})
    assert "| load | 1 | 7 | 0 |" in text
    assert "| index | 1 | 0 | 1 |" in text
