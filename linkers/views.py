"""Other views of what is linked: a picture cropped, flipped, tinted; a text with words left out.

Source: the augmentations of Yang et al., "Vision-Language Pre-Training with Triple Contrastive
Learning" (CVPR 2022), made for frozen encoders: each view is encoded once, before training. What is
changed depends on the seed, the number of the view and the picture or text alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from linkers.items import Items
from linkers.vectors import Encoders, ItemVectors, VectorTable, items_of

__all__ = ["Record", "picture_view", "text_view", "views_of"]

_VIEWS = 3
_LEAST_SHOWN = 0.7  # of width and of height
_TINTS = (0.6, 1.4)  # factors of brightness, contrast and saturation
_DROPPED = 0.15  # of the words

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a mention or an entity shows.

    Attributes:
        name: Surface or name.
        text: Context or description.
        picture: ``(height, width, 3)``; None without one.
    """

    name: str
    text: str
    picture: Pixels | None


def picture_view(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return a crop of at least 0.7 of each side, flipped half of the time, and tinted.

    Args:
        picture: ``(height, width, 3)`` uint8.
        generator: Draws what is changed.
    """
    height, width = picture.shape[:2]
    rows, columns = (
        max(1, round(size * share))
        for size, share in zip(
            (height, width), generator.uniform(_LEAST_SHOWN, 1.0, size=2), strict=True
        )
    )
    top, left = generator.integers(height - rows + 1), generator.integers(width - columns + 1)
    shown = picture[top : top + rows, left : left + columns]
    if generator.random() < 0.5:
        shown = shown[:, ::-1]
    image = Image.fromarray(np.ascontiguousarray(shown))
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = change(image).enhance(generator.uniform(*_TINTS))
    return np.asarray(image, dtype=np.uint8)


def text_view(text: str, generator: np.random.Generator) -> str:
    """Return a text with 15 % of its words left out; at least one stays.

    Example:
        >>> text_view("Peru", np.random.default_rng(0))
        'Peru'
    """
    words = text.split()
    kept = generator.random(len(words)) >= _DROPPED
    if not kept.any():
        kept[:1] = True
    return " ".join(word for word, stays in zip(words, kept.tolist(), strict=True) if stays)


def views_of(
    records: Sequence[Record], encoders: Encoders, *, seed: int = 0, count: int = _VIEWS
) -> tuple[Items, ...]:
    """Return other views of records as the matching network takes them; what is absent stays so.

    Args:
        records: Mentions or entities.
        encoders: Frozen.
        seed: Of what is changed.
        count: Views of each record.
    """
    views = []
    for number in range(count):
        changed = [_changed(record, seed, number) for record in records]
        pictures = {str(row): record.picture for row, record in enumerate(changed)}
        table = VectorTable(encoders)
        table.add_texts([text for record in changed for text in (record.name, record.text)])
        table.add_pictures([n for n, p in pictures.items() if p is not None], pictures.get)
        vectors = [
            ItemVectors(
                name=table.text(record.name), text=table.text(record.text), image=table.picture(row)
            )
            for row, record in zip(pictures, changed, strict=True)
        ]
        views.append(items_of(vectors, encoders))
    return tuple(views)


def _changed(record: Record, seed: int, number: int) -> Record:
    picture = record.picture
    if picture is not None:
        picture = picture_view(picture, _generator(picture.tobytes(), seed, number))
    name, text = (
        text_view(text, _generator(text.encode(), seed, number))
        for text in (record.name, record.text)
    )
    return Record(name=name, text=text, picture=picture)


def _generator(content: bytes, seed: int, number: int) -> np.random.Generator:
    digest = hashlib.sha256(content).digest()[:8]
    return np.random.default_rng([seed, number, int.from_bytes(digest, "big")])
