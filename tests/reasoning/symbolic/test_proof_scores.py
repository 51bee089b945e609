"""Every proof of many random answers: its edges are what they say, its score is the answer's.

The score is computed again here, from the parts of the proof and the formulas of the operators
(QTO, arXiv 2212.09567), not by the code under test.
"""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.id_sets import directed_edges
from reasoning.proof_tree import (
    ProofAnchor,
    ProofEdge,
    ProofFact,
    ProofGap,
    ProofIntersection,
    ProofNegation,
    ProofNode,
    ProofProjection,
    ProofUnion,
)
from reasoning.query import Query
from reasoning.sampling import sample_queries
from reasoning.structures import STRUCTURES
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig
from tests.reasoning.dense_oracle import TablePredictor, edge_table, random_table

ENTITIES, RELATIONS, ANSWERS = 40, 4, 1_000


def _world(generator: np.random.Generator) -> Snapshot:
    entities = [Entity(key=EntityKey(f"e{i:02}"), label="X", name=f"E{i}") for i in range(ENTITIES)]
    triples = {
        tuple(generator.integers(0, (ENTITIES, RELATIONS, ENTITIES)).tolist()) for _ in range(160)
    }
    edges = [
        Edge(
            head=EntityKey(f"e{head:02}"),
            relation=f"r{relation}",
            tail=EntityKey(f"e{tail:02}"),
            provenance=(
                Provenance(
                    kind="linked", source="s", probability=float(generator.choice([1.0, 0.95, 0.5]))
                ),
            ),
        )
        for head, relation, tail in sorted(triples)
    ]
    return build_snapshot(entities, edges)


def _trees(snapshot: Snapshot, generator: np.random.Generator) -> list[Query]:
    edges = directed_edges(snapshot)
    return [
        queries.tree(row, snapshot)
        for structure in STRUCTURES.values()
        for queries in (sample_queries(structure, 8, edges, generator=generator),)
        for row in range(len(queries))
    ]


def _score(node: ProofNode, power: float) -> float:
    """Compute a proof's score by the operators' formulas."""
    if isinstance(node, ProofAnchor | ProofFact | ProofGap):
        return node.truth
    if isinstance(node, ProofProjection):
        edge = 1.0 if node.edge.status == "known" else node.edge.probability
        return edge * _score(node.child, power)
    if isinstance(node, ProofIntersection):
        return prod(_score(branch, power) for branch in node.branches)
    if isinstance(node, ProofUnion):
        return 1.0 - prod(1.0 - _score(branch, power) for branch in node.branches)
    assert isinstance(node, ProofNegation)
    return (1.0 - _score(node.child, power)) ** power


def _edges(node: ProofNode) -> list[ProofEdge]:
    """Return all edges, also those of the case against a negation and of idle branches."""
    if isinstance(node, ProofProjection):
        return [node.edge, *_edges(node.child)]
    if isinstance(node, ProofIntersection | ProofUnion):
        return [edge for branch in node.branches for edge in _edges(branch)]
    return _edges(node.child) if isinstance(node, ProofNegation) else []


@pytest.mark.parametrize("power", [1.0, 2.5])
def test_proofs_of_a_thousand_answers_check_out(power: float) -> None:
    generator = np.random.default_rng(7)
    snapshot = _world(generator)
    table = random_table(snapshot, 7)
    truth = edge_table(snapshot, table)
    answerer = SymbolicAnswerer(
        snapshot, TablePredictor(table), SymbolicConfig(epsilon=0.0, negation_power=power)
    )
    found = answerer.answer(_trees(snapshot, generator), 10, with_proofs=True)
    everything = [answer for answers in found for answer in answers.answers]
    assert len(everything) >= ANSWERS
    for answer in generator.permutation(np.array(everything, dtype=object))[:ANSWERS]:
        assert answer.proof is not None
        assert _score(answer.proof.tree, power) == pytest.approx(answer.score, abs=1e-9)
        for edge in _edges(answer.proof.tree):
            place = (
                snapshot.relation_id(edge.relation),
                snapshot.entity_id(edge.head),
                snapshot.entity_id(edge.tail),
            )
            stored = snapshot.edge_probability(place[1], place[0], place[2])
            if edge.status == "known":
                assert stored == edge.probability >= 0.9
            elif edge.status == "predicted":
                assert stored < 0.9
                assert edge.probability == pytest.approx(truth[place], abs=1e-6)
            else:
                assert stored < 0.9
                assert edge.probability == 0.0
