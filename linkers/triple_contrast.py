"""TCL's two terms beside the contrastive loss: an item agrees with its other views and its parts.

Source: Yang et al., "Vision-Language Pre-Training with Triple Contrastive Learning" (CVPR 2022).
Its third, cross-modal term is a mention against its entity here, which the matching loss and
`linkers.losses.contrastive_loss` are. Where we differ from the public code: the encoders are
frozen, so there is no momentum encoder and no queue, and a view is an encoder's vector of a changed
picture or text (`linkers.views`); equal entities are no negatives of one another; a grid of patches
of any side is pooled to 4 x 4; items without a modality stand aside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import starmap
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from linkers.items import Encoded, Items

if TYPE_CHECKING:
    from linkers.matching import MatchingNetwork

__all__ = ["local_mutual_information", "local_term", "pooled_grid", "view_contrast", "view_term"]

_SIDE = 4  # locals of a picture: 4 x 4


def view_contrast(first: Tensor, second: Tensor, ids: Tensor, *, temperature: float) -> Tensor:
    """Each item against its own other view: -log softmax_j(a_i·b_j / τ) at i, both directions.

    Args:
        first: ``(B, d)`` one view of each item, of any length.
        second: ``(B, d)`` another one.
        ids: ``(B,)``; equal ones are no negatives.
        temperature: τ.

    Example:
        >>> one = torch.eye(2)
        >>> loss = view_contrast(one, one, torch.tensor([0, 1]), temperature=1.0)
        >>> round(loss.item(), 4)  # log(1 + 1/e)
        0.3133
    """
    if not len(ids):
        return first.new_zeros(())
    a, b = functional.normalize(first, dim=-1), functional.normalize(second, dim=-1)
    own = torch.eye(len(ids), dtype=torch.bool, device=a.device)
    twins = (ids[:, None] == ids[None, :]) & ~own
    logits = (a @ b.T / temperature).masked_fill(twins, float("-inf"))
    target = torch.arange(len(ids), device=a.device)
    both = functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)
    return both / 2


def local_mutual_information(
    global_: Tensor, local: Tensor, mask: Tensor, ids: Tensor, *, temperature: float
) -> Tensor:
    """Each item against its own parts, the parts of all others as negatives.

    For item i and its part p: -log of exp(g_i·l_ip / τ) over itself plus Σ_{j ≠ i, q}
    exp(g_i·l_jq / τ); the mean over p, then over i. Parts carry no gradient.

    Args:
        global_: ``(B, d)``, of any length.
        local: ``(B, L, d)`` parts.
        mask: ``(B, L)`` bool; an item without parts is left out.
        ids: ``(B,)``; equal ones are no negatives.
        temperature: τ.
    """
    there = mask.any(dim=1)
    if not bool(there.any()):
        return 0.0 * global_.sum()  # still part of the graph
    g, kept, own_ids = global_[there], mask[there], ids[there]
    parts = functional.normalize(local[there].detach(), dim=-1)
    logits = torch.einsum("id,jqd->ijq", functional.normalize(g, dim=-1), parts) / temperature
    other = (own_ids[:, None] != own_ids[None, :])[:, :, None] & kept[None]
    count = len(g)
    rivals = logits.masked_fill(~other, float("-inf")).reshape(count, -1).logsumexp(dim=1)
    own = logits[torch.arange(count), torch.arange(count)]
    losses = functional.softplus(rivals[:, None] - own) * kept
    return (losses.sum(dim=1) / kept.sum(dim=1)).mean()


def pooled_grid(tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``(n, 16, d)`` of patches on a square grid, and their mask; a smaller grid stays.

    Args:
        tokens: ``(n, P, d)`` row by row; P that is no square stays as it is too.
        mask: ``(n, P)`` bool; a cell without a true patch is masked.
    """
    side = math.isqrt(tokens.shape[1])
    if side <= _SIDE or side**2 != tokens.shape[1]:
        return tokens, mask
    cells = torch.cat([tokens * mask[..., None], mask[..., None].to(tokens.dtype)], dim=-1)
    grid = cells.transpose(1, 2).reshape(len(cells), -1, side, side)
    pooled = functional.adaptive_avg_pool2d(grid, _SIDE).flatten(2).transpose(1, 2)
    shares = pooled[..., -1:]
    return pooled[..., :-1] / shares.clamp_min(1e-6), shares[..., 0] > 0


def local_term(
    network: MatchingNetwork, sides: Sequence[tuple[Items, Encoded]], owners: Tensor
) -> Tensor:
    """Return the mean of `local_mutual_information` over both sides and modalities.

    Args:
        network: Of the mended formulas.
        sides: Mentions and their entities, ``(B,)`` each.
        owners: ``(B,)`` id of each mention's entity.
    """
    losses = []
    for items, encoded in sides:
        patches, patch_mask = pooled_grid(items.image_tokens, items.image_mask)
        with torch.no_grad():
            parts = ((items.text_tokens, items.text_mask), (network.shrink(patches), patch_mask))
        losses += [
            local_mutual_information(
                whole, local, mask, owners, temperature=network.config.view_temperature
            )
            for whole, (local, mask) in zip(encoded.raw, parts, strict=True)
        ]
    return torch.stack(losses).mean()


def view_term(
    network: MatchingNetwork, sides: Sequence[tuple[Encoded, Items]], owners: Tensor
) -> Tensor:
    """Return the mean of `view_contrast` over both sides and modalities.

    Args:
        network: Of the mended formulas.
        sides: Mentions and their entities, ``(B,)`` each, with another view of each.
        owners: ``(B,)`` id of each mention's entity.
    """

    def of(encoded: Encoded, view: Items) -> list[Tensor]:
        seen = (network.adapter(view.text), network.shrink(view.image))
        masks = (view.text_mask.any(dim=-1), view.image_mask.any(dim=-1))
        found = []
        for side, (other, mask) in enumerate(zip(seen, masks, strict=True)):
            both = encoded.present[:, side] & mask
            found.append(
                view_contrast(
                    encoded.raw[side][both],
                    other[both],
                    owners[both],
                    temperature=network.config.view_temperature,
                )
            )
        return found

    return torch.stack([loss for losses in starmap(of, sides) for loss in losses]).mean()
