"""First loads go beside the graph and take its place: whole, or nothing is left of them."""

from __future__ import annotations

import dataclasses
import fcntl
import os
from pathlib import Path

import pytest

from kg.backends import load_requests, loading
from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.backends.engine_http import EngineHttp
from kg.backends.load_requests import Request
from kg.backends.memory import MemoryStore
from kg.backends.swapping import Swap
from kg.backends.unfinished import unfinished_load
from kg.errors import ConstraintError
from kg.file_lock import locked
from kg.launcher import stop_store
from kg.model import Edge, Entity, EntityKey
from tests.conformance.store_rules import content, fact, record, thing
from tests.kg.whole_load import QUICK, assert_whole, rows

AWKWARD = {
    "rid": "#12:3", "day": "2024-01-01", "time": "2024-01-01T00:00:00Z", "whole": 1.0,
    "large": 2**53 + 1, "least": -(2**63), "tiny": 5e-324, "minus": -0.0, "huge": 1e300,
    "empty": "", "escapes": "\t\n\"\\'`\x7f", "letters": "ä \u2028 \U00010348", "null": "null",
    "number": "12", "map": '{"@type": "v"}', "texts": ("a", "#1:2"), "mixed": (1, 2.5, "x", True),
    "floats": (1.0, 2.0), "none": (),
}  # fmt: skip


def typed(store: BoltStore | MemoryStore) -> list[tuple[Entity | Edge, list[tuple[str, str]]]]:
    """Rows with the texts of their values, since 1 == 1.0 == True."""
    found = [row for part in content(store) for row in part]
    return [(row, sorted((name, repr(v)) for name, v in row.attributes.items())) for row in found]


