"""Encoders: texts and pictures in, vectors out; knows nothing of graphs, mentions or queries."""

from __future__ import annotations

from pathlib import Path

from encoders.cache import CachedImageEncoder, CachedTextEncoder, VectorCache
from encoders.image import DinoEncoder, packaged_image_encoder
from encoders.layered import LayeredDinoEncoder, packaged_layered_encoder
from encoders.protocols import ImageEncoder, Pixels, TextEncoder, Vectors
from encoders.text import MiniLmEncoder, packaged_text_encoder
from encoders.tiny import TinyImageEncoder, TinyTextEncoder
from encoders.vector_index import VectorIndex

__all__ = [
    "CachedImageEncoder",
    "CachedTextEncoder",
    "DinoEncoder",
    "ImageEncoder",
    "LayeredDinoEncoder",
    "MiniLmEncoder",
    "Pixels",
    "TextEncoder",
    "TinyImageEncoder",
    "TinyTextEncoder",
    "VectorCache",
    "VectorIndex",
    "Vectors",
    "packaged_image_encoder",
    "packaged_layered_encoder",
    "packaged_text_encoder",
    "transformers_image_encoder",
    "transformers_text_encoder",
]


def transformers_text_encoder(directory_or_id: str | Path) -> TextEncoder:
    """Return a text encoder from a `transformers` directory or hub id (imports torch).

    Raises:
        MissingPartError: The model cannot be loaded.
    """
    from encoders.transformers_models import transformers_text_encoder as make

    return make(directory_or_id)


def transformers_image_encoder(directory_or_id: str | Path) -> ImageEncoder:
    """Return an image encoder from a `transformers` directory or hub id (imports torch).

    Raises:
        MissingPartError: The model cannot be loaded.
        InputError: It has no vision tower.
    """
    from encoders.transformers_models import transformers_image_encoder as make

    return make(directory_or_id)
