"""Cones: a set of entities is one arc of the circle in each dimension (ConE).

Reference: Zhang et al., "ConE: Cone Embeddings for Multi-Hop Reasoning over Knowledge Graphs",
NeurIPS 2021 (arXiv 2110.13715). An entity is a vector of angles, a query a vector of arcs, each an
axis α and an aperture β; **β is the full angle** in [0, 2π] (the public code keeps the half).

(1) entity: axis π·tanh(x), aperture 0.
(2) projection: (α + α_r, β + β_r) → network → axis and aperture.
(3) intersection: axis = direction of Σ_k a_k (cos α_k, sin α_k), with a = softmax over k of a
    network of the two edges; aperture = min_k β_k · sigmoid(network of the set).
(4) negation: (α + π, 2π − β). Union: disjunctive normal form, by the caller.
(5) distance = ‖d_out‖₁ + λ‖d_in‖₁, see `reasoning.cones.arcs`.

Where the default differs from the paper, and why (`GeometryConfig.published` takes it back): the
networks read cosines and sines, since a raw angle jumps at ±π; (2) is a residual on the translated
cone with a bias of the first layer for each relation, since small graphs do not feed four layers
of 1,600; the mean axis is atan2 with a guard against a vanishing mean; (3) weighs an axis by the
length of its arc's mean vector too, or the wide arcs of a complement begin with as much say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kg.errors import SettingError
from reasoning.cones import arcs
from reasoning.cones.arcs import arc_distance, mean_axis, pairwise_arc_distance, wrap_angle

__all__ = [
    "Cone",
    "ConeGeometry",
    "GeometryConfig",
    "aperture_from_raw",
    "axis_from_raw",
    "complement",
    "distance",
    "intersect",
    "pairwise_distance",
    "start_near_identity",
    "translate",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeometryConfig:
    """Shape of a cone or rough-cone geometry.

    Attributes:
        dim: Arcs a query, d in the paper (800 there, for graphs of 14,000 entities).
        hidden: Width of the networks (1,600 in the paper).
        layers: Hidden layers of the projection network (4 in the paper).
        inside_weight: λ, λ₁ in RConE; [0, 1].
        rim_weight: λ₂ of RConE; rough cones only.
        dropout: In the projection network, [0, 1).
        start_half_angle: About what half-angle a relation's arc has before training, (0, π).
        published: Use the published formulas, see the module's docstring; dropout then acts on the
            apertures of an intersection.
        raw_range: Raw parameters are divided by it, and start within it where `published`;
            (γ + 2)/d in the papers. Above 0.

    Raises:
        SettingError: A field is out of its range.
    """

    dim: int = 64
    hidden: int = 256
    layers: int = 1
    inside_weight: float = 0.02
    rim_weight: float = 0.5
    dropout: float = 0.3
    start_half_angle: float = 0.25
    published: bool = False
    raw_range: float = 1.0

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("dim", "hidden", "layers"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("inside_weight", "rim_weight"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise SettingError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if not 0.0 <= self.dropout < 1.0:
            raise SettingError(f"dropout must lie in [0, 1), got {self.dropout}")
        if not 0.0 < self.start_half_angle < math.pi:
            raise SettingError(f"start_half_angle must lie in (0, π), got {self.start_half_angle}")
        if not self.raw_range > 0.0:
            raise SettingError(f"raw_range must be above 0, got {self.raw_range}")

    @property
    def start_spread(self) -> float:
        """Within what distance of 0 raw parameters of relations start."""
        return self.raw_range if self.published else 0.5


@dataclass(frozen=True, slots=True)
class Cone:
    """A batch of cones.

    Attributes:
        axis: ``(batch, dim)``, radians in [−π, π).
        aperture: ``(batch, dim)``, radians in [0, 2π], the full angle.
    """

    axis: Tensor
    aperture: Tensor


def axis_from_raw(raw: Tensor) -> Tensor:
    """Return angles π·tanh(x) in (−π, π) of unbounded parameters (1)."""
    return math.pi * torch.tanh(raw)


def aperture_from_raw(raw: Tensor) -> Tensor:
    """Return full apertures π·tanh(2x) + π in (0, 2π) of unbounded parameters."""
    return math.pi * torch.tanh(2 * raw) + math.pi


def start_near_identity(
    axis: nn.Embedding, projection: ProjectionNetwork, widths: Mapping[nn.Embedding, float]
) -> None:
    """Let relations start as narrow arcs about where the entity itself lies.

    Arcs that start half a circle wide hold nearly all entities that start close together, and give
    them no gradient but λ's: training then stays on the plateau of the frequent tail.

    Args:
        axis: Axes of relations, drawn within ±0.5; shrunk to a tenth.
        projection: Its angles are made small; its widths stay.
        widths: Raw widths of relations, drawn within ±0.5, and where they are to start instead.
    """
    with torch.no_grad():
        axis.weight.mul_(0.1)
        projection.last.weight[: axis.embedding_dim].mul_(0.1)
        projection.last.bias[: axis.embedding_dim].zero_()
        for width, start in widths.items():
            width.weight.mul_(0.2).add_(start)


def translate(cone: Cone, axis: Tensor, aperture: Tensor) -> Cone:
    """Turn and widen a cone by a relation's, apertures kept in [0, 2π]; first half of (2)."""
    widened = (cone.aperture + aperture).clamp(0.0, 2 * math.pi)
    return Cone(wrap_angle(cone.axis + axis), widened)


