"""Snapshots: what they hold, against plain sets, and their hash."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import UnknownEntityError, UnknownRelationError
from kg.snapshot import build_snapshot
from tests.kg.small_snapshots import graphs, small

quick = settings(max_examples=50)


@quick
@given(graphs())
def test_a_snapshot_holds_what_it_was_built_from(graph):
    entities, edges = graph
    snapshot = build_snapshot(entities, edges)
    assert snapshot.num_entities == len(entities)
    assert snapshot.num_edges == len(edges)
    assert list(snapshot.entities) == sorted(entity.key for entity in entities)
    for entity in entities:
        number = snapshot.entity_id(entity.key)
        assert snapshot.names[number] == entity.name
        assert snapshot.label_of(number) == entity.label
        assert number in snapshot.ids_with_label(entity.label)
        found = {n: column[number] for n, column in snapshot.attributes.items() if number in column}
        assert found == dict(entity.attributes)
        parent = int(snapshot.parents[number])
        expected = entity.part.parent if entity.part else None
        assert (snapshot.entities.name(parent) if parent >= 0 else None) == (
            expected if expected in snapshot.entities else None
        )


@quick
@given(graphs())
def test_every_lookup_agrees_with_a_plain_set_of_edges(graph):
    entities, edges = graph
    snapshot = build_snapshot(entities, edges)
    facts = {
        (
            snapshot.entity_id(e.head),
            snapshot.relation_id(e.relation),
            snapshot.entity_id(e.tail),
        ): e
        for e in edges
    }
    everyone = range(snapshot.num_entities)
    for relation in range(snapshot.num_relations):
        assert len(range(*snapshot.edges_of(relation).indices(snapshot.num_edges))) == sum(
            r == relation for _, r, _ in facts
        )
        for entity in everyone:
            tails = sorted(t for h, r, t in facts if (h, r) == (entity, relation))
            heads = sorted(h for h, r, t in facts if (t, r) == (entity, relation))
            assert snapshot.neighbours(relation, entity).tolist() == tails
            assert snapshot.neighbours(relation, entity, inverse=True).tolist() == heads
            for other in everyone:
                fact = facts.get((entity, relation, other))
                assert snapshot.has_edge(entity, relation, other) == (fact is not None)
                best = max((p.probability for p in fact.provenance), default=0) if fact else 0
                found = snapshot.edge_probability(entity, relation, other)
                assert found == pytest.approx(best, abs=1e-6)


@quick
@given(graphs(), st.randoms(use_true_random=False))
def test_neither_arrays_nor_hash_hang_on_the_order_of_the_input(graph, random):
    entities, edges = graph
    first = build_snapshot(entities, edges)
    random.shuffle(entities)
    random.shuffle(edges)
    second = build_snapshot(entities, edges)
    assert first.hash == second.hash
    assert np.array_equal(first.heads, second.heads)
    assert np.array_equal(first.probabilities, second.probabilities)


@quick
@given(graphs(), st.data())
def test_keeping_takes_edges_away_and_leaves_ids(graph, data):
    snapshot = build_snapshot(*graph)
    keep = np.array(
        data.draw(
            st.lists(st.booleans(), min_size=snapshot.num_edges, max_size=snapshot.num_edges)
        ),
        dtype=bool,
    )
    kept = snapshot.keeping(keep)
    assert kept.num_edges == keep.sum()
    assert list(kept.entities) == list(snapshot.entities)
    assert list(kept.relation_names) == list(snapshot.relation_names)
    for position in np.flatnonzero(keep):
        h, r, t = (int(a[position]) for a in (snapshot.heads, snapshot.relations, snapshot.tails))
        assert kept.has_edge(h, r, t)
    assert (kept.hash == snapshot.hash) == bool(keep.all())


@pytest.mark.parametrize(
    "change",
    [
        {"names": ("a", "b")},
        {"names": ("country:DE\x00", "country:FR")},
        {"attributes": {}},
        {"attributes": {"area": {0: 1.0, 1: 1}}},
        {"attributes": {"size": {0: 1.0, 1: 1.0}}},
        {"probabilities": np.array([0.5], dtype=np.float32)},
        {"heads": np.array([0], dtype=np.int32), "tails": np.array([1], dtype=np.int32)},
        {"parents": np.array([-1, 0], dtype=np.int32)},
    ],
)
def test_the_hash_sees_every_change(change):
    assert replace(small(), **change).hash != small().hash


def test_the_hash_tells_names_apart_wherever_they_are_cut():
    left, right = (replace(small(), names=names) for names in (("a\x00b", "c"), ("a", "b\x00c")))
    assert left.hash != right.hash


def test_the_hash_is_pinned():
    # Checkpoints name it: when it changes, so must the format number.
    assert small().hash == "dd2b57c38b5a34d064556690e45a1c4a29866a058d1e09645dd776963fdbec91"


def test_names_that_are_not_there_come_with_near_ones():
    snapshot = small()
    with pytest.raises(UnknownEntityError, match="country:F") as caught:
        snapshot.entity_id("country:FF")
    assert "country:FR" in caught.value.nearest
    with pytest.raises(UnknownRelationError, match="did you mean 'borders'"):
        snapshot.relation_id("border")
    assert snapshot.ids_with_label("Nothing").tolist() == []
