"""Small graphs for snapshots: drawn ones, and one that is always the same."""

from __future__ import annotations

from hypothesis import strategies as st

from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot

KEYS = [EntityKey(key) for key in ("a", "b", "country:AL", "ä", "𐍈")]
RELATIONS = ("borders", "speaks", "has_part")
scalars = (
    st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False)
    | st.text("ab\x00,'\"", max_size=3)
)
attributes = st.dictionaries(
    st.sampled_from(["n", "m"]), scalars | st.lists(scalars, max_size=2).map(tuple)
)
keys_ = st.lists(st.sampled_from(KEYS), unique=True, max_size=5)
labels = st.sampled_from(["Country", "Part"])
names = st.sampled_from(["x", "y z", "É"])
probabilities = st.lists(st.floats(0, 1), max_size=2)


@st.composite
def graphs(draw) -> tuple[list[Entity], list[Edge]]:
    keys = draw(keys_)
    parts = st.none() | st.sampled_from([*keys, EntityKey("gone")]).map(part_of)
    entities = [
        Entity(
            key=key,
            label=draw(labels),
            name=draw(names),
            attributes=draw(attributes),
            part=draw(parts),
        )
        for key in keys
    ]
    if not keys:
        return [], []
    triples = draw(
        st.sets(
            st.tuples(st.sampled_from(keys), st.sampled_from(RELATIONS), st.sampled_from(keys)),
            max_size=12,
        )
    )
    edges = [
        Edge(
            head=head,
            relation=relation,
            tail=tail,
            provenance=tuple(
                Provenance(kind="linked", source="s", probability=p) for p in draw(probabilities)
            ),
        )
        for head, relation, tail in triples
    ]
    return entities, edges


def part_of(key: EntityKey) -> ImagePart:
    return ImagePart(parent=key, image="0" * 64, box_xyxy=(0, 0, 1, 1))


def small() -> Snapshot:
    record = (Provenance(kind="asserted", source="test"),)
    entities = [
        Entity(key=EntityKey(key), label="Country", name=key, attributes={"area": 1.0})
        for key in ("country:FR", "country:DE")
    ]
    edge = Edge(head=entities[0].key, relation="borders", tail=entities[1].key, provenance=record)
    return build_snapshot(entities, [edge])
