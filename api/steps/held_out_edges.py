"""Held-out edges: how well each answerer ranks them, beside what it has to beat.

A query is (head, relation, ?); its candidates are the entities whose label occurs as tail of that
relation; other correct tails are filtered out; ranks are realistic (`evaluation.ranks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from api.steps.edge_baselines import Baseline
from evaluation.ranks import ranks
from evaluation.significance import paired_bootstrap, standard_error
from kg.snapshot import Snapshot
from reasoning.query import Anchor, Projection, Query

__all__ = ["HeldOut", "Scorer", "edge_figures", "held_out_edges"]


class Scorer(Protocol):
    """Scores every entity as an answer; a `ScoringAnswerer` is one."""

    def scores(self, trees: Sequence[Query]) -> NDArray[np.float32]:
        """Return ``(num_queries, num_entities)``, higher is better."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """The held-out edges of one relation.

    Attributes:
        relation: Its name.
        heads: ``(n,)`` int32.
        tails: ``(n,)`` int32.
        candidates: Ids of the entities that may be tails, ascending.
        correct: For each edge, all tails of its head in the full graph.
    """

    relation: str
    heads: NDArray[np.int32]
    tails: NDArray[np.int32]
    candidates: NDArray[np.int64]
    correct: tuple[NDArray[np.int32], ...]

    def ranks_of(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """Return the realistic rank of each held-out tail among the candidates."""
        place = {int(entity): column for column, entity in enumerate(self.candidates)}
        filtered = [[place[int(t)] for t in row if int(t) in place] for row in self.correct]
        targets = [place[int(tail)] for tail in self.tails]
        return ranks(scores[:, self.candidates], targets, filtered).realistic


def held_out_edges(full: Snapshot, kept: Snapshot) -> list[HeldOut]:
    """Return the edges of `full` that `kept` lacks, by relation; ids of both agree."""
    found = []
    for name in full.relation_names:
        relation = full.relation_id(name)
        span = full.edges_of(relation)
        pairs = list(zip(full.heads[span].tolist(), full.tails[span].tolist(), strict=True))
        missing = [(h, t) for h, t in pairs if not kept.has_edge(h, relation, t)]
        if not missing:
            continue
        heads = np.array([h for h, _ in missing], dtype=np.int32)
        labels = np.unique(kept.label_ids[kept.tails[kept.edges_of(relation)]])
        found.append(
            HeldOut(
                relation=name,
                heads=heads,
                tails=np.array([t for _, t in missing], dtype=np.int32),
                candidates=np.flatnonzero(np.isin(kept.label_ids, labels)),
                correct=tuple(full.neighbours(relation, int(head)) for head in heads),
            )
        )
    return found


def edge_figures(
    kept: Snapshot,
    held: Sequence[HeldOut],
    scorers: Mapping[str, Scorer],
    baselines: Mapping[str, Baseline],
    *,
    seed: int,
) -> list[dict[str, Any]]:
    """Return, for each relation, the filtered MRR of every answerer and baseline.

    Args:
        kept: The evaluation snapshot.
        held: Its held-out edges.
        scorers: Answerers by name; the first is the one that is compared.
        baselines: What they have to beat.
        seed: Seed of the random scorer and the bootstrap.

    Returns:
        One dict a relation: ``relation``, ``n``, ``mrr`` and ``standard_error`` by method,
        ``expected_random``, and ``gain`` of the first scorer over the strongest baseline with
        its 95 % interval.
    """
    return [_figures(kept, one, scorers, baselines, seed) for one in held]


def _figures(
    kept: Snapshot,
    held: HeldOut,
    scorers: Mapping[str, Scorer],
    baselines: Mapping[str, Baseline],
    seed: int,
) -> dict[str, Any]:
    trees = [
        Projection(held.relation, Anchor(kept.entities.name(int(head)))) for head in held.heads
    ]
    reciprocal = {name: _reciprocal(held, scorer.scores(trees)) for name, scorer in scorers.items()}
    relation = kept.relation_id(held.relation)
    for name, baseline in baselines.items():
        reciprocal[name] = _reciprocal(held, baseline(kept, relation, held.heads, seed))
    first = next(iter(scorers))
    rival = max(baselines, key=lambda name: float(reciprocal[name].mean()))
    gain = paired_bootstrap(reciprocal[first], reciprocal[rival], seed=seed)
    return {
        "relation": held.relation,
        "n": len(held.heads),
        "mrr": {name: float(values.mean()) for name, values in reciprocal.items()},
        "standard_error": {name: standard_error(values) for name, values in reciprocal.items()},
        "expected_random": _expected_random(held),
        "rival": rival,
        "gain": {"mean": gain.mean, "low": gain.low, "high": gain.high, "better": gain.is_better},
    }


def _reciprocal(held: HeldOut, scores: NDArray[Any]) -> NDArray[np.float64]:
    return 1.0 / held.ranks_of(scores)


def _expected_random(held: HeldOut) -> float:
    """Return the MRR that a random scorer has on average: the mean of H_N / N."""
    others = np.array([len(row) - 1 for row in held.correct])
    sizes = len(held.candidates) - others
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, len(held.candidates) + 1))])
    return float(np.mean(harmonic[sizes] / sizes))
