"""M3EL's matching network with the exact formulas of its paper and public code, defects included.

For comparison; `linkers.matching` mends it. Setting `formulas` of `MatchingConfig`: `paper` is the
network for WikiDiverse (both cross-modal directions), `paper, one direction` the one for WikiMEL
and RichpediaMEL (text → vision only, gated). What is as published, and why the default differs:

* no mask after the encoders: padding is attended to and averaged; a missing picture is a picture of
  zeros, so every unit counts for every pair;
* dot products, not cosines, without temperature: 512 numbers of text outweigh 96 of a picture;
* patches attend over one global text vector; a softmax over one key is 1, so all 49 come out equal;
* in ICL the own-side diagonal is multiplied by 0, so exp(0) stays in the sum; mentions of one
  entity are negatives of one another, there and in the cross-entropy.

The encoders stay frozen here; there is no adapter in their place.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from linkers.attention import class_attention
from linkers.items import Encoded, Items
from linkers.matching import UNITS, MatchingConfig, MatchingNetwork

__all__ = ["PaperNetwork", "paper_contrastive_loss", "paper_matching_loss"]


class _Direction(nn.Module):
    """x₀ = M(p, Q), X = M(Q, p), pooled by CSRA; one module for both directions."""

    def __init__(self, config: MatchingConfig) -> None:
        super().__init__()
        d = config.dimension
        self._config = config
        self._both = config.formulas == "paper"
        self.text = nn.Linear(config.text_dimension, d)
        self.image = nn.Linear(d, d)
        self.mix = nn.Linear(d, d)
        self.gate = nn.Linear(d, 1 if self._both else d)
        self.norm = nn.LayerNorm(d)

    def attend(self, queries: Tensor, rows: Tensor) -> Tensor:
        """M(p, q) = ReLU(U softmax(p (U q)ᵀ) q): ``(n, P, d)``, ``(n, Q, d)`` to ``(n, P, d)``."""
        weights = torch.softmax(queries @ self.mix(rows).transpose(-1, -2), dim=-1)
        return torch.relu(self.mix(weights @ rows))

    def pooled(self, rows: Tensor) -> Tensor:
        """CSRA without a mask: ``(n, R, d)`` to ``(n, d)``."""
        every = torch.ones(rows.shape[:2], dtype=torch.bool, device=rows.device)
        return class_attention(rows, every, self._config.temperatures, self._config.residual)

    def forward(self, source: Tensor, tokens: Tensor) -> Tensor:
        """Return ``(n, d)`` of a global vector ``(n, d)`` and the other modality's tokens."""
        one = source.unsqueeze(1)
        first, rest = self.attend(one, tokens), self.attend(tokens, one)
        if self._both:
            whole = self.pooled(torch.cat([first, rest], dim=1))
            mixed = torch.tanh(self.gate(source)) * source + whole
        else:
            p, q = first[:, 0], self.pooled(rest)
            share = torch.sigmoid(self.gate(p) + self.gate(q))
            mixed = p * share + q * (1 - share)
        normed: Tensor = self.norm(mixed)
        return normed


