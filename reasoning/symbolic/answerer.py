"""Neuro-symbolic answering: fold the query over known and predicted edges; the default.

After QTO (Bai et al., arXiv 2212.09567) with a calibrated link predictor. Differences: a negated
branch means "no such edge" (1 − max over bindings, as first-order logic reads it), edges are only
predicted between labels that their relation joins, every answer carries rough truth
(`reasoning.symbolic.fuzzy`), and what pruning may have hidden is stated as a bound. Optimal on
trees: the best binding of all variables is found, and `reasoning.symbolic.explanation` shows it.

An answer is known if the exact evaluator proves it, negation read closed-world; its probability
may still be below 1 there, since an edge that a negation forbids may only be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from kg.snapshot import Snapshot
from reasoning.answer_calibration import AnswerCalibration
from reasoning.answers import Answer, Answers, order_answers
from reasoning.exact import known_answers
from reasoning.known_edges import Ids, KnownEdges, contains, known_edges
from reasoning.normal_form import normalise
from reasoning.of_each import OfEach, Positions, best_after
from reasoning.proofs import Prover
from reasoning.protocols import EdgeReason, Edits, ExplainsEdges, LinkPredictor
from reasoning.query import Negation, Query, SoftAnchor, walk
from reasoning.safety import check_safe
from reasoning.symbolic.config import SymbolicConfig
from reasoning.symbolic.evaluation import Evaluation
from reasoning.symbolic.explanation import FuzzyProver
from reasoning.symbolic.fuzzy import LOWER, TRUTH, UPPER, FuzzySet
from reasoning.symbolic.likely_edges import LikelyEdges
from reasoning.symbolic.predicted_rows import PredictedRows
from reasoning.symbolic.prior import PRIOR_WEIGHT, Prior

__all__ = ["Evaluation", "SymbolicAnswerer"]


class SymbolicAnswerer:
    """Implements `ScoringAnswerer` over a snapshot and a link predictor.

    Args:
        snapshot: The graph.
        predictor: Its link predictor.
        config: Thresholds and limits.
        row_folder: Where predicted rows are kept between processes; in memory only if None.
        calibration: Turns scores of likely answers into probabilities; a score is taken for one if
            None.

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
        self,
        snapshot: Snapshot,
        predictor: LinkPredictor,
        config: SymbolicConfig | None = None,
        *,
        row_folder: Path | None = None,
        calibration: AnswerCalibration | None = None,
    ) -> None:
        if predictor.num_entities != snapshot.num_entities:
            raise SettingError(
                f"the predictor scores {predictor.num_entities} entities, "
                f"the snapshot has {snapshot.num_entities}"
            )
        self.snapshot = snapshot
        self.predictor = predictor
        self.config = config or SymbolicConfig()
        self.calibration = calibration
        self._known = known_edges(snapshot, known_probability=self.config.known_probability)
        self._rows = PredictedRows(predictor, self.config, row_folder)
        self._prior = Prior(snapshot)
        self._likely = LikelyEdges(snapshot, self._rows, self.config)

    def answer(
        self,
        trees: Sequence[Query],
        k: int,
        *,
        edits: Edits | None = None,
        with_proofs: bool = False,
        each: OfEach | None = None,
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
        for queries in self._batches(trees):
            evaluation = Evaluation(likely, queries)
            for query in queries:
                value = evaluation.value(query)
                proven = _proven(query, value, known)
                answers, bound, more = self._ranked(query, value, proven, k, each)
                if with_proofs:
                    provers = (Prover(query, known), FuzzyProver(query, evaluation))
                    answers = [self._proved(answer, *provers) for answer in answers]
                found.append(
                    Answers(
                        query=query,
                        answers=order_answers(answers),
                        total_known=len(proven),
                        bound=bound,
                        more=more,
                    )
                )
            self._rows.settle()
        return found

    def _batches(self, trees: Sequence[Query]) -> Iterator[list[Query]]:
        """Yield the normal forms of the queries, some at once."""
        for start in range(0, len(trees), self.config.batch):
            chunk = trees[start : start + self.config.batch]
            for tree in chunk:
                check_safe(tree)
            yield [normalise(tree) for tree in chunk]

    def scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        """Return ``(num_queries, num_entities)`` truths; see `ScoringAnswerer.scores`.

        Entities of truth 0 are told apart: by what pruning left out where they have some evidence
        (`SymbolicConfig.benefit_of_doubt`), and last by how often they are a tail of the query's
        last relations.
        """
        scores = np.empty((len(trees), self.snapshot.num_entities), dtype=np.float32)
        place = 0
        for queries in self._batches(trees):
            evaluation = Evaluation(self._likely, queries, ranking=True)
            for query in queries:
                row = scores[place]
                np.multiply(self._prior.of(query), np.float32(PRIOR_WEIGHT), out=row)
                value = evaluation.value(query)
                row[value.ids] += (1.0 - PRIOR_WEIGHT) * value.values[TRUTH]
                place += 1
            self._rows.settle()
        return scores

    def flush(self) -> None:
        """Write predicted rows that are only in memory to the row folder, if there is one."""
        self._rows.flush()

    def rough_truth(self, tree: Query, *, edits: Edits | None = None) -> FuzzySet:
        """Return lower, truth and upper of all entities, with owners in the upper value.

        An entity whose image holds a part that may be an answer gets the part's upper value: it
        belongs into the rim (`specs`: rough truth), its lower value and truth stay.
        """
        check_safe(tree)
        found = Evaluation(self._likely.with_edits(edits)).value(normalise(tree))
        return _with_owners(found, self.snapshot)

    def evaluation(self, edits: Edits | None = None) -> Evaluation:
        """Return the fold over likely edges under the edits of a call, for explanations."""
        return Evaluation(self._likely.with_edits(edits))

    def reasons(self, head: str, relation: str, tail: str) -> Sequence[str | EdgeReason]:
        """Return why the predictor believes in an edge; nothing if it cannot say."""
        if isinstance(self.predictor, ExplainsEdges):
            return self.predictor.reasons(head, relation, tail)
        return ()

    def _ranked(
        self, query: Query, value: FuzzySet, proven: Ids, k: int, each: OfEach | None
    ) -> tuple[list[Answer], float | None, bool]:
        """Return the answers to show, a bound on others if needed, and whether there are others."""
        truth = value.values[TRUTH]
        is_known = contains(proven, value.ids)
        if each is None:
            listed, among = _best(truth, is_known, k)
            doubted, more = listed, len(among) > k
        else:
            listed, doubted, among, more = self._best_of_each(value, is_known, k, each)
        chances = self._probabilities(query, truth[listed])
        answers = [
            self._answer(value, place, None if is_known[place] else chance)
            for place, chance in zip(listed.tolist(), chances, strict=True)
        ]
        left = np.zeros_like(truth)
        left[among] = truth[among]
        left[listed] = 0.0
        likely_left = float(left.max(initial=0.0)) + value.above
        surest_doubt = float(truth[doubted].min(initial=1.0)) - value.below
        cut = len(among) > k
        exact = value.above == value.below == 0.0 or (cut and surest_doubt >= likely_left)
        return answers, None if exact else min(1.0, likely_left), more

    def _best_of_each(
        self, value: FuzzySet, is_known: NDArray[np.bool_], k: int, each: OfEach
    ) -> tuple[Positions, Positions, Positions, bool]:
        """Return the positions to show, the likely ones of them, what those were chosen from.

        The last tells whether others come after them.
        """
        truth, keys = value.values[TRUTH], self.snapshot.entities
        likely = ((truth > 0.0) & ~is_known).nonzero()[0]
        known, proven = best_after(is_known.nonzero()[0], truth, value.ids, k, each.known, keys)
        doubted, among = best_after(likely, truth, value.ids, k, each.likely, keys)
        more = max(len(among), len(proven)) > k
        return np.concatenate([known, doubted]), doubted, among, more

    def _probabilities(self, query: Query, scores: NDArray[np.float64]) -> list[float]:
        """Return the calibrated probabilities of likely answers."""
        if self.calibration is not None and len(scores):
            scores = self.calibration.probabilities(query, scores)
        found: list[float] = scores.tolist()
        return found

    def _answer(self, value: FuzzySet, place: int, chance: float | None) -> Answer:
        """Return an answer; of a known one the chance is None, and its score stays."""
        lower, truth, upper = value.values[:, place].tolist()
        return Answer(
            entity=self.snapshot.entities.name(int(value.ids[place])),
            score=truth,
            probability=truth if chance is None else chance,
            status="known" if chance is None else "likely",
            lower=lower,
            upper=upper,
        )

    def _proved(self, answer: Answer, known: Prover, likely: FuzzyProver) -> Answer:
        entity = self.snapshot.entity_id(answer.entity)
        if answer.status == "known":
            proof = likely.proof_of_known(entity, known)
        else:
            proof = likely.proof(entity)
        return replace(answer, proof=proof)


def _best(
    truth: NDArray[np.float64], is_known: NDArray[np.bool_], k: int
) -> tuple[Positions, Positions]:
    """Return the k best positions, known ones first, and all that they were chosen from."""
    places = ((truth > 0.0) | is_known).nonzero()[0]
    best = places
    if len(places) > k:  # only those that may be among the first are sorted
        worth = truth[places] + 2.0 * is_known[places]
        best = places[worth >= np.partition(worth, -k)[-k]]
    # ids ascend as keys do, so a stable sort breaks ties by key
    best = best[np.lexsort((-truth[best], ~is_known[best]))][:k]
    return best, places


def _proven(query: Query, value: FuzzySet, known: KnownEdges) -> Ids:
    """Return the exact answers of a query, ascending."""
    if any(isinstance(node, Negation | SoftAnchor) for node in walk(query)):
        return known_answers(query, known)
    # by known edges alone the value of a query without doubt and negation is 1 or 0
    proven: Ids = value.ids[value.values[LOWER] >= 1.0]
    return proven


def _with_owners(found: FuzzySet, snapshot: Snapshot) -> FuzzySet:
    parents = snapshot.parents[found.ids]
    has_parent = parents >= 0
    upper = np.zeros(snapshot.num_entities)
    np.maximum.at(upper, parents[has_parent], found.values[UPPER, has_parent])
    ids = np.union1d(found.ids, np.flatnonzero(upper)).astype(np.int32)
    values = found.at(ids)
    values[UPPER] = np.maximum(values[UPPER], upper[ids])
    return FuzzySet(ids=ids, values=values, above=found.above, below=found.below)
