"""M3EL's matching network on the vectors of frozen encoders.

Hu et al., "Multi-level Matching Network for Multimodal Entity Linking" (arXiv 2412.10440). Each
pair of a mention m and an entity e gets four unit scores:

* text, image (intra-modal): (G2G + G2L) / 2, G2G = ⟨m, e⟩ of the global vectors, G2L = ⟨e W_c, c⟩
  with c = mean over e's tokens of softmax((E W_q)(M W_k)ᵀ / √d) (M W_v);
* text → vision, vision → text (cross-modal): ⟨x_m, x_e⟩, each side's x = LN(tanh(w·p + b) p + h),
  h = CSRA([M(p, Q); M(Q, P)]), M(p, q) = ReLU(U softmax(p (U q)ᵀ) q), where p, P are the global
  and token vectors of one modality and Q the tokens of the other.

Where we differ from the public code: masks in every softmax, mean and maximum; a unit is out of the
mean where either side lacks its modality; dot products are cosines times a learnt temperature a
unit; patches attend over all text tokens (over the one global vector they would all be equal);
training and scoring share this one path; an adapter of the global text vector stands in for the
fine-tuning of the text encoder.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from linkers.attention import class_attention, masked_mean, masked_softmax
from linkers.items import Encoded, Items
from linkers.late_interaction import late_interaction
from linkers.matching_config import MatchingConfig

__all__ = ["UNITS", "MatchingConfig", "MatchingNetwork"]

UNITS = ("text", "image", "text to vision", "vision to text")
"""Order of the unit scores."""


class _Intra(nn.Module):
    """Projections of one modality."""

    def __init__(self, size: int, dimension: int) -> None:
        super().__init__()
        self.query = nn.Linear(size, dimension)
        self.key = nn.Linear(size, dimension)
        self.value = nn.Linear(size, dimension)
        self.chosen = nn.Linear(size, dimension)
        self.norm = nn.LayerNorm(dimension)


class _Cross(nn.Module):
    """The cross-modal module, shared by both directions and both sides."""

    def __init__(self, config: MatchingConfig) -> None:
        super().__init__()
        self._config = config
        self.text = nn.Linear(config.text_dimension, config.dimension)
        self.image = nn.Linear(config.dimension, config.dimension)
        self.mix = nn.Linear(config.dimension, config.dimension)
        self.gate = nn.Linear(config.dimension, 1)
        self.norm = nn.LayerNorm(config.dimension)

    def attend(self, queries: Tensor, rows: Tensor, mask: Tensor) -> Tensor:
        """M(p, q) with masked keys: ``(n, Rq, d)``, ``(n, R, d)`` to ``(n, Rq, d)``."""
        logits = queries @ self.mix(rows).transpose(-1, -2)
        return torch.relu(self.mix(masked_softmax(logits, mask.unsqueeze(-2)) @ rows))

    def forward(
        self, source: Tensor, tokens: Tensor, token_mask: Tensor, other: Tensor, other_mask: Tensor
    ) -> Tensor:
        """Return ``(n, d)``: the source's global vector with what the other modality adds."""
        first = self.attend(source.unsqueeze(1), other, other_mask)
        rest = self.attend(other, tokens, token_mask)
        one = torch.ones_like(other_mask[:, :1])
        pooled = class_attention(
            torch.cat([first, rest], dim=1),
            torch.cat([one, other_mask], dim=1),
            self._config.temperatures,
            self._config.residual,
        )
        gate = torch.tanh(self.gate(source))
        normed: Tensor = self.norm(gate * source + pooled)
        return normed


