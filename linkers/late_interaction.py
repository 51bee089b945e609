"""Late interaction: every token of one side picks its best token of the other (FILIP, ColBERT).

Yao et al., "FILIP: Fine-grained Interactive Language-Image Pre-Training" (ICLR 2022). With tokens
of unit length, v of one item and t of the other,

    s(v → t) = mean over v's tokens p of max over t's tokens w of ⟨v_p, t_w⟩

and a pair is scored by the mean of both directions. Where we differ from the public code: padding
is left out of means and maxima (there it is a zero vector, so no maximum is ever negative).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["late_interaction"]


def late_interaction(
    mentions: Tensor, mention_mask: Tensor, entities: Tensor, entity_mask: Tensor
) -> Tensor:
    """Return ``(B, N)`` scores in [-1, 1]; 0 where either side has no token.

    Args:
        mentions: ``(B, M, d)`` tokens, of any length.
        mention_mask: ``(B, M)`` bool.
        entities: ``(N, L, d)``.
        entity_mask: ``(N, L)`` bool.

    Example:
        >>> tokens, all_ = torch.eye(2)[None], torch.ones(1, 2, dtype=torch.bool)
        >>> late_interaction(tokens, all_, tokens.flip(1), all_).item()  # order does not count
        1.0
    """
    left, right = functional.normalize(mentions, dim=-1), functional.normalize(entities, dim=-1)
    alike = torch.einsum("bmd,nld->bnml", left, right)
    mine, theirs = mention_mask[:, None, :, None], entity_mask[None, :, None, :]
    lowest = torch.finfo(alike.dtype).min
    of_mention = alike.masked_fill(~theirs, lowest).amax(dim=-1)
    of_entity = alike.masked_fill(~mine, lowest).amax(dim=-2)
    both = _mean(of_mention, mention_mask[:, None]) + _mean(of_entity, entity_mask[None])
    there = mention_mask.any(dim=-1)[:, None] & entity_mask.any(dim=-1)[None]
    return torch.where(there, both / 2, torch.zeros_like(both))


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    kept = torch.where(mask, values, torch.zeros_like(values))
    return kept.sum(dim=-1) / mask.sum(dim=-1).clamp_min(1)
