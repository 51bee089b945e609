"""One graph, many clients: processes, threads, callers who leave, an engine that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.backends import open_store
from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.backends.engine_http import EngineHttp
from kg.backends.translation import translated
from kg.engine_command import LauncherConfig
from kg.errors import (
    EngineError,
    InputError,
    QueryTimeoutError,
    ReadOnlyError,
    StoreUnavailableError,
)
from kg.launcher import stop_store, store_status
from kg.model import EntityKey
from tests.conformance.cypher_rules import ENDLESS
from tests.conformance.store_rules import content, fact, filled, thing

QUICK = LauncherConfig(idle_timeout_s=2, heap="256m")
WORKER = """
    import sys
    from pathlib import Path
    from kg.backends import open_store
    from kg.engine_command import LauncherConfig
    from kg.model import Edge, Entity, EntityKey
    from kg.provenance import Provenance
    name, folder = sys.argv[1], Path(sys.argv[2])
    quick = LauncherConfig(idle_timeout_s=2, heap="256m")
    with open_store(folder, database="workers", launcher=quick) as store:
        for n in range(6):
            own = Entity(key=EntityKey(f"{name}/{n}"), label="Worker", name=name)
            shared = Entity(key=EntityKey("shared"), label="Shared", name="x", aliases=(own.key,))
            store.upsert_entities([own, shared])
            record = Provenance(kind="asserted", source=own.key)
            store.upsert_edges([
                Edge(head=own.key, relation="knows", tail=shared.key, provenance=(record,)),
                Edge(head=shared.key, relation="self", tail=shared.key, provenance=(record,)),
            ])
        print(store.query("MATCH (n:Shared) RETURN count(n)").rows)
"""


@pytest.fixture(scope="module")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store of this module's own, since its engine is killed here."""
    folder = tmp_path_factory.mktemp("own") / "graph"
    yield folder
    stop_store(folder)


@pytest.fixture
def own_store(own_folder: Path) -> Iterator[BoltStore]:
    link = EmbeddedLink(own_folder, config=QUICK)
    with BoltStore(link) as store:
        store.execute("MATCH (n) DETACH DELETE n")
        yield store


def kill_engine(folder: Path) -> None:
    pid = store_status(folder).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_processes_start_one_engine_and_write_to_one_graph(own_folder: Path) -> None:
    stop_store(own_folder)  # all three find none running
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WORKER), f"w{n}", str(own_folder)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for n in range(3)
    ]  # fmt: skip
    outputs = [worker.communicate(timeout=90) for worker in workers]
    assert [(out, err) for out, err in outputs if out != "((1,),)\n" or err] == []
    names = {f"w{w}/{n}" for w in range(3) for n in range(6)}
    with open_store(own_folder, database="workers", launcher=QUICK) as store:
        assert {entity.key for entity in store.entities("Worker")} == names
        shared = store.entity(EntityKey("shared"))
        assert shared is not None
        assert set(shared.aliases) == names  # no writer lost another's
        (loop,) = store.edges(relation="self")
        assert {record.source for record in loop.provenance} == names
        assert len(list(store.edges(relation="knows"))) == 18


def test_an_engine_that_dies_in_mid_query_is_started_again(
    own_store: BoltStore, own_folder: Path
) -> None:
    filled(own_store)
    version = own_store.version
    answers: list[object] = []
    long = "UNWIND range(1, 1500) AS x UNWIND range(1, 1000) AS y RETURN sum(x * y)"
    asking = threading.Thread(target=lambda: answers.append(own_store.query(long).rows))
    asking.start()
    while not own_store.running_queries():
        assert asking.is_alive()
    kill_engine(own_folder)
    asking.join()
    assert answers == [((sum(range(1501)) * sum(range(1001)),),)]
    kill_engine(own_folder)
    assert own_store.upsert_entities([thing("after")]) == 1
    assert own_store.version == version + 1
    assert len(list(own_store.entities())) == 5


def test_a_transaction_in_which_the_engine_dies_is_nowhere(
    own_store: BoltStore, own_folder: Path
) -> None:
    filled(own_store)
    before = content(own_store)

    def half() -> None:
        with own_store.transaction() as writer:
            writer.upsert_entities([thing("half")])
            kill_engine(own_folder)
            writer.upsert_edges([fact("half", "borders", "AL")])

    with pytest.raises(StoreUnavailableError):
        half()
    assert content(own_store) == before


def test_threads_share_a_store(bolt_store: BoltStore) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for n in range(8):
                bolt_store.upsert_entities(
                    [thing(f"{name}/{n}"), thing("x", aliases=(f"{name}/{n}",))]
                )
                assert bolt_store.query("MATCH (n {key: 'x'}) RETURN n.key").rows == (("x",),)
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    shared = bolt_store.entity(EntityKey("x"))
    assert shared is not None
    assert len(shared.aliases) == 32


def test_running_queries_are_listed_and_can_be_ended(bolt_store: BoltStore) -> None:
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            bolt_store.query(ENDLESS, timeout_s=60)
        except EngineError as error:
            ended.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not (running := bolt_store.running_queries()):
        assert asking.is_alive()
    assert running[0].text.startswith(ENDLESS)
    assert running[0].user == "reader"
    assert bolt_store.end_query(running[0].id)
    asking.join()
    assert isinstance(ended[0], QueryTimeoutError)
    assert not bolt_store.end_query(running[0].id)
    with pytest.raises(InputError):
        bolt_store.end_query("x; drop database kg")


def test_a_caller_who_is_interrupted_leaves_nothing_running(bolt_store: BoltStore) -> None:
    interrupt = threading.Thread(target=lambda: interrupt_when_running(bolt_store))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        bolt_store.query(ENDLESS, timeout_s=60)
    interrupt.join()
    end = time.monotonic() + 10
    while bolt_store.running_queries():
        assert time.monotonic() < end
    assert bolt_store.query("RETURN 1").rows == ((1,),)


def interrupt_when_running(store: BoltStore) -> None:
    while not store.running_queries():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def test_the_engine_itself_refuses_the_reader(bolt_store: BoltStore) -> None:
    filled(bolt_store)
    link = bolt_store._connection.link
    with link.driver("reader") as driver:
        for text in (
            "CREATE (n:Country {key: 'x'})",
            "MATCH (n:Country) SET n.x = 1",
            "MATCH (n:Country) DETACH DELETE n",
            "RETURN umbra.bump()",
            "CREATE (n:NewLabel)",
        ):
            with (
                driver.session(database=link.database) as session,
                pytest.raises(ReadOnlyError),
                translated(),
            ):
                session.run(text).consume()
        for text in ("LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l",
                     "LOAD CSV FROM 'http://127.0.0.1:1/x' AS l RETURN l"):  # fmt: skip
            with (
                driver.session(database=link.database) as session,
                pytest.raises(EngineError),
                translated(),
            ):
                session.run(text).consume()


def test_attaching_costs_one_request(
    bolt_store: BoltStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(bolt_store)
    requests: list[str] = []
    real = EngineHttp.request

    def counted(self: EngineHttp, path: str, body: dict[str, object]) -> object:
        requests.append(path)
        return real(self, path, body)

    monkeypatch.setattr(EngineHttp, "request", counted)
    link = bolt_store._connection.link
    assert isinstance(link, EmbeddedLink)
    with BoltStore(EmbeddedLink(link.folder, database=link.database)) as second:
        assert second.query("MATCH (c:Country) RETURN count(c)").rows == ((3,),)
        assert second.upsert_entities([thing("new")]) == 1
    assert len(requests) == 1