class MatchingNetwork(nn.Module):
    """Scores pairs of mentions and entities.

    Args:
        config: Its shape.
        generator: Draws the initial weights.
    """

    def __init__(self, config: MatchingConfig, *, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        size, d = config.text_dimension, config.dimension
        self.adapter = nn.Linear(size, size, bias=False)
        self.shrink = nn.Linear(config.image_dimension, d)
        self.text_norm = nn.LayerNorm(size)
        self.text_token_norm = nn.LayerNorm(size)
        self.image_norm = nn.LayerNorm(d)
        self.image_token_norm = nn.LayerNorm(d)
        self.text = _Intra(size, d)
        self.image = _Intra(d, d)
        self.cross = _Cross(config)
        start = math.log(1 / config.initial_temperature)
        self.log_scale = nn.Parameter(torch.full((len(UNITS),), start))
        self._initialise(generator)

    def _initialise(self, generator: torch.Generator) -> None:
        for name, value in self.named_parameters():
            if value.ndim == 2:
                bound = 1 / math.sqrt(value.shape[1])
                with torch.no_grad():
                    value.uniform_(-bound, bound, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(value)
        with torch.no_grad():
            self.adapter.weight.copy_(torch.eye(self.config.text_dimension))

    def encode(self, items: Items, side: Literal["mention", "entity"]) -> Encoded:
        """Run one side's own layers; the two sides differ only in which projections they need."""
        text, image = self.adapter(items.text), self.shrink(items.image)
        t, v = self.text_norm(text), self.image_norm(image)
        tt = self.text_token_norm(items.text_tokens)
        vv = self.image_token_norm(self.shrink(items.image_tokens))
        masks = (items.text_mask, items.image_mask)
        tokens = ((self.text, t, tt), (self.image, v, vv))
        parted, local = self.config.parts != "global", self.config.parts in ("both", "local")
        asked, asking = (parted, False) if side == "mention" else (False, parted)
        return Encoded(
            raw=(text, image),
            globals_=(t, v),
            queries=tuple(own.query(rows) for own, _, rows in tokens) if asking else (),
            keys=tuple(own.key(rows) for own, _, rows in tokens) if asked else (),
            # late interaction needs neither of these
            values=tuple(own.value(rows) for own, _, rows in tokens) if asked and local else (),
            classes=tuple(o.chosen(whole) for o, whole, _ in tokens) if asking and local else (),
            crossed=self._crossed(t, v, tt, vv, masks),
            masks=masks,
            present=torch.stack([mask.any(dim=-1) for mask in masks], dim=-1),
        )

    def _crossed(
        self, t: Tensor, v: Tensor, tt: Tensor, vv: Tensor, masks: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return both cross-modal vectors; items that lack a modality cost nothing and get 0."""
        rows = (masks[0].any(dim=-1) & masks[1].any(dim=-1)).nonzero()[:, 0]
        zero = v.new_zeros(len(v), self.config.dimension)
        if not len(rows):
            return zero, zero
        t, v, tt, vv, text_mask, image_mask = (x[rows] for x in (t, v, tt, vv, *masks))
        ft, fv = self.cross.text(t), self.cross.image(v)
        ftt, fvv = self.cross.text(tt), self.cross.image(vv)
        return (
            zero.index_copy(0, rows, self.cross(ft, ftt, text_mask, fvv, image_mask)),
            zero.index_copy(0, rows, self.cross(fv, fvv, image_mask, ftt, text_mask)),
        )

    def forward(self, mentions: Encoded, entities: Encoded) -> tuple[Tensor, Tensor]:
        """Score every mention against every entity.

        Returns:
            Unit scores ``(4, B, N)``, temperatures applied, 0 where a unit is absent; and which
            units are present, bool of the same shape.
        """
        scores = [self._intra(0, mentions, entities), self._intra(1, mentions, entities)]
        scores += [
            _unit(mine) @ _unit(theirs).T
            for mine, theirs in zip(mentions.crossed, entities.crossed, strict=True)
        ]
        both = mentions.present.T[:, :, None] & entities.present.T[:, None, :]
        present = torch.stack([both[0], both[1], both[0] & both[1], both[0] & both[1]])
        scaled = torch.stack(scores) * self.log_scale.exp()[:, None, None]
        return scaled * present, present

    def _intra(self, side: int, mentions: Encoded, entities: Encoded) -> Tensor:
        """Return ``(B, N)``; mentions without the modality cost nothing and get 0."""
        there = mentions.present[:, side]
        if not bool(there.all()):
            whole = mentions.globals_[side].new_zeros(len(there), len(entities.present))
            rows = there.nonzero()[:, 0]
            if len(rows):
                part = self._intra(side, mentions.take(rows), entities)
                whole = whole.index_copy(0, rows, part)
            return whole
        layers = self.text if side == 0 else self.image
        g2g = _unit(mentions.globals_[side]) @ _unit(entities.globals_[side]).T
        if self.config.parts == "global":
            return g2g
        queries, keys = entities.queries[side], mentions.keys[side]
        if self.config.parts in ("late", "global and late"):
            late = late_interaction(keys, mentions.masks[side], queries, entities.masks[side])
            return late if self.config.parts == "late" else (g2g + late) / 2
        logits = torch.einsum("nqd,bkd->bnqk", queries, keys) / math.sqrt(keys.shape[-1])
        weights = masked_softmax(logits, mentions.masks[side][:, None, None, :])
        # the mean over the entity's tokens commutes with the product by the values
        mean = masked_mean(weights, entities.masks[side][None])
        pooled = layers.norm(mean @ mentions.values[side])
        g2l = (_unit(pooled) * _unit(entities.classes[side])).sum(dim=-1)
        return g2l if self.config.parts == "local" else (g2g + g2l) / 2


def _unit(values: Tensor) -> Tensor:
    return functional.normalize(values, dim=-1)
