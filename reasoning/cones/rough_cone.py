"""Rough cones: each arc has a core (surely answers) and a rim (what may hold answers) (RConE).

Reference: Kharbanda et al., "RConE: Rough Cone Embedding for Multi-Hop Logical Query Answering on
Multi-Modal Knowledge Graphs" (arXiv 2408.11526). In each dimension: axis α, half-angle c of the
core, width f of the rim on each side. **c and f are half-angles**, c ≥ 0, f ≥ 0, c + f ≤ π.

(1) relation and projection: c = π·σ(x), f = (π − c)·σ(y) of unbounded x, y.
(2) intersection: axis as in ConE with attention over the four edges α ∓ c, α ∓ (c + f);
    c = min_k c_k · gate_c; f = min(max_k f_k, min_k (c_k + f_k) − c) · gate_f.
(3) negation: (α + π, π − c − f, f): the complement of the upper approximation is the new core.
(4) distance of an ordinary answer, and of a part: ‖beyond the rim‖₁ + λ₁‖d_in‖₁ + λ₂‖d_mid‖₁.
(5) distance of an owner, an entity whose image holds a part that answers, which belongs into the
    rim: ‖beyond the rim‖₁ + 0.9 λ₂‖from inside the core to its edge‖₁ + λ₁‖to the middle of the
    rim‖₁.

Where we differ from the public code, and why: (1) keeps the rim from being negative, where the code
subtracts the core from a free value; nothing is written into an argument; which of (4) and (5)
holds is decided by the query and the candidate's kind, never by the gold answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reasoning.cones.arcs import (
    arc_distance,
    log_resultant,
    mean_axis,
    pairwise_arc_distance,
    sine_beyond,
    wrap_angle,
)
from reasoning.cones.cone import (
    GeometryConfig,
    ProjectionNetwork,
    axis_from_raw,
    start_near_identity,
)

__all__ = [
    "RoughCone",
    "RoughGeometry",
    "complement",
    "core_from_raw",
    "distance",
    "intersect",
    "owner_distance",
    "pairwise_distance",
    "rim_from_raw",
    "share_in_core",
    "translate",
]


@dataclass(frozen=True, slots=True)
class RoughCone:
    """A batch of rough cones, radians.

    Attributes:
        axis: ``(batch, dim)`` in [−π, π).
        half_core: ``(batch, dim)``, c in [0, π].
        rim: ``(batch, dim)``, f in [0, π − c].
    """

    axis: Tensor
    half_core: Tensor
    rim: Tensor


def core_from_raw(raw: Tensor) -> Tensor:
    """Return half-angles of cores π·σ(x) in (0, π) of unbounded parameters (1)."""
    return math.pi * torch.sigmoid(raw)


def rim_from_raw(raw: Tensor, half_core: Tensor) -> Tensor:
    """Return widths of rims (π − c)·σ(y), so that c + f ≤ π (1)."""
    return (math.pi - half_core) * torch.sigmoid(raw)


def translate(cone: RoughCone, axis: Tensor, half_core: Tensor, rim: Tensor) -> RoughCone:
    """Turn a rough cone by a relation's axis and widen its core and its rim, c + f kept ≤ π."""
    core = (cone.half_core + half_core).clamp(max=math.pi)
    return RoughCone(
        wrap_angle(cone.axis + axis), core, torch.minimum(cone.rim + rim, math.pi - core)
    )


def intersect(
    cones: tuple[RoughCone, ...], logits: Tensor, core_gate: Tensor, rim_gate: Tensor
) -> RoughCone:
    """Intersect K rough cones (2).

    Args:
        cones: The cones, each ``(batch, dim)``.
        logits: ``(K, batch, dim)`` attention before the softmax over K.
        core_gate: ``(batch, dim)`` in (0, 1).
        rim_gate: ``(batch, dim)`` in (0, 1).
    """
    axes = torch.stack([cone.axis for cone in cones])
    cores = torch.stack([cone.half_core for cone in cones])
    rims = torch.stack([cone.rim for cone in cones])
    core = cores.amin(0) * core_gate
    room = (cores + rims).amin(0) - core
    rim = torch.minimum(rims.amax(0), room) * rim_gate
    return RoughCone(mean_axis(axes, logits.softmax(0)), core, rim)


def complement(cone: RoughCone) -> RoughCone:
    """Return the rough cones of all that is not in these (3); twice is the identity."""
    core = (math.pi - (cone.half_core + cone.rim)).clamp(min=0.0)
    return RoughCone(wrap_angle(cone.axis + math.pi), core, cone.rim)


def distance(cone: RoughCone, points: Tensor, weights: tuple[float, float]) -> Tensor:
    """Return the distance (4) of ``(batch, n, dim)`` points to their cone, ``(batch, n)``."""
    parts = cone.axis[:, None], cone.half_core[:, None], cone.rim[:, None]
    return arc_distance(points, *parts, weights)


def pairwise_distance(
    cone: RoughCone, points: Tensor, weights: tuple[float, float], columns: Tensor | None = None
) -> Tensor:
    """Return the distance (4) of ``(n, dim)`` points to every cone, ``(batch, n)``.

    With `columns`, ``(batch, k)``, of the chosen points of each cone only, ``(batch, k)``.
    """
    return pairwise_arc_distance(
        points, cone.axis, cone.half_core, cone.rim, weights, columns=columns
    )


