"""The edge that an answer hangs on: the least sure of its best proof, the same for every query."""

from functools import partial

import numpy as np
import pytest

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.hinges import hinge, hinges
from reasoning.id_sets import directed_edges
from reasoning.judged_answers import judged_answers
from reasoning.proof_tree import Proof, ProofAnchor, ProofEdge, ProofProjection
from reasoning.query import Anchor, Projection
from reasoning.sampling import one_hop_queries
from reasoning.symbolic.answerer import SymbolicAnswerer

PREDICTED = {("a", "c"): 0.5, ("c", "d"): 0.25, ("b", "d"): 0.75}


def graph(*edges):
    source = (Provenance(kind="asserted", source="test"),)
    entities = [Entity(key=EntityKey(key), label="X", name=key) for key in "abcd"]
    return build_snapshot(
        entities,
        [
            Edge(head=EntityKey(h), relation="r", tail=EntityKey(t), provenance=source)
            for h, t in edges
        ],
    )


class Listed:
    """Predicts the edges of `PREDICTED`."""

    fingerprint = "listed"
    num_entities = 4

    def rows(self, entities, _relation, *, inverse=False):
        table = np.zeros((4, 4), dtype=np.float32)
        for (head, tail), chance in PREDICTED.items():
            table["abcd".index(head), "abcd".index(tail)] = chance
        return (table.T if inverse else table)[entities]


KNOWN = graph("ab")
ANSWERER = SymbolicAnswerer(KNOWN, Listed())


@pytest.mark.parametrize(
    ("query", "entity", "edge"),
    [
        (Projection("r", Anchor(EntityKey("a"))), "c", ("a", "r", "c")),
        (Projection("r", Anchor(EntityKey("c")), inverse=True), "a", ("a", "r", "c")),
        # over b, whose edge is known, and not over c: 0.75 against 0.5 · 0.25
        (Projection("r", Projection("r", Anchor(EntityKey("a")))), "d", ("b", "r", "d")),
    ],
)
def test_an_answer_hangs_on_the_least_sure_edge_of_its_best_proof(query, entity, edge):
    assert hinges(ANSWERER, query, np.array([KNOWN.entity_id(entity)])) == (edge,)


def test_a_proof_of_known_edges_hangs_on_none():
    edge = ProofEdge(head="a", relation="r", tail="b", status="known", probability=0.95)
    step = ProofProjection(entity="b", edge=edge, child=ProofAnchor(entity="a"))
    assert hinge(Proof(tree=step)) is None


def test_judged_answers_name_the_edges_that_they_hang_on():
    full = graph("ab", "ac")
    queries = one_hop_queries(directed_edges(full), directed_edges(KNOWN))
    judged = judged_answers(ANSWERER, [queries], KNOWN, hinges_of=partial(hinges, ANSWERER))
    forward = next(one for one in judged if not one.query.inverse)
    assert forward.hinges == (("a", "r", "c"),)
    assert forward.outcomes.tolist() == [True]
