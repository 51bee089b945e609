"""Graphs that use everything that a graph can hold: for round trips."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from hypothesis import strategies as st

from kg.backends.memory import MemoryStore
from kg.formats.records import Reject
from kg.graph_formats import opened_graph, write_graph
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance

LABELS = ("Country", "Größe", "X_1")
RELATIONS = ("borders", "spricht_über")
NAMES = ("size", "motto", "label", "größe")
KEYS = ("country:AL", "http://x.org/a?b=c#d", "urn:isbn:1", "a b/%41", "_:n", "é", "http://[")

odd_texts = st.sampled_from(('"', "a\r\nb\rc", "\t", " ", "<&>", "\\", "null"))
texts = st.text(max_size=12) | odd_texts
xml_letters = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
xml_texts = st.text(xml_letters, max_size=12) | odd_texts
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.one_of(st.booleans(), numbers, texts)


def values(texts_: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    scalar = st.one_of(st.booleans(), numbers, texts_)
    return scalar | st.lists(scalar, max_size=3).map(tuple)


@st.composite
def graphs(draw: st.DrawFn, *, texts_: st.SearchStrategy[str] = texts) -> MemoryStore:
    """Draw a store of up to five entities and six edges."""
    named = texts_.filter(str.strip)
    records = st.lists(_records(named), max_size=2).map(tuple)
    attributes = st.dictionaries(st.sampled_from(NAMES), values(texts_), max_size=3)
    keys = draw(st.lists(st.sampled_from(KEYS) | named, min_size=1, max_size=5, unique=True))
    picture = ImageRef(sha256="0a" * 32, width=4, height=3, source=draw(texts_))
    store = MemoryStore()
    for key in keys:
        store.upsert_entities(
            [
                Entity(
                    key=EntityKey(key),
                    label=draw(st.sampled_from((*LABELS, "Entity"))),
                    name=draw(named),
                    aliases=tuple(draw(st.lists(texts_, max_size=3, unique=True))),
                    attributes=draw(attributes),
                    images=(picture,) if draw(st.booleans()) else (),
                    part=_part(keys[0]) if draw(st.booleans()) else None,
                    provenance=draw(records),
                )
            ]
        )
    ends = st.sampled_from(keys).map(EntityKey)
    for _ in range(draw(st.integers(0, 6))):
        edge = Edge(
            head=draw(ends),
            relation=draw(st.sampled_from(RELATIONS)),
            tail=draw(ends),
            attributes=draw(attributes),
            provenance=(draw(_records(named)), *draw(records)),
        )
        store.upsert_edges([edge])
    return store


def _records(named: st.SearchStrategy[str]) -> st.SearchStrategy[Provenance]:
    maybe = st.none() | named
    return st.builds(
        Provenance,
        kind=st.sampled_from(("asserted", "linked", "generated", "accepted")),
        source=named,
        locator=maybe,
        text=maybe,
        job=maybe,
        probability=st.floats(0, 1),
        at=st.none() | st.just("2026-11-29"),
        derived_from=st.just(()) | st.lists(named, max_size=2).map(tuple),
    )


def _part(parent: str) -> ImagePart:
    return ImagePart(
        parent=EntityKey(parent), image="0a" * 32, box_xyxy=(0.0, 0.5, 3.0, 2.0), colour="red"
    )


def content(store: MemoryStore) -> tuple[list[Entity], list[Edge]]:
    return list(store.entities()), list(store.edges())


def filled(entities: Iterable[Entity], edges: Iterable[Edge]) -> MemoryStore:
    store = MemoryStore()
    store.upsert_entities(entities)
    store.upsert_edges(edges)
    return store


def read_back(path: Path, name: str | None = None) -> tuple[MemoryStore, list[Reject]]:
    """Return what a file holds, and what of it could not be taken, without a ledger."""
    with opened_graph(path, path.parent / "work", name) as source:
        entities = [row for table in source.entities for row in table.rows(1)]
        edges = [row for table in source.edges for row in table.rows(1)]
    store = filled(
        (row.entity for row in entities if row.entity is not None),
        (row.edge for row in edges if row.edge is not None),
    )
    return store, [reject for row in (*entities, *edges) for reject in row.rejects]


def through(store: MemoryStore, name: str, ending: str) -> tuple[MemoryStore, list[Reject]]:
    """Return what comes back of a graph from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"graph{ending}"
        write_graph(store, path, name)
        return read_back(path)


def small(number: int = 30) -> MemoryStore:
    record = (Provenance(kind="asserted", source="f"),)
    keys = [EntityKey(f"e:{n:02}") for n in range(number)]
    return filled(
        [
            Entity(key=key, label="Town", name=f"Town {key}", attributes={"size": n})
            for n, key in enumerate(keys)
        ],
        [
            Edge(head=one, relation="near", tail=other, provenance=record)
            for one, other in pairwise(keys)
        ],
    )