def intersect(cones: tuple[Cone, ...], logits: Tensor, gate: Tensor) -> Cone:
    """Intersect K cones (3).

    Args:
        cones: The cones, each ``(batch, dim)``.
        logits: ``(K, batch, dim)`` attention before the softmax over K.
        gate: ``(batch, dim)`` in (0, 1), by which the smallest aperture shrinks.
    """
    axes = torch.stack([cone.axis for cone in cones])
    smallest = torch.stack([cone.aperture for cone in cones]).amin(0)
    return Cone(mean_axis(axes, logits.softmax(0)), smallest * gate)


def complement(cone: Cone) -> Cone:
    """Return the cones of all that is not in these (4); twice is the identity."""
    return Cone(wrap_angle(cone.axis + math.pi), 2 * math.pi - cone.aperture)


def distance(cone: Cone, points: Tensor, inside_weight: float) -> Tensor:
    """Return the distance (5) of ``(batch, n, dim)`` points to their cone, ``(batch, n)``."""
    axis, half = cone.axis[:, None], cone.aperture[:, None] / 2
    return arc_distance(points, axis, half, None, (inside_weight, 0.0))


def pairwise_distance(
    cone: Cone, points: Tensor, inside_weight: float, columns: Tensor | None = None
) -> Tensor:
    """Return the distance (5) of ``(n, dim)`` points to every cone, ``(batch, n)``.

    With `columns`, ``(batch, k)``, of the chosen points of each cone only, ``(batch, k)``.
    """
    weights = (inside_weight, 0.0)
    return pairwise_arc_distance(
        points, cone.axis, cone.aperture / 2, None, weights, columns=columns
    )