class PaperNetwork(MatchingNetwork):
    """The published network on the vectors of frozen encoders; used as `MatchingNetwork` is.

    Args:
        config: Its shape; `formulas` says which variant.
        generator: Draws the initial weights.
    """

    def __init__(self, config: MatchingConfig, *, generator: torch.Generator) -> None:
        super().__init__(config, generator=generator)
        del self.adapter, self.log_scale  # of the mended network
        self.cross = _Direction(config)  # type: ignore[assignment]
        self.shrink_tokens = nn.Linear(config.image_dimension, config.dimension)
        for name, value in self.named_parameters():
            if value.ndim == 2:
                bound = 1 / math.sqrt(value.shape[1])
                with torch.no_grad():
                    value.uniform_(-bound, bound, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(value)

    def encode(self, items: Items, side: Literal["mention", "entity"]) -> Encoded:
        """Run one side's own layers; see `MatchingNetwork.encode`."""
        text, image = items.text, self.shrink(items.image)
        t, v = self.text_norm(text), self.image_norm(image)
        # what is masked was padded with anything: the public code pads with the encoder's own
        tt = self.text_token_norm(items.text_tokens * items.text_mask.unsqueeze(-1))
        patches = items.image_tokens * items.image_mask.unsqueeze(-1)
        vv = self.image_token_norm(self.shrink_tokens(patches))
        tokens = ((self.text, t, tt), (self.image, v, vv))
        asking = side == "entity"
        ft, fv = self.cross.text(t), self.cross.image(v)
        crossed = (self.cross(ft, self.cross.image(vv)), self.cross(fv, self.cross.text(tt)))
        masks = (torch.ones_like(items.text_mask), torch.ones_like(items.image_mask))
        return Encoded(
            raw=(text, image),
            globals_=(t, v),
            queries=tuple(own.query(rows) for own, _, rows in tokens) if asking else (),
            keys=() if asking else tuple(own.key(rows) for own, _, rows in tokens),
            values=() if asking else tuple(own.value(rows) for own, _, rows in tokens),
            classes=tuple(own.chosen(whole) for own, whole, _ in tokens) if asking else (),
            crossed=crossed,
            masks=masks,
            present=torch.ones(len(text), 2, dtype=torch.bool, device=text.device),
        )

    def forward(self, mentions: Encoded, entities: Encoded) -> tuple[Tensor, Tensor]:
        """Score every mention against every entity; see `MatchingNetwork.forward`.

        In the variant of one direction the unit vision → text is never present.
        """
        scores = [self._matched(side, mentions, entities) for side in range(2)]
        scores += [
            mine @ theirs.T for mine, theirs in zip(mentions.crossed, entities.crossed, strict=True)
        ]
        present = torch.ones(len(UNITS), *scores[0].shape, dtype=torch.bool)
        if self.config.formulas != "paper":
            present[-1] = False
        present = present.to(scores[0].device)
        return torch.stack(scores) * present, present

    def _matched(self, side: int, mentions: Encoded, entities: Encoded) -> Tensor:
        layers = self.text if side == 0 else self.image
        g2g: Tensor = mentions.globals_[side] @ entities.globals_[side].T
        keys = mentions.keys[side]
        logits = torch.einsum("nqd,bkd->bnqk", entities.queries[side], keys)
        weights = torch.softmax(logits / math.sqrt(keys.shape[-1]), dim=-1)
        pooled = layers.norm(weights.mean(dim=-2) @ mentions.values[side])
        g2l: Tensor = (pooled * entities.classes[side]).sum(dim=-1)
        return (g2g + g2l) / 2


def paper_matching_loss(scores: Tensor, present: Tensor) -> Tensor:
    """Cross-entropy of the mean score plus that of every unit; equal entities are negatives too.

    Args:
        scores: ``(units, B, B)``; column b is the entity of mention b.
        present: The same shape, bool; a unit is there for all pairs or for none.
    """
    there = scores[present.flatten(1).all(dim=1)]
    target = torch.arange(scores.shape[1], device=scores.device)
    losses = [functional.cross_entropy(unit, target) for unit in (there.mean(dim=0), *there)]
    return torch.stack(losses).sum()


def paper_contrastive_loss(
    mentions: Tensor, entities: Tensor, *, temperature: float, inter: float, intra: float
) -> Tensor:
    """ICL of one modality as published: the own-side diagonal is 0, not left out.

    Args:
        mentions: ``(B, k)`` global vectors.
        entities: ``(B, k)`` of their entities.
        temperature: τ.
        inter: a.
        intra: b.
    """
    m, e = functional.normalize(mentions, dim=-1), functional.normalize(entities, dim=-1)
    target = torch.arange(len(m), device=m.device)
    others = 1 - torch.eye(len(m), dtype=m.dtype, device=m.device)
    losses = [
        functional.cross_entropy(
            torch.cat([inter * x @ y.T, others * (intra * x @ x.T)], dim=1) / temperature, target
        )
        for x, y in ((e, m), (m, e))
    ]
    return (losses[0] + losses[1]) / 2
