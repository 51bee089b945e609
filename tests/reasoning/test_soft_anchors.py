"""Soft anchors: a fuzzy set is what edges of the same probabilities from one entity would reach."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError, LimitError, UnknownEntityError, UnsupportedQueryError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.exact import ExactAnswerer, evaluate
from reasoning.normal_form import normalise
from reasoning.notations import read_query, write_query
from reasoning.predictors import NoPredictor
from reasoning.query import (
    Anchor,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
    structure_name,
)
from reasoning.safety import MAX_NODES, check_size, describe
from reasoning.structures import structure_of
from reasoning.symbolic.answerer import SymbolicAnswerer
from tests.strategies import LABELS, RELATIONS, graphs

SOURCE = EntityKey("zz:mention")


def soft_anchors(entities: int, memberships: tuple[float, ...]) -> st.SearchStrategy[SoftAnchor]:
    """Draw soft anchors over the keys of some entities."""
    keys = st.integers(0, entities - 1).map(lambda number: EntityKey(f"e:{number}"))
    pairs = st.dictionaries(keys, st.sampled_from(memberships), min_size=1, max_size=3)
    return pairs.map(lambda found: SoftAnchor(tuple(found.items())))


def around(soft: Query, data: st.DataObject) -> Query:
    """Draw a safe tree around one leaf."""
    leaf = st.just(soft)
    label = st.sampled_from(LABELS).map(Labelled)

    def bigger(smaller: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
        return st.one_of(
            st.builds(Projection, st.sampled_from(RELATIONS), smaller, st.booleans()),
            st.tuples(smaller, label).map(Intersection),
            st.tuples(label, smaller.map(Negation)).map(Intersection),
            st.tuples(smaller, label).map(Union),
        )

    return data.draw(st.recursive(leaf, bigger, max_leaves=3))


def replaced(node: Query, old: Query, new: Query) -> Query:
    """Return a tree with one leaf exchanged."""
    if node == old:
        return new
    match node:
        case Projection():
            return Projection(node.relation, replaced(node.child, old, new), node.inverse)
        case Negation():
            return Negation(replaced(node.child, old, new))
        case Intersection() | Union():
            return type(node)(tuple(replaced(child, old, new) for child in node.children))
        case _:
            return node


def with_edges(graph: tuple, soft: SoftAnchor) -> Snapshot:
    """Return the graph with an entity from which an edge leads to each candidate."""
    entities, edges = graph
    mention = Entity(key=SOURCE, label="Mention", name="mention")
    meant = [
        Edge(
            head=SOURCE,
            relation="means",
            tail=key,
            provenance=(Provenance(kind="linked", source="a text", probability=membership),),
        )
        for key, membership in soft.candidates
    ]
    return build_snapshot([*entities, mention], [*edges, *meant])


@settings(max_examples=15)
@given(graphs(max_entities=6), st.data())
def test_a_soft_anchor_is_a_hop_of_uncertain_edges(graph: tuple, data: st.DataObject) -> None:
    soft = data.draw(soft_anchors(len(graph[0]), (1.0, 0.7, 0.25)))
    tree = around(soft, data)
    snapshot = with_edges(graph, soft)
    hop = Projection("means", Anchor(SOURCE))
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    one, other = (answerer.rough_truth(each) for each in (tree, replaced(tree, soft, hop)))
    everyone = np.arange(snapshot.num_entities, dtype=np.int32)
    assert np.allclose(one.at(everyone), other.at(everyone))
    lower, truth, upper = one.at(everyone)
    assert (lower <= truth + 1e-12).all()
    assert (truth <= upper + 1e-12).all()


@settings(max_examples=15)
@given(graphs(max_entities=6), st.data())
def test_a_candidate_counts_as_known_from_the_known_probability_on(
    graph: tuple, data: st.DataObject
) -> None:
    soft = data.draw(soft_anchors(len(graph[0]), (1.0, 0.95, 0.9, 0.89, 0.2)))
    tree = around(soft, data)
    snapshot = with_edges(graph, soft)
    proven = evaluate(tree, snapshot)
    hop = Projection("means", Anchor(SOURCE))
    assert proven.tolist() == evaluate(replaced(tree, soft, hop), snapshot).tolist()
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    [found] = answerer.answer([tree], k=snapshot.num_entities, with_proofs=True)
    known = {answer.entity for answer in found.answers if answer.status == "known"}
    assert known == {snapshot.entities.name(int(entity)) for entity in proven}
    [exact] = ExactAnswerer(snapshot).answer([tree], k=snapshot.num_entities, with_proofs=True)
    assert {answer.entity for answer in exact.answers} == known


def test_the_fact_of_a_proof_names_the_membership() -> None:
    nodes = [Entity(key=EntityKey(key), label="City", name=key.upper()) for key in "ab"]
    road = Edge(
        head=EntityKey("a"),
        relation="road",
        tail=EntityKey("b"),
        provenance=(Provenance(kind="asserted", source="a map"),),
    )
    graph = build_snapshot(nodes, [road])
    answerer = SymbolicAnswerer(graph, NoPredictor(2))
    for membership, status in ((0.95, "known"), (0.4, "likely")):
        tree = Projection("road", SoftAnchor(((EntityKey("a"), membership),)))
        [found] = answerer.answer([tree], k=2, with_proofs=True)
        [answer] = found.answers
        assert (answer.entity, answer.status) == ("b", status)
        assert answer.probability == pytest.approx(membership)
        assert answer.proof is not None
        assert answer.proof.facts == (f"A is a candidate, membership {membership:.2f}",)


def test_json_says_it_and_the_other_notations_refuse_it_by_name() -> None:
    soft = SoftAnchor(((EntityKey("a"), 0.5), (EntityKey("b"), 0.25)))
    tree = Projection("r", soft)
    assert read_query(write_query(tree)) == tree
    assert structure_name(tree) == "1p"
    assert describe(soft) == "perhaps a or b"
    for notation in ("cypher", "sparql", "betae"):
        with pytest.raises(UnsupportedQueryError, match="perhaps a or b"):
            write_query(tree, notation)
    nodes = [Entity(key=EntityKey(key), label="City", name=key) for key in "ab"]
    graph = build_snapshot(
        nodes,
        [
            Edge(
                head=EntityKey("a"),
                relation="r",
                tail=EntityKey("b"),
                provenance=(Provenance(kind="asserted", source="a map"),),
            )
        ],
    )
    with pytest.raises(UnsupportedQueryError):
        structure_of(tree, graph)
    assert read_query(write_query(tree), snapshot=graph) == tree
    with pytest.raises(UnknownEntityError):
        read_query({"candidates": {"c": 0.5}}, snapshot=graph)


def test_what_is_no_fuzzy_set_is_refused_and_equal_sets_are_equal() -> None:
    a, b = EntityKey("a"), EntityKey("b")
    for wrong in ((), ((a, 0.0),), ((a, 1.5),), ((a, float("nan")),), ((a, 0.5), (a, 0.4))):
        with pytest.raises(InputError):
            SoftAnchor(wrong)
    assert normalise(SoftAnchor(((a, 0.2), (b, 0.5)))) == normalise(
        SoftAnchor(((b, 0.5), (a, 0.2)))
    )
    assert normalise(SoftAnchor(((a, 1.0),))) == Anchor(a)
    many = SoftAnchor(tuple((EntityKey(f"e:{number}"), 0.5) for number in range(MAX_NODES + 1)))
    with pytest.raises(LimitError):
        check_size(many)
    with pytest.raises(LimitError):
        read_query({"candidates": {key: 0.5 for key, _ in many.candidates}})