@pytest.mark.parametrize("waits", [False, True])
def test_a_first_load_leaves_what_upserts_leave(
    engine_folder: Path, database: str, monkeypatch: pytest.MonkeyPatch, *, waits: bool
) -> None:
    """Where the engine is always ready, and where it never is before the longest request."""
    monkeypatch.setattr(loading, "ROWS", 100)
    monkeypatch.setattr(loading, "TOGETHER", 20)
    monkeypatch.setattr(loading, "EDGE_HEAP_BYTES", QUICK.heap_bytes // (400 if waits else 1))
    monkeypatch.setattr(load_requests, "LOOSE_LETTERS", 10_000)
    monkeypatch.setattr(load_requests, "PIECE_LINES", 9)
    monkeypatch.setattr(Request, "is_done", not waits)
    entities, edges = rows()
    last = thing("k0001", "City", aliases=("z",), attributes={"n": -1}, provenance=(record(),))
    odd = thing("odd \"key'\t#1:2", attributes=AWKWARD)
    entities = [*entities, odd, last]
    again = fact("k0001", "borders", "k0007", record(locator="again"), weight=9)
    edges = [
        *(fact(odd.key, "notes", f"k{n:04}", record(), **AWKWARD) for n in range(100)),
        fact(odd.key, "notes", "k0101", record(), text="x" * 100_000),
        *edges, *edges, again, fact(odd.key, "knows", odd.key, record(), record(), **AWKWARD),
    ]  # fmt: skip
    with (
        BoltStore(EmbeddedLink(engine_folder, database=database, config=QUICK)) as store,
        MemoryStore() as expected,
    ):
        expected.upsert_entities(entities)
        expected.upsert_edges(edges)
        assert store.bulk_load(iter(entities), iter(edges)) == len(entities) + len(edges)
        assert store.stored().complaints == ()
        assert typed(store) == typed(expected)
        assert store.version > 0
        store.upsert_edges([fact("k0001", "borders", "k0007", record(locator="yet again"))])
        assert len(list(store.edges(head=EntityKey("k0001"), relation="borders"))) == 1


def test_a_first_load_leaves_the_engines_settings(engine_folder: Path, database: str) -> None:
    """While it loads they differ; a graph that was never loaded tells how they are."""

    def told(link: EmbeddedLink) -> dict[str, object]:
        row = (link.http.sql(link.database, "SELECT FROM schema:database") or [{}])[0]
        return {one["key"]: one["value"] for one in row["settings"]}

    link = EmbeddedLink(engine_folder, database=database, config=QUICK)
    with BoltStore(link) as store:
        usual = told(link)
        assert usual
        first = store.first_load()
        assert first is not None
        with first as target:
            target.upsert_entities(rows()[0])
            newer = EmbeddedLink(engine_folder, database=link.swap.newer, config=QUICK)
            newer.connect()
            assert told(newer) != usual
            newer.close()
        assert told(link) == usual


def test_a_request_may_be_longer_than_what_the_engine_takes_at_once(
    tmp_path: Path, whole: tuple[list[Entity], list[Edge]]
) -> None:
    """Its limit is 100 MB, here 20,000 bytes."""
    limit = "-Darcadedb.server.httpBodyContentMaxSize=20000"
    config = dataclasses.replace(QUICK, java_options=(*QUICK.java_options, limit))
    with BoltStore(EmbeddedLink(tmp_path / "graph", config=config)) as store:
        store.bulk_load(*rows())
        assert_whole(store, whole)
    stop_store(tmp_path / "graph")


@pytest.mark.parametrize(
    "wrong",
    [
        ([thing("a"), thing("a", "Other")], []),
        ([thing("a")], [fact("a", "knows", "nobody", record())]),
        ([thing("a"), thing("b", "knows")], [fact("a", "knows", "b", record())]),
    ],
)
def test_a_first_load_that_is_refused_leaves_nothing(
    engine_folder: Path, database: str, wrong: tuple[list[Entity], list[Edge]]
) -> None:
    with BoltStore(EmbeddedLink(engine_folder, database=database, config=QUICK)) as store:
        with pytest.raises(ConstraintError):
            store.bulk_load(*wrong)
        assert (list(store.entities()), store.version) == ([], 0)
        assert not (engine_folder / "engine" / "databases" / f"{database}_loading").exists()


@pytest.mark.parametrize("step", ["server", "rename", "unlink"])
def test_a_swap_that_was_cut_off_is_ended_by_the_next_client(
    engine_folder: Path,
    database: str,
    whole: tuple[list[Entity], list[Edge]],
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cut off before the old graph is dropped, before the new one is in place, before the end."""
    owner = EngineHttp if step == "server" else Path
    was = getattr(owner, step)

    def cut(self: EngineHttp | Path, *rest: object, **named: object) -> object:
        if self is not None and Swap(engine_folder / "engine", database).begun:
            monkeypatch.setattr(owner, step, was)
            raise KeyboardInterrupt
        return was(self, *rest, **named)

    with BoltStore(EmbeddedLink(engine_folder, database=database, config=QUICK)) as store:
        monkeypatch.setattr(owner, step, cut)
        with pytest.raises(KeyboardInterrupt):
            store.bulk_load(*rows())
    with BoltStore(EmbeddedLink(engine_folder, database=database, config=QUICK)) as store:
        assert_whole(store, whole)
    assert not Swap(engine_folder / "engine", database).begun


def test_what_a_killed_load_left_can_be_removed_and_nothing_else(
    engine_folder: Path, database: str, whole: tuple[list[Entity], list[Edge]]
) -> None:
    link = EmbeddedLink(engine_folder, database=database, config=QUICK)
    with BoltStore(link) as store:
        store.bulk_load(*rows())
        assert unfinished_load(link, remove=True) is None
        newer = EmbeddedLink(engine_folder, database=link.swap.newer, config=QUICK)
        with BoltStore(newer) as left:  # as a kill before the swap leaves it
            left.upsert_entities(rows()[0][:9])
        folder = engine_folder / "engine" / "databases" / link.swap.newer
        handle = locked(link.load_lock, fcntl.LOCK_EX, 1)
        assert unfinished_load(link, remove=True) is None  # somebody loads
        os.close(handle)
        found = unfinished_load(link, remove=False)
        assert found is not None
        assert (found[0], found[1] > 0, folder.is_dir()) == (folder, True, True)
        assert unfinished_load(link, remove=True) is not None
        assert not folder.exists()
        assert unfinished_load(link, remove=True) is None
        assert_whole(store, whole)
