"""M3EL's matching network that begins as the cosine of its encoders; training can only add.

A network that is drawn at random has to learn first what frozen encoders know already, and a few
hundred pictures do not teach it that much. Here every unit is a vector of the encoder plus a
learnt part that is zero at first (Gao et al., "CLIP-Adapter", arXiv 2110.04544, mix an adapter's
output into the vector in the same way):

* image: v + A v, v the picture's unit vector about the mean of its side, A zero at first; the
  network of `linkers.matching` compares 96 numbers drawn at random from it instead;
* text → vision, vision → text: the global vector of the source plus B x, x the cross-modal vector
  of the paper, B zero at first.

Text begins so in either network: its adapter is the identity at first. A and B decay towards zero,
which is towards the cosine (`MatchingConfig.pull`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from linkers.items import Encoded, Items
from linkers.matching import MatchingConfig, MatchingNetwork

__all__ = ["ADDED", "CosineStart"]

ADDED = ("image_adapter", "lift_text", "lift_image")
"""Modules that are zero at first."""

_STEADY = 8.0  # pictures of entities that stand beside those of mentions in these's mean


class CosineStart(MatchingNetwork):
    """The network that begins as the cosine; used as `MatchingNetwork` is.

    Args:
        config: Its shape.
        generator: Draws the initial weights.

    Example:
        >>> config = MatchingConfig(text_dimension=4, image_dimension=3, dimension=2)
        >>> network = CosineStart(config, generator=torch.Generator().manual_seed(0))
        >>> [float(network.get_submodule(name).weight.abs().sum()) for name in ADDED]
        [0.0, 0.0, 0.0]
    """

    def __init__(self, config: MatchingConfig, *, generator: torch.Generator) -> None:
        super().__init__(config, generator=generator)
        text, image, d = config.text_dimension, config.image_dimension, config.dimension
        self.image_adapter = nn.Linear(image, image, bias=False)
        self.lift_text = nn.Linear(d, text, bias=False)
        self.lift_image = nn.Linear(d, image, bias=False)
        for name in ADDED:
            nn.init.zeros_(getattr(self, name).weight)
        self.centres: Tensor
        self.register_buffer("centres", torch.zeros(2, image))

    def centre(self, mentions: Items, entities: Items) -> None:
        """Take the means of both sides' pictures, about which pictures are compared.

        Artists of mentions and of entities draw differently; that difference tells no entity.

        Args:
            mentions: Training mentions; few pictures count little beside those of entities.
            entities: The base.
        """
        mine, theirs = (side.image[side.image_mask.any(dim=-1)] for side in (mentions, entities))
        if not len(theirs):
            return
        middle = theirs.mean(dim=0)
        self.centres[1] = middle
        self.centres[0] = (mine.sum(dim=0) + _STEADY * middle) / (len(mine) + _STEADY)

    def encode(self, items: Items, side: Literal["mention", "entity"]) -> Encoded:
        """Run one side's own layers; see `MatchingNetwork.encode`."""
        middle = self.centres[0 if side == "mention" else 1]
        shown = items.image_mask.any(dim=-1, keepdim=True)
        image = (items.image - middle) * shown
        encoded = super().encode(replace(items, image=image), side)
        seen = functional.normalize(image, dim=-1)
        seen = seen + self.image_adapter(seen)
        text, vision = encoded.globals_[0], functional.normalize(seen, dim=-1)
        share = 1 / math.sqrt(self.config.dimension)  # the paper's vectors come from a layer norm
        crossed = (
            functional.normalize(text, dim=-1) + share * self.lift_text(encoded.crossed[0]),
            vision + share * self.lift_image(encoded.crossed[1]),
        )
        return replace(
            encoded, raw=(encoded.raw[0], seen), globals_=(text, vision), crossed=crossed
        )
