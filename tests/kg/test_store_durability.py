"""Loads that are killed at any moment, and what is there afterwards: every row once, whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count
from pathlib import Path

import neo4j
import neo4j.exceptions
import pytest

from kg.backends import loading, open_store
from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.backends.engine_http import EngineHttp
from kg.backends.memory import MemoryStore
from kg.backends.swapping import Swap
from kg.engine_command import LauncherConfig
from kg.errors import ConstraintError, StoreTransientError
from kg.launcher import Attachment, attach, stop_store, store_status
from kg.model import Edge, Entity, EntityKey
from tests.conformance.store_rules import content, fact, record, thing

QUICK = LauncherConfig(idle_timeout_s=5, heap="256m")
NUM_ENTITIES = 240
CHUNK = 30
_names = count()
LOADER = """
    import sys
    from pathlib import Path
    from kg.backends import loading
    from kg.backends.bolt import BoltStore
    from kg.backends.embedded import EmbeddedLink
    from tests.kg.test_store_durability import CHUNK, QUICK, rows
    with BoltStore(EmbeddedLink(Path(sys.argv[1]), database=sys.argv[2], config=QUICK)) as store:
        entities, edges = rows()
        loading.ENTITY_ROWS = loading.ROWS = CHUNK
        loading.TOGETHER = CHUNK // 2
        print("begun", flush=True)
        store.bulk_load(entities, edges, chunk=CHUNK,
                        progress=lambda done, total: print(done, flush=True))
"""


def rows() -> tuple[list[Entity], list[Edge]]:
    """A graph with labels, attributes, relations and records of several kinds, always the same."""
    entities = [
        thing(
            f"k{n:04}",
            ("Country", "City", "Language")[n % 3],
            aliases=(f"alias {n}",) * (n % 2),
            attributes={"n": n, "odd": bool(n % 2)} if n % 5 else {"share": n / 7},
            provenance=(record(locator=f"row {n}"),),
        )
        for n in range(NUM_ENTITIES)
    ]
    edges = [
        fact(
            f"k{n:04}",
            ("borders", "speaks", "knows")[step % 3],
            f"k{(n * 7 + step) % NUM_ENTITIES:04}",
            record(locator=f"row {n}", probability=1 / (1 + step)),
            weight=n + step,
        )
        for n in range(NUM_ENTITIES)
        for step in range(2)
    ]
    return entities, edges


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose engine may be killed; the hold keeps it from ending between tests."""
    folder = tmp_path_factory.mktemp("killed") / "graph"
    hold: Attachment = attach(folder, QUICK)
    yield folder
    hold.close()
    stop_store(folder)


@pytest.fixture
def database() -> str:
    return f"load{next(_names)}"


@pytest.fixture(scope="module")
def whole() -> tuple[list[Entity], list[Edge]]:
    """What an uninterrupted load leaves, by the store that has no files."""
    with MemoryStore() as store:
        entities, edges = rows()
        store.upsert_entities(entities)
        store.upsert_edges(edges)
        return content(store)


def assert_whole(store: BoltStore, whole: tuple[list[Entity], list[Edge]]) -> None:
    assert content(store) == whole
    counted = store.query(
        "MATCH (n:Entity) WITH count(n) AS nodes MATCH ()-[r]->() RETURN nodes, count(r)"
    )
    assert counted.rows == ((len(whole[0]), len(whole[1])),)  # no key and no edge twice
    for label in ("Country", "City", "Language"):
        found = store.query(f"MATCH (n:{label}) RETURN count(n)").rows[0][0]
        assert found == sum(entity.label == label for entity in whole[0])


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


def test_a_first_load_leaves_what_upserts_leave(
    engine: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "ROWS", 100)
    monkeypatch.setattr(loading, "TOGETHER", 20)
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
        BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store,
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


@pytest.mark.parametrize(
    "wrong",
    [
        ([thing("a"), thing("a", "Other")], []),
        ([thing("a")], [fact("a", "knows", "nobody", record())]),
        ([thing("a"), thing("b", "knows")], [fact("a", "knows", "b", record())]),
    ],
)
def test_a_first_load_that_is_refused_leaves_nothing(
    engine: Path, database: str, wrong: tuple[list[Entity], list[Edge]]
) -> None:
    with BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store:
        with pytest.raises(ConstraintError):
            store.bulk_load(*wrong)
        assert (list(store.entities()), store.version) == ([], 0)
        assert not (engine / "engine" / "databases" / f"{database}_loading").exists()


@pytest.mark.parametrize("step", ["server", "rename", "unlink"])
def test_a_swap_that_was_cut_off_is_ended_by_the_next_client(
    engine: Path,
    database: str,
    whole: tuple[list[Entity], list[Edge]],
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cut off before the old graph is dropped, before the new one is in place, before the end."""
    owner = EngineHttp if step == "server" else Path
    was = getattr(owner, step)

    def cut(self: EngineHttp | Path, *rest: object, **named: object) -> object:
        if self is not None and Swap(engine / "engine", database).begun:
            monkeypatch.setattr(owner, step, was)
            raise KeyboardInterrupt
        return was(self, *rest, **named)

    with BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store:
        monkeypatch.setattr(owner, step, cut)
        with pytest.raises(KeyboardInterrupt):
            store.bulk_load(*rows())
    with BoltStore(EmbeddedLink(engine, database=database, config=QUICK)) as store:
        assert_whole(store, whole)
    assert not Swap(engine / "engine", database).begun


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
