"""Attention that knows what is padding: masked softmax, mean and class-specific pooling."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["class_attention", "masked_mean", "masked_softmax"]


def masked_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Return a softmax over the last axis; a row without a true mask is all zero, not NaN."""
    lowest = torch.finfo(logits.dtype).min
    weights = torch.softmax(logits.masked_fill(~mask, lowest), dim=-1)
    return weights * mask


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over axis -2 of ``(..., rows, d)``, rows in the mask only; else zero."""
    weights = mask.unsqueeze(-1).to(values.dtype)
    total: Tensor = (values * weights).sum(dim=-2)
    return total / weights.sum(dim=-2).clamp_min(1.0)


def class_attention(
    rows: Tensor, mask: Tensor, temperatures: tuple[float, ...], residual: float
) -> Tensor:
    """Pool rows by class-specific residual attention, every channel for itself.

    head_T(x) = mean x + λ Σ x softmax(T x), or mean x + λ max x for T ≥ 99; mean over heads.
    (Zhu and Wu, "Residual Attention", 2021, as M3EL uses it.)

    Args:
        rows: ``(n, R, d)``.
        mask: ``(n, R)`` bool.
        temperatures: T of each head.
        residual: λ.

    Returns:
        ``(n, d)``.
    """
    mean = masked_mean(rows, mask)
    heads = []
    for temperature in temperatures:
        if temperature >= 99:
            lowest = torch.finfo(rows.dtype).min
            best = rows.masked_fill(~mask.unsqueeze(-1), lowest).amax(dim=-2)
            attended = torch.where(mask.any(dim=-1, keepdim=True), best, torch.zeros_like(best))
        else:
            by_channel = rows.transpose(-1, -2)
            weights = masked_softmax(temperature * by_channel, mask.unsqueeze(-2))
            attended = (by_channel * weights).sum(dim=-1)
        heads.append(mean + residual * attended)
    return torch.stack(heads).mean(dim=0)
