"""Encoder vectors of texts and pictures as the linker needs them: each distinct one once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from encoders.protocols import ImageEncoder, TextEncoder
from kg.progress import Progress, silent
from linkers.items import Items

__all__ = ["Encoders", "ItemVectors", "VectorTable", "items_of", "pooled_patches"]

Pixels = NDArray[np.uint8]
_Row = tuple[NDArray[np.float32], NDArray[np.float16]]

_BATCH = 64  # items between two reports of progress
TEXT_TOKENS = 32  # L (40 in the paper): up to 8 of the name or surface, the rest of the text
NAME_TOKENS = 8
PATCH_SIDE = 7  # patches are averaged to 7 x 7, the paper's 49


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoders:
    """The frozen encoders of a linker.

    Attributes:
        text: Encodes names and texts.
        image: Encodes pictures; None where pictures are ignored.
    """

    text: TextEncoder
    image: ImageEncoder | None = None

    @property
    def fingerprint(self) -> str:
        """Names both encoders."""
        return f"{self.text.fingerprint} {self.image.fingerprint if self.image else '-'}"

    @property
    def image_dimension(self) -> int:
        """Size of an image vector; 1 without an image encoder."""
        return self.image.dimension if self.image else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemVectors:
    """Vectors of one mention or entity; an absent part is None.

    Attributes:
        name: Pooled and token vectors of the surface or name.
        text: Of the context or description.
        image: Of the picture, patches averaged.
    """

    name: _Row | None
    text: _Row | None
    image: _Row | None


class VectorTable:
    """Looks vectors up by text or by name of a picture, after `add` encoded them."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders
        self._texts: dict[str, _Row] = {}
        self._pictures: dict[str, _Row] = {}

    def add_texts(self, texts: Iterable[str], *, progress: Progress = silent) -> None:
        """Encode texts that are not there yet."""
        wanted = sorted({t for t in texts if t.strip()} - self._texts.keys(), key=len)
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            vectors = self._encoders.text.encode(part)
            for row, text in enumerate(part):
                tokens = vectors.tokens[row][vectors.mask[row]][:TEXT_TOKENS]
                self._texts[text] = (vectors.pooled[row].copy(), tokens.copy())
            progress(start + len(part), len(wanted))

    def add_pictures(
        self,
        names: Iterable[str],
        pixels: Callable[[str], Pixels | None],
        *,
        progress: Progress = silent,
    ) -> None:
        """Encode pictures that are not there yet; one that cannot be opened stays absent."""
        encoder = self._encoders.image
        wanted = sorted(set(names) - self._pictures.keys())
        for start in range(0, len(wanted) if encoder else 0, _BATCH // 4):
            part = [(n, pixels(n)) for n in wanted[start : start + _BATCH // 4]]
            opened = [(name, image) for name, image in part if image is not None]
            if encoder and opened:
                vectors = encoder.encode([image for _, image in opened])
                for row, (name, _) in enumerate(opened):
                    patches = pooled_patches(vectors.tokens[row], encoder.grid)
                    self._pictures[name] = (vectors.pooled[row].copy(), patches)
            progress(start + len(part), len(wanted))

    def text(self, text: str) -> _Row | None:
        """Return a text's pooled ``(dim,)`` and token ``(length, dim)`` vectors."""
        return self._texts.get(text)

    def picture(self, name: str | None) -> _Row | None:
        """Return a picture's pooled ``(dim,)`` and patch ``(P, dim)`` vectors."""
        return None if name is None else self._pictures.get(name)


def pooled_patches(
    patches: NDArray[np.float16], grid: tuple[int, int], side: int = PATCH_SIDE
) -> NDArray[np.float16]:
    """Return ``(rows x columns, dim)`` patches averaged over a coarser grid, row-major."""
    rows, columns = grid
    cells = patches.astype(np.float32).reshape(rows, columns, -1)
    for axis, size in ((0, rows), (1, columns)):
        count = min(side, size)
        starts = (np.arange(count) * size) // count
        widths = np.diff(np.append(starts, size))
        shape = [-1 if a == axis else 1 for a in range(3)]
        sums = np.add.reduceat(cells, starts, axis=axis)
        cells = (sums / widths.reshape(shape)).astype(np.float32)
    return cells.reshape(-1, cells.shape[-1]).astype(np.float16)


def items_of(vectors: Sequence[ItemVectors], encoders: Encoders) -> Items:
    """Return the matching network's inputs.

    Text tokens are those of the name and of the text one after the other; the global vector is the
    mean of theirs (name and text are encoded apart, since texts repeat and encoders are frozen).
    """
    size, image_size = encoders.text.dimension, encoders.image_dimension
    count = len(vectors)
    length = max((_length(v) for v in vectors), default=1) or 1
    text = np.zeros((count, size), dtype=np.float32)
    tokens = np.zeros((count, length, size), dtype=np.float32)
    token_mask = np.zeros((count, length), dtype=np.bool_)
    patches = max((len(v.image[1]) for v in vectors if v.image), default=1)
    image = np.zeros((count, image_size), dtype=np.float32)
    cells = np.zeros((count, patches, image_size), dtype=np.float32)
    cell_mask = np.zeros((count, patches), dtype=np.bool_)
    for row, item in enumerate(vectors):
        name = item.name[1][:NAME_TOKENS] if item.name else np.zeros((0, size))
        rest = item.text[1][: TEXT_TOKENS - len(name)] if item.text else np.zeros((0, size))
        tokens[row, : len(name) + len(rest)] = np.concatenate([name, rest])
        token_mask[row, : len(name) + len(rest)] = True
        parts = [part[0] for part in (item.name, item.text) if part]
        if parts:
            text[row] = np.mean(parts, axis=0)
        if item.image:
            image[row] = item.image[0]
            cells[row, : len(item.image[1])] = item.image[1]
            cell_mask[row, : len(item.image[1])] = True
    return Items(
        text=torch.from_numpy(text),
        text_tokens=torch.from_numpy(tokens),
        text_mask=torch.from_numpy(token_mask),
        image=torch.from_numpy(image),
        image_tokens=torch.from_numpy(cells),
        image_mask=torch.from_numpy(cell_mask),
    )


def _length(item: ItemVectors) -> int:
    name = min(NAME_TOKENS, len(item.name[1])) if item.name else 0
    return min(TEXT_TOKENS, name + (len(item.text[1]) if item.text else 0))
