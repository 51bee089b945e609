"""Snapshots: what they hold, against plain sets; their hash; and their files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import kg.snapshot
from kg.errors import (
    ForeignFileError,
    FormatVersionError,
    MissingPartError,
    UnknownEntityError,
    UnknownRelationError,
)
from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from kg.snapshot import (
    Snapshot,
    build_snapshot,
    load_snapshot,
    save_snapshot,
    verify_snapshot,
)
from kg.vocabulary import Vocabulary

KEYS = [EntityKey(key) for key in ("a", "b", "country:AL", "ä", "𐍈")]
RELATIONS = ("borders", "speaks", "has_part")
scalars = (
    st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False)
    | st.text("ab\x00,'\"", max_size=3)
)
attribute_values = scalars | st.lists(scalars, max_size=2).map(tuple)


@st.composite
def graphs(draw) -> tuple[list[Entity], list[Edge]]:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=5))
    entities = [
        Entity(
            key=key,
            label=draw(st.sampled_from(["Country", "Part"])),
            name=draw(st.sampled_from(["x", "y z", "É"])),
            attributes=draw(st.dictionaries(st.sampled_from(["n", "m"]), attribute_values)),
            part=draw(st.none() | st.sampled_from([*keys, EntityKey("gone")]).map(part_of)),
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
                Provenance(kind="linked", source="s", probability=p)
                for p in draw(st.lists(st.floats(0, 1), max_size=2))
            ),
        )
        for head, relation, tail in triples
    ]
    return entities, edges


def part_of(key: EntityKey) -> ImagePart:
    return ImagePart(parent=key, image="0" * 64, box_xyxy=(0, 0, 1, 1))


quick = settings(max_examples=50)
files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)


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


@files
@given(graphs())
@example(([], []))
def test_a_snapshot_reads_back_as_it_was_written(tmp_path, graph):
    snapshot = build_snapshot(*graph)
    save_snapshot(snapshot, tmp_path / "s")
    loaded = load_snapshot(tmp_path / "s")
    assert loaded.hash == snapshot.hash
    assert loaded.attributes == snapshot.attributes
    assert same_types(loaded, snapshot)
    assert (loaded.names, list(loaded.labels)) == (snapshot.names, list(snapshot.labels))
    for name in ("heads", "relations", "tails", "probabilities", "label_ids", "parents"):
        ours, theirs = getattr(loaded, name), getattr(snapshot, name)
        assert np.array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


def same_types(left: Snapshot, right: Snapshot) -> bool:
    def flat(snapshot: Snapshot) -> list[str]:
        rows = snapshot.attributes.items()
        return sorted(repr((n, i, value)) for n, row in rows for i, value in row.items())

    return flat(left) == flat(right)


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


def small() -> Snapshot:
    record = (Provenance(kind="asserted", source="test"),)
    entities = [
        Entity(key=EntityKey(key), label="Country", name=key, attributes={"area": 1.0})
        for key in ("country:FR", "country:DE")
    ]
    edge = Edge(head=entities[0].key, relation="borders", tail=entities[1].key, provenance=record)
    return build_snapshot(entities, [edge])


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


def test_a_snapshot_replaces_another_and_an_interrupt_leaves_neither(tmp_path, monkeypatch):
    before = small()
    save_snapshot(before, tmp_path)
    opened = load_snapshot(tmp_path)
    nothing = before.keeping(np.array([False]))
    save_snapshot(nothing, tmp_path)
    assert load_snapshot(tmp_path).hash == nothing.hash
    assert opened.hash == before.hash
    assert opened.heads.tolist() == before.heads.tolist()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(kg.snapshot, "write_json", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_snapshot(before, tmp_path)
    with pytest.raises(MissingPartError, match="no snapshot"):
        load_snapshot(tmp_path)


def test_a_loaded_snapshot_cannot_be_written(tmp_path):
    save_snapshot(small(), tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        load_snapshot(tmp_path).heads[0] = 1


def test_a_folder_that_is_not_a_snapshot_is_refused(tmp_path):
    with pytest.raises(MissingPartError, match="no snapshot"):
        load_snapshot(tmp_path)
    (tmp_path / "snapshot.json").write_text("hello")
    with pytest.raises(ForeignFileError):
        load_snapshot(tmp_path)
    (tmp_path / "snapshot.json").write_text('{"format": 99}')
    with pytest.raises(FormatVersionError):
        load_snapshot(tmp_path)


@pytest.mark.parametrize(
    "how", ["missing", "text", "pickle", "short", "other", "fields", "names", "types", "float"]
)
def test_a_snapshot_that_was_changed_is_refused(tmp_path, how):
    save_snapshot(small(), tmp_path)
    array, head = tmp_path / "heads.npy", tmp_path / "snapshot.json"
    content = json.loads(head.read_text())
    if how == "missing":
        array.unlink()
    elif how == "text":
        array.write_text("hello")
    elif how == "pickle":
        np.save(array, np.array([object()]), allow_pickle=True)
    elif how == "short":
        array.write_bytes(array.read_bytes()[:-2])
    elif how == "other":
        np.save(array, np.array([0], dtype=np.int32))
    elif how == "float":
        np.save(array, np.load(array).view(np.float32))
    elif how == "fields":
        head.write_text(json.dumps({"format": 2}))
    elif how == "names":
        save_snapshot(replace(small(), names=("x", "y")), tmp_path / "other")
        (tmp_path / "other" / "names.npy").replace(tmp_path / "names.npy")
    else:
        head.write_text(json.dumps(content | {"attributes": [1]}))
    with pytest.raises(ForeignFileError):
        load_snapshot(tmp_path)


def test_a_change_in_the_middle_of_a_large_file_is_found_by_verifying(tmp_path):
    rows = np.arange(50_000, dtype=np.int32)
    entities = [
        Entity(key=EntityKey(f"k{n:05}"), label="Thing", name=f"thing {n}") for n in rows.tolist()
    ]
    large = replace(
        build_snapshot(entities, []), relation_names=Vocabulary(["likes"]), heads=rows, tails=rows,
        relations=np.zeros_like(rows), probabilities=np.ones(len(rows), dtype=np.float32),
    )  # fmt: skip
    save_snapshot(large, tmp_path)
    verify_snapshot(tmp_path)
    tails = np.load(tmp_path / "tails.npy")
    tails[25_000] += 1
    np.save(tmp_path / "tails.npy", tails)
    assert load_snapshot(tmp_path).hash == large.hash
    with pytest.raises(ForeignFileError, match="do not agree"):
        verify_snapshot(tmp_path)
