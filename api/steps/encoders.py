"""Which encoders an engine uses: those that packages ship, or the ones its settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.engine import Engine
    from encoders.protocols import ImageEncoder, TextEncoder

__all__ = [
    "image_encoder",
    "image_encoder_named",
    "layered_encoder_named",
    "text_encoder",
    "text_encoder_named",
]


def text_encoder(engine: Engine) -> TextEncoder:
    """Return the text encoder of the engine's settings, its vectors cached in the folder."""
    return text_encoder_named(engine.settings.text_encoder, engine.workspace.indexes)


def text_encoder_named(name: str, cache: Path | None, *, remembers: bool = True) -> TextEncoder:
    """Return a text encoder by its name in the settings.

    Args:
        name: `packaged`, `tiny`, or a `transformers` directory or hub id.
        cache: Folder that keeps what the packaged one encodes; None keeps nothing.
        remembers: Whether vectors are kept there too, and not the prepared model alone.
    """
    import encoders

    match name:
        case "packaged":
            return encoders.packaged_text_encoder(cache, remembers=remembers)
        case "tiny":
            return encoders.TinyTextEncoder()
        case directory:
            return encoders.transformers_text_encoder(directory)


def image_encoder(engine: Engine) -> ImageEncoder:
    """Return the image encoder of the engine's settings, its vectors cached in the folder."""
    return image_encoder_named(engine.settings.image_encoder, engine.workspace.indexes)


def image_encoder_named(name: str, cache: Path | None) -> ImageEncoder:
    """Return an image encoder by its name in the settings.

    Args:
        name: `packaged`, `tiny`, or a `transformers` directory or hub id.
        cache: Folder that keeps what the packaged one encodes; None keeps nothing.
    """
    import encoders

    match name:
        case "packaged":
            return encoders.packaged_image_encoder(cache)
        case "tiny":
            return encoders.TinyImageEncoder()
        case directory:
            return encoders.transformers_image_encoder(directory)


def layered_encoder_named(name: str, cache: Path | None) -> ImageEncoder:
    """Return the encoder by which pictures are linked (see `linkers.visual`).

    Args:
        name: `packaged` (read at several depths), `tiny`, or a `transformers` directory or hub id.
        cache: Folder that keeps what the packaged one encodes; None keeps nothing.
    """
    import encoders

    return (
        encoders.packaged_layered_encoder(cache)
        if name == "packaged"
        else image_encoder_named(name, cache)
    )
