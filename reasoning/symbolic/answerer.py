"""Neuro-symbolic answering: fold the query over known and predicted edges; the default.

After QTO (Bai et al., arXiv 2212.09567) with a calibrated link predictor. Differences: a negated
branch means "no such edge" (1 − max over bindings, as first-order logic reads it), edges are only
predicted between labels that their relation joins, every answer carries rough truth
(`reasoning.symbolic.fuzzy`), and what pruning may have hidden is stated as a bound. Optimal on trees: the
best binding of all variables is found, and `reasoning.symbolic.explanation` shows it.

An answer is known if the exact evaluator proves it, negation read closed-world; its probability
may still be below 1 there, since an edge that a negation forbids may only be missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, assert_never, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError, UnsafeQueryError
from kg.model import EntityKey
from kg.snapshot import Snapshot
from reasoning.answers import Answer, Answers, order_answers
from reasoning.comparisons import matching
from reasoning.exact import answer_set
from reasoning.known_edges import Ids, known_edges
from reasoning.normal_form import normalise
from reasoning.proofs import Prover
from reasoning.protocols import Edits, LinkPredictor
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
)
from reasoning.safety import check_safe, describe
from reasoning.symbolic.explanation import FuzzyProver
from reasoning.symbolic.fuzzy import (
    TRUTH,
    UPPER,
    FuzzySet,
    crisp,
    either,
    together,
    transported,
)
from reasoning.symbolic.likely_edges import LikelyEdges, PredictedRows, SymbolicConfig
from reasoning.symbolic.prior import prior

__all__ = ["Evaluation", "ExplainsEdges", "SymbolicAnswerer"]

_PRIOR_WEIGHT = 1e-6
"""Share of the fall-back in `SymbolicAnswerer.scores`: it orders ties and nothing else."""


@runtime_checkable
class ExplainsEdges(Protocol):
    """A link predictor that can say why it believes in an edge."""

    def reasons(self, head: str, relation: str, tail: str) -> list[str]:
        """Return sentences, the strongest reason first; keys and relation name given."""
        ...


class Evaluation:
    """The values of every node of one query; equal subtrees are computed once.

    Args:
        edges: Likely edges.
    """

    def __init__(self, edges: LikelyEdges) -> None:
        self.edges = edges
        self._found: dict[Query, FuzzySet] = {}

    def value(self, node: Query) -> FuzzySet:
        """Return the fuzzy set of a safe node in normal form."""
        found = self._found.get(node)
        if found is None:
            found = self._found[node] = self._computed(node)
        return found

    def _computed(self, node: Query) -> FuzzySet:
        snapshot = self.edges.snapshot
        match node:
            case Anchor(entity=key):
                return crisp(np.array([snapshot.entity_id(key)], dtype=np.int32))
            case SoftAnchor(candidates=candidates):
                return _candidates(candidates, snapshot, self.edges.config.known_probability)
            case Labelled(label=label):
                return crisp(snapshot.ids_with_label(label))
            case Compare():
                return crisp(matching(snapshot, node))
            case Projection(relation=relation, child=child, inverse=inverse):
                start, number = self.value(child), snapshot.relation_id(relation)
                entries = self.edges.entries(start, number, inverse=inverse)
                return transported(start, entries, snapshot.num_entities)
            case Intersection(children=branches):
                positive = [b for b in branches if not isinstance(b, Negation)]
                negative = [b.child for b in branches if isinstance(b, Negation)]
                return together(self._values(positive), self._values(negative))
            case Union(children=branches):
                return either(self._values(branches))
            case Negation():
                raise UnsafeQueryError(f"a negation without a positive branch ({describe(node)})")
            case _:
                assert_never(node)

    def _values(self, nodes: Iterable[Query]) -> list[FuzzySet]:
        return [self.value(node) for node in nodes]


class SymbolicAnswerer:
    """Implements `ScoringAnswerer` over a snapshot and a link predictor.

    Args:
        snapshot: The graph.
        predictor: Its link predictor.
        config: Thresholds and limits.

    Raises:
        SettingError: The predictor scores another number of entities.

    Example:
        >>> from kg.model import Entity, EntityKey
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.predictors import NoPredictor
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> answerer = SymbolicAnswerer(graph, NoPredictor(graph.num_entities))
        >>> answerer.answer([Labelled("City")], k=3)[0].answers[0].status
        'known'
    """

    def __init__(
        self, snapshot: Snapshot, predictor: LinkPredictor, config: SymbolicConfig | None = None
    ) -> None:
        if predictor.num_entities != snapshot.num_entities:
            raise SettingError(
                f"the predictor scores {predictor.num_entities} entities, "
                f"the snapshot has {snapshot.num_entities}"
            )
        self.snapshot = snapshot
        self.predictor = predictor
        self.config = config or SymbolicConfig()
        self._known = known_edges(snapshot, known_probability=self.config.known_probability)
        rows = PredictedRows(predictor, self.config)
        self._likely = LikelyEdges(snapshot, rows, self.config)

    def answer(
        self,
        trees: Sequence[Query],
        k: int,
        *,
        edits: Edits | None = None,
        with_proofs: bool = False,
    ) -> list[Answers]:
        """Answer a batch of queries; see `Answerer.answer`.

        An edge that `edits` takes away does not hold at all for this call: it is not predicted
        either.
        """
        if k < 1:
            raise SettingError(f"k is {k}, but at least one answer must be asked for")
        likely = self._likely.with_edits(edits)
        known = self._known.with_edits(edits)
        found = []
        for tree in trees:
            check_safe(tree)
            query = normalise(tree)
            evaluation = Evaluation(likely)
            proven = answer_set(query, known)
            answers, bound = self._ranked(evaluation.value(query), proven, k)
            if with_proofs:
                provers = (Prover(query, known), FuzzyProver(query, evaluation))
                answers = [self._proved(answer, *provers) for answer in answers]
            found.append(
                Answers(
                    query=query,
                    answers=order_answers(answers),
                    total_known=len(proven),
                    bound=bound,
                )
            )
        return found

    def scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        """Return ``(num_queries, num_entities)`` truths; see `ScoringAnswerer.scores`.

        Entities of equal truth (mostly 0) are told apart by a small dense prior: how often they
        are a tail of the query's last relations.
        """
        scores = np.zeros((len(trees), self.snapshot.num_entities), dtype=np.float32)
        for place, tree in enumerate(trees):
            check_safe(tree)
            query = normalise(tree)
            value = Evaluation(self._likely).value(query)
            row = _PRIOR_WEIGHT * prior(query, self.snapshot)
            row[value.ids] += (1.0 - _PRIOR_WEIGHT) * value.values[TRUTH]
            scores[place] = row
        return scores

    def rough_truth(self, tree: Query, *, edits: Edits | None = None) -> FuzzySet:
        """Return lower, truth and upper of all entities, with owners in the upper value.

        An entity whose image holds a part that may be an answer gets the part's upper value: it
        belongs into the rim (`specs`: rough truth), its lower value and truth stay.
        """
        check_safe(tree)
        found = Evaluation(self._likely.with_edits(edits)).value(normalise(tree))
        return _with_owners(found, self.snapshot)

    def reasons(self, head: str, relation: str, tail: str) -> list[str]:
        """Return why the predictor believes in an edge; nothing if it cannot say."""
        if isinstance(self.predictor, ExplainsEdges):
            return self.predictor.reasons(head, relation, tail)
        return []

    def _ranked(self, value: FuzzySet, proven: Ids, k: int) -> tuple[list[Answer], float | None]:
        """Return the k best answers, known ones first, and a bound on all others if needed."""
        truth = value.values[TRUTH]
        is_known = np.isin(value.ids, proven, assume_unique=True)
        places = np.flatnonzero((truth > 0.0) | is_known)
        # ids ascend as keys do, so a stable sort breaks ties by key
        order = places[np.lexsort((-truth[places], ~is_known[places]))]
        listed, left = order[:k], order[k:]
        answers = [self._answer(value, int(place), bool(is_known[place])) for place in listed]
        likely_left = float(truth[left].max(initial=0.0)) + value.above
        surest_doubt = float(truth[listed].min(initial=1.0)) - value.below
        exact = value.above == value.below == 0.0 or (len(left) > 0 and surest_doubt >= likely_left)
        return answers, None if exact else min(1.0, likely_left)

    def _answer(self, value: FuzzySet, place: int, is_known: bool) -> Answer:
        lower, truth, upper = (float(row[place]) for row in value.values)
        return Answer(
            entity=self.snapshot.entities.name(int(value.ids[place])),
            score=truth,
            probability=truth,
            status="known" if is_known else "likely",
            lower=lower,
            upper=upper,
        )

    def _proved(self, answer: Answer, known: Prover, likely: FuzzyProver) -> Answer:
        entity = self.snapshot.entity_id(answer.entity)
        if answer.status == "known":
            proof = likely.proof_of_known(entity, known)
        else:
            proof = likely.proof(entity)
        fields = {name: getattr(answer, name) for name in _ANSWER_FIELDS}
        return Answer(**fields, proof=proof)


_ANSWER_FIELDS = ("entity", "score", "probability", "status", "region", "lower", "upper")


def _candidates(
    candidates: Sequence[tuple[EntityKey, float]], snapshot: Snapshot, known_probability: float
) -> FuzzySet:
    """Return a soft anchor's memberships; the lower value is 0 where one is not known."""
    found = sorted((snapshot.entity_id(key), value) for key, value in candidates)
    truth = np.array([value for _, value in found], dtype=np.float64)
    lower = np.where(truth >= known_probability, truth, 0.0)
    ids = np.array([entity for entity, _ in found], dtype=np.int32)
    return FuzzySet(ids=ids, values=np.stack([lower, truth, truth]))


def _with_owners(found: FuzzySet, snapshot: Snapshot) -> FuzzySet:
    parents = snapshot.parents[found.ids]
    has_parent = parents >= 0
    upper = np.zeros(snapshot.num_entities)
    np.maximum.at(upper, parents[has_parent], found.values[UPPER, has_parent])
    ids = np.union1d(found.ids, np.flatnonzero(upper)).astype(np.int32)
    values = found.at(ids)
    values[UPPER] = np.maximum(values[UPPER], upper[ids])
    return FuzzySet(ids=ids, values=values, above=found.above, below=found.below)
