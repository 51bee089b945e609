"""Three countries in a row and two languages: a graph whose proofs can be worked out by hand."""

from __future__ import annotations

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot


def language_world(*, c_speaks_arabic: float = 1.0) -> Snapshot:
    """Return the graph; its last edge has the given probability."""
    names = {"a": "Country", "b": "Country", "c": "Country", "ar": "Language", "fr": "Language"}
    entities = [
        Entity(
            key=EntityKey(key),
            label=label,
            name=key.upper(),
            attributes={"size": 3} if key == "b" else {},
        )
        for key, label in names.items()
    ]
    edges = [
        Edge(
            head=EntityKey(head),
            relation=relation,
            tail=EntityKey(tail),
            provenance=(Provenance(kind="linked", source="s", probability=probability),),
        )
        for head, relation, tail, probability in (
            ("a", "borders", "b", 1.0),
            ("b", "borders", "c", 0.5),
            ("b", "speaks", "fr", 1.0),
            ("c", "speaks", "ar", c_speaks_arabic),
        )
    ]
    return build_snapshot(entities, edges)
