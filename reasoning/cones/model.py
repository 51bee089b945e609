"""A cone model: axes of entities, a geometry, optionally an encoder of parts, and a score.

score(entity, query) = γ − modulus · distance(axis, cone) + bias(entity)

The bias is an extension of the papers: how likely an entity is to answer anything. On small graphs
a popular entity cannot be near every cone at once. `entity_bias=False` leaves it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, assert_never

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kg.errors import SettingError, UnsupportedQueryError
from reasoning.cones.cone import Cone, ConeGeometry, GeometryConfig, axis_from_raw
from reasoning.cones.part_encoder import (
    EncodedParts,
    HiddenFacts,
    PartEncoder,
    PartEncoderConfig,
)
from reasoning.cones.parts import PartTable
from reasoning.cones.rough_cone import RoughCone, RoughGeometry
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
)
from reasoning.structures import Structure

__all__ = ["AnyCone", "ConeModel", "ConeModelConfig", "GeometryName"]

GeometryName = Literal["cone", "rough"]
AnyCone: TypeAlias = Cone | RoughCone

_PARTS = 4096
"""Parts encoded at once, which bounds memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConeModelConfig:
    """What a cone model is made of.

    Attributes:
        geometry: ``cone`` (ConE) or ``rough`` (RConE).
        shape: Shape of the geometry.
        margin: γ, a score of distance 0; above 0.
        entity_bias: Whether entities have a bias.
        parts: Shape of the encoder of parts; used where part features are given.
        label_relation: Relation from a part to its class.

    Raises:
        SettingError: A field is out of its range.
    """

    geometry: GeometryName = "cone"
    shape: GeometryConfig = field(default_factory=GeometryConfig)
    margin: float = 12.0
    entity_bias: bool = True
    parts: PartEncoderConfig = field(default_factory=PartEncoderConfig)
    label_relation: str = "has_label"

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.geometry not in ("cone", "rough"):
            raise SettingError(f"geometry must be cone or rough, got {self.geometry!r}")
        if self.margin <= 0:
            raise SettingError(f"margin must be above 0, got {self.margin}")


