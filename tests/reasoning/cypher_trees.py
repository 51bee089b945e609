"""Trees that texts of Cypher are compared with, and a graph whose names they hold."""

from __future__ import annotations

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.normal_form import normalise
from reasoning.notations import read_query
from reasoning.query import (
    Anchor,
    Labelled,
    Projection,
    Query,
)

COUNTRY, ARABIC = Labelled("Country"), Anchor(EntityKey("language:ara"))


def has(relation: str, child: Query) -> Query:
    """Return what has an edge of a relation to a child."""
    return Projection(relation, child, inverse=True)


def same(text: str, tree: Query, **parameters: object) -> None:
    assert normalise(read_query(text, parameters=parameters)) == normalise(tree)


def world() -> Snapshot:
    def entity(key: str, label: str, name: str) -> Entity:
        return Entity(key=EntityKey(key), label=label, name=name)

    entities = [
        entity("language:ara", "Language", "Arabic"),
        entity("language:eng", "Language", "English"),
        entity("country:MX", "Country", "Mexico"),
        entity("city:MX", "City", "Mexico"),
        entity("city:X", "City", "Twin"),
        entity("city:Y", "City", "Twin"),
    ]
    edges = [("country:MX", "speaks", "language:eng"), ("city:X", "near", "city:X")]
    source = (Provenance(kind="asserted", source="an atlas"),)
    return build_snapshot(
        entities,
        [
            Edge(head=EntityKey(h), relation=r, tail=EntityKey(t), provenance=source)
            for h, r, t in edges
        ],
    )
