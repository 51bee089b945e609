"""The encoder of parts: a graph transformer from a part and its surroundings to an axis.

Reference: RConE (arXiv 2408.11526), sub-entity encoder: attention over the scene graph, conditioned
on the graph around the owner; feed-forward, layer norm, linear to d. Attention is `TransformerConv`
of PyTorch Geometric (Shi et al., arXiv 2009.03509): a part that is asked for attends to the other
parts of its image and to a node for its owner; edges carry the predicate and how the two boxes lie
to each other, and a network of both with both parts: attention adds what it is sent up, and after
that sum nothing tells which of several neighbours stood in which relation. A part's axis is no free
parameter, so a new image gets axes without training.

A part's own label is an input that may be hidden: always where a query asks for it, else in half of
the cases in training, since an encoder that copies it fails on parts without a label. So are its
predicates. Messages run from what stands around a part to that part only, never on from part to
part: no layer can bring back what was hidden, and all others keep their labels meanwhile. (Full
self-attention over the image, where a hidden label must be hidden for all, trained worse: with half
of the labels of all parts hidden there is little left to attend to.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kg.errors import SettingError
from reasoning.cones.cone import axis_from_raw
from reasoning.cones.part_attention import AttentionBlock, geometric
from reasoning.cones.parts import NUMBERS, PartTable

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["EncodedParts", "HiddenFacts", "PartEncoder", "PartEncoderConfig"]

Ids = NDArray[np.int64]

_SHARES = (
    "dropout",
    "hide_label",
    "hide_neighbour",
    "hide_predicate",
    "hide_owner",
    "asked_share",
    "start_spread",
)


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
        asked_share: Of how many answers it hides that, [0, 1]. Below 1 some answers can be read
            off, and "its label is known" is no longer a mark of wrong answers.
        start_spread: How far axes spread before training, as a share of what the layer's own
            start gives; small, parts start within reach of the cones.
        owner_shift: Whether an owner's axis also shifts those of its parts, so that "part of this
            image" can be told from any other image.
        label_shift: Whether the axis of a part's class also shifts its axis: of the class that is
            read, else the mean of all classes by how likely the part has them.

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
    asked_share: float = 1.0
    start_spread: float = 1.0
    owner_shift: bool = False
    label_shift: bool = False

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
        self.message = nn.Sequential(
            nn.LayerNorm(2 * width),
            nn.Linear(2 * width, 2 * width),
            nn.GELU(),
            nn.Linear(2 * width, width),
        )
        self.owner = nn.Linear(4 * dim, width)
        self.blocks = nn.ModuleList(
            AttentionBlock(config.width, config.heads, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.axis = nn.Linear(width, dim)
        self.classes = nn.Linear(width, num_classes + 1)
        for table in (self.label, self.predicate):
            nn.init.normal_(table.weight, std=0.3)
        with torch.no_grad():
            self.axis.weight.mul_(config.start_spread)
        self.shift = nn.Linear(4 * dim, dim, bias=False) if config.owner_shift else None
        if self.shift is not None:
            nn.init.normal_(self.shift.weight, std=0.01)

    def forward(
        self,
        table: PartTable,
        rows: Ids,
        *,
        hidden: HiddenFacts,
        owners: Tensor,
        classes: Tensor | None = None,
    ) -> EncodedParts:
        """Encode parts.

        Args:
            table: All parts that rows and neighbours refer to.
            rows: ``(m,)`` rows of the table.
            hidden: What must not be read.
            owners: ``(num_images, 4 · dim)`` of the images of `rows`, ascending: cosine and sine of
                the owner's axis, mean cosine and sine of the axes around it.
            classes: ``(num_classes, dim)`` raw axes of the classes, read for `label_shift`.
        """
        graph = self.graph(table, rows, hidden=hidden, owners=owners)
        x = graph.x
        for block in self.blocks:
            x = block(x, graph.around, graph.edge_index, graph.edge_attr)
        x = self.norm(x)
        raw, logits = self.axis(x), self.classes(x)
        if self.config.label_shift and classes is not None:
            told = nn.functional.one_hot(graph.own, logits.shape[1])[:, 1:]
            likely = logits[:, 1:].softmax(1)
            raw = raw + torch.where(graph.own[:, None] > 0, told, likely) @ classes
        if self.shift is not None:
            known = (graph.owner_of >= 0).to(raw.dtype)[:, None]
            raw = raw + self.shift(owners)[graph.owner_of.clamp(min=0)] * known
        return EncodedParts(axes=axis_from_raw(raw), label_logits=logits)

    def graph(self, table: PartTable, rows: Ids, *, hidden: HiddenFacts, owners: Tensor) -> Data:
        """Return parts and what they attend to as a bipartite graph.

        Its `x` are the parts, its `around` the parts beside them and then one node for each owner;
        edges run from `around` to `x`; `own` are the labels that are read, 0 where there is none,
        `owner_of` is the number of each part's owner, -1 where it is hidden or unknown. Arguments
        are those of `forward`.
        """
        data, _ = geometric()
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
        tokens, others = self._tokens(table, rows, own), self._tokens(table, near, shown)
        met = others[torch.from_numpy(starts)] + between
        between = between + self.message(torch.cat([met, tokens[torch.from_numpy(ends)]], -1))
        return data(
            x=tokens,
            around=torch.cat([others, self.owner(owners)]),
            edge_index=torch.from_numpy(edges),
            edge_attr=torch.cat([between, above]),
            own=torch.from_numpy(own),
            owner_of=torch.from_numpy(np.where(known, number, -1)),
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


def _drawn(count: int, share: float, generator: torch.Generator | None) -> NDArray[np.bool_]:
    if generator is None:
        return np.zeros(count, dtype=np.bool_)
    drawn: NDArray[np.bool_] = (torch.rand(count, generator=generator) < share).numpy()
    return drawn
