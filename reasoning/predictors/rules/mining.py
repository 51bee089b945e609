"""Mines path rules from a graph, in seconds to minutes on graphs of a hundred thousand edges.

Confidence is measured under the partial completeness assumption (Galárraga et al., AMIE, WWW 2013):
on heads that have the relation at all, a prediction that is no edge counts as wrong. It is the
question that a predictor asks ("given that something is missing here, what?"); on all entities it
would be lower. A path that uses the predicted edge does not count (`groundings`).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.predictors.paths import Body
from reasoning.predictors.rules.candidates import BodySampler, reversed_body
from reasoning.predictors.rules.config import RuleConfig
from reasoning.predictors.rules.groundings import Groundings, Reached
from reasoning.predictors.rules.items import Items
from reasoning.predictors.rules.rule import Rule
from reasoning.predictors.rules.rule_set import RuleSet

__all__ = ["mine_rules"]


def mine_rules(
    graph: Snapshot,
    config: RuleConfig | None = None,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> RuleSet:
    """Mine the rules of all relations of a graph, in both directions.

    Args:
        graph: The graph.
        config: How many are tried and kept.
        seed: Of the samples; each relation draws its own, so one does not depend on another.
        progress: Told the relations done.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> len(mine_rules(graph))
        0
    """
    config = config or RuleConfig()
    miner = _Miner(graph, config)
    rules: list[Rule] = []
    for relation in range(graph.num_relations):
        generator = np.random.default_rng((seed, relation))
        bodies = miner.sampler.bodies(relation, generator)
        rules += miner.path_rules(relation, bodies, generator)
        back = [reversed_body(body, graph.num_relations) for body in bodies]
        rules += miner.path_rules(relation + graph.num_relations, back, generator)
        for step in (relation, relation + graph.num_relations):
            rules += miner.constant_rules(step)
        progress(relation + 1, graph.num_relations)
    return RuleSet(graph, rules, config=config, seed=seed)


class _Miner:
    def __init__(self, graph: Snapshot, config: RuleConfig) -> None:
        self.sampler = BodySampler(graph, config)
        self._config = config
        self._groundings = Groundings(graph)
        self._items = Items(graph)

    def path_rules(
        self, relation: int, bodies: list[Body], generator: np.random.Generator
    ) -> list[Rule]:
        """Return the best rules of a directed relation among some bodies."""
        edges = self._groundings.step(relation)
        heads = np.flatnonzero(np.diff(edges.indptr)).astype(np.int32)
        if len(heads) > self._config.sampled_heads:
            chosen = generator.choice(heads, self._config.sampled_heads, replace=False)
            heads = np.sort(chosen)
        truth, kept = edges[heads], Reached()
        found = []
        for body in sorted(bodies):
            reached = self._groundings.reach(heads, body, kept, most_paths=self._config.most_paths)
            if reached is not None:
                rule = self._measured(relation, body, reached, truth)
                if rule is not None:
                    found.append(rule)
        return _best(found, self._config.path_rules)

    def _measured(
        self, relation: int, body: Body, reached: csr_matrix, truth: csr_matrix
    ) -> Rule | None:
        predictions, support = reached.nnz, reached.multiply(truth).nnz
        confidence = support / (predictions + self._config.pseudo_count)
        if support < self._config.fewest_hits or confidence < self._config.least_confidence:
            return None
        return Rule(
            relation=relation,
            body=body,
            support=support,
            predictions=predictions,
            confidence=confidence,
        )

    def constant_rules(self, relation: int) -> list[Rule]:
        """Return the best rules with constants of a directed relation, over all its heads."""
        if self._config.constant_rules == 0:
            return []
        edges = self._groundings.step(relation)
        heads = np.flatnonzero(np.diff(edges.indptr)).astype(np.int32)
        items = self._items.of(heads)
        predictions = np.bincount(items.indices, minlength=items.shape[1])
        together = (items.T.tocsr() @ edges[heads]).tocoo()
        support = together.data.astype(np.int64)
        confidence = support / (predictions[together.row] + self._config.pseudo_count)
        keep = (support >= self._config.fewest_hits) & (
            confidence >= max(self._config.least_confidence, _LEAST_WITH_CONSTANTS)
        )
        # "X has the tail c because X has the tail c" is no rule
        keep &= ~self._items.are(together.row, relation, together.col)
        places = np.flatnonzero(keep)
        order = np.lexsort((together.col[places], together.row[places], -confidence[places]))
        places = places[order[: self._config.constant_rules]]
        return [
            Rule(
                relation=relation,
                body=(self._items.step(int(together.row[place])),),
                end=self._items.end(int(together.row[place])),
                tail=int(together.col[place]),
                support=int(support[place]),
                predictions=int(predictions[together.row[place]]),
                confidence=float(confidence[place]),
            )
            for place in places.tolist()
        ]


_LEAST_WITH_CONSTANTS = 0.05
"""There are thousands of them, and the weak ones say no more than that a tail is frequent."""


def _best(rules: list[Rule], most: int) -> list[Rule]:
    return sorted(rules, key=lambda rule: (-rule.confidence, rule.body))[:most]
