"""Validation of cone models: edges kept out by hash, the figure that stops training, calibration.

A score of the softmax kind means something only beside the other candidates of its query, so what
is calibrated is the log odds of a score among the candidates that are not known answers; Platt's
map is fitted on the ten best of each held-out query, the population that people see.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.calibration import fit_platt
from evaluation.ranks import query_ranks
from kg.snapshot import Snapshot
from kg.splits import hold_out
from reasoning.cones.model import ConeModel
from reasoning.cones.rough_cone import RoughCone, share_in_core
from reasoning.id_sets import DirectedEdges, directed_edges
from reasoning.predictors.typing import RelationTypes
from reasoning.sampling import QuerySet, one_hop_queries
from reasoning.structures import STRUCTURES

__all__ = ["Validation", "calibrate", "log_odds", "relation_ends", "validation_split"]

MAX_QUERIES = 400
TOP = 10
_SYMMETRIC = 0.5
_LOW = -1e30


def validation_split(snapshot: Snapshot, *, share: float, seed: int) -> Snapshot:
    """Return the snapshot without a share of the edges of each relation, chosen by hash.

    A relation that mostly holds in both directions loses both directions of a pair together.
    """
    if share == 0.0 or snapshot.num_edges == 0:
        return snapshot
    names = [name for name in snapshot.relation_names if _edges(snapshot, name)]
    both_ways = [name for name in names if _is_symmetric(snapshot, name)]
    held = hold_out(snapshot, relations=names, share=share, seed=seed, undirected=both_ways)
    return snapshot.keeping(~held)


def _edges(snapshot: Snapshot, name: str) -> int:
    span = snapshot.edges_of(snapshot.relation_id(name))
    return int(span.stop - span.start)


def _is_symmetric(snapshot: Snapshot, name: str) -> bool:
    span = snapshot.edges_of(snapshot.relation_id(name))
    count = snapshot.num_entities
    heads, tails = (np.asarray(a[span]).astype(np.int64) for a in (snapshot.heads, snapshot.tails))
    return bool(np.isin(heads * count + tails, tails * count + heads).mean() > _SYMMETRIC)


def relation_ends(snapshot: Snapshot) -> NDArray[np.bool_]:
    """Return ``(2 * num_relations, num_labels)``: labels that each directed relation leads to."""
    pairs = RelationTypes(snapshot).pairs
    ends = np.stack([pairs.any(1), pairs.any(2)], axis=1)
    return ends.reshape(2 * snapshot.num_relations, len(snapshot.labels))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validation:
    """Held-out 1p queries.

    Attributes:
        queries: Those with a held-out answer, at most `MAX_QUERIES`.
        candidates: ``(n, num_entities)`` entities of the labels that the relation leads to.
    """

    queries: QuerySet
    candidates: NDArray[np.bool_]

    @classmethod
    def of(
        cls, snapshot: Snapshot, known: DirectedEdges, *, min_probability: float, seed: int
    ) -> Validation:
        """Make it of a whole snapshot and the edges that training sees."""
        full = directed_edges(snapshot, min_probability=min_probability)
        found = one_hop_queries(full, known)
        order = np.random.default_rng(seed).permutation(len(found))[:MAX_QUERIES]
        queries = QuerySet(
            structure=found.structure,
            anchors=found.anchors[order],
            relations=found.relations[order],
            easy=tuple(found.easy[row] for row in order),
            hard=tuple(found.hard[row] for row in order),
        )
        ends = relation_ends(snapshot)[queries.relations[:, 0]]
        return cls(queries=queries, candidates=ends[:, np.asarray(snapshot.label_ids)])

    def scores(self, model: ConeModel) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return scores and, for rough cones, shares of dimensions in the core; ``(n, N)``."""
        with torch.no_grad():
            ids = torch.arange(model.num_entities)
            axes = model.axes(ids)
            anchors = axes[torch.from_numpy(self.queries.anchors).long()]
            relations = torch.from_numpy(self.queries.relations).long()
            cone = model.embed(STRUCTURES["1p"], anchors, relations)
            scores = model.scores(cone, axes, ids).numpy()
            if not isinstance(cone, RoughCone):
                return scores, np.zeros((0, 0), dtype=np.float32)
            rows = [
                share_in_core(
                    RoughCone(cone.axis[i : i + 1], cone.half_core[i : i + 1], cone.rim[i : i + 1]),
                    axes,
                )
                for i in range(len(scores))
            ]
            return scores, torch.cat(rows).numpy() if rows else np.zeros_like(scores)

    def mrr(self, model: ConeModel) -> float:
        """Return the filtered MRR among candidates of fitting labels, 0 without queries."""
        if len(self.queries) == 0:
            return 0.0
        scores, _ = self.scores(model)
        means = []
        for row, (easy, hard) in enumerate(zip(self.queries.easy, self.queries.hard, strict=True)):
            out = np.concatenate([easy, np.flatnonzero(~self.candidates[row])])
            out = np.setdiff1d(out, hard)
            means.append(float(np.mean(1.0 / query_ranks(scores[row], hard, out).realistic)))
        return float(np.mean(means))


def log_odds(scores: NDArray[np.float32], among: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return log p/(1 − p) of each candidate, p its share of Σ e^score over the candidates.

    Args:
        scores: ``(num_entities,)``.
        among: ``(num_entities,)`` candidates; what is none of them gets −1e30.
    """
    found = np.full(len(scores), _LOW)
    if not among.any():
        return found
    chosen = scores[among].astype(np.float64)
    top = chosen.max()
    weights = np.exp(chosen - top)
    rest = np.maximum(weights.sum() - weights, 1e-12)
    found[among] = chosen - top - np.log(rest)
    return found


def calibrate(model: ConeModel, validation: Validation) -> None:
    """Set the calibration and the core's share of a model from held-out queries, if any."""
    if len(validation.queries) == 0:
        return
    scores, shares = validation.scores(model)
    values, truth, inside = [], [], []
    for row, (easy, hard) in enumerate(
        zip(validation.queries.easy, validation.queries.hard, strict=True)
    ):
        among = validation.candidates[row].copy()
        among[easy] = False
        odds = log_odds(scores[row], among)
        best = np.argsort(-odds, kind="stable")[: min(TOP, int(among.sum()))]
        values.append(odds[best])
        truth.append(np.isin(best, hard))
        if len(shares):
            inside.append(shares[row][best])
    hits = np.concatenate(truth)
    found = fit_platt(np.concatenate(values), hits)
    with torch.no_grad():
        model.calibration.copy_(torch.tensor([max(found.slope, 0.0), found.intercept]))
        if inside:
            model.core_share.fill_(_best_share(np.concatenate(inside), hits))


def _best_share(shares: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Return the threshold with the largest (true positive − false positive) rate."""
    if truth.all() or not truth.any():
        return 0.5
    tried = np.unique(shares)
    gains = [(shares[truth] >= t).mean() - (shares[~truth] >= t).mean() for t in tried]
    return float(tried[int(np.argmax(gains))])