def owner_distance(cone: RoughCone, points: Tensor, weights: tuple[float, float]) -> Tensor:
    """Return the distance (5) of owners to the rim of each cone.

    Args:
        cone: The query.
        points: ``(n, dim)`` axes of the owners, or ``(batch, n, dim)``.
        weights: λ₁ and λ₂.

    Returns:
        ``(batch, n)``.
    """
    core, rim = cone.half_core[:, None], cone.rim[:, None]
    half = (points - cone.axis[:, None]) / 2
    s, c = half.sin().abs(), half.cos().abs()
    beyond = torch.relu(sine_beyond(s, c, core + rim))
    too_deep = torch.relu(-sine_beyond(s, c, core))
    # the way to the middle of the rim, no longer than half a rim: beyond it other terms take over
    to_middle = torch.minimum(sine_beyond(s, c, core + rim / 2).abs(), torch.sin(rim / 4))
    total = beyond + 0.9 * weights[1] * too_deep + weights[0] * to_middle
    return total.sum(-1)


def share_in_core(cone: RoughCone, points: Tensor) -> Tensor:
    """Return the share of dimensions in which points lie inside the core, ``(batch, n)``.

    Args:
        cone: The query.
        points: ``(n, dim)`` axes, or ``(batch, n, dim)``.
    """
    cosine = torch.cos(points - cone.axis[:, None])
    return (cosine >= torch.cos(cone.half_core)[:, None]).float().mean(-1)


class RoughGeometry(nn.Module):
    """The parameters of RConE's operators; its methods call the functions above.

    Args:
        num_relations: Directed relations, inverses counted.
        config: Shape; `published` concerns the networks' inputs only, the defects stay mended.
    """

    def __init__(self, num_relations: int, config: GeometryConfig) -> None:
        super().__init__()
        dim, hidden = config.dim, config.hidden
        self.config = config
        self.axis = nn.Embedding(num_relations, dim)
        self.core = nn.Embedding(num_relations, dim)
        self.rim = nn.Embedding(num_relations, dim)
        self.projection = ProjectionNetwork(num_relations, angles=1, widths=2, config=config)
        edges = 4 * dim if config.published else 8 * dim
        gate = dim if config.published else hidden
        self.attention = nn.Sequential(nn.Linear(edges, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.member = nn.Sequential(nn.Linear(edges, gate), nn.ReLU())
        self.whole = nn.Linear(gate, 2 * dim)
        self.thin = nn.Dropout(config.dropout if config.published else 0.0)
        for table in (self.axis, self.core, self.rim):
            nn.init.uniform_(table.weight, -config.start_spread, config.start_spread)
        if not config.published:  # raw value of the core that the settings ask for
            share = config.start_half_angle / math.pi
            start = math.log(share / (1 - share))
            start_near_identity(self.axis, self.projection, {self.core: start, self.rim: start})

    def given(self, axis: Tensor) -> RoughCone:
        """Return the cones of single entities: no core and no rim."""
        return RoughCone(axis, torch.zeros_like(axis), torch.zeros_like(axis))

    def project(self, cone: RoughCone, relations: Tensor) -> RoughCone:
        """Follow a relation; `relations` is ``(batch,)`` directed relation ids."""
        scale = self.config.raw_range
        turn = axis_from_raw(self.axis(relations) / scale)
        core = core_from_raw(self.core(relations) / scale)
        rim = rim_from_raw(self.rim(relations) / scale, core)
        if self.config.published:
            sums = [cone.half_core + core, cone.rim + rim]
            raw = self.projection([cone.axis + turn], sums, relations)
            half_core = core_from_raw(raw[1])
            return RoughCone(axis_from_raw(raw[0]), half_core, rim_from_raw(raw[2], half_core))
        moved = translate(cone, turn, core, rim)
        raw = self.projection([moved.axis], [moved.half_core, moved.rim], relations)
        axis = wrap_angle(moved.axis + axis_from_raw(raw[0]))
        half_core = core_from_raw(raw[1] + self.core(relations))
        return RoughCone(axis, half_core, rim_from_raw(raw[2] + self.rim(relations), half_core))

    def intersect(self, cones: tuple[RoughCone, ...]) -> RoughCone:
        """Intersect two or more cones of the same batch."""
        edges = torch.stack([self._edges(cone) for cone in cones])
        gates = torch.sigmoid(self.whole(self.member(edges).mean(0)))
        core_gate, rim_gate = gates.chunk(2, -1)
        # what dropout widens stays on the circle
        thinned = tuple(self._thinned(cone) for cone in cones)
        logits = self.attention(edges)
        if not self.config.published:  # as in `reasoning.cones.cone`
            logits = logits + log_resultant(torch.stack([c.half_core + c.rim for c in cones]))
        return intersect(thinned, logits, core_gate, rim_gate)

    def _thinned(self, cone: RoughCone) -> RoughCone:
        core = self.thin(cone.half_core).clamp(max=math.pi)
        return RoughCone(cone.axis, core, torch.minimum(cone.rim, math.pi - core))

    def complement(self, cone: RoughCone) -> RoughCone:
        """Return the complement."""
        return complement(cone)

    def distance(self, cone: RoughCone, points: Tensor, columns: Tensor | None = None) -> Tensor:
        """Return ``(batch, n)`` distances (4) to points ``(n, dim)``; see `pairwise_distance`."""
        return pairwise_distance(cone, points, self._weights, columns)

    def owner_distance(self, cone: RoughCone, points: Tensor) -> Tensor:
        """Return ``(batch, n)`` distances (5) of owners."""
        return owner_distance(cone, points, self._weights)

    @property
    def _weights(self) -> tuple[float, float]:
        return self.config.inside_weight, self.config.rim_weight

    def _edges(self, cone: RoughCone) -> Tensor:
        outer = cone.half_core + cone.rim
        edges = [cone.axis + sign * width for width in (cone.half_core, outer) for sign in (-1, 1)]
        if self.config.published:
            return torch.cat(edges, -1)
        return torch.cat([f(edge) for edge in edges for f in (torch.cos, torch.sin)], -1)
