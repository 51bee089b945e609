"""How often a request asks the store: not once for every neighbour of what it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.engine import Engine
from api.records import Records
from api.retrieval.context import context_for
from api.settings import Settings
from api.steps.entity_checks import FIRST_PARTS, checks_of
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.model import Edge, EdgeKey, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance
from tests.api.world import WorldEngine, open_world

SAID = (Provenance(kind="asserted", source="a map"),)


class CountedStore(MemoryStore):
    """Counts the questions that would each be a journey to a server."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Counter[str]()
        self.passed = 0

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

    def edges_from(self, keys: Collection[EntityKey], **options: Any) -> list[Edge]:
        """Count once, and the edges that a server would go over; return the edges."""
        self.asked["edges_from"] += 1
        self.passed += sum(1 for key in keys for _ in MemoryStore.edges(self, head=key))
        return super().edges_from(keys, **options)

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


def pictured(store: MemoryStore, key: str, parts: int, edges_each: int) -> None:
    """Write an entity whose picture has parts, each said to be below those that follow it.

    They lie one below the other, so that is wrong but where the last ones go round to the first.
    """
    image = ImageRef(sha256="0" * 64, width=100, height=10 * parts, source="tower.png")
    found = [
        Entity(
            key=EntityKey(f"{key}/{n:03}"), label="Part", name=f"{n}",
            part=ImagePart(
                parent=EntityKey(key), image=image.sha256, box_xyxy=(0, 10 * n, 9, 10 * n + 9)
            ),
        )
        for n in range(parts)
    ]  # fmt: skip
    tower = Entity(key=EntityKey(key), label="Tower", name="T", images=(image,))
    store.upsert_entities([tower, *found])
    store.upsert_edges(
        Edge(head=tower.key, relation="has_part", tail=one.key, provenance=SAID) for one in found
    )
    store.upsert_edges(
        Edge(head=one.key, relation="below", tail=found[(n + m) % parts].key, provenance=SAID)
        for n, one in enumerate(found)
        for m in range(1, edges_each + 1)
    )


def test_edges_of_parts_are_read_together(tmp_path: Path) -> None:
    with CountedStore() as store, Engine(Workspace(tmp_path), store=store) as engine:
        pictured(store, "tower", 60, 5)
        store.asked.clear()
        assert len(checks_of(engine, "tower").predicates) == 60 * 5 - (5 + 4 + 3 + 2 + 1)
        assert store.asked["edges_from"] == 2
        assert sum(store.asked.values()) <= 6, store.asked


def test_a_page_does_not_go_over_the_edges_of_all_parts(tmp_path: Path) -> None:
    with CountedStore() as store, Engine(Workspace(tmp_path), store=store) as engine:
        pictured(store, "tower", 60, 59)
        found = checks_of(engine, "tower", most_edges=100)
        assert found.truncated
        assert store.passed == FIRST_PARTS * 59
