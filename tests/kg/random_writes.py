"""Writes of every kind at random, for what follows a store."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from kg.model import Edge, EdgeKey, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.store import Writer
from kg.withdrawal import Withdrawal

Write = Callable[[Writer], object]

KEYS = tuple(map(EntityKey, ("a", "b", "http://x.org/c", "d d")))
RELATIONS = ("near", "part_of")
NAMES = ("Oro", "Bem Oro", "Zil", "Ada Bem")

keys = st.sampled_from(KEYS)
edge_keys: st.SearchStrategy[EdgeKey] = st.tuples(keys, st.sampled_from(RELATIONS), keys)
records = st.builds(
    Provenance,
    kind=st.just("asserted"),
    source=st.sampled_from(("s1", "s2")),
    job=st.none() | st.just("j"),
    derived_from=st.just(()) | st.just(("s1",)),
)


@st.composite
def entities(draw: st.DrawFn) -> Entity:
    key = draw(keys)
    part = None
    if draw(st.booleans()):
        part = ImagePart(parent=draw(keys), image="0a" * 32, box_xyxy=(0.0, 0.0, 1.0, 1.0))
    return Entity(
        key=key,
        label=f"Label{KEYS.index(key) % 2}",
        name=draw(st.sampled_from(NAMES)),
        aliases=tuple(draw(st.lists(st.sampled_from(NAMES), max_size=1))),
        attributes=draw(st.dictionaries(st.just("motto"), st.sampled_from(NAMES), max_size=1)),
        part=part,
        provenance=tuple(draw(st.lists(records, max_size=1))),
    )


def _edge(key: EdgeKey, record: Provenance, weight: int) -> Edge:
    head, relation, tail = key
    return Edge(
        head=head, relation=relation, tail=tail, attributes={"w": weight}, provenance=(record,)
    )


edges = st.builds(_edge, edge_keys, records, st.integers(0, 2))


def _present(write: Write) -> Write:
    """Do a write if it is not refused: an end, or what it replaces, may be missing."""

    def done(writer: Writer) -> object:
        from kg.errors import ConstraintError

        try:
            return write(writer)
        except ConstraintError:
            return None

    return done


writes: st.SearchStrategy[Write] = st.one_of(
    entities().map(lambda row: lambda w: w.upsert_entities([row])),
    entities().map(lambda row: _present(lambda w: w.replace_entities([row]))),
    edges.map(lambda row: _present(lambda w: w.upsert_edges([row]))),
    edges.map(lambda row: _present(lambda w: w.replace_edges([row]))),
    keys.map(lambda key: lambda w: w.delete_entities([key])),
    edge_keys.map(lambda key: lambda w: w.delete_edges([key])),
    st.just(lambda w: w.withdraw(Withdrawal(job="j"))),
)
batches = st.lists(st.lists(writes, min_size=1, max_size=3), min_size=1, max_size=5)
"""Transactions of a few writes."""

start: tuple[Write, ...] = (
    lambda w: w.upsert_entities(
        [Entity(key=k, label=f"Label{n % 2}", name=NAMES[n]) for n, k in enumerate(KEYS)]
    ),
    lambda w: w.upsert_edges(
        [
            _edge((KEYS[0], "near", KEYS[1]), Provenance(kind="asserted", source="s1"), 1),
            _edge((KEYS[1], "part_of", KEYS[2]), Provenance(kind="asserted", source="s2"), 1),
        ]
    ),
)
"""Writes after which there is something to change."""
