import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import SettingError, UnsafeQueryError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.exact import evaluate
from reasoning.id_sets import DirectedEdges, answer_codes, directed_edges
from reasoning.query import Intersection, Negation, structure_name, walk
from reasoning.sampling import MAX_ANSWERS, QuerySet, one_hop_queries, sample_queries
from reasoning.structures import STRUCTURES, TRAINING_STRUCTURES, Structure, fill, structure_of

SOURCE = (Provenance(kind="asserted", source="test"),)


def graph(seed: int, entities: int = 12, relations: int = 3, edges: int = 50) -> Snapshot:
    draw = np.random.default_rng(seed)
    keys = [EntityKey(f"e{i:02}") for i in range(entities)]
    triples = {tuple(draw.integers(0, (entities, relations, entities))) for _ in range(edges)}
    return build_snapshot(
        [Entity(key=key, label="Thing", name=key) for key in keys],
        [
            Edge(head=keys[h], relation=f"r{r}", tail=keys[t], provenance=SOURCE)
            for h, r, t in triples
        ],
    )


def split(snapshot: Snapshot, seed: int) -> Snapshot:
    return snapshot.keeping(np.random.default_rng(seed).random(snapshot.num_edges) < 0.8)


def drawn(
    name: str, snapshot: Snapshot, known: Snapshot | None = None, count: int = 40
) -> QuerySet:
    return sample_queries(
        STRUCTURES[name],
        count,
        directed_edges(snapshot),
        generator=np.random.default_rng(7),
        known=None if known is None else directed_edges(known),
    )


def test_all_fourteen_structures_have_their_names():
    assert len(STRUCTURES) == 14
    assert all(structure_name(s.tree) == name for name, s in STRUCTURES.items())
    assert set(TRAINING_STRUCTURES) < set(STRUCTURES)


@pytest.mark.parametrize("name", sorted(STRUCTURES))
def test_sampled_answers_are_those_of_the_exact_evaluator(name):
    snapshot = graph(1, edges=80)
    known = split(snapshot, 2)
    queries = drawn(name, snapshot, known)
    assert len(queries) >= 10
    for row in range(len(queries)):
        tree = queries.tree(row, snapshot)
        assert structure_name(tree) == name
        full, easy = set(evaluate(tree, snapshot)), set(evaluate(tree, known))
        assert set(queries.easy[row]) == easy
        assert set(queries.hard[row]) == full - easy
        assert 0 < len(queries.hard[row]) <= MAX_ANSWERS
        assert list(queries.easy[row]) == sorted(queries.easy[row])


@pytest.mark.parametrize("name", ["2in", "3in", "inp", "pin", "pni"])
def test_a_negation_retracts_something(name):
    snapshot = graph(3)
    queries = drawn(name, snapshot)
    assert len(queries)
    for row in range(len(queries)):
        tree = queries.tree(row, snapshot)
        if isinstance(tree, Intersection):
            rest = [b for b in tree.children if not isinstance(b, Negation)]
            wider = rest[0] if len(rest) == 1 else Intersection(tuple(rest))
            assert len(evaluate(wider, snapshot)) > len(queries.easy[row])


@pytest.mark.parametrize("name", ["2in", "3in", "inp", "pin", "pni"])
def test_new_edges_retract_an_answer_of_a_negation(name):
    snapshot = graph(1, edges=80)
    known = split(snapshot, 2)
    queries = drawn(name, snapshot, known)
    assert len(queries)
    for row in range(len(queries)):
        answers = set(evaluate(queries.tree(row, snapshot), snapshot))
        assert set(queries.easy[row]) - answers


@pytest.mark.parametrize("name", ["2p", "2in"])
def test_too_many_answers_are_rejected(name, monkeypatch):
    monkeypatch.setattr("reasoning.sampling.MAX_ANSWERS", 1)
    snapshot = graph(1, edges=80)
    queries = drawn(name, snapshot, split(snapshot, 2))
    assert len(queries)
    assert {len(hard) for hard in queries.hard} == {1}


@pytest.mark.parametrize("name", sorted(STRUCTURES))
def test_queries_are_distinct_and_so_are_their_branches(name):
    queries = drawn(name, graph(4), count=60)
    slots = np.concatenate([queries.anchors, queries.relations], axis=1)
    assert len(np.unique(slots, axis=0)) == len(slots)
    for row in range(len(queries)):
        for node in walk(queries.tree(row, graph(4))):
            if isinstance(node, Intersection):
                assert len(set(node.children)) == len(node.children)


def test_a_hop_does_not_run_back_over_the_last():
    queries = drawn("2p", graph(5), count=200)
    assert (queries.relations[:, 0] != queries.relations[:, 1] ^ 1).all()


def test_the_same_seed_draws_the_same_queries():
    one, other = drawn("pin", graph(6)), drawn("pin", graph(6))
    np.testing.assert_array_equal(one.anchors, other.anchors)
    np.testing.assert_array_equal(one.relations, other.relations)


def test_one_hop_queries_are_every_row_with_a_missing_tail():
    snapshot = graph(8)
    known = split(snapshot, 9)
    queries = one_hop_queries(directed_edges(snapshot), directed_edges(known))
    missing = {
        (h, 2 * r, t)
        for h, r, t in zip(snapshot.heads, snapshot.relations, snapshot.tails, strict=True)
    } - {(h, 2 * r, t) for h, r, t in zip(known.heads, known.relations, known.tails, strict=True)}
    missing |= {(t, code ^ 1, h) for h, code, t in missing}
    found = {
        (int(queries.anchors[row, 0]), int(queries.relations[row, 0]), int(hard))
        for row in range(len(queries))
        for hard in queries.hard[row]
    }
    assert found == missing


def test_anchors_and_answers_can_be_restricted():
    snapshot = graph(10)
    answers = np.array([3, 4], dtype=np.int32)
    anchors = np.arange(12) < 6
    edges = directed_edges(snapshot)
    draw = np.random.default_rng(0)
    queries = sample_queries(
        STRUCTURES["2i"], 20, edges, generator=draw, answers_from=answers, anchors_from=anchors
    )
    assert len(queries)
    assert anchors[queries.anchors].all()
    assert all({3, 4} & set(easy) for easy in queries.easy)


@given(st.integers(0, 500), st.sampled_from(sorted(STRUCTURES)))
def test_filling_a_structure_is_undone_by_taking_it_apart(seed, name):
    snapshot = graph(0)
    draw = np.random.default_rng(seed)
    structure = STRUCTURES[name]
    anchors = tuple(draw.integers(0, 12, structure.num_anchors).tolist())
    relations = tuple(draw.integers(0, 6, structure.num_relations).tolist())
    tree = fill(structure, anchors, relations, snapshot)
    assert structure_of(tree, snapshot) == (structure, anchors, relations)


def test_a_graph_without_edges_gives_no_queries():
    assert len(drawn("2i", graph(0, edges=0))) == 0
    assert len(one_hop_queries(directed_edges(graph(0, edges=0)))) == 0


def test_a_negation_alone_is_refused():
    structure = Structure(Negation(STRUCTURES["1p"].tree), 1, 1)
    nothing = np.zeros((1, 1), dtype=np.int32)
    edges: DirectedEdges = directed_edges(graph(0))
    with pytest.raises(UnsafeQueryError):
        answer_codes(structure, nothing, nothing, edges)


def test_a_negative_count_is_refused():
    with pytest.raises(SettingError, match="count"):
        drawn("1p", graph(0), count=-1)
