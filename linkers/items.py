"""What the matching network takes and keeps of mentions and entities; plain values of tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

__all__ = ["Encoded", "Items"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Encoder vectors of mentions or of entities; a modality is absent where its mask is empty.

    Attributes:
        text: ``(n, text_dimension)``.
        text_tokens: ``(n, L, text_dimension)``.
        text_mask: ``(n, L)`` bool.
        image: ``(n, image_dimension)``.
        image_tokens: ``(n, P, image_dimension)``.
        image_mask: ``(n, P)`` bool.
    """

    text: Tensor
    text_tokens: Tensor
    text_mask: Tensor
    image: Tensor
    image_tokens: Tensor
    image_mask: Tensor

    def take(self, rows: Tensor) -> Items:
        """Return some of the items."""
        return Items(**{name: getattr(self, name)[rows] for name in self.__slots__})

    def without_images(self) -> Items:
        """Return the items as if none had a picture, with one empty patch."""
        return replace(
            self,
            image=torch.zeros_like(self.image),
            image_tokens=torch.zeros_like(self.image_tokens[:, :1]),
            image_mask=torch.zeros_like(self.image_mask[:, :1]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """One side after its own layers; nothing of the other side is in it, so it can be kept.

    Attributes:
        raw: Adapted global vectors before the norms, text and image (for the contrastive loss).
        globals_: Normed global vectors, text ``(n, text_dimension)`` and image ``(n, d)``.
        queries: Token queries W_q of entities, text ``(n, L, d)`` and image ``(n, P, d)``.
        keys: Token keys W_k of mentions.
        values: Token values W_v of mentions.
        classes: Projected global vectors W_c of entities, ``(n, d)`` each.
        crossed: Cross-modal vectors, text → vision and vision → text, ``(n, d)`` each.
        masks: Token masks, text and image.
        present: ``(n, 2)`` bool, text and image.
    """

    raw: tuple[Tensor, Tensor]
    globals_: tuple[Tensor, Tensor]
    queries: tuple[Tensor, ...]
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    classes: tuple[Tensor, ...]
    crossed: tuple[Tensor, Tensor]
    masks: tuple[Tensor, Tensor]
    present: Tensor

    def take(self, rows: Tensor) -> Encoded:
        """Return some of the items."""

        def pick(value: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
            return value[rows] if isinstance(value, Tensor) else tuple(v[rows] for v in value)

        return Encoded(**{name: pick(getattr(self, name)) for name in self.__slots__})  # type: ignore[arg-type]
