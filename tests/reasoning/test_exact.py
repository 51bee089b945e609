"""The exact evaluator: brute force agrees, proofs hold, unsafe and unknown things are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kg.errors import (
    LimitError,
    SettingError,
    UnknownEntityError,
    UnknownRelationError,
    UnsafeQueryError,
)
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot, load_snapshot, save_snapshot
from reasoning.comparisons import compares
from reasoning.exact import ExactAnswerer, answer_set, evaluate
from reasoning.known_edges import known_edges
from reasoning.protocols import Edits
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Span,
    Union,
    walk,
)
from tests.reasoning.oracles import brute_force, known_triples
from tests.strategies import RELATIONS, Case, cases, costly, graphs, safe_trees

ARABIC = Anchor(EntityKey("language:ara"))


def entity(key: str, label: str = "Country", **attributes: object) -> Entity:
    name = key.partition(":")[2] or key
    return Entity(key=EntityKey(key), label=label, name=name, attributes=attributes)


def edge(head: str, relation: str, tail: str, probability: float = 1.0) -> Edge:
    source = Provenance(kind="linked", source="a text", probability=probability)
    return Edge(head=EntityKey(head), relation=relation, tail=EntityKey(tail), provenance=(source,))


def small_world() -> Snapshot:
    entities = [
        entity("country:A", size=1),
        entity("country:B", size=2),
        entity("country:C", size=3),
        entity("language:ara", "Language"),
        entity("language:eng", "Language"),
    ]
    edges = [
        edge("country:A", "borders", "country:B"),
        edge("country:B", "borders", "country:A"),
        edge("country:B", "borders", "country:C", 0.92),
        edge("country:C", "borders", "country:B", 0.5),
        edge("country:A", "speaks", "language:ara"),
        edge("country:B", "speaks", "language:ara", 0.95),
        edge("country:C", "speaks", "language:eng"),
    ]
    return build_snapshot(entities, edges)


def keys(tree: Query, snapshot: Snapshot, edits: Edits | None = None) -> list[str]:
    ids = evaluate(tree, snapshot, edits=edits)
    return [snapshot.entities.name(int(i)) for i in ids]


@costly
@given(cases())
@example(
    Case(
        (entity("e:0"), entity("e:1", "Language")),
        (edge("e:0", "borders", "e:0"), edge("e:0", "speaks", "e:0", 0.5)),
        Intersection((Labelled("Country"), Union((Anchor("e:1"), Negation(Anchor("e:1")))))),
    )
)
def test_exact_equals_brute_force(case: Case) -> None:
    assert keys(case.tree, case.snapshot) == brute_force(case.tree, case.entities, case.edges)


@costly
@given(cases(), st.data())
def test_edits_equal_another_graph(case: Case, data: st.DataObject) -> None:
    some = st.sampled_from(case.entities).map(lambda e: e.key)
    chosen = st.frozensets(st.tuples(some, st.sampled_from(RELATIONS), some), max_size=4)
    present = st.frozensets(st.sampled_from([e.key for e in case.edges]), max_size=3)
    edits = Edits(added=data.draw(chosen), removed=data.draw(present))
    kept = [e for e in case.edges if e.key not in edits.removed | edits.added]
    edited = [*kept, *(edge(*key) for key in edits.added - edits.removed)]
    assert keys(case.tree, case.snapshot, edits) == brute_force(case.tree, case.entities, edited)
    assert keys(case.tree, case.snapshot) == brute_force(case.tree, case.entities, case.edges)


@costly
@given(cases())
def test_each_proof_stands_in_the_graph_and_proves_its_answer(case: Case) -> None:
    [found] = ExactAnswerer(case.snapshot).answer([case.tree], k=99, with_proofs=True)
    triples = known_triples(case.edges)
    negative = any(isinstance(node, Negation) for node in walk(found.query))
    for answer in found.answers:
        assert answer.proof is not None
        assert answer.proof.score() == answer.score == 1.0
        known = [e for e in answer.proof.edges if e.status == "known"]
        assert all((e.head, e.relation, e.tail) in triples for e in known)
        absent = [e for e in answer.proof.edges if e.status == "absent"]
        assert not any((e.head, e.relation, e.tail) in triples for e in absent)
        assert {e.status for e in answer.proof.edges} <= {"known", "absent"}
        if not negative:
            only = [edge(e.head, e.relation, e.tail) for e in known]
            assert answer.entity in brute_force(case.tree, case.entities, only)


@costly
@given(graphs(), st.data())
def test_a_batch_equals_a_loop(graph: tuple, data: st.DataObject) -> None:
    entities, edges = graph
    trees = data.draw(st.lists(safe_trees(len(entities)), max_size=4))
    answerer = ExactAnswerer(build_snapshot(entities, edges))
    together = answerer.answer(trees, 3, with_proofs=True)
    assert together == [answerer.answer([tree], 3, with_proofs=True)[0] for tree in trees]


def test_the_best_proof_takes_the_most_probable_edges() -> None:
    graph = small_world()
    tree = Projection("borders", Projection("speaks", ARABIC, inverse=True))
    [found] = ExactAnswerer(graph).answer([tree], 9, with_proofs=True)
    assert [a.entity for a in found.answers] == ["country:A", "country:B", "country:C"]
    proofs = {a.entity: a.proof for a in found.answers}
    assert proofs["country:B"] is not None
    assert [(e.head, e.tail) for e in proofs["country:B"].edges] == [
        ("country:A", "country:B"),
        ("country:A", "language:ara"),
    ]
    assert proofs["country:B"].probability == 1.0
    assert proofs["country:C"] is not None
    assert proofs["country:C"].probability == pytest.approx(0.92 * 0.95, abs=1e-6)


def test_facts_are_said_in_words() -> None:
    tree = Intersection(
        (
            Labelled("Country"),
            Compare("size", ">", 1),
            Negation(Projection("speaks", ARABIC, inverse=True)),
            Negation(Compare("size", "=", 4)),
            Negation(Projection("borders", Labelled("Language"))),
        )
    )
    [found] = ExactAnswerer(small_world()).answer([tree], 1, with_proofs=True)
    assert found.answers[0].proof is not None
    assert set(found.answers[0].proof.facts) == {
        "C is a Country",
        "size of C is 3, > 1",
        "not size of C = 4",
        "C is none of: borders ← a Language",
    }
    [absent] = found.answers[0].proof.edges
    assert (absent.head, absent.tail, absent.status) == ("country:C", "language:ara", "absent")


def test_k_cuts_answers_but_not_their_number() -> None:
    [found] = ExactAnswerer(small_world()).answer([Labelled("Country")], 2)
    assert [a.entity for a in found.answers] == ["country:A", "country:B"]
    assert found.total_known == 3
    assert found.bound is None


def test_the_known_probability_is_a_setting() -> None:
    tree = Projection("borders", Anchor(EntityKey("country:C")))
    counts = {}
    for probability in (0.5, 0.9, 0.93):
        [found] = ExactAnswerer(small_world(), probability).answer([tree], 9)
        counts[probability] = found.total_known
    assert counts == {0.5: 1, 0.9: 0, 0.93: 0}
    with pytest.raises(SettingError, match="known_probability"):
        ExactAnswerer(small_world(), 1.5)


def test_an_edge_of_exactly_the_known_probability_is_known() -> None:
    graph = build_snapshot([entity("e:0")], [edge("e:0", "borders", "e:0", 0.9)])
    assert known_edges(graph).has(0, 0, 0)


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        (Negation(Labelled("Country")), "/"),
        (Intersection((Negation(Labelled("X")), Negation(Labelled("Y")))), "/0"),
        (Union((Labelled("Country"), Negation(ARABIC))), "/1"),
        (Projection("speaks", Negation(ARABIC)), "/child"),
        (Intersection((ARABIC, Projection("speaks", Union((Negation(ARABIC), ARABIC))))), "/0"),
    ],
)
def test_an_unsafe_query_is_refused_with_its_branch(tree: Query, path: str) -> None:
    with pytest.raises(UnsafeQueryError, match="everything but") as caught:
        evaluate(tree, small_world())
    assert f"{path} " in str(caught.value)


def test_an_unsafe_branch_knows_its_place_in_the_text() -> None:
    span = Span(7, 30, 1, 8)
    with pytest.raises(UnsafeQueryError) as caught:
        evaluate(Union((ARABIC, Negation(ARABIC, span=span))), small_world())
    assert (caught.value.position, caught.value.line, caught.value.column) == (7, 1, 8)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownRelationError) as relation:
        evaluate(Projection("bordrs", ARABIC), small_world())
    assert relation.value.nearest == ("borders",)
    with pytest.raises(UnknownEntityError):
        evaluate(Anchor(EntityKey("country:Z")), small_world())
    edits = Edits(added=frozenset({(EntityKey("country:A"), "likes", EntityKey("country:B"))}))
    with pytest.raises(UnknownRelationError):
        evaluate(ARABIC, small_world(), edits=edits)


def test_an_unknown_name_is_refused_even_where_nothing_is_left_to_compare() -> None:
    empty = Compare("size", ">", 99)
    unknown = Negation(Projection("likes", ARABIC))
    with pytest.raises(UnknownRelationError):
        evaluate(Intersection((empty, unknown)), small_world())


def test_a_snapshot_in_mapped_files_answers_alike(tmp_path: Path) -> None:
    save_snapshot(small_world(), tmp_path)
    mapped = load_snapshot(tmp_path)
    tree = Projection("borders", Projection("speaks", ARABIC, inverse=True))
    assert keys(tree, mapped) == keys(tree, small_world())
    edits = Edits(removed=frozenset({(EntityKey("country:B"), "speaks", ARABIC.entity)}))
    assert keys(tree, mapped, edits) == ["country:B"]


def test_only_relations_of_the_query_are_touched_and_edits_leave_the_others() -> None:
    edges = known_edges(small_world())
    borders, speaks = (edges.snapshot.relation_id(name) for name in ("borders", "speaks"))
    answer_set(Projection("borders", Anchor(EntityKey("country:A"))), edges)
    assert list(edges._rows) == [(borders, False)]
    new = (EntityKey("country:C"), "speaks", ARABIC.entity)
    edited = edges.with_edits(Edits(added=frozenset({new})))
    assert edited.row(borders) is edges.row(borders)
    assert edited.has(edges.snapshot.entity_id("country:C"), speaks, 3)
    assert not edges.has(edges.snapshot.entity_id("country:C"), speaks, 3)


def test_a_tree_that_is_too_deep_is_refused() -> None:
    tree: Query = ARABIC
    for _ in range(5_000):
        tree = Projection("borders", tree)
    with pytest.raises(LimitError, match="deeper"):
        evaluate(tree, small_world())


def test_at_least_one_answer_must_be_asked_for() -> None:
    with pytest.raises(SettingError):
        ExactAnswerer(small_world()).answer([ARABIC], 0)


@pytest.mark.parametrize(
    ("value", "comparison", "other", "expected"),
    [
        (None, "<>", 1, False),
        (None, "=", 1, False),
        ("a", "<>", 1, True),
        ("a", "<", 1, False),
        (True, "=", 1, False),
        (False, "<", True, True),
        (1, "=", 1.0, True),
        ((1, 2), "=", (1, 2.0), True),
        ((1, 2), "=", 1, False),
        ((1, 2), "contains", 1, False),
        ((1, 2), "<", (1, 3), False),
        ("ab", "starts with", "a", True),
        (12, "starts with", 1, False),
        (2, "in", (1, 2), True),
        (2, "in", (), False),
        (True, "in", (1,), False),
    ],
)
def test_comparisons_mean_what_cypher_says(
    value: object, comparison: str, other: object, expected: bool
) -> None:
    assert compares(value, comparison, other) is expected