class ConeModel(nn.Module):
    """Parameters of a cone model over the ids of one snapshot.

    Args:
        num_entities: Entities of the snapshot.
        num_relations: Directed relations, twice the snapshot's.
        config: What it is made of.
        table: Parts of the snapshot, for the encoder; None gives each part a free axis.

    Attributes:
        calibration: ``(2,)`` slope and offset of Platt's map from the log odds of a score among
            the candidates to a probability.
        core_share: ``(1,)`` share of dimensions inside the core from which on an answer counts as
            `core`, in [0, 1].
    """

    def __init__(
        self,
        num_entities: int,
        num_relations: int,
        config: ConeModelConfig,
        *,
        table: PartTable | None = None,
    ) -> None:
        super().__init__()
        shape = config.shape
        self.config = config
        self.table = table
        self.num_entities = num_entities
        self.num_relations = num_relations
        self.entity = nn.Embedding(num_entities, shape.dim)
        self.bias = nn.Embedding(num_entities, 1)
        self.geometry: ConeGeometry | RoughGeometry = (
            ConeGeometry(num_relations, shape)
            if config.geometry == "cone"
            else RoughGeometry(num_relations, shape)
        )
        # a random entity lies about 0.35 a dimension outside a cone: it starts a margin away
        start = 0.5 * shape.raw_range if shape.published else 2 * config.margin / (0.35 * shape.dim)
        self.modulus = nn.Parameter(torch.tensor([start]))
        self.encoder = None if table is None else _encoder(table, num_relations, config)
        self._row_of = torch.full((num_entities,), -1, dtype=torch.long)
        if table is not None:
            self._row_of[torch.from_numpy(table.ids).long()] = torch.arange(len(table))
        self.calibration: Tensor
        self.core_share: Tensor
        self.register_buffer("calibration", torch.tensor([1.0, 0.0]))
        self.register_buffer("core_share", torch.tensor([0.5]))
        # entities start close together: they part where facts tell them apart. Spread at random
        # over the circle they are learnt by heart (29 instead of 48 valid MRR, countries);
        # training adds what `reasoning.cones.start` knows of them
        spread = shape.raw_range if shape.published else 0.02
        nn.init.uniform_(self.entity.weight, -spread, spread)
        nn.init.zeros_(self.bias.weight)

    def axes(self, ids: Tensor, *, hidden: HiddenFacts | None = None) -> Tensor:
        """Return axes of entities; parts go through the encoder where there is one.

        Args:
            ids: ``(n,)`` entity ids.
            hidden: What the encoder must not read; nothing by default.

        Returns:
            ``(n, dim)`` radians.
        """
        rows = self.part_rows(ids)
        rows = rows[rows >= 0]
        if self.table is None or len(rows) == 0:
            return self._free_axes(ids)
        return self.with_parts(ids, self.encode(self.table, rows.numpy(), hidden=hidden))

    def with_parts(self, ids: Tensor, encoded: EncodedParts) -> Tensor:
        """Return axes of entities whose parts were encoded before, in the order of `ids`."""
        places = torch.nonzero(self.part_rows(ids) >= 0)[:, 0]
        return self._free_axes(ids).index_copy(0, places, encoded.axes)

    def part_rows(self, ids: Tensor) -> Tensor:
        """Return the row of each entity in the table of parts, -1 for what is no encoded part."""
        return self._row_of[ids]

    def encode(
        self, table: PartTable, rows: NDArray[np.int64], *, hidden: HiddenFacts | None = None
    ) -> EncodedParts:
        """Encode parts of any table, also of an image that no snapshot holds.

        Args:
            table: The parts.
            rows: Which of them, ``(m,)``.
            hidden: What the encoder must not read; nothing by default.

        Raises:
            UnsupportedQueryError: The model was trained without part features.
        """
        if self.encoder is None:
            raise UnsupportedQueryError("a model trained without part features encodes no parts")
        found: list[EncodedParts] = []
        order = np.argsort(table.images[rows], kind="stable")
        classes = self.entity(torch.from_numpy(table.classes).long()) / self.config.shape.raw_range
        for start in range(0, len(rows), _PARTS):
            chosen = rows[order[start : start + _PARTS]]
            owners = self._owners(table, np.unique(table.images[chosen]))
            facts = hidden or HiddenFacts()
            found.append(self.encoder(table, chosen, hidden=facts, owners=owners, classes=classes))
        back = torch.from_numpy(np.argsort(order, kind="stable"))
        if not found:
            nothing = self.entity.weight.new_zeros(0, self.config.shape.dim)
            return EncodedParts(axes=nothing, label_logits=nothing[:, :0])
        return EncodedParts(
            axes=torch.cat([part.axes for part in found])[back],
            label_logits=torch.cat([part.label_logits for part in found])[back],
        )

    def _owners(self, table: PartTable, images: NDArray[np.int64]) -> Tensor:
        """Return ``(num_images, 4 · dim)``: what the encoder reads of the owners of images."""
        parents = table.parents[table.by_image[table.image_bounds[images]]]
        axes = self._free_axes(torch.from_numpy(np.maximum(parents, 0)))
        around = torch.from_numpy(table.surroundings[images])
        present = (around >= 0).to(axes.dtype)[..., None]
        near = self._free_axes(around.clamp(min=0))
        both = torch.cat([near.cos(), near.sin()], -1) * present
        mean = both.sum(1) / present.sum(1).clamp(min=1.0)
        return torch.cat([axes.cos(), axes.sin(), mean], -1)

    def _free_axes(self, ids: Tensor) -> Tensor:
        return axis_from_raw(self.entity(ids) / self.config.shape.raw_range)

    def embed(self, structure: Structure, anchor_axes: Tensor, relations: Tensor) -> AnyCone:
        """Return the cones of queries of one structure.

        Args:
            structure: Without unions (disjunctive normal form), labels and comparisons.
            anchor_axes: ``(batch, num_anchors, dim)`` radians.
            relations: ``(batch, num_relations)`` directed relations.

        Raises:
            UnsupportedQueryError: A node that cones have no operator for.
        """
        return self._fold(structure.tree, anchor_axes, relations)

    def _fold(self, node: Query, anchor_axes: Tensor, relations: Tensor) -> AnyCone:
        space = self.geometry
        match node:
            case Anchor(entity=slot):
                return space.given(anchor_axes[:, int(slot)])
            case Projection(relation=slot, child=child):
                inner = self._fold(child, anchor_axes, relations)
                return space.project(inner, relations[:, int(slot)])  # type: ignore[arg-type]
            case Intersection(children=branches):
                inner_cones = tuple(self._fold(b, anchor_axes, relations) for b in branches)
                return space.intersect(inner_cones)  # type: ignore[arg-type]
            case Negation(child=child):
                return space.complement(self._fold(child, anchor_axes, relations))  # type: ignore[arg-type]
            case SoftAnchor() | Union() | Labelled() | Compare():
                raise UnsupportedQueryError(
                    f"cones have no operator for a {type(node).__name__.lower()}"
                )
            case _:
                assert_never(node)

    def scores(
        self,
        cone: AnyCone,
        axes: Tensor,
        ids: Tensor | None,
        *,
        columns: Tensor | None = None,
    ) -> Tensor:
        """Return ``(batch, n)`` scores of candidates by their ordinary distance.

        Args:
            cone: ``batch`` queries.
            axes: ``(n, dim)`` axes of the candidates.
            ids: ``(n,)`` their ids, for the bias; None for what is in no snapshot.
            columns: ``(batch, k)`` which candidates each query is scored against, ``(batch, k)``
                scores then; all of them if None.
        """
        distance = self.geometry.distance(cone, axes, columns)  # type: ignore[arg-type]
        if ids is not None and columns is not None:
            ids = ids[columns]
        return self._scored(distance, ids)

    def owner_scores(self, cone: AnyCone, axes: Tensor, ids: Tensor) -> Tensor:
        """Return ``(batch, n)`` scores of owners of parts that answer: by the rim, for rough cones.

        A plain cone has no rim and no such score; zeros are returned for it.
        """
        if isinstance(self.geometry, ConeGeometry) or isinstance(cone, Cone):
            return axes.new_zeros(len(cone.axis), len(axes))
        return self._scored(self.geometry.owner_distance(cone, axes), ids)

    def _scored(self, distance: Tensor, ids: Tensor | None) -> Tensor:
        score = self.config.margin - self.modulus * distance
        if ids is None or not self.config.entity_bias:
            return score
        # a part that the encoder gives its axis has no number of its own: none that training saw
        # as an answer it happened to have, and none that a new image lacks
        encoded = self._row_of[ids] >= 0
        bias: Tensor = self.bias(ids)[..., 0]
        return score + bias.masked_fill(encoded, 0.0)


def _encoder(table: PartTable, num_relations: int, config: ConeModelConfig) -> PartEncoder:
    return PartEncoder(
        config.shape.dim,
        num_relations=num_relations,
        num_classes=len(table.classes),
        region_dim=table.regions.shape[1],
        config=config.parts,
    )
