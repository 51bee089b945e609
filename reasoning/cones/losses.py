"""Losses of cone training, on scores γ − modulus · distance.

``margin`` is the papers': −log σ(s⁺) − mean_j log σ(−s⁻_j) for each answer. ``softmax`` compares
each answer with all candidates that are no answers, −log(e^s⁺ / (e^s⁺ + Σ_j e^s⁻_j)); it is the
default because it uses every distance that was computed.
A query of n answers counts √n either way, as the papers' 1/√n for each answer.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

__all__ = ["LossName", "query_loss"]

LossName = Literal["softmax", "margin"]

_LOW = -1e9


def query_loss(
    scores: Tensor,
    positive: Tensor,
    ignored: Tensor,
    kind: LossName,
    *,
    answers: Tensor | None = None,
) -> Tensor:
    """Return the mean loss of a batch.

    Args:
        scores: ``(batch, n)``, higher is better.
        positive: ``(batch, n)`` bool, answers.
        ignored: ``(batch, n)`` bool, candidates that count neither way.
        kind: Which loss.
        answers: ``(batch,)`` how many answers each query has, if not all of them are candidates;
            an answer of a query of n weighs 1/√n.

    Returns:
        A scalar; 0 with a gradient of 0 where no query has a positive candidate.
    """
    counts = positive.sum(1)
    negative = ~(positive | ignored)
    if kind == "softmax":
        against = scores.masked_fill(~negative, _LOW).logsumexp(1, keepdim=True)
        each = (softplus(against - scores) * positive).sum(1)
    else:
        rejected = (-logsigmoid(-scores) * negative).sum(1) / negative.sum(1).clamp(min=1)
        each = (-logsigmoid(scores) * positive).sum(1) + counts * rejected
    of_all = counts if answers is None else answers
    weights = of_all.clamp(min=1).to(scores.dtype).rsqrt()
    total = (weights * counts).sum().clamp(min=torch.finfo(scores.dtype).tiny)
    return (weights * each).sum() / total
