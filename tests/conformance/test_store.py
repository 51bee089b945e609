"""Every store under the same rules; what one cannot do stands in `LIMITS`, with the reason."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import kg.backends
from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.backends.links import RemoteLink
from kg.backends.memory import MemoryStore
from kg.model import Entity
from kg.store import Store, Writer
from kg.withdrawal import Withdrawal
from tests.conformance.cypher_rules import CYPHER_RULES, no_cypher_is_said
from tests.conformance.upsert_rules import RULES

_numbers = count()


@contextmanager
def memory(_folder: Path) -> Iterator[Store]:
    with MemoryStore() as store:
        yield store


@contextmanager
def embedded(folder: Path) -> Iterator[Store]:
    link = EmbeddedLink(folder, database=f"rules{next(_numbers)}")
    store = BoltStore(link)
    try:
        yield store
    finally:
        if not link.is_connected:
            link.connect()
        link.drop()
        store.close()
        link.close()


@contextmanager
def neo4j_statements(folder: Path) -> Iterator[Store]:
    """The statements for a Neo4j server, run against the embedded engine's Bolt port."""
    own = EmbeddedLink(folder, database="statements")
    own.connect()
    endpoint = own.attachment.endpoint
    link = RemoteLink(
        f"bolt://{endpoint.host}:{endpoint.bolt_port}",
        auth=("writer", endpoint.passwords["writer"]),
        database=own.database,
    )
    try:
        yield from emptied(link)
    finally:
        own.close()


@contextmanager
def neo4j(_folder: Path) -> Iterator[Store]:
    uri = os.environ.get("UMBRA_TEST_NEO4J_URI")
    if not uri:
        pytest.skip("UMBRA_TEST_NEO4J_URI is not set")
    user, _, password = os.environ.get("UMBRA_TEST_NEO4J_AUTH", "neo4j/neo4j").partition("/")
    link = RemoteLink(uri, auth=(user, password))
    yield from emptied(link)


def emptied(link: RemoteLink) -> Iterator[Store]:
    """Open a server's one database without what the last rule left there."""
    store = BoltStore(link)
    store.execute("MATCH (n:Entity) DETACH DELETE n")
    store.execute("MATCH (n:`_Umbra`) DELETE n")
    yield store
    store.close()


Opener = Callable[[Path], AbstractContextManager[Store]]
IMPLEMENTATIONS: dict[str, tuple[type, Opener]] = {
    "memory": (MemoryStore, memory),
    "embedded": (BoltStore, embedded),
    "neo4j statements": (BoltStore, neo4j_statements),
    "neo4j": (BoltStore, neo4j),
}


class Whose(Enum):
    OURS = "not done yet"
    ENGINE = "the engine cannot"


@dataclass(frozen=True)
class Limit:
    whose: Whose
    error: type[BaseException]
    reason: str


LIMITS: dict[tuple[str, str], Limit] = {}


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(implementation: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    needs_engine = implementation in ("embedded", "neo4j statements")
    folder = request.getfixturevalue("engine_folder") if needs_engine else Path()
    with IMPLEMENTATIONS[implementation][1](folder) as opened:
        yield opened


def expect_limit(implementation: str, rule: str, request: pytest.FixtureRequest) -> None:
    limit = LIMITS.get((implementation, rule))
    if limit is not None:
        mark = pytest.mark.xfail(raises=limit.error, reason=limit.reason, strict=True)
        request.applymarker(mark)


@pytest.mark.parametrize("rule", RULES)
def test_every_store_keeps(
    rule: str, implementation: str, store: Store, request: pytest.FixtureRequest
) -> None:
    expect_limit(implementation, rule, request)
    RULES[rule](store)


@pytest.mark.parametrize("rule", CYPHER_RULES)
def test_every_store_with_cypher_keeps(
    rule: str, implementation: str, request: pytest.FixtureRequest
) -> None:
    if implementation == "memory":
        with MemoryStore() as store:
            assert not store.capabilities.cypher
            no_cypher_is_said(store)
        return
    expect_limit(implementation, rule, request)
    store = request.getfixturevalue("store")
    assert store.capabilities.cypher
    CYPHER_RULES[rule](store)


def test_limits_name_rules_that_exist() -> None:
    for implementation, rule in LIMITS:
        assert implementation in IMPLEMENTATIONS
        assert rule in RULES or rule in CYPHER_RULES


def store_classes() -> set[type]:
    names = [name for name in vars(Store) if not name.startswith("_")]
    names += [name for name in vars(Writer) if not name.startswith("_")]
    found = set()
    for module in pkgutil.iter_modules(kg.backends.__path__, "kg.backends."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and value is not Store and hasattr(value, "transaction"):
                assert all(hasattr(value, name) for name in names), value
                found.add(value)
    return found


def test_every_store_class_is_in_the_list() -> None:
    assert store_classes() == {kind for kind, _ in IMPLEMENTATIONS.values()}


@pytest.mark.parametrize("kind", sorted(store_classes(), key=lambda kind: kind.__name__))
def test_signatures_are_the_protocols(kind: type) -> None:
    for protocol in (Writer, Store):
        for name, wanted in vars(protocol).items():
            if name.startswith("_") or not inspect.isfunction(wanted) or name == "transaction":
                continue
            theirs = inspect.signature(getattr(kind, name))
            ours = inspect.signature(wanted)
            assert list(theirs.parameters.values()) == list(ours.parameters.values()), name
            assert theirs.return_annotation == ours.return_annotation, name


class KeepsDoubles(MemoryStore):
    """Broken: a second row of a key replaces the first instead of being merged."""

    def upsert_entities(self, rows: Any) -> int:
        kept = list(rows)
        self.delete_entities([row.key for row in kept if isinstance(row, Entity)])
        return super().upsert_entities(kept)


class HalfTransactions(MemoryStore):
    """Broken: what a failed transaction wrote stays."""

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with self._direct() as writer:
            yield writer


class StandingVersion(MemoryStore):
    """Broken: the version never grows."""

    @property
    def version(self) -> int:
        return 0


class ShyWithdrawal(MemoryStore):
    """Broken: an edge whose last record went stays."""

    def withdraw(self, what: Withdrawal) -> int:
        edges = list(self.edges())
        taken = super().withdraw(what)
        self.upsert_edges(
            edge for edge in edges if self.entity(edge.head) and self.entity(edge.tail)
        )
        return taken


@pytest.mark.parametrize("broken", [KeepsDoubles, HalfTransactions, StandingVersion, ShyWithdrawal])
def test_the_rules_bite(broken: type[MemoryStore]) -> None:
    failed = []
    for name, rule in RULES.items():
        with broken() as store:
            try:
                rule(store)
            except Exception:  # noqa: BLE001 - however it fails, it is caught
                failed.append(name)
    assert failed
