"""The protocols of reasoning: who answers queries, who predicts links, who scores them raw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from kg.model import EdgeKey
from reasoning.answers import Answers
from reasoning.of_each import OfEach
from reasoning.query import Query

__all__ = [
    "Answerer",
    "EdgeReason",
    "Edits",
    "ExplainsEdges",
    "LinkPredictor",
    "PairScoreModel",
    "RankedLinkPredictor",
    "RankedRows",
    "ScoreModel",
    "ScoringAnswerer",
    "SparseLinkPredictor",
    "SparseRows",
    "SparseScoreModel",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """Edges added or taken away for one call ("what if"); the graph stays as it is."""

    added: frozenset[EdgeKey] = frozenset()
    removed: frozenset[EdgeKey] = frozenset()


class Answerer(Protocol):
    """Answers query trees over one snapshot. Implementations: exact, cone, rough cone, symbolic."""

    def answer(
        self,
        trees: Sequence[Query],
        k: int,
        *,
        edits: Edits | None = None,
        with_proofs: bool = False,
        each: OfEach | None = None,
    ) -> list[Answers]:
        """Answer a batch of queries; the result of a batch equals that of a loop.

        Args:
            trees: Queries.
            k: Most answers a query; at least 1.
            edits: Edges to add or take away for this call.
            with_proofs: Also explain each answer that is returned.
            each: Asks for the k best known and the k best likely answers after these places,
                instead of the k best of all, known ones first.

        Raises:
            UnsafeQueryError: A query's answers would be "everything but …".
            UnsupportedQueryError: This interpreter cannot answer a node; it is named.
            UnknownEntityError: An anchor is not in the snapshot.
            UnknownRelationError: A relation is not in the snapshot.
        """
        ...


class ScoringAnswerer(Answerer, Protocol):
    """An answerer that can score every entity, as evaluation needs it."""

    def scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        """Return ``(num_queries, num_entities)`` scores, higher is better, all finite."""
        ...


class LinkPredictor(Protocol):
    """Scores all tails of (head, relation) pairs. Relation ids are the snapshot's."""

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of its parameters; keys the cache of rows."""
        ...

    def rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` calibrated edge probabilities in [0, 1].

        Args:
            entities: Heads; tails if `inverse`.
            relation: Relation id.
            inverse: Score heads of the given tails.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SparseRows:
    """Calibrated edge probabilities of several rows, the small ones left out.

    Attributes:
        matrix: ``(n, num_entities)`` float32, column indices ascending within a row.
        dropped: ``(n,)`` float32, the largest probability that was left out of each row.
    """

    matrix: csr_matrix
    dropped: NDArray[np.float32]


@runtime_checkable
class SparseLinkPredictor(LinkPredictor, Protocol):
    """A link predictor that returns the large probabilities of a row without all the others.

    For graphs whose dense rows cost too much; symbolic answering uses it where a predictor has it.
    """

    def sparse_rows(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool, floor: float
    ) -> SparseRows:
        """Return the probabilities above `floor` of each entity's row.

        Args:
            entities: Heads; tails if `inverse`.
            relation: Relation id.
            inverse: Score heads of the given tails.
            floor: Probabilities up to this one may be left out.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankedRows:
    """The largest calibrated edge probabilities of several rows, the likeliest first.

    Attributes:
        counts: ``(n,)`` int64, how many entries each row has.
        ends: ``(counts.sum(),)`` int32, the tails of one row after those of another.
        probabilities: ``(counts.sum(),)`` float32, falling within a row.
        dropped: ``(n,)`` float32, the largest probability that was left out of each row.
    """

    counts: NDArray[np.int64]
    ends: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    dropped: NDArray[np.float32]


@runtime_checkable
class RankedLinkPredictor(LinkPredictor, Protocol):
    """A link predictor that computes rows of many relations together, and only their best.

    Symbolic answering prefers it: one product makes the rows that a whole batch of queries needs.
    """

    @property
    def num_directed(self) -> int:
        """Number of directed relations: twice that of relations."""
        ...

    def ranked_rows(
        self,
        entities: NDArray[np.int32],
        directed: NDArray[np.int64],
        *,
        floor: float,
        longest: int,
    ) -> RankedRows:
        """Return the largest probabilities of each row.

        Args:
            entities: ``(n,)`` heads.
            directed: ``(n,)`` relation of each; r + num_relations is r read backward.
            floor: Probabilities up to this one are left out.
            longest: Most entries of a row; of equal ones at the end those of the smallest ids stay.
        """
        ...


class ScoreModel(Protocol):
    """Raw scores of all tails of (head, relation) pairs: an embedding, or a set of rules.

    Not calibrated: a `LinkPredictor` turns the scores of one or several into probabilities.
    """

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of its parameters."""
        ...

    def scores(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` raw scores, higher is better, all finite.

        Args:
            entities: Heads; tails if `inverse`.
            relation: Relation id.
            inverse: Score heads of the given tails.
        """
        ...


@runtime_checkable
class PairScoreModel(ScoreModel, Protocol):
    """A score model that scores pairs of many relations in one product."""

    def row_scores(
        self,
        entities: NDArray[np.int32],
        directed: NDArray[np.int64],
        *,
        factors: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Return ``(n, num_entities)`` scores, an array of the caller's own.

        Args:
            entities: ``(n,)`` heads.
            directed: ``(n,)`` relation of each; r + num_relations is r read backward.
            factors: ``(n,)`` what the scores of each row are multiplied with.
        """
        ...


@runtime_checkable
class SparseScoreModel(ScoreModel, Protocol):
    """A score model that gives nearly all tails of a row the same score."""

    @property
    def common_score(self) -> float:
        """The score of all other tails."""
        ...

    def sparse_scores(
        self, entities: NDArray[np.int32], directed: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the scores that differ from the common one.

        Args:
            entities: ``(n,)`` heads.
            directed: ``(n,)`` relation of each; r + num_relations is r read backward.

        Returns:
            Ascending codes row · num_entities + tail, and the score of each.
        """
        ...


class EdgeReason(Protocol):
    """A rule that speaks for an edge, and the edges of the graph by which it fires."""

    @property
    def rule(self) -> str:
        """The rule as text."""
        ...

    @property
    def confidence(self) -> float:
        """Share of its predictions that were edges, in [0, 1]."""
        ...

    @property
    def support(self) -> int:
        """How many of them were edges."""
        ...

    @property
    def facts(self) -> tuple[EdgeKey, ...]:
        """The edges that make it fire, one for each atom of its body."""
        ...


@runtime_checkable
class ExplainsEdges(Protocol):
    """A link predictor that can say why it believes in an edge."""

    def reasons(self, head: str, relation: str, tail: str) -> Sequence[str | EdgeReason]:
        """Return plain sentences or rules, the strongest reason first.

        Args:
            head: Key.
            relation: Name.
            tail: Key.
        """
        ...
