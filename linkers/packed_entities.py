"""Encoded entities as a linker keeps them: token vectors in one byte a number, unpacked when asked.

A token's vector is divided by its greatest magnitude and rounded to int8; what it was divided by
is kept beside it. With tokens (G2L, late interaction) this is a quarter of the memory; a
network that asks for none (the default) keeps none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from linkers.items import Encoded

__all__ = ["PackedEntities"]

_MOST = 127


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedEntities:
    """Entities encoded by a matching network.

    Attributes:
        whole: All but the token queries, which are left empty.
        tokens: ``(n, L, d)`` and ``(n, P, d)`` int8; none where the network asks for none.
        scales: ``(n, L, 1)`` and ``(n, P, 1)``: what they are multiplied by.
    """

    whole: Encoded
    tokens: tuple[Tensor, ...]
    scales: tuple[Tensor, ...]

    @classmethod
    def of(cls, encoded: Encoded) -> PackedEntities:
        """Pack what `MatchingNetwork.encode` gave of entities; training alone needs the rest."""
        packed = [_packed(rows) for rows in encoded.queries]
        return cls(
            whole=replace(encoded, queries=(), raw=encoded.globals_),
            tokens=tuple(tokens for tokens, _ in packed),
            scales=tuple(scales for _, scales in packed),
        )

    def take(self, rows: Tensor) -> Encoded:
        """Return some of the entities, as the network takes them."""
        queries = tuple(
            tokens[rows].float() * scales[rows]
            for tokens, scales in zip(self.tokens, self.scales, strict=True)
        )
        return replace(self.whole.take(rows), queries=queries)

    @property
    def bytes_each(self) -> float:
        """Memory of one entity, in bytes."""
        held = [*self.tokens, *self.scales]
        for field in fields(self.whole):
            if field.name != "raw":  # the same tensors as `globals_`
                value = getattr(self.whole, field.name)
                held += [value] if isinstance(value, Tensor) else value
        return sum(one.numel() * one.element_size() for one in held) / max(1, len(self))

    def __len__(self) -> int:
        """Return how many entities there are."""
        return len(self.whole.present)


def _packed(rows: Tensor) -> tuple[Tensor, Tensor]:
    scales = rows.abs().amax(dim=-1, keepdim=True) / _MOST
    divided = rows / torch.where(scales > 0, scales, torch.ones_like(scales))
    return divided.round().to(torch.int8), scales
