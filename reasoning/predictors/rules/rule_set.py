"""A set of rules as a score model: what fires for an edge, how strongly, and why.

The strength of an edge is the noisy-or of the best rules that predict it, 1 − Π(1 − confidence);
its score is the logarithm of that. Nothing is trained for single entities, so a set works for
entities and edges that were added a minute ago: `RuleSet.on` another graph.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from kg.config_fields import identity
from kg.model import EdgeKey
from kg.snapshot import Snapshot
from reasoning.predictors.adjacency import directed
from reasoning.predictors.rules.config import RuleConfig
from reasoning.predictors.rules.files import read_rules, write_rules
from reasoning.predictors.rules.firing import Firing
from reasoning.predictors.rules.groundings import Groundings
from reasoning.predictors.rules.rule import Rule, RuleReason, rule_text

__all__ = ["LEAST_EVIDENCE", "RuleSet"]

LEAST_EVIDENCE = 1e-3
"""Strength of an edge for which no rule fires, in `RuleSet.scores`."""


class RuleSet:
    """Implements `ScoreModel`; make it with `mine_rules`.

    Args:
        graph: Where rules are evaluated.
        rules: Ids in them are those of `graph`.
        config: Settings they were mined with.
        seed: Seed they were mined with.
    """

    def __init__(
        self, graph: Snapshot, rules: Sequence[Rule], *, config: RuleConfig, seed: int = 0
    ) -> None:
        self.graph = graph
        self.config = config
        self.seed = seed
        ordered = sorted(rules, key=lambda rule: (rule.relation, -rule.confidence))
        self._rules: dict[int, list[Rule]] = {}
        for rule in ordered:
            self._rules.setdefault(rule.relation, []).append(rule)
        self._groundings = Groundings(graph)

    def __len__(self) -> int:
        """Return the number of rules."""
        return sum(map(len, self._rules.values()))

    def __iter__(self) -> Iterator[Rule]:
        """Iterate over the rules by directed relation, the surest first."""
        for rules in self._rules.values():
            yield from rules

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        return self.graph.num_entities

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the rules, of how they are joined, and of the graph they are evaluated on."""
        digest = hashlib.sha256(self.graph.hash.encode())
        digest.update(json.dumps(identity(self.config), sort_keys=True).encode())
        for rule in self:
            digest.update(repr(rule).encode())
        return digest.hexdigest()

    def of(self, relation: int, *, inverse: bool = False) -> tuple[Rule, ...]:
        """Return the rules of a relation read forward or backward, the surest first."""
        step = directed(relation, self.graph.num_relations, inverse=inverse)
        return tuple(self._rules.get(step, ()))

    def scores(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` logarithms of strengths.

        log `LEAST_EVIDENCE` where no rule fires; see `ScoreModel.scores`.
        """
        rows = np.full((len(entities), self.num_entities), self.common_score, dtype=np.float32)
        step = directed(relation, self.graph.num_relations, inverse=inverse)
        codes, scores = self.sparse_scores(entities, np.full(len(entities), step))
        rows.ravel()[codes] = scores
        return rows

    @property
    def common_score(self) -> float:
        """Score of a tail for which no rule fires."""
        return float(np.log(LEAST_EVIDENCE))

    def sparse_scores(
        self, entities: NDArray[np.int32], directed: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the scores of tails for which a rule fires; see `SparseScoreModel`."""
        codes, strengths = self._firing.strengths(entities, directed)
        return codes, np.log(np.maximum(strengths, np.float32(LEAST_EVIDENCE)))

    def evidence(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> csr_matrix:
        """Return ``(len(entities), num_entities)`` strengths in (0, 1) of edges that rules predict.

        Edges of the graph are predicted like others, from the paths beside them.
        """
        step = directed(relation, self.graph.num_relations, inverse=inverse)
        codes, strengths = self._firing.strengths(entities, np.full(len(entities), step))
        rows, tails = np.divmod(codes, max(self.num_entities, 1))
        counts = np.bincount(rows, minlength=len(entities))
        indptr = np.concatenate(([0], np.cumsum(counts)))
        shape = (len(entities), self.num_entities)
        return csr_matrix((strengths, tails.astype(np.int32), indptr), shape=shape)

    @cached_property
    def _firing(self) -> Firing:
        return Firing(self.graph, self._rules, combined=self.config.combined)

    def reasons(
        self, head: str, relation: str, tail: str, count: int = 3
    ) -> tuple[RuleReason, ...]:
        """Return the strongest rules that predict an edge, with the facts that make them fire.

        Args:
            head: Key.
            relation: Name, read forward; rules that predict the head from the tail speak too.
            tail: Key.
            count: Most reasons.

        Raises:
            UnknownEntityError: A key is not in the graph.
            UnknownRelationError: The relation is not in the graph.
        """
        number = self.graph.relation_id(relation)
        ends = (self.graph.entity_id(head), self.graph.entity_id(tail))
        directions = [(rule, *ends) for rule in self.of(number)]
        directions += [(rule, *ends[::-1]) for rule in self.of(number, inverse=True)]
        directions.sort(key=lambda direction: -direction[0].confidence)
        found: list[RuleReason] = []
        facts_told: set[frozenset[EdgeKey]] = set()
        for rule, start, end in directions:
            if len(found) >= count:
                break
            facts = self._facts(rule, start, end)
            # a rule and its reverse fire by the same facts: one reason
            if facts and frozenset(facts) not in facts_told:
                facts_told.add(frozenset(facts))
                found.append(
                    RuleReason(
                        rule=rule_text(rule, self.graph),
                        confidence=rule.confidence,
                        support=rule.support,
                        facts=facts,
                    )
                )
        return tuple(found)

    def _facts(self, rule: Rule, head: int, tail: int) -> tuple[EdgeKey, ...]:
        if rule.tail is not None and rule.tail != tail:
            return ()
        goal = tail if rule.end is None else rule.end
        path = self._groundings.path(head, rule.body, goal) or ()
        steps = zip(rule.body, path, path[1:], strict=False)
        return tuple(self._edge_key(step, start, end) for step, start, end in steps)

    def _edge_key(self, step: int, start: int, end: int) -> EdgeKey:
        count = self.graph.num_relations
        if step >= count:
            start, end = end, start
        name = self.graph.entities.name
        return name(start), self.graph.relation_names.name(step % count), name(end)

    def on(self, graph: Snapshot) -> RuleSet:
        """Return these rules, evaluated on another graph.

        Relations and constants are found by name; rules with one that `graph` lacks are left out.
        """
        old = self.graph
        relations = [graph.relation_names.get(name) for name in old.relation_names.names]
        backward = [None if r is None else r + graph.num_relations for r in relations]
        steps = relations + backward
        rules = []
        for rule in self:
            body = tuple(s for s in (steps[step] for step in rule.body) if s is not None)
            relation, constants = steps[rule.relation], self._constants(rule, graph)
            if relation is not None and len(body) == len(rule.body) and constants is not None:
                end, tail = constants
                rules.append(replace(rule, relation=relation, body=body, end=end, tail=tail))
        return RuleSet(graph, rules, config=self.config, seed=self.seed)

    def _constants(self, rule: Rule, graph: Snapshot) -> tuple[int | None, int | None] | None:
        if rule.end is None or rule.tail is None:
            return None, None
        ends = [graph.entities.get(self.graph.entities.name(i)) for i in (rule.end, rule.tail)]
        return None if None in ends else (ends[0], ends[1])

    def save(self, folder: Path) -> str:
        """Write the rules, bound to the graph; returns the fingerprint of the file."""
        return write_rules(folder, list(self), self.config, self.seed, self.graph)

    @classmethod
    def load(cls, folder: Path, graph: Snapshot) -> RuleSet:
        """Read what `save` wrote.

        Raises:
            MissingPartError: The folder holds no rules.
            CheckpointMismatchError: They were mined from another graph.
            ForeignFileError: A file is not ours or damaged.
            FormatVersionError: It has another format number.
        """
        rules, config, seed = read_rules(folder, graph)
        return cls(graph, rules, config=config, seed=seed)
