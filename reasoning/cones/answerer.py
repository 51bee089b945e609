"""Answering with cones (ConE): embed the query, rank all entities.

A query becomes branches (`reasoning.cones.queries`); an entity's score is that of its best branch.
Entities of a label that the last hops never lead to come after all that fit, and entities that miss
a condition at the answer after those. Known answers are the exact evaluator's. Nothing here looks
at gold answers. `reasoning.cones.rough_answerer` adds cores and rims, `reasoning.cones.new_parts`
the parts of images that no snapshot holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kg.errors import SettingError, UnsupportedQueryError
from kg.model import EntityKey
from kg.provenance import KNOWN_PROBABILITY
from kg.snapshot import Snapshot
from reasoning.answers import Answer, Answers, Region, order_answers
from reasoning.cones.model import AnyCone, ConeModel, GeometryName
from reasoning.cones.queries import Branch, ConeQueries
from reasoning.cones.validation import log_odds
from reasoning.exact import answer_set
from reasoning.known_edges import Ids, known_edges
from reasoning.normal_form import normalise
from reasoning.of_each import OfEach, best_after
from reasoning.proofs import Prover
from reasoning.protocols import Edits
from reasoning.query import Query
from reasoning.structures import Structure

__all__ = ["ConeAnswerer"]

_UNFIT = 1e3
_BARRED = 1e5
"""Taken off a score; far above any score, so that order within each kind stays."""

_ROWS = 256
"""Queries scored at once, which bounds memory."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """One branch of one query of a batch."""

    query: int
    branch: Branch


class ConeAnswerer:
    """Implements `ScoringAnswerer` with a ConE model.

    Edits change which answers are known; embeddings stay as they were trained.

    Args:
        snapshot: The graph that the model was trained on.
        model: Of geometry ``cone``.
        known_probability: Edges of at least this probability are known.

    Raises:
        SettingError: The model has another geometry or another number of entities.

    Example:
        >>> from kg.model import Edge, Entity, EntityKey
        >>> from kg.provenance import Provenance
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.cones.config import ConeTrainingConfig
        >>> from reasoning.cones.training import train_cones
        >>> from reasoning.query import Anchor, Projection
        >>> nodes = [Entity(key=EntityKey(k), label="City", name=k) for k in "ab"]
        >>> source = Provenance(kind="asserted", source="a map")
        >>> road = Edge(head=EntityKey("a"), relation="road", tail=EntityKey("b"),
        ...             provenance=(source,))
        >>> graph = build_snapshot(nodes, [road])
        >>> model = train_cones(graph, ConeTrainingConfig(epochs=1, steps=1))
        >>> query = Projection("road", Anchor(EntityKey("a")))
        >>> [found] = ConeAnswerer(graph, model).answer([query], k=2)
        >>> [(answer.entity, answer.status) for answer in found.answers]
        [('b', 'known'), ('a', 'likely')]
    """

    geometry: GeometryName = "cone"

    def __init__(
        self,
        snapshot: Snapshot,
        model: ConeModel,
        *,
        known_probability: float = KNOWN_PROBABILITY,
    ) -> None:
        if model.config.geometry != self.geometry:
            raise SettingError(
                f"the model's geometry is {model.config.geometry}, not {self.geometry}"
            )
        if model.num_entities != snapshot.num_entities:
            raise SettingError(
                f"the model has {model.num_entities} entities, "
                f"the snapshot has {snapshot.num_entities}"
            )
        self.snapshot = snapshot
        self.model = model.eval()
        self._known = known_edges(snapshot, known_probability=known_probability)
        self._queries = ConeQueries(snapshot)
        self._ids = torch.arange(snapshot.num_entities)
        with torch.no_grad():
            self._axes = model.axes(self._ids)

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

        Known answers have the exact evaluator's proof where proofs are asked for; likely ones have
        none, since a distance proves nothing.
        """
        if k < 1:
            raise SettingError(f"k is {k}, but at least one answer must be asked for")
        known = self._known.with_edits(edits)
        found = []
        for tree in trees:
            branches = self._queries.branches(tree)
            query = normalise(tree)
            proven = answer_set(query, known)
            prover = Prover(query, known) if with_proofs else None
            answers, more = self._answers(branches, proven, k, prover, each)
            found.append(Answers(query=query, answers=answers, total_known=len(proven), more=more))
        return found

    def scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        """Return ``(num_queries, num_entities)`` scores; see `ScoringAnswerer.scores`."""
        return self._scores([self._queries.branches(tree) for tree in trees])

    def cones(self, tree: Query) -> tuple[AnyCone, ...]:
        """Return the cones of the branches of a query, each a batch of one.

        Raises:
            UnsupportedQueryError: A branch is a condition without a path, which has no cone.
        """
        found = []
        for branch in self._queries.branches(tree):
            if branch.structure is None:
                raise UnsupportedQueryError("a condition alone has no cone")
            with torch.no_grad():
                found.append(self._embedded(branch.structure, [branch]))
        return tuple(found)

    def _scores(self, queries: Sequence[tuple[Branch, ...]]) -> NDArray[np.float32]:
        lowest = -2 * _BARRED
        scores = np.full((len(queries), self.snapshot.num_entities), lowest, dtype=np.float32)
        jobs = [_Job(place, branch) for place, each in enumerate(queries) for branch in each]
        for structure, group in _by_structure(jobs):
            for start in range(0, len(group), _ROWS):
                part = group[start : start + _ROWS]
                for job, row in zip(part, self._branch_scores(structure, part), strict=True):
                    row = row - _UNFIT * ~job.branch.fitting - _BARRED * ~job.branch.allowed
                    np.maximum(scores[job.query], row, out=scores[job.query])
        return scores

    def _branch_scores(self, structure: Structure | None, jobs: list[_Job]) -> NDArray[np.float32]:
        if structure is None:  # only conditions: all that meet them are equally good
            return np.zeros((len(jobs), self.snapshot.num_entities), dtype=np.float32)
        with torch.no_grad():
            cone = self._embedded(structure, [job.branch for job in jobs])
            scores: NDArray[np.float32] = self._ranked_by(cone).numpy()
        return scores

    def _embedded(self, structure: Structure, branches: list[Branch]) -> AnyCone:
        anchors = torch.tensor([branch.anchors for branch in branches], dtype=torch.long)
        relations = torch.tensor([branch.relations for branch in branches], dtype=torch.long)
        return self.model.embed(structure, self._axes[anchors], relations)

    def _ranked_by(self, cone: AnyCone) -> Tensor:
        """Return ``(batch, num_entities)`` scores of embedded queries."""
        return self.model.scores(cone, self._axes, self._ids)

    def _answers(
        self,
        branches: tuple[Branch, ...],
        proven: Ids,
        k: int,
        prover: Prover | None,
        each: OfEach | None,
    ) -> tuple[tuple[Answer, ...], bool]:
        scores = self._scores([branches])[0]
        is_known = np.zeros(len(scores), dtype=np.bool_)
        is_known[proven] = True
        possible = np.zeros(len(scores), dtype=np.bool_)
        for branch in branches:
            # a branch of conditions alone is answered exactly: nothing more is likely
            if branch.structure is not None:
                possible |= branch.allowed & branch.fitting
        odds = log_odds(scores, possible & ~is_known)
        slope, offset = self.model.calibration.tolist()
        chances = 1 / (1 + np.exp(-np.clip(slope * odds + offset, -60, 60)))
        chosen, more = self._chosen(scores, is_known, possible, k, each)
        regions = self._regions(branches, chosen)
        answers = order_answers(
            [
                _answer(
                    self.snapshot.entities.name(int(entity)),
                    score=float(scores[entity]),
                    chance=None if is_known[entity] else float(chances[entity]),
                    region=region,
                    prover=prover,
                    entity=int(entity),
                )
                for entity, region in zip(chosen, regions, strict=True)
            ]
        )
        return answers, more

    def _chosen(
        self,
        scores: NDArray[np.float32],
        is_known: NDArray[np.bool_],
        possible: NDArray[np.bool_],
        k: int,
        each: OfEach | None,
    ) -> tuple[NDArray[np.intp], bool]:
        """Return the entities to show, known ones first, and whether others come after them."""
        if each is None:
            places = np.flatnonzero(possible | is_known)
            # ids ascend as keys do, so a stable sort breaks ties by key
            best = places[np.lexsort((-scores[places], ~is_known[places]))][:k]
            return best, len(places) > k
        groups = ((is_known, each.known), (possible & ~is_known, each.likely))
        ids, keys = self._ids.numpy(), self.snapshot.entities
        found = [
            best_after(np.flatnonzero(group), scores, ids, k, past, keys) for group, past in groups
        ]
        more = any(len(among) > k for _, among in found)
        return np.concatenate([best for best, _ in found]), more

    def _regions(
        self, _branches: tuple[Branch, ...], chosen: NDArray[np.int64]
    ) -> list[Region | None]:
        """Return the region of each chosen entity; a plain cone has none."""
        return [None] * len(chosen)


def _by_structure(jobs: list[_Job]) -> Iterator[tuple[Structure | None, list[_Job]]]:
    groups: dict[Structure | None, list[_Job]] = {}
    for job in jobs:
        groups.setdefault(job.branch.structure, []).append(job)
    yield from groups.items()


def _answer(
    key: EntityKey,
    *,
    score: float,
    chance: float | None,
    region: Region | None,
    prover: Prover | None,
    entity: int,
) -> Answer:
    known = chance is None
    return Answer(
        entity=key,
        score=score,
        probability=1.0 if chance is None else chance,
        status="known" if known else "likely",
        region=region,
        lower=1.0 if known else 0.0,
        upper=1.0 if chance is None else chance,
        proof=prover.proof(entity) if known and prover is not None else None,
    )
