"""`umbra serve --bolt`: the official driver comes in, reads, and can do nothing else."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from neo4j import Driver, GraphDatabase
from neo4j.exceptions import AuthError, DriverError, Forbidden, Neo4jError

from api.cli.main import main
from api.serving.bolt_door import BoltDoor, bolt_door
from api.settings import Settings
from api.workspace import Workspace
from kg.backends import open_store
from kg.backends.bolt import BoltStore
from kg.errors import ForeignFileError, SettingError
from kg.launcher import attach, stop_store
from tests.api.test_runner import until
from tests.api.test_serve import serving
from tests.api.tiny_world import HEAP
from tests.conformance.cypher_rules import ENDLESS
from tests.conformance.store_rules import fact, thing

REFUSED = [
    "CREATE (n:Country {key: 'x'})",
    "CREATE (n:Unheard)",
    "MATCH (n) SET n.name = 'x'",
    "MATCH (n) DETACH DELETE n",
    "MATCH (a {key: 'a'}), (b {key: 'b'}) MERGE (a)-[:knows]->(b)",
    "LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row",
    "LOAD CSV FROM 'http://127.0.0.1:9/x' AS row RETURN row",
    "CREATE INDEX FOR (n:Country) ON (n.name)",
    "SHOW USERS",
    "RETURN umbra.bump()",
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A folder with a store of its own: its engine is ended here."""
    workspace = Workspace(tmp_path_factory.mktemp("bolt") / ".umbra")
    workspace.create()
    with ExitStack() as stack:
        hold = attach(workspace.graph, HEAP)
        stack.callback(stop_store, workspace.graph)
        stack.callback(hold.close)
        with open_store(workspace.graph) as store:
            store.upsert_entities([thing("a"), thing("b")])
            store.upsert_edges([fact("a", "borders", "b")])
        yield workspace


@contextmanager
def opened(workspace: Workspace, *, writes: bool = False) -> Iterator[BoltDoor]:
    with bolt_door(workspace, Settings(), port=0, writes=writes) as door:
        yield door


def driver_to(address: str, workspace: Workspace) -> Driver:
    login = json.loads(workspace.bolt_login.read_text(encoding="utf-8"))
    return GraphDatabase.driver(
        address, auth=(login["user"], login["password"]), connection_timeout=10
    )


def address_of(door: BoltDoor) -> str:
    return next(word for word in door.told.split() if word.startswith("bolt://"))


def keys(driver: Driver) -> list[str]:
    found = driver.execute_query("MATCH (n:Country) RETURN n.key ORDER BY n.key", database_="kg")
    return [record[0] for record in found.records]


def test_the_command_lets_the_driver_in_and_out(workspace: Workspace) -> None:
    with serving(workspace, "--bolt", "0") as (http, process):
        assert process.stdout is not None
        told = process.stdout.readline()
        assert "only reads" in told
        assert str(workspace.bolt_login) in told
        password = json.loads(workspace.bolt_login.read_text(encoding="utf-8"))["password"]
        assert password not in told
        address = next(word for word in told.split() if word.startswith("bolt://"))
        with driver_to(address, workspace) as driver:
            driver.verify_connectivity()
            assert keys(driver) == ["a", "b"]
        assert http.get("/healthz").status_code == 200
        process.terminate()
        process.communicate(timeout=30)
        assert process.returncode == 0


def test_a_reader_reads_and_nothing_else(workspace: Workspace) -> None:
    with opened(workspace) as door, driver_to(address_of(door), workspace) as driver:
        with open_store(workspace.graph) as store:
            before = list(store.entities()), list(store.edges()), store.version
            for text in REFUSED:
                with pytest.raises(Forbidden):
                    driver.execute_query(text, database_="kg")  # type: ignore[arg-type]
            assert (list(store.entities()), list(store.edges()), store.version) == before
        assert keys(driver) == ["a", "b"]
    assert stat.S_IMODE(workspace.bolt_login.stat().st_mode) == 0o600


def test_who_may_write_writes(workspace: Workspace) -> None:
    with opened(workspace, writes=True) as door, driver_to(address_of(door), workspace) as driver:
        assert "WRITES" in door.told
        driver.execute_query("CREATE (n:Country {key: 'c', name: 'C'})", database_="kg")
        assert keys(driver) == ["a", "b", "c"]
        driver.execute_query("MATCH (n:Country {key: 'c'}) DETACH DELETE n", database_="kg")


def test_the_login_outlives_the_engine_and_not_the_door(workspace: Workspace) -> None:
    with opened(workspace) as door:
        address = address_of(door)
        with driver_to(address, workspace) as driver:
            assert keys(driver) == ["a", "b"]
            stop_store(workspace.graph)  # another one takes its place, with another port
            until(lambda: _reads(driver))
    hold = attach(workspace.graph, HEAP)
    inner = f"bolt://{hold.endpoint.host}:{hold.endpoint.bolt_port}"
    with driver_to(inner, workspace) as driver, pytest.raises(AuthError):
        driver.verify_connectivity()
    hold.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))


def _reads(driver: Driver) -> bool:
    try:
        return keys(driver) == ["a", "b"]
    except (DriverError, Neo4jError):
        return False


def test_a_query_by_bolt_is_listed_and_can_be_ended(workspace: Workspace) -> None:
    caught: list[Neo4jError] = []

    def endless(driver: Driver) -> None:
        try:
            driver.execute_query(ENDLESS, database_="kg")  # type: ignore[arg-type]
        except Neo4jError as error:
            caught.append(error)

    with (
        opened(workspace) as door,
        driver_to(address_of(door), workspace) as driver,
        open_store(workspace.graph) as store,
    ):
        assert isinstance(store, BoltStore)
        caller = threading.Thread(target=endless, args=(driver,))
        caller.start()
        until(lambda: any(query.user == "umbra" for query in store.running_queries()))
        (query,) = store.running_queries()
        assert store.end_query(query.id)
        caller.join(timeout=30)
        assert "Terminated" in str(caught[0].code)


def test_a_client_that_leaves_ends_its_query(workspace: Workspace) -> None:
    with opened(workspace) as door, open_store(workspace.graph) as store:
        assert isinstance(store, BoltStore)
        login = json.loads(workspace.bolt_login.read_text(encoding="utf-8"))
        code = (
            "import sys, neo4j; address, user, password, text = sys.argv[1:]\n"
            "driver = neo4j.GraphDatabase.driver(address, auth=(user, password))\n"
            "driver.execute_query(text, database_='kg')"
        )
        given = [address_of(door), login["user"], login["password"], ENDLESS]
        client = subprocess.Popen([sys.executable, "-c", code, *given])
        until(lambda: bool(store.running_queries()))
        client.kill()
        client.wait()
        until(lambda: not store.running_queries())


def test_what_cannot_be_a_door_is_refused(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(workspace.folder)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--folder", folder, "--port", "0", "--bolt", port]) == 2
    assert port in capsys.readouterr().err
    assert main(["serve", "--folder", folder, "--port", "0", "--bolt-write"]) == 2
    assert "--bolt" in capsys.readouterr().err
    far = Settings(store="bolt://example.org")
    with pytest.raises(SettingError, match=r"bolt://example\.org"):
        bolt_door(workspace, far, port=0, writes=False)
    other = Workspace(tmp_path / ".umbra")
    other.create()
    other.bolt_login.parent.mkdir(exist_ok=True)
    other.bolt_login.write_text('{"format": 1, "password": ""}', encoding="utf-8")
    with pytest.raises(ForeignFileError, match="16 characters"):
        bolt_door(other, Settings(), port=0, writes=False)
