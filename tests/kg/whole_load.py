"""A graph that tests load, and whether a store holds all of it, each row once."""

from __future__ import annotations

from kg.backends.bolt import BoltStore
from kg.engine_command import LauncherConfig
from kg.model import Edge, Entity
from tests.conformance.store_rules import content, fact, record, thing

__all__ = ["CHUNK", "NUM_ENTITIES", "QUICK", "assert_whole", "rows"]

QUICK = LauncherConfig(idle_timeout_s=5, heap="256m")
NUM_ENTITIES = 240
CHUNK = 30


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


def assert_whole(store: BoltStore, whole: tuple[list[Entity], list[Edge]]) -> None:
    assert content(store) == whole
    counted = store.query(
        "MATCH (n:Entity) WITH count(n) AS nodes MATCH ()-[r]->() RETURN nodes, count(r)"
    )
    assert counted.rows == ((len(whole[0]), len(whole[1])),)  # no key and no edge twice
    for label in ("Country", "City", "Language"):
        found = store.query(f"MATCH (n:{label}) RETURN count(n)").rows[0][0]
        assert found == sum(entity.label == label for entity in whole[0])
