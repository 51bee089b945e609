"""Losses of the matching network; pure functions of tensors.

Differences from M3EL's public code: the own-side diagonal is taken out (-inf, not 0), mentions of
one entity are no negatives of one another, and items without a modality stand aside.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "contrastive_loss",
    "distribution_loss",
    "fused",
    "matching_loss",
    "similarity_distribution_matching",
]

_ABSENT = -1e4  # a logit that gets no share of a softmax, and that sums stay finite with


def fused(scores: Tensor, present: Tensor) -> Tensor:
    """Return the mean over units that are present, ``(B, N)``; -inf where there is none.

    Args:
        scores: ``(units, B, N)``, 0 where absent.
        present: The same shape, bool.
    """
    count = present.sum(dim=0)
    mean = scores.sum(dim=0) / count.clamp_min(1)
    return mean.masked_fill(count == 0, float("-inf"))


def _cross_entropy(logits: Tensor, same: Tensor) -> Tensor:
    """Mean over rows of -log p(own column); rows whose own column is out are left out."""
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    lowest = torch.finfo(logits.dtype).min
    usable = torch.isfinite(logits.diagonal())
    if not bool(usable.any()):
        return 0.0 * logits[torch.isfinite(logits)].sum()  # still part of the graph
    kept = logits.masked_fill(same & ~own, lowest).clamp_min(lowest)
    losses = -functional.log_softmax(kept[usable], dim=-1)
    return losses[own[usable]].mean()


def matching_loss(scores: Tensor, present: Tensor, owners: Tensor) -> Tensor:
    """Cross-entropy of the fused score plus that of every unit.

    Args:
        scores: ``(units, B, B)``; column b is the entity of mention b.
        present: The same shape, bool.
        owners: ``(B,)`` id of each mention's entity; equal ones are no negatives.
    """
    same = owners[:, None] == owners[None, :]
    loss = _cross_entropy(fused(scores, present), same)
    for unit_scores, unit_present in zip(scores, present, strict=True):
        loss = loss + _cross_entropy(unit_scores.masked_fill(~unit_present, float("-inf")), same)
    return loss


def contrastive_loss(
    mentions: Tensor,
    entities: Tensor,
    owners: Tensor,
    *,
    temperature: float,
    inter: float = 1.0,
    intra: float = 0.8,
) -> Tensor:
    """Intra-modal contrastive loss of one modality, both directions averaged.

    For anchor i of one side: -log softmax at its own partner over [a x_i·y_j / τ for all j] and
    [b x_i·x_j / τ for j ≠ i].

    Args:
        mentions: ``(B, k)`` global vectors of those that have the modality.
        entities: ``(B, k)`` of their entities.
        owners: ``(B,)`` id of each entity; equal ones are no negatives.
        temperature: τ.
        inter: a.
        intra: b.
    """
    if len(owners) == 0:
        return mentions.new_zeros(())
    m, e = functional.normalize(mentions, dim=-1), functional.normalize(entities, dim=-1)
    same = owners[:, None] == owners[None, :]
    own = torch.eye(len(owners), dtype=torch.bool, device=m.device)
    target = torch.arange(len(owners), device=m.device)
    total = m.new_zeros(())
    for anchor, other in ((e, m), (m, e)):
        across = (inter * anchor @ other.T / temperature).masked_fill(same & ~own, float("-inf"))
        within = (intra * anchor @ anchor.T / temperature).masked_fill(same, float("-inf"))
        total = total + functional.cross_entropy(torch.cat([across, within], dim=1), target)
    return total / 2


def similarity_distribution_matching(similarity: Tensor, positives: Tensor) -> Tensor:
    """KL from each row's softmax to its row of labels, both directions added (Jiang and Ye, 2023).

    A label is 1 / (number of positives) at every positive, hence several mentions of one entity
    may share the mass. The public code divides labels along the wrong axis; here each direction
    divides along its own.

    Args:
        similarity: ``(B, M)``, temperature applied; -inf where a pair cannot be scored.
        positives: ``(B, M)`` bool; rows and columns without any are left out.
    """
    return _towards_labels(similarity, positives) + _towards_labels(similarity.T, positives.T)


def _towards_labels(similarity: Tensor, positives: Tensor) -> Tensor:
    there = torch.isfinite(similarity)
    right = positives & there
    usable = right.any(dim=1)
    if not bool(usable.any()):
        return 0.0 * similarity[there].sum()  # still part of the graph
    kept = similarity.masked_fill(~there, 0.0).masked_fill(~there, _ABSENT)
    logs = functional.log_softmax(kept[usable], dim=1)
    shares = right[usable].to(similarity.dtype)
    labels = torch.log(shares / shares.sum(dim=1, keepdim=True) + 1e-8)
    return (logs.exp() * (logs - labels)).sum(dim=1).mean()


def distribution_loss(
    scores: Tensor, present: Tensor, owners: Tensor, *, temperature: float
) -> Tensor:
    """`similarity_distribution_matching` of the fused score plus that of every unit.

    Args:
        scores: ``(units, B, B)`` cosines; column b is the entity of mention b.
        present: The same shape, bool.
        owners: ``(B,)`` id of each mention's entity; equal ones are positives of one another.
        temperature: Of the softmax.
    """
    same = owners[:, None] == owners[None, :]
    units = [s.masked_fill(~p, float("-inf")) for s, p in zip(scores, present, strict=True)]
    every = [fused(scores, present), *units]
    return torch.stack(
        [similarity_distribution_matching(unit / temperature, same) for unit in every]
    ).sum()
