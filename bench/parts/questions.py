"""Questions whose answers are parts, and how well scores rank the held-out ones.

A unit is a query and an image that holds held-out answers of it. Within the image its answers are
ranked among the other parts of that image (the oracle owner of RConE's protocol); end to end among
all parts of the graph. Both leave out the query's other answers and treat ties realistically.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.parts.graph import HAS_LABEL, HAS_PART, PartWorld
from evaluation import query_ranks
from kg.snapshot import Snapshot
from reasoning.id_sets import directed_edges
from reasoning.query import Query
from reasoning.sampling import QuerySet, one_hop_queries, sample_queries
from reasoning.structures import STRUCTURES, directed

__all__ = ["QUESTIONS", "Figures", "QuestionSet", "question_sets", "ranked"]

QUESTIONS: Mapping[str, str] = {
    "label": "1p",  # the part that is a C
    "relation": "2p",  # the part that a C stands in relation r to
    "label_and_relation": "pi",  # … and that is a D
    "relation_not_label": "pin",  # … and that is no D
    "either_label": "2u",  # the part that is a C or a D
    "image_and_label": "2i",  # the part of image X that is a C
}
"""Our questions and their structures."""

_SAMPLED = 800


@dataclass(frozen=True, kw_only=True, eq=False)
class QuestionSet:
    """Questions of one kind.

    Attributes:
        name: Key of `QUESTIONS`.
        queries: With their answers.
        trees: The same as trees.
    """

    name: str
    queries: QuerySet
    trees: tuple[Query, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    """One value a unit, in the order of the questions and their images.

    Attributes:
        within: Reciprocal ranks within the image.
        within_first: Whether the rank within the image is 1.
        end_to_end: Reciprocal ranks among all parts.
        end_to_end_first: Whether that rank is 1.
    """

    within: NDArray[np.float64]
    within_first: NDArray[np.float64]
    end_to_end: NDArray[np.float64]
    end_to_end_first: NDArray[np.float64]


def question_sets(
    world: PartWorld, full: Snapshot, known: Snapshot, *, count: int, seed: int
) -> list[QuestionSet]:
    """Draw questions with an answer that only the full graph gives.

    Args:
        world: Names the predicates.
        full: With the edges to be found.
        known: Without them.
        count: Most questions of a kind.
        seed: Of the draw.
    """
    edges, known_edges = directed_edges(full), directed_edges(known)
    parents = np.asarray(full.parents)
    parts = np.flatnonzero(parents >= 0).astype(np.int32)
    kinds = _Relations(world, full)
    found = []
    for name, structure in QUESTIONS.items():
        draw = np.random.default_rng([seed, len(found)])
        if structure == "1p":
            queries = one_hop_queries(edges, known_edges)
        elif structure == "2u":
            labels = one_hop_queries(edges, known_edges)
            asked = np.flatnonzero(kinds.asks("label", labels.relations))
            queries = _either(labels, draw.choice(asked, (count, 2)))
        else:
            queries = sample_queries(
                STRUCTURES[structure],
                max(_SAMPLED, 4 * count),
                edges,
                generator=draw,
                known=known_edges,
                answers_from=parts,
                anchors_from=parents < 0,
            )
        rows = np.flatnonzero(kinds.asks(name, queries.relations))
        rows = np.sort(draw.permutation(rows)[:count])
        chosen = QuerySet(
            structure=queries.structure,
            anchors=queries.anchors[rows],
            relations=queries.relations[rows],
            easy=tuple(queries.easy[row] for row in rows),
            hard=tuple(queries.hard[row] for row in rows),
        )
        trees = tuple(chosen.tree(row, full) for row in range(len(chosen)))
        found.append(QuestionSet(name=name, queries=chosen, trees=trees))
    return [questions for questions in found if questions.trees]


def _either(queries: QuerySet, pairs: NDArray[np.int64]) -> QuerySet:
    """Return a union of two one-hop queries for each pair of different rows.

    Sampled unions of classes are rejected, since too many parts answer them.
    """
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    easy = [np.union1d(queries.easy[a], queries.easy[b]) for a, b in pairs]
    both = [np.union1d(queries.hard[a], queries.hard[b]) for a, b in pairs]
    return QuerySet(
        structure=STRUCTURES["2u"],
        anchors=queries.anchors[pairs][..., 0],
        relations=queries.relations[pairs][..., 0],
        easy=tuple(easy),
        hard=tuple(np.setdiff1d(all_, known) for all_, known in zip(both, easy, strict=True)),
    )


class _Relations:
    """Which directed relations ask for what."""

    def __init__(self, world: PartWorld, full: Snapshot) -> None:
        self._label = directed(full.relation_id(HAS_LABEL), inverse=True)
        self._part = directed(full.relation_id(HAS_PART), inverse=False)
        self._between = np.zeros(2 * full.num_relations, dtype=np.bool_)
        for name in world.predicates:
            code = directed(full.relation_id(name), inverse=False)
            self._between[[code, code ^ 1]] = True

    def asks(self, name: str, slots: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return which rows of relation slots (in the order of a walk from the root) ask it."""
        is_label = slots == self._label
        match name:
            case "label":
                return is_label[:, 0]
            case "either_label":
                return is_label.all(1)
            case "image_and_label":
                first: NDArray[np.bool_] = (slots[:, 0] == self._part) & is_label[:, 1]
                return first
            case _:
                hops: NDArray[np.bool_] = self._between[slots[:, 0]] & is_label[:, 1:].all(1)
                return hops


def ranked(
    questions: QuestionSet,
    full: Snapshot,
    scores_of: Callable[[QuestionSet], NDArray[np.floating]],
) -> Figures:
    """Rank the held-out answers of questions.

    Args:
        questions: Of one kind.
        full: Says which parts there are and whose they are.
        scores_of: Gives ``(num_questions, num_parts)`` scores, parts by ascending id.
    """
    parents = np.asarray(full.parents)
    parts = np.flatnonzero(parents >= 0)
    place = np.full(len(parents), -1, dtype=np.int64)
    place[parts] = np.arange(len(parts))
    images, scores = parents[parts], scores_of(questions)
    columns: list[list[float]] = [[], [], [], []]
    for row, (easy, hard) in enumerate(
        zip(questions.queries.easy, questions.queries.hard, strict=True)
    ):
        wanted = place[hard[parents[hard] >= 0]]
        others = place[easy[parents[easy] >= 0]]
        among_all = query_ranks(scores[row], wanted, others).realistic
        for image in np.unique(images[wanted]):
            inside = np.flatnonzero(images == image)
            mine = np.isin(wanted, inside)
            within = query_ranks(
                scores[row][inside],
                np.searchsorted(inside, wanted[mine]),
                np.flatnonzero(np.isin(inside, others)),
            ).realistic
            columns[0].append(float(np.mean(1 / within)))
            columns[1].append(float(np.mean(within <= 1)))
            columns[2].append(float(np.mean(1 / among_all[mine])))
            columns[3].append(float(np.mean(among_all[mine] <= 1)))
    arrays = [np.array(column, dtype=np.float64) for column in columns]
    return Figures(
        within=arrays[0],
        within_first=arrays[1],
        end_to_end=arrays[2],
        end_to_end_first=arrays[3],
    )
