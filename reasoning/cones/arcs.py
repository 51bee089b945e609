"""Arcs of the circle: wrapping, averaging axes, and distances from many points to many arcs.

With δ the angle between a point and the axis of an arc, |δ| in [0, π], the distance to an edge at
half-angle h is sin((|δ| − h)/2) = s·cos(h/2) − c·sin(h/2), where s = sin(|δ|/2), c = cos(|δ|/2).
s and c are |products| of the sines and cosines of half the two angles, so a pair costs a few
multiplications and no trigonometry. The near edge is always the closer one for h in [0, π].

The distance of a point to a rough arc (half-core c, rim f on each side, c + f ≤ π) is::

    relu(sin((|δ| − c − f)/2)) + λ₁ min(sin(|δ|/2), sin(c/2))
        + λ₂ clip(sin((|δ| − c)/2), 0, sin(f/2))

which for f = 0 is ConE's distance (arXiv 2110.13715, eq. 9-11) and else RConE's (2408.11526).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

__all__ = [
    "arc_distance",
    "log_resultant",
    "mean_axis",
    "pairwise_arc_distance",
    "sine_beyond",
    "wrap_angle",
]

_TINY = 1e-12
_SHORTEST = 1e-3


def wrap_angle(angle: Tensor) -> Tensor:
    """Return the same angles in [−π, π), radians, with gradient 1."""
    turns = torch.floor((angle.detach() + math.pi) / (2 * math.pi))
    return angle - turns * (2 * math.pi)


def mean_axis(axes: Tensor, weights: Tensor) -> Tensor:
    """Return the direction of the weighted mean of unit vectors (semantic average).

    Args:
        axes: ``(num_cones, batch, dim)``, radians.
        weights: ``(num_cones, batch, dim)``, positive.

    Returns:
        ``(batch, dim)`` in [−π, π]. Opposite axes of equal weight have no mean direction; they
        give an arbitrary one with a finite gradient, where a plain arctan would give NaN.
    """
    sine = (weights * axes.sin()).sum(0)
    cosine = (weights * axes.cos()).sum(0)
    vanishes = sine.square() + cosine.square() < _TINY
    return torch.atan2(sine, torch.where(vanishes, torch.ones_like(cosine), cosine))


def log_resultant(half_angle: Tensor) -> Tensor:
    """Return log(sin h / h), h the half-angle: how long the mean of an arc's unit vectors is.

    0 for a single direction, falling towards the whole circle, whose directions have no mean
    (Mardia and Jupp, "Directional Statistics", 2000); bounded below so that it stays finite.

    Args:
        half_angle: Any shape, radians in [0, π].
    """
    return torch.sinc(half_angle / math.pi).clamp(min=_SHORTEST).log()


def arc_distance(
    points: Tensor,
    axis: Tensor,
    half_core: Tensor,
    rim: Tensor | None,
    weights: tuple[float, float],
) -> Tensor:
    """Return the distance of points to arcs, one dimension at a time, summed over dimensions.

    Args:
        points: ``(..., dim)`` angles, radians.
        axis: ``(..., dim)`` axes, broadcast against `points`.
        half_core: ``(..., dim)`` half-angle of the (core) arc in [0, π].
        rim: ``(..., dim)`` width of the rim on each side, or None for a plain cone.
        weights: λ₁ (towards the axis, inside the core) and λ₂ (from the rim to the core).

    Returns:
        ``(...)`` distances.
    """
    half = (points - axis) / 2
    s, c = half.sin().abs(), half.cos().abs()
    outer = half_core if rim is None else half_core + rim
    total = torch.relu(sine_beyond(s, c, outer)) + weights[0] * torch.minimum(
        s, (half_core / 2).sin()
    )
    if rim is not None:
        in_rim = torch.relu(sine_beyond(s, c, half_core))
        total = total + weights[1] * torch.minimum(in_rim, (rim / 2).sin())
    return total.sum(-1)


def sine_beyond(s: Tensor, c: Tensor, half_angle: Tensor) -> Tensor:
    """Return sin((|δ| − h)/2) from s = sin(|δ|/2) and c = cos(|δ|/2), positive beyond the edge."""
    return s * (half_angle / 2).cos() - c * (half_angle / 2).sin()


def pairwise_arc_distance(
    points: Tensor,
    axis: Tensor,
    half_core: Tensor,
    rim: Tensor | None,
    weights: tuple[float, float],
    *,
    columns: Tensor | None = None,
) -> Tensor:
    """Return `arc_distance` of every point to every arc, with bounded memory.

    A few queries at a time, so that they stay in the processor's cache, with the gradient written
    out: on one core about ten times as fast as automatic differentiation over the whole
    ``(batch, num_points, dim)`` block.

    Args:
        points: ``(num_points, dim)``, radians.
        axis: ``(batch, dim)``.
        half_core: ``(batch, dim)``.
        rim: ``(batch, dim)`` or None.
        weights: λ₁ and λ₂.
        columns: ``(batch, k)`` int64, which points each arc is measured to; all of them if None.

    Returns:
        ``(batch, num_points)``, or ``(batch, k)``; differentiable once.
    """
    width = torch.zeros(0) if rim is None else rim
    # without a gradient to gather, points stay in the cache too
    many = columns is None and not torch.is_grad_enabled()
    found: list[Tensor] = [
        _Pairwise.apply(some, axis, half_core, width, weights, columns)  # type: ignore[no-untyped-call]
        for some in (torch.split(points, _POINTS) if many else (points,))
    ]
    return found[0] if len(found) == 1 else torch.cat(found, 1)


class _Pairwise(torch.autograd.Function):
    """`arc_distance` over pairs, a block of queries at a time."""

    @staticmethod
    def forward(
        ctx: Any,
        points: Tensor,
        axis: Tensor,
        half_core: Tensor,
        rim: Tensor,
        weights: Any,
        columns: Tensor | None,
    ) -> Tensor:
        ctx.save_for_backward(points, axis, half_core, rim)
        ctx.weights, ctx.columns = weights, columns
        out = points.new_empty(len(axis), len(points) if columns is None else columns.shape[1])
        pairs = _Pairs(points, axis, half_core, rim, columns)
        for block in pairs.blocks():
            s, c = pairs.sides(block)
            s, c = s.abs_(), c.abs_()
            total = pairs.beyond(s, c, pairs.outer, block).clamp_(min=0)
            if pairs.has_rim:
                middle = pairs.beyond(s, c, pairs.core, block).clamp_(min=0)
                total.add_(torch.minimum(middle, pairs.rim[0][block, None]), alpha=weights[1])
            total.add_(torch.minimum(s, pairs.core[0][block, None]), alpha=weights[0])
            torch.sum(total, -1, out=out[block])
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        points, axis, half_core, rim = ctx.saved_tensors
        inside_weight, rim_weight = ctx.weights
        pairs = _Pairs(points, axis, half_core, rim, ctx.columns)
        to_points, to_axis = torch.zeros_like(points), torch.empty_like(axis)
        to_core, to_rim = torch.empty_like(half_core), torch.zeros_like(rim)
        for block in pairs.blocks():
            s, c = pairs.sides(block)
            sign = (s * c).sign_()
            s, c = s.abs_(), c.abs_()
            gain = upstream[block] * 0.5
            outside = (pairs.beyond(s, c, pairs.outer, block) > 0).to(points.dtype)
            inside = 1 - outside
            if pairs.has_rim:
                inside = (pairs.beyond(s, c, pairs.core, block) < 0).to(points.dtype)
            # derivative of sin((|δ| − h)/2) by |δ| is +½ cos(same), by h it is −½ cos(same)
            steep = pairs.slope(s, c, pairs.outer, block).mul_(outside)
            slope = (c * inside).mul_(inside_weight).add_(steep)
            from_outer = _weighed(gain, steep)
            past_core = gain.sum(1, keepdim=True) - _weighed(gain, inside)
            to_core[block] = inside_weight * pairs.core[1][block] * past_core - from_outer
            if pairs.has_rim:
                middle = pairs.slope(s, c, pairs.core, block).mul_(1 - outside - inside)
                middle.mul_(rim_weight)
                slope.add_(middle)
                to_core[block] -= _weighed(gain, middle)
                edge = rim_weight * pairs.rim[1][block] * _weighed(gain, outside)
                to_rim[block] = edge - from_outer
            slope.mul_(sign)
            to_axis[block] = -_weighed(gain, slope)
            slope.mul_(gain[..., None])
            if ctx.columns is None:
                to_points.add_(slope.sum(0))
            else:
                to_points.index_add_(0, ctx.columns[block].reshape(-1), slope.flatten(0, 1))
        return to_points, to_axis, to_core, to_rim if pairs.has_rim else None, None, None


_CACHED = 1 << 17
"""Numbers of one block of pairs: half a megabyte of float32."""

_POINTS = 1024
"""Points compared at once where no gradient is asked for."""


class _Pairs:
    """Sines and cosines of half the angles, made once; pairs are formed a block at a time."""

    def __init__(
        self,
        points: Tensor,
        axis: Tensor,
        half_core: Tensor,
        rim: Tensor,
        columns: Tensor | None,
    ) -> None:
        self.has_rim = rim.numel() > 0 or (rim.ndim == 2 and len(axis) == 0)
        self._points, self._axis, self._columns = _halves(points), _halves(axis), columns
        self.core = _halves(half_core)
        self.rim = _halves(rim)
        self.outer = _halves(half_core + rim) if self.has_rim else self.core

    def blocks(self) -> Iterator[slice]:
        """Yield the rows of each block."""
        count, dim = self._axis[0].shape
        others = len(self._points[0]) if self._columns is None else self._columns.shape[1]
        size = max(1, _CACHED // max(1, others * dim))
        for start in range(0, count, size):
            yield slice(start, min(count, start + size))

    def sides(self, block: slice) -> tuple[Tensor, Tensor]:
        """Return sin and cos of half the signed difference, ``(rows, num_points, dim)``, fresh."""
        (sin_p, cos_p), (sin_a, cos_a) = self._points, self._axis
        sin_a, cos_a = sin_a[block, None], cos_a[block, None]
        if self._columns is not None:
            chosen = self._columns[block]
            shape = (*chosen.shape, -1)
            sin_p = sin_p.index_select(0, chosen.reshape(-1)).view(shape)
            cos_p = cos_p.index_select(0, chosen.reshape(-1)).view(shape)
        s = (sin_p * cos_a).addcmul_(cos_p, sin_a, value=-1)
        c = (cos_p * cos_a).addcmul_(sin_p, sin_a)
        return s, c

    @staticmethod
    def beyond(s: Tensor, c: Tensor, edge: tuple[Tensor, Tensor], block: slice) -> Tensor:
        """Return sin((|δ| − h)/2), positive beyond the edge."""
        return (s * edge[1][block, None]).addcmul_(c, edge[0][block, None], value=-1)

    @staticmethod
    def slope(s: Tensor, c: Tensor, edge: tuple[Tensor, Tensor], block: slice) -> Tensor:
        """Return cos((|δ| − h)/2)."""
        return (c * edge[1][block, None]).addcmul_(s, edge[0][block, None])


def _weighed(gain: Tensor, values: Tensor) -> Tensor:
    """Return the sum over points, ``(rows, dim)``."""
    return torch.bmm(gain[:, None], values)[:, 0]


def _halves(angle: Tensor) -> tuple[Tensor, Tensor]:
    half = angle / 2
    return half.sin(), half.cos()
