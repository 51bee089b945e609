"""Evidence for each candidate and an admitted rest of ignorance: which entity, or none, how surely.

Source: evidential learning as in CREST (Huang et al., "Cross-modal Resonance through Evidential
Deep Learning for Enhanced Zero-Shot Learning", MM 2024) after Sensoy et al., "Evidential Deep
Learning to Quantify Classification Uncertainty" (NeurIPS 2018), in the form of Jøsang's subjective
opinions, which mends two faults of it: ignorance does not depend on the number of candidates, and
units are fused by adding evidence, which cannot break down where two are sure of different answers.

For unit u with logit l of candidate k, in spreads over its mean: e_uk = softplus(slope_u l +
shift_u), 0 where it is absent;
e_k = Σ_u r_u e_uk with reliability r_u in [0, 1]; with W = 2 and base rates c (they add to 1, NIL's
among them, which gets no evidence; what NIL's is where nothing speaks for anybody is learnt)

    belief b_k = e_k / (W + Σ e),   ignorance = W / (W + Σ e),   p_k = b_k + c_k · ignorance

which is the mean of a Dirichlet distribution with α = e + W c. Conflict of two units is the belief
that they give to different candidates, Σ_{i ≠ j} b1_i b2_j; the greatest over pairs counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["WEIGHT", "EvidenceHead", "Opinion", "base_rates", "evidential_loss"]

WEIGHT = 2.0
"""W: how much evidence the base rates are worth."""

_WARMED_UP = 10  # epochs until the second term has its full weight


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opinion:
    """What is held of B mentions with K candidates each.

    Attributes:
        evidence: ``(B, K + 1)`` at least 0; the last is NIL's, always 0.
        base: ``(B, K + 1)`` base rates; the rows add to 1.
        conflict: ``(B,)`` in [0, 1); 0 where fewer than two units are present.
    """

    evidence: Tensor
    base: Tensor
    conflict: Tensor

    @property
    def alpha(self) -> Tensor:
        """``(B, K + 1)`` of the Dirichlet distribution; 0 where a column is no candidate."""
        return self.evidence + WEIGHT * self.base

    @property
    def ignorance(self) -> Tensor:
        """``(B,)`` in (0, 1]; 1 where nothing speaks for any candidate."""
        return WEIGHT / (WEIGHT + self.evidence.sum(dim=1))

    @property
    def probability(self) -> Tensor:
        """``(B, K + 1)``; the rows add to 1."""
        return self.alpha / (WEIGHT + self.evidence.sum(dim=1, keepdim=True))


class EvidenceHead(nn.Module):
    """Three numbers a unit: slope, shift and reliability; and NIL's base rate.

    Args:
        units: How many.
        mean: ``(units,)`` of their logits over candidates; 0 if None.
        spread: ``(units,)`` their standard deviations; 1 if None.
    """

    mean: Tensor
    spread: Tensor

    def __init__(
        self, units: int, *, mean: Tensor | None = None, spread: Tensor | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(units) if mean is None else mean)
        self.register_buffer("spread", torch.ones(units) if spread is None else spread)
        self.slope = nn.Parameter(torch.full((units,), 2.0))
        self.shift = nn.Parameter(torch.full((units,), -3.0))
        self.reliability = nn.Parameter(torch.zeros(units))
        self.nil = nn.Parameter(torch.zeros(()))

    def forward(
        self, logits: Tensor, present: Tensor, prior: Tensor, candidates: Tensor
    ) -> Opinion:
        """Return the opinion on each mention.

        Args:
            logits: ``(B, U, K)`` of each unit; whatever where it is absent.
            present: ``(B, U)`` bool; an absent unit adds nothing.
            prior: ``(B, K)`` p(entity | surface), 0 where unknown.
            candidates: ``(B, K)`` bool: which columns are candidates.
        """
        there = present[:, :, None] & candidates[:, None]
        apart = (logits - self.mean[:, None]) / self.spread[:, None]
        scaled = self.slope[:, None] * apart + self.shift[:, None]
        trust = torch.sigmoid(self.reliability)[:, None]
        units = (trust * functional.softplus(scaled)).masked_fill(~there, 0.0)
        evidence = functional.pad(units.sum(dim=1), (0, 1))
        base = base_rates(prior, candidates, nil_share=torch.sigmoid(self.nil))
        return Opinion(evidence=evidence, base=base, conflict=_conflict(units))


def base_rates(prior: Tensor, candidates: Tensor, *, nil_share: Tensor) -> Tensor:
    """Return ``(B, K + 1)`` c: NIL's share, the rest half by the prior and half evenly.

    Args:
        prior: ``(B, K)`` at least 0; a row of zeros knows nothing, and all is even.
        candidates: ``(B, K)`` bool; without any, NIL has all.
        nil_share: ``()`` in (0, 1).
    """
    kept = prior * candidates
    even = candidates / candidates.sum(dim=1, keepdim=True).clamp_min(1)
    total = kept.sum(dim=1, keepdim=True)
    shares = torch.where(total > 0, (kept / total.clamp_min(1e-12) + even) / 2, even)
    own = (1 - nil_share) * shares
    return torch.cat([own, 1 - own.sum(dim=1, keepdim=True)], dim=1)


def _conflict(evidence: Tensor) -> Tensor:
    """Return ``(B,)`` of ``(B, U, K)``: the greatest belief that two units split."""
    beliefs = evidence / (WEIGHT + evidence.sum(dim=2, keepdim=True))
    greatest = evidence.new_zeros(len(evidence))
    for one, other in combinations(beliefs.unbind(dim=1), 2):
        split = one.sum(dim=1) * other.sum(dim=1) - (one * other).sum(dim=1)
        greatest = torch.maximum(greatest, split)
    return greatest


def evidential_loss(opinion: Opinion, gold: Tensor, *, epoch: int) -> Tensor:
    """Expected cross-entropy under the opinion, and what it holds for wrong answers.

    ψ(S) - ψ(α_gold) + min(1, epoch / 10) · KL(Dir(α~) ‖ Dir(W c)), α~ being α without the evidence
    for the right answer: where that is all there is, the second term is 0.

    Args:
        opinion: On B mentions.
        gold: ``(B,)`` column of each one's entity; K is NIL.
        epoch: Counts from 0.

    Returns:
        ``(B,)`` losses.
    """
    alpha, prior = opinion.alpha, WEIGHT * opinion.base
    there = prior > 0
    right = functional.one_hot(gold, alpha.shape[1]).bool()
    own = alpha[right]
    fit = torch.digamma(alpha.sum(dim=1)) - torch.digamma(own)
    wrong = torch.where(right, prior, alpha)
    return fit + min(1.0, epoch / _WARMED_UP) * _divergence(wrong, prior, there)


def _divergence(alpha: Tensor, prior: Tensor, there: Tensor) -> Tensor:
    """Return ``(B,)`` KL(Dir(alpha) ‖ Dir(prior)) over the columns that are there."""
    a, c = (torch.where(there, values, torch.ones_like(values)) for values in (alpha, prior))
    total, before = (torch.where(there, x, torch.zeros_like(x)).sum(dim=1) for x in (a, c))
    parts = torch.lgamma(c) - torch.lgamma(a)
    parts = parts + (a - c) * (torch.digamma(a) - torch.digamma(total)[:, None])
    shared = torch.lgamma(total) - torch.lgamma(before)
    return shared + torch.where(there, parts, torch.zeros_like(parts)).sum(dim=1)
