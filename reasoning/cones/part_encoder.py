"""The encoder of parts: a graph transformer from a part and its surroundings to an axis.

Reference: RConE (arXiv 2408.11526), sub-entity encoder: attention over the scene graph, conditioned
on the graph around the owner; feed-forward, layer norm, linear to d. Attention is `TransformerConv`
of PyTorch Geometric (Shi et al., arXiv 2009.03509): a part that is asked for attends to the other
parts of its image and to a node for its owner; edges carry the predicate and how the two boxes lie
to each other. A part's axis is no free parameter, so a new image gets axes without training.

A part's own label is an input that may be hidden: always where a query asks for it, else in half of
the cases in training, since an encoder that copies it fails on parts without a label. So are its
predicates. Messages run from what stands around a part to that part only, never on from part to
part: no layer can bring back what was hidden, and all others keep their labels meanwhile. (Full
self-attention over the image, where a hidden label must be hidden for all, trained worse: with half
of the labels of all parts hidden there is little left to attend to.)
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kg.errors import SettingError
from reasoning.cones.cone import axis_from_raw
from reasoning.cones.parts import NUMBERS, PartTable

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["EncodedParts", "HiddenFacts", "PartEncoder", "PartEncoderConfig"]

Ids = NDArray[np.int64]

_SHARES = ("dropout", "hide_label", "hide_neighbour", "hide_predicate", "hide_owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEncoderConfig:
    """Shape of the encoder.

    Attributes:
        width: Numbers a token.
        heads: Attention heads; divides `width`.
        layers: Attention blocks.
        neighbours: Most parts of its image that a part attends to.
        dropout: In attention and feed-forward, [0, 1).
        hide_label: Share of labels of asked parts hidden in training, [0, 1].
        hide_neighbour: Share of the other parts' labels hidden in training, [0, 1].
        hide_predicate: Share of predicates hidden in training, [0, 1].
        hide_owner: Share of owners hidden in training, [0, 1]; owners of new images are unknown.
        hide_asked: What training hides of the facts that make a part answer a query: ``all`` of
            them, or ``one``, since graphs mostly lack one: a hop's own fact, or, where it comes
            from another part, in half of the cases that part's label instead.

    Raises:
        SettingError: A field is out of its range.
    """

    width: int = 64
    heads: int = 4
    layers: int = 2
    neighbours: int = 12
    dropout: float = 0.1
    hide_label: float = 0.5
    hide_neighbour: float = 0.15
    hide_predicate: float = 0.15
    hide_owner: float = 0.2
    hide_asked: Literal["all", "one"] = "all"

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("width", "heads", "layers", "neighbours"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.width % self.heads:
            raise SettingError(f"heads must divide width, got {self.heads} and {self.width}")
        for name in _SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise SettingError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if self.hide_asked not in ("all", "one"):
            raise SettingError(f"hide_asked must be all or one, got {self.hide_asked!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HiddenFacts:
    """What the encoder must not read of the parts that it encodes.

    Attributes:
        labels: ``(n,)`` rows of the table whose own label is hidden.
        predicates: ``(m, 2)`` rows and directed relations from that part: facts that are hidden.
        neighbours: ``(k,)`` rows whose label is hidden from the parts beside them.
        generator: Hides more at random, as configured (training); None hides no more.
    """

    labels: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    predicates: Ids = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    neighbours: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    generator: torch.Generator | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncodedParts:
    """What the encoder says of parts.

    Attributes:
        axes: ``(m, dim)`` radians in (−π, π).
        label_logits: ``(m, num_classes + 1)`` what class each part has, column 0 unused. Training
            tells it the labels that it hides, as masked language models do: each step teaches
            about hundreds of parts, not only about those that some query asks for.
    """

    axes: Tensor
    label_logits: Tensor


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
        self.num_relations = num_relations
        self.numbers = nn.Linear(NUMBERS, width)
        self.offsets = nn.Linear(NUMBERS, width)
        self.label = nn.Embedding(num_classes + 1, width)
        self.region = nn.Linear(region_dim, width, bias=False) if region_dim else None
        self.region_norm = nn.LayerNorm(region_dim) if region_dim else None
        # one more for "no predicate is known", and one for the edge from the owner
        self.predicate = nn.Embedding(num_relations + 2, width)
        self.owner = nn.Linear(4 * dim, width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.axis = nn.Linear(width, dim)
        self.classes = nn.Linear(width, num_classes + 1)
        for table in (self.label, self.predicate):
            nn.init.normal_(table.weight, std=0.3)

    def forward(
        self, table: PartTable, rows: Ids, *, hidden: HiddenFacts, owners: Tensor
    ) -> EncodedParts:
        """Encode parts.

        Args:
            table: All parts that rows and neighbours refer to.
            rows: ``(m,)`` rows of the table.
            hidden: What must not be read.
            owners: ``(num_images, 4 · dim)`` of the images of `rows`, ascending: cosine and sine of
                the owner's axis, mean cosine and sine of the axes around it.
        """
        graph = self.graph(table, rows, hidden=hidden, owners=owners)
        x = graph.x
        for block in self.blocks:
            x = block(x, graph.around, graph.edge_index, graph.edge_attr)
        x = self.norm(x)
        return EncodedParts(axes=axis_from_raw(self.axis(x)), label_logits=self.classes(x))

    def graph(self, table: PartTable, rows: Ids, *, hidden: HiddenFacts, owners: Tensor) -> Data:
        """Return parts and what they attend to as a bipartite graph.

        Its `x` are the parts, its `around` the parts beside them and then one node for each owner;
        edges run from `around` to `x`. Arguments are those of `forward`.
        """
        data, _ = _geometric()
        beside = table.neighbours[rows]
        ends, slots = np.nonzero(beside >= 0)
        near, starts = np.unique(beside[ends, slots], return_inverse=True)
        codes = table.predicates[rows][ends, slots]
        codes = np.where(self._hides(rows[ends], codes, hidden), -1, codes)
        away = table.numbers[near[starts]] - table.numbers[rows[ends]]
        between = self.offsets(torch.from_numpy(away)) + self.predicate(
            torch.from_numpy(np.where(codes < 0, self.num_relations, codes))
        )
        number = np.unique(table.images[rows], return_inverse=True)[1]
        draw = hidden.generator
        known = (table.parents[rows] >= 0) & ~_drawn(len(rows), self.config.hide_owner, draw)
        from_owner = np.stack([len(near) + number[known], np.flatnonzero(known)])
        above = self.predicate.weight[self.num_relations + 1].expand(int(known.sum()), -1)
        edges = np.concatenate([np.stack([starts, ends]), from_owner], axis=1)
        own = np.where(np.isin(rows, hidden.labels), 0, table.labels[rows])
        lost = _drawn(len(near), self.config.hide_neighbour, draw)
        lost |= np.isin(near, hidden.neighbours)
        shown = np.where(lost, 0, table.labels[near])
        return data(
            x=self._tokens(table, rows, own),
            around=torch.cat([self._tokens(table, near, shown), self.owner(owners)]),
            edge_index=torch.from_numpy(edges),
            edge_attr=torch.cat([between, above]),
        )

    def _tokens(self, table: PartTable, rows: Ids, labels: Ids) -> Tensor:
        token: Tensor = self.numbers(torch.from_numpy(table.numbers[rows]))
        token = token + self.label(torch.from_numpy(labels))
        if self.region is not None and self.region_norm is not None:
            token = token + self.region(self.region_norm(torch.from_numpy(table.regions[rows])))
        return token

    def _hides(self, rows: Ids, codes: Ids, hidden: HiddenFacts) -> NDArray[np.bool_]:
        """Return which of the predicates of some parts are hidden from those parts."""
        wanted = hidden.predicates[:, 0] * self.num_relations + hidden.predicates[:, 1]
        found = np.isin(rows * self.num_relations + codes, wanted)
        return found | _drawn(len(codes), self.config.hide_predicate, hidden.generator)


class _Block(nn.Module):
    """Attention to what is around, then a feed-forward step; both added to what was there."""

    def __init__(self, config: PartEncoderConfig) -> None:
        super().__init__()
        width = config.width
        _, attention = _geometric()
        self.before, self.around = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = attention(
            width,
            width // config.heads,
            heads=config.heads,
            dropout=config.dropout,
            edge_dim=width,
        )
        self.forward_step = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, x: Tensor, around: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        """Return the tokens of the parts after attending, ``(num_parts, width)``."""
        both = self.around(around), self.before(x)
        x = x + self.attention(both, edge_index, edge_attr)
        stepped: Tensor = x + self.forward_step(x)
        return stepped


def _geometric() -> tuple[type[Data], type[nn.Module]]:
    """Import PyTorch Geometric, which takes seconds, where parts are encoded and nowhere else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own use of TorchScript
        from torch_geometric.data import Data
        from torch_geometric.nn import TransformerConv
    return Data, TransformerConv


def _drawn(count: int, share: float, generator: torch.Generator | None) -> NDArray[np.bool_]:
    if generator is None:
        return np.zeros(count, dtype=np.bool_)
    drawn: NDArray[np.bool_] = (torch.rand(count, generator=generator) < share).numpy()
    return drawn
