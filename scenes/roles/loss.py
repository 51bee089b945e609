"""The hinge of Structure-CLIP (arXiv 2305.06152) on a triplet and its swap."""

from __future__ import annotations

from torch import Tensor

__all__ = ["structure_loss"]


def structure_loss(
    positive: Tensor,
    negative: Tensor,
    *,
    margin: float = 0.1,
    weight: float = 5.0,
    emphasis: Tensor | None = None,
) -> Tensor:
    """Return ``weight`` times the mean of ``[margin + negative - positive]`` where above 0.

    Args:
        positive: ``(n,)`` score of each triplet.
        negative: ``(n,)`` or ``(n, negatives)`` scores of its swaps.
        margin: By how much a triplet shall beat its swap.
        weight: Of this loss beside the others.
        emphasis: ``(n,)`` factor of each triplet; 1 if not given.

    Returns:
        A scalar, 0 for no triplet.

    Example:
        >>> import torch
        >>> float(structure_loss(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 1.5]), margin=0.5))
        2.5
    """
    if positive.numel() == 0:
        return positive.sum()
    if negative.ndim == 1:
        negative = negative[:, None]
    hinge = (margin + negative - positive[:, None]).clamp(min=0).mean(dim=1)
    return weight * (hinge if emphasis is None else hinge * emphasis).mean()