class ConeGeometry(nn.Module):
    """The parameters of ConE's operators; its methods call the functions above.

    Args:
        num_relations: Directed relations, inverses counted.
        config: Shape.
    """

    def __init__(self, num_relations: int, config: GeometryConfig) -> None:
        super().__init__()
        dim, hidden = config.dim, config.hidden
        self.config = config
        self.axis = nn.Embedding(num_relations, dim)
        self.aperture = nn.Embedding(num_relations, dim)
        self.projection = ProjectionNetwork(num_relations, angles=1, widths=1, config=config)
        edges = 2 * dim if config.published else 4 * dim
        gate = dim if config.published else hidden
        self.attention = nn.Sequential(nn.Linear(edges, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.member = nn.Sequential(nn.Linear(edges, gate), nn.ReLU())
        self.whole = nn.Linear(gate, dim)
        self.thin = nn.Dropout(config.dropout if config.published else 0.0)
        for table in (self.axis, self.aperture):
            nn.init.uniform_(table.weight, -config.start_spread, config.start_spread)
        if not config.published:  # raw value of the aperture that the settings ask for
            start = math.atanh(2 * config.start_half_angle / math.pi - 1) / 2
            start_near_identity(self.axis, self.projection, {self.aperture: start})

    def given(self, axis: Tensor) -> Cone:
        """Return the cones of single entities: aperture 0."""
        return Cone(axis, torch.zeros_like(axis))

    def project(self, cone: Cone, relations: Tensor) -> Cone:
        """Follow a relation; `relations` is ``(batch,)`` directed relation ids."""
        turn = axis_from_raw(self.axis(relations) / self.config.raw_range)
        widen = aperture_from_raw(self.aperture(relations) / self.config.raw_range)
        if self.config.published:
            raw = self.projection([cone.axis + turn], [(cone.aperture + widen) / 2], relations)
            return Cone(axis_from_raw(raw[0]), aperture_from_raw(raw[1]))
        moved = translate(cone, turn, widen)
        raw = self.projection([moved.axis], [moved.aperture / 2], relations)
        axis = wrap_angle(moved.axis + axis_from_raw(raw[0]))
        return Cone(axis, aperture_from_raw(raw[1] + self.aperture(relations)))

    def intersect(self, cones: tuple[Cone, ...]) -> Cone:
        """Intersect two or more cones of the same batch."""
        edges = torch.stack([self._edges(cone) for cone in cones])
        gate = torch.sigmoid(self.whole(self.member(edges).mean(0)))
        # what dropout widens stays on the circle
        thinned = tuple(
            Cone(cone.axis, self.thin(cone.aperture).clamp(max=2 * math.pi)) for cone in cones
        )
        logits = self.attention(edges)
        if not self.config.published:
            logits = logits + arcs.log_resultant(torch.stack([c.aperture for c in cones]) / 2)
        return intersect(thinned, logits, gate)

    def complement(self, cone: Cone) -> Cone:
        """Return the complement."""
        return complement(cone)

    def distance(self, cone: Cone, points: Tensor, columns: Tensor | None = None) -> Tensor:
        """Return ``(batch, n)`` distances to points ``(n, dim)``; see `pairwise_distance`."""
        return pairwise_distance(cone, points, self.config.inside_weight, columns)

    def _edges(self, cone: Cone) -> Tensor:
        low, high = cone.axis - cone.aperture / 2, cone.axis + cone.aperture / 2
        if self.config.published:
            return torch.cat([low, high], -1)
        return torch.cat([low.cos(), low.sin(), high.cos(), high.sin()], -1)


class ProjectionNetwork(nn.Module):
    """The network behind a projection, shared by cones and rough cones.

    Args:
        num_relations: Directed relations.
        angles: How many angles on the circle it reads (axes).
        widths: How many widths in [0, π] it reads.
        config: Shape.
    """

    def __init__(
        self, num_relations: int, *, angles: int, widths: int, config: GeometryConfig
    ) -> None:
        super().__init__()
        self.published = config.published
        parts = angles + widths
        inputs = config.dim * (parts if config.published else 2 * angles + widths)
        self.first = nn.Linear(inputs, config.hidden)
        self.by_relation = nn.Embedding(num_relations, config.hidden)
        dropout = 0.0 if config.published else config.dropout
        steps: list[nn.Module] = [nn.ReLU(), nn.Dropout(dropout)]
        for _ in range(config.layers - 1):
            steps += [nn.Linear(config.hidden, config.hidden), nn.ReLU()]
        self.rest = nn.Sequential(*steps)
        self.last = nn.Linear(config.hidden, config.dim * parts)
        self.parts = parts
        nn.init.normal_(self.by_relation.weight, std=0.0 if config.published else 0.1)

    def forward(
        self, angles: list[Tensor], widths: list[Tensor], relations: Tensor
    ) -> tuple[Tensor, ...]:
        """Return one raw ``(batch, dim)`` tensor for each angle and width."""
        if self.published:
            hidden = self.first(torch.cat([*angles, *widths], -1))
        else:
            seen = [f(angle) for angle in angles for f in (torch.cos, torch.sin)]
            scaled = [width / math.pi for width in widths]
            hidden = self.first(torch.cat([*seen, *scaled], -1)) + self.by_relation(relations)
        raw: Tensor = self.last(self.rest(hidden))
        return raw.chunk(self.parts, -1)
