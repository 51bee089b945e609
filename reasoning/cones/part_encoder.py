"""The encoder of parts: a graph transformer from a part and its surroundings to an axis.

Reference: RConE (arXiv 2408.11526), sub-entity encoder: attention over the scene, conditioned on
the graph around the owner; feed-forward, layer norm, linear to d. A part's axis is thus no free
parameter, and a new image gets axes without training. A part attends to itself, up to `width` scene
neighbours with their labels and predicates, its owner's axis, and a summary of its image.

Its own label is an input that may be hidden: always where a query asks for it, else in half of the
cases in training, since an encoder that copies it fails on parts without a label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kg.errors import SettingError
from reasoning.cones.cone import axis_from_raw
from reasoning.cones.parts import NUMBERS, PartTable

__all__ = ["PartEncoder", "PartEncoderConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEncoderConfig:
    """Shape of the encoder.

    Attributes:
        width: Numbers a token.
        heads: Attention heads; divides `width`.
        layers: Attention blocks.
        neighbours: Most scene neighbours that a part attends to.
        dropout: In attention and feed-forward, [0, 1).
        hide_label: Share of own labels hidden in training, [0, 1].
        hide_neighbour: Share of neighbours' labels hidden in training, [0, 1].
        hide_owner: Share of owners hidden in training, [0, 1]; owners of new images are unknown.

    Raises:
        SettingError: A field is out of its range.
    """

    width: int = 64
    heads: int = 4
    layers: int = 2
    neighbours: int = 8
    dropout: float = 0.1
    hide_label: float = 0.5
    hide_neighbour: float = 0.15
    hide_owner: float = 0.2

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("width", "heads", "layers", "neighbours"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.width % self.heads:
            raise SettingError(f"heads must divide width, got {self.heads} and {self.width}")
        for name in ("dropout", "hide_label", "hide_neighbour", "hide_owner"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise SettingError(f"{name} must lie in [0, 1], got {getattr(self, name)}")


class PartEncoder(nn.Module):
    """Axes of parts.

    Args:
        dim: Dimensions of an axis, d.
        num_relations: Directed relations (predicates are among them).
        num_classes: Classes that label parts.
        region_dim: Dimensions of region vectors, 0 without pixels.
        config: Shape.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_relations: int,
        num_classes: int,
        region_dim: int,
        config: PartEncoderConfig,
    ) -> None:
        super().__init__()
        width = config.width
        self.config = config
        self.numbers = nn.Linear(NUMBERS, width)
        self.offsets = nn.Linear(NUMBERS, width)
        self.label = nn.Embedding(num_classes + 1, width)
        self.region = nn.Linear(region_dim, width, bias=False) if region_dim else None
        self.region_norm = nn.LayerNorm(region_dim) if region_dim else None
        self.predicate = nn.Embedding(num_relations, width)
        self.owner = nn.Linear(2 * dim, width)
        self.image = nn.Linear(NUMBERS, width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.axis = nn.Linear(width, dim)
        for table in (self.label, self.predicate):
            nn.init.normal_(table.weight, std=0.3)

    def forward(
        self,
        table: PartTable,
        rows: NDArray[np.int64],
        *,
        hidden: Tensor,
        owner_axes: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return axes of parts.

        Args:
            table: All parts that rows and neighbours refer to.
            rows: ``(m,)`` rows of the table.
            hidden: ``(m,)`` bool, whose own label is hidden.
            owner_axes: ``(m, dim)`` axes of the owners, anything where there is none.
            generator: Hides neighbours and owners as configured (training); None hides nothing.

        Returns:
            ``(m, dim)`` radians in (−π, π).
        """
        own_label = torch.from_numpy(table.labels[rows])
        shown = torch.where(hidden, torch.zeros_like(own_label), own_label)
        x = self._token(table, rows, shown)[:, None]
        keys = [x, self._image(table, rows, own_label)]
        owner, no_owner = self._owner(table, rows, owner_axes, generator)
        beside, no_neighbour = self._neighbours(table, rows, generator)
        keys += [owner, beside]
        always = torch.zeros(len(rows), 2, dtype=torch.bool)
        absent = torch.cat([always, no_owner, no_neighbour], 1)
        context = torch.cat(keys, 1)
        for block in self.blocks:
            x = block(x, context, absent)
        raw: Tensor = self.axis(self.norm(x[:, 0]))
        return axis_from_raw(raw)

    def _token(self, table: PartTable, rows: NDArray[np.int64], labels: Tensor) -> Tensor:
        token: Tensor = self.numbers(torch.from_numpy(table.numbers[rows])) + self.label(labels)
        if self.region is not None and self.region_norm is not None:
            token = token + self.region(self.region_norm(torch.from_numpy(table.regions[rows])))
        return token

    def _image(self, table: PartTable, rows: NDArray[np.int64], own_label: Tensor) -> Tensor:
        """Return the summary of the other parts of the image; never the part's own label."""
        images = table.images[rows]
        counts = torch.from_numpy(table.image_labels[images])
        counts = counts - nn.functional.one_hot(own_label, counts.shape[1])
        others = counts.sum(1, keepdim=True).clamp(min=1.0)
        numbers = torch.from_numpy(table.image_numbers[images] - table.numbers[rows])
        summary: Tensor = counts @ self.label.weight / others + self.image(numbers / others)
        return summary[:, None]

    def _owner(
        self,
        table: PartTable,
        rows: NDArray[np.int64],
        owner_axes: Tensor,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, Tensor]:
        token = self.owner(torch.cat([owner_axes.cos(), owner_axes.sin()], 1))[:, None]
        absent = torch.from_numpy(table.parents[rows] < 0)
        absent = absent | _hit(absent.shape, self.config.hide_owner, generator)
        return token, absent[:, None]

    def _neighbours(
        self, table: PartTable, rows: NDArray[np.int64], generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        beside = table.neighbours[rows]
        absent = torch.from_numpy(beside < 0)
        flat = np.maximum(beside, 0).reshape(-1)
        labels = torch.from_numpy(table.labels[flat])
        lost = _hit(labels.shape, self.config.hide_neighbour, generator)
        labels = torch.where(lost, torch.zeros_like(labels), labels)
        token = self._token(table, flat, labels).view(*beside.shape, -1)
        away = table.numbers[flat].reshape(*beside.shape, -1) - table.numbers[rows][:, None]
        predicates = self.predicate(torch.from_numpy(table.predicates[rows]))
        return token + self.offsets(torch.from_numpy(away)) + predicates, absent


class _Block(nn.Module):
    """The part attends to its context, then a feed-forward step."""

    def __init__(self, config: PartEncoderConfig) -> None:
        super().__init__()
        width = config.width
        self.before = nn.LayerNorm(width)
        self.context = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(
            width, config.heads, dropout=config.dropout, batch_first=True
        )
        self.forward_step = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, x: Tensor, context: Tensor, absent: Tensor) -> Tensor:
        """Return the part's token after attending, ``(m, 1, width)``."""
        keys = self.context(context)
        seen, _ = self.attention(
            self.before(x), keys, keys, key_padding_mask=absent, need_weights=False
        )
        x = x + seen
        stepped: Tensor = x + self.forward_step(x)
        return stepped


def _hit(shape: torch.Size, share: float, generator: torch.Generator | None) -> Tensor:
    if generator is None:
        return torch.zeros(shape, dtype=torch.bool)
    return torch.rand(shape, generator=generator) < share
