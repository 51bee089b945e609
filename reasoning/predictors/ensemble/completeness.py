"""How likely a head misses an edge of a relation at all.

A logistic regression over every (head, directed relation), fitted on which of them have a
validation edge: log-odds = weights · (log(1 + known tails), has one, log plausibility of the
relation by the head's signature, log(1 + degree)) + offset_d, offsets drawn towards a shared one.
Nearly all pairs miss nothing; of those a sample is taken, weighted by what it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from reasoning.predictors.ensemble.examples import Missing
from reasoning.predictors.ensemble.minimising import minimise
from reasoning.predictors.ensemble.signatures import Signatures

__all__ = ["Completeness", "fit_completeness"]

_LEAST_PLAUSIBILITY = 1e-4
_SAMPLED = 40_000
_SHARED_PENALTY = 1e-2


@dataclass(frozen=True, kw_only=True, eq=False)
class Completeness:
    """The fitted regression.

    Attributes:
        weights: ``(4,)`` of the columns.
        offsets: ``(2 * num_relations,)`` of each directed relation.
    """

    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]

    def missing(self, signatures: Signatures, step: int) -> NDArray[np.float32]:
        """Return ``(num_entities,)`` probabilities that an entity misses an edge."""
        odds = _columns(signatures, step) @ self.weights + self.offsets[step]
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -60.0, 60.0))), dtype=np.float32)


def fit_completeness(
    signatures: Signatures, missing: Missing, num_steps: int, *, shrinkage: float, seed: int
) -> Completeness:
    """Fit the regression.

    Args:
        signatures: Of the graph without the missing edges.
        missing: All rows that miss an edge, at least one.
        num_steps: Directed relations.
        shrinkage: Pull towards the shared offset, in rows.
        seed: Of the sample of rows that miss nothing.
    """
    generator = np.random.default_rng(seed)
    columns, hits, weights, steps = [], [], [], []
    for step in range(num_steps):
        low, high = np.searchsorted(missing.steps, [step, step + 1])
        every = _columns(signatures, step)
        is_hit = np.zeros(len(every), dtype=np.bool_)
        is_hit[missing.heads[low:high]] = True
        for has_one in (False, True):
            # both kinds apart: heads with a known tail are few, and say most
            rest = np.flatnonzero(~is_hit & ((every[:, 1] > 0) == has_one))
            count = min(len(rest), max(1, _SAMPLED // num_steps))
            chosen = generator.choice(rest, count, replace=False) if count else rest
            columns.append(every[chosen])
            weights.append(np.full(count, len(rest) / max(1, count)))
            hits.append(np.zeros(count))
            steps.append(np.full(count, step))
        columns.append(every[is_hit])
        weights.append(np.ones(int(is_hit.sum())))
        hits.append(np.ones(int(is_hit.sum())))
        steps.append(np.full(int(is_hit.sum()), step))
    return _fitted(
        np.concatenate(columns),
        np.concatenate(hits),
        np.concatenate(weights),
        np.concatenate(steps),
        num_steps=num_steps,
        shrinkage=shrinkage,
    )


def _fitted(
    columns: NDArray[np.float32],
    hits: NDArray[np.float64],
    weights: NDArray[np.float64],
    steps: NDArray[np.int64],
    *,
    num_steps: int,
    shrinkage: float,
) -> Completeness:
    x, owner = torch.from_numpy(columns), torch.from_numpy(steps)
    hit, weight = torch.from_numpy(hits).float(), torch.from_numpy(weights).float()
    shared = torch.zeros(columns.shape[1] + 1, requires_grad=True)
    own = torch.zeros(num_steps, requires_grad=True)

    def loss() -> torch.Tensor:
        odds = x @ shared[:-1] + shared[-1] + own[owner]
        fit = binary_cross_entropy_with_logits(odds, hit, weight=weight, reduction="sum")
        penalty = shrinkage * own.square().sum() + _SHARED_PENALTY * shared.square().sum()
        return (fit + 0.5 * penalty) / max(1.0, float(hit.sum()))

    minimise(loss, [shared, own])
    found = shared.detach().numpy()
    return Completeness(weights=found[:-1].copy(), offsets=own.detach().numpy() + found[-1])


def _columns(signatures: Signatures, step: int) -> NDArray[np.float32]:
    """Return ``(num_entities, 4)``."""
    known = signatures.counts(step)
    plausible = np.log(signatures.plausibility(step) + _LEAST_PLAUSIBILITY)
    parts = [np.log1p(known), known > 0, plausible, np.log1p(signatures.degrees)]
    return np.stack(parts, axis=1).astype(np.float32)
