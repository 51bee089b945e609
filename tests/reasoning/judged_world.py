"""Small graphs, and who predicts on them, for tests of answers that are judged."""

import numpy as np

from evaluation import ece
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.answers import Answer, Answers

__all__ = ["EverywherePredictor", "ListedAnswerer", "TailChances", "bipartite", "chain", "errors"]


def chain():
    def edge(head, tail):
        source = Provenance(kind="asserted", source="test")
        return Edge(head=EntityKey(head), relation="r", tail=EntityKey(tail), provenance=(source,))

    entities = [Entity(key=EntityKey(key), label="X", name=key) for key in "abcd"]
    return build_snapshot(entities, [edge("a", "b"), edge("b", "c"), edge("c", "d")])


def bipartite(heads, tails):
    source = (Provenance(kind="asserted", source="test"),)
    keys = [f"h{head}" for head in range(150)] + [f"t{tail}" for tail in range(40)]
    entities = [Entity(key=EntityKey(key), label="X", name=key) for key in keys]
    edges = [
        Edge(head=EntityKey(f"h{h}"), relation="r", tail=EntityKey(f"t{t}"), provenance=source)
        for h, t in zip(heads, tails, strict=True)
    ]
    return build_snapshot(entities, edges)


class EverywherePredictor:
    """Every edge is as likely as its tail is far down the alphabet."""

    fingerprint = "everywhere"

    def __init__(self, num_entities):
        self.num_entities = num_entities

    def rows(self, entities, *_relation, **_inverse):
        row = 0.1 + 0.1 * np.arange(self.num_entities, dtype=np.float32)
        return np.tile(row, (len(entities), 1))


class TailChances:
    """Each tail has every head with the tail's own chance, and each head every tail so."""

    fingerprint = "chances"

    def __init__(self, graph, chances):
        self.num_entities = graph.num_entities
        self._chances = np.zeros(graph.num_entities, dtype=np.float32)
        for number, chance in enumerate(chances):
            self._chances[graph.entity_id(f"t{number}")] = chance

    def rows(self, entities, _relation, *, inverse=False):
        tails = self._chances > 0
        if inverse:
            return np.outer(self._chances[entities], ~tails).astype(np.float32)
        return np.outer(~tails[entities], self._chances).astype(np.float32)


class ListedAnswerer:
    """Answers every query with the same list: one known answer, then likely ones."""

    def answer(self, trees, k, **_options):
        rows = [
            ("b", 1.0, "known"),
            ("c", 0.5, "likely"),
            ("d", 0.4, "likely"),
            ("a", 0.1, "likely"),
        ]
        listed = tuple(
            Answer(entity=EntityKey(key), score=score, probability=score, status=status)
            for key, score, status in rows
        )
        return [Answers(query=tree, answers=listed[:k], total_known=1) for tree in trees]


def errors(calibration, judged):
    outcomes = np.concatenate([one.outcomes for one in judged])
    raw = np.concatenate([one.scores for one in judged])
    said = np.concatenate([calibration.probabilities(one.query, one.scores) for one in judged])
    return ece(raw, outcomes), ece(said, outcomes)
