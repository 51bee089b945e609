"""Loads that are killed at any moment, and what is there afterwards: every row once, whole."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import neo4j
import neo4j.exceptions
import pytest

from kg.backends import open_store
from kg.backends.alone import made_alone
from kg.backends.bolt import BoltStore
from kg.backends.connection import Connection
from kg.backends.embedded import EmbeddedLink
from kg.backends.engine_schema import LONE
from kg.changes import Note
from kg.errors import StoreTransientError
from kg.launcher import Attachment, attach, stop_store, store_status
from kg.model import Edge, Entity
from tests.conformance.store_rules import fact, record, thing
from tests.kg.whole_load import CHUNK, NUM_ENTITIES, QUICK, assert_whole, rows

LOADER = """
    import sys
    from pathlib import Path
    from kg.backends import loading
    from kg.backends.bolt import BoltStore
    from kg.backends.embedded import EmbeddedLink
    from tests.kg.whole_load import CHUNK, QUICK, rows
    with BoltStore(EmbeddedLink(Path(sys.argv[1]), database=sys.argv[2], config=QUICK)) as store:
        entities, edges = rows()
        loading.ENTITY_ROWS = loading.ROWS = CHUNK
        loading.TOGETHER = CHUNK // 2
        print("begun", flush=True)
        store.bulk_load(entities, edges, chunk=CHUNK,
                        progress=lambda done, total: print(done, flush=True))
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose engine may be killed; the hold keeps it from ending between tests."""
    folder = tmp_path_factory.mktemp("killed") / "graph"
    hold: Attachment = attach(folder, QUICK)
    yield folder
    hold.close()
    stop_store(folder)


def begun(engine: Path, database: str) -> None:
    """Write the first row, so that a load is not the first."""
    with BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store:
        store.upsert_entities(rows()[0][:1])


@pytest.mark.parametrize("first", [False, True])
def test_a_loader_killed_at_any_moment_is_completed_by_the_next(
    engine: Path, database: str, whole: tuple[list[Entity], list[Edge]], *, first: bool
) -> None:
    chance = random.Random(7)
    if not first:
        begun(engine, database)
    for _ in range(2):
        loader = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(LOADER), str(engine), database],
            stdout=subprocess.PIPE,
            text=True,
        )
        with loader:
            assert loader.stdout is not None
            assert loader.stdout.readline() == "begun\n"
            for _line in range(chance.randint(1, 12)):
                loader.stdout.readline()
            threading.Event().wait(chance.uniform(0, 0.03))  # somewhere inside the next chunk
            loader.kill()
    with BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store:
        found = len(list(store.entities()))
        assert found in (0, NUM_ENTITIES) if first else 0 < found <= NUM_ENTITIES
        assert store.bulk_load(*rows(), chunk=CHUNK) == len(whole[0]) + len(whole[1])
        assert_whole(store, whole)
        version = store.version
        store.bulk_load(*rows(), chunk=CHUNK)
        assert store.version == version


def test_an_engine_killed_at_any_moment_of_a_load_loses_nothing(
    engine: Path, database: str, whole: tuple[list[Entity], list[Edge]]
) -> None:
    chance = random.Random(11)
    kills = sorted(chance.sample(range(2 * CHUNK, 3 * NUM_ENTITIES - CHUNK), 2))
    timers: list[threading.Timer] = []

    def kill_sometimes(done: int, _total: int) -> None:
        if kills and done >= kills[0]:
            kills.pop(0)
            pid = store_status(engine).pid
            assert pid is not None
            timers.append(threading.Timer(chance.uniform(0, 0.02), os.kill, (pid, signal.SIGKILL)))
            timers[-1].start()

    begun(engine, database)
    with BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store:
        store.bulk_load(*rows(), chunk=CHUNK, progress=kill_sometimes)
        assert kills == []
        for timer in timers:
            timer.join()
        assert_whole(store, whole)


def test_what_was_acknowledged_survives_the_engines_death(engine: Path, database: str) -> None:
    link = EmbeddedLink(engine, database=database, config=QUICK)
    with BoltStore(link) as store:
        for n in range(20):
            store.upsert_entities([thing(f"k{n}"), thing("last", attributes={"n": n})])
        os.kill(link.attachment.endpoint.child["pid"], signal.SIGKILL)
    with open_store(engine, database=database, launcher=QUICK) as store:
        assert {entity.key for entity in store.entities()} == {"last"} | {
            f"k{n}" for n in range(20)
        }
        assert store.version == 20


def test_an_interrupted_load_is_whole_chunks_and_resumes(
    engine: Path, database: str, whole: tuple[list[Entity], list[Edge]]
) -> None:
    def interrupt(done: int, _total: int) -> None:
        if done >= 3 * CHUNK:
            raise KeyboardInterrupt

    begun(engine, database)
    with BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store:
        with pytest.raises(KeyboardInterrupt):
            store.bulk_load(*rows(), chunk=CHUNK, progress=interrupt)
        assert len(list(store.entities())) == 3 * CHUNK
        store.bulk_load(*rows(), chunk=CHUNK)
        assert_whole(store, whole)


@pytest.mark.parametrize("done", [True, False])
def test_a_write_whose_answer_is_lost_is_done_once(
    engine: Path, database: str, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    commit, losses = neo4j.Transaction.commit, [1]

    def without_an_answer(transaction: neo4j.Transaction) -> None:
        if not losses:
            return commit(transaction)
        losses.pop()
        commit(transaction) if done else transaction.rollback()
        raise neo4j.exceptions.IncompleteCommit("planted")

    with BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store:
        store.upsert_entities([thing("a", attributes={"n": 0})])
        monkeypatch.setattr(neo4j.Transaction, "commit", without_an_answer)
        store.execute("MATCH (a {key: 'a'}) SET a.n = a.n + 1")
        assert not losses
        assert store.query("MATCH (a {key: 'a'}) RETURN a.n").rows == ((1,),)
        assert store.version == 2


def test_writers_that_overlap_collide_so_that_no_edge_is_doubled(
    engine: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmbeddedLink, "writing", lambda _: nullcontext())
    edge = fact("a", "knows", "b", record())
    with BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store:
        store.upsert_entities([thing("a"), thing("b")])
        other = threading.Thread(target=store.upsert_edges, args=([edge],))

        def overlap() -> None:
            with store.transaction() as outer:
                outer.upsert_edges([edge])
                other.start()
                other.join()

        with pytest.raises(StoreTransientError):
            overlap()
        assert store.query("MATCH ()-[r]->() RETURN count(r)").rows == ((1,),)


@pytest.mark.parametrize(
    ("planted", "raised"),
    [
        ({"note": f"{LONE.note} + 1 / 0"}, 0),  # a fault when counter and note are written
        ({"begin": f"{LONE.begin}, umbra.raised() AS other"}, 1),  # another write comes between
    ],
)
def test_an_edge_written_alone_comes_with_its_version_and_note_or_not_at_all(
    engine: Path, database: str, planted: dict[str, str], raised: int
) -> None:
    edge = fact("a", "knows", "b", record())
    link = EmbeddedLink(engine, database=database, config=QUICK)
    with BoltStore(link) as store, closing(Connection(link)) as beside:
        store.upsert_entities([thing("a"), thing("b")])
        link.ensure(set(), {edge.relation})
        vars(link)["lone"] = dataclasses.replace(LONE, **planted)
        assert not made_alone(beside, edge)
        assert (store.version, list(store.edges())) == (1 + raised, [])
        assert [version for version, _ in link.notes(1)] == []
        del vars(link)["lone"]
        for _ in range(2):
            assert made_alone(beside, edge)
            assert (store.version, list(store.edges())) == (2 + raised, [edge])
        assert link.notes(1) == [(2 + raised, Note(edges=frozenset({edge.key})))]
