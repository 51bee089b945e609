"""A graph of two countries, whose flags scenes are written to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kg.backends import open_store
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.store import Store

__all__ = ["JP", "TR", "content", "two_countries"]

TR, JP = EntityKey("country:TR"), EntityKey("country:JP")


@contextmanager
def two_countries() -> Iterator[Store]:
    with open_store("memory:") as opened:
        record = Provenance(kind="asserted", source="countries.jsonl")
        opened.upsert_entities(
            Entity(key=key, label="Country", name=key[-2:], provenance=(record,))
            for key in (TR, JP)
        )
        yield opened


def content(store: Store) -> tuple[list[Entity], list[Edge]]:
    return list(store.entities()), list(store.edges())
