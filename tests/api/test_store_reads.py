"""How often a request asks the store: not once for every neighbour of what it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest

from api.records import Records
from api.retrieval.context import context_for
from api.settings import Settings
from kg.backends.memory import MemoryStore
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.provenance import Provenance
from tests.api.world import WorldEngine, open_world

SAID = (Provenance(kind="asserted", source="a map"),)


class CountedStore(MemoryStore):
    """Counts the questions that would each be a journey to a server."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Counter[str]()

    def entity(self, key: EntityKey) -> Entity | None:
        """Count, and return the entity."""
        self.asked["entity"] += 1
        return super().entity(key)

    def entities_of(self, keys: Collection[EntityKey]) -> list[Entity]:
        """Count once, and return the entities."""
        self.asked["entities_of"] += 1
        found = (super(CountedStore, self).entity(key) for key in dict.fromkeys(keys))
        return [entity for entity in found if entity is not None]

    def edges(self, **which: Any) -> Iterator[Edge]:
        """Count those of one edge, and return the edges."""
        self.asked["edge"] += {"head", "tail"} <= which.keys() - {n for n in which if not which[n]}
        return super().edges(**which)

    def edges_of(self, keys: Collection[EdgeKey]) -> list[Edge]:
        """Count once, and return the edges."""
        self.asked["edges_of"] += 1
        return super().edges_of(keys)

    def neighbours(self, key: EntityKey, **options: Any) -> list[Edge]:
        """Count, and return the edges."""
        self.asked["neighbours"] += 1
        return super().neighbours(key, **options)


@pytest.fixture(scope="module")
def store() -> CountedStore:
    return CountedStore()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, store: CountedStore) -> Iterator[WorldEngine]:
    """Yield the small world, in which a city of sixty streets is."""
    settings = Settings(text_encoder="tiny")
    folder = tmp_path_factory.mktemp("reads") / ".umbra"
    with open_world(folder, settings=settings, store=store) as engine:
        city = Entity(key=EntityKey("city:X"), label="City", name="Xenopolis", provenance=SAID)
        streets = [
            Entity(key=EntityKey(f"street:{n}"), label="Street", name=f"Lane {n}", provenance=SAID)
            for n in range(60)
        ]
        store.upsert_entities([city, *streets])
        store.upsert_edges(
            Edge(head=city.key, relation="has_street", tail=one.key, provenance=SAID)
            for one in streets
        )
        engine.search("Xenopolis")  # makes the indexes
        yield engine


@pytest.mark.parametrize(
    "asked",
    [
        lambda engine: engine.search("Xenopolis harbour quarter", k=1),
        lambda engine: context_for(engine, "Xenopolis harbour quarter", k=1),
        lambda engine: engine.entity("city:X", limit=100),
    ],
    ids=["search", "context", "entity"],
)
def test_neighbours_are_read_together(
    engine: WorldEngine, store: CountedStore, asked: Callable[[WorldEngine], Any]
) -> None:
    engine.search("Xenopolis")  # the indexes follow what other tests wrote
    before = store.asked.copy()
    asked(engine)
    told = store.asked - before
    assert told["entity"] <= 3, told
    assert sum(told.values()) <= 12, told


BORDERS_ARABIC = (
    "MATCH (c:Country)-[:borders]->(:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"
)
WITH_CRESCENT = """
MATCH (c:Country)-[:borders]->(n:Country)-[:has_part]->(p:Part)
WHERE NOT (c)-[:borders]->(:Country {key: 'country:AM'}) RETURN c
"""
PAIRS = "MATCH (a:Country)-[:borders]->(b:Country) RETURN a, b"


@pytest.mark.parametrize(
    "asked",
    [
        lambda engine: engine.ask(BORDERS_ARABIC),
        lambda engine: engine.ask(WITH_CRESCENT),
        lambda engine: engine.ask(PAIRS, k=30),
        lambda engine: engine.why_not(BORDERS_ARABIC, "country:RU"),
    ],
    ids=["answers", "parts", "rows", "why-not"],
)
def test_what_proofs_show_is_read_together(
    engine: WorldEngine, store: CountedStore, asked: Callable[[WorldEngine], Any]
) -> None:
    store.upsert_entities(
        [Entity(key=EntityKey("city:X"), label="City", name="X", provenance=SAID)]
    )
    before = store.asked.copy()
    asked(engine)
    told = store.asked - before
    assert told["edge"] == 0, told
    assert sum(told.values()) <= 4, told


def test_what_was_read_together_is_what_each_reading_gives(store: CountedStore) -> None:
    keys = [EntityKey(key) for key in ("street:1", "nothing", "city:X", "street:1")]
    held = Records(store, 0)
    held.read(keys)
    before = store.asked.copy()
    found = [held.entity(key) for key in keys]
    assert store.asked == before
    assert found == [MemoryStore.entity(store, key) for key in keys]
