"""The linker's knowledge base, read from the engine's store and images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.model import ImageRef
    from linkers import Encoders, KnowledgeBase

__all__ = ["base_fingerprint", "knowledge_base", "linking_encoders", "opened"]


def knowledge_base(engine: Engine, label: str | None) -> KnowledgeBase:
    """Gather the entities of a label (None: all), with the facts around them, for a linker."""
    from linkers import KnowledgeBase

    def pixels(image: ImageRef) -> Any:
        return opened(engine, image.sha256)

    store = engine.store
    labels = None if label is None else {label}
    return KnowledgeBase.build(store.entities(), store.edges(), labels=labels, pixels=pixels)


def opened(engine: Engine, sha256: str) -> Any:
    """Return the pixels of an image of the working folder, ``(height, width, 3)`` uint8."""
    import numpy as np

    return np.asarray(engine.images.open(sha256).convert("RGB"))


def base_fingerprint(base: KnowledgeBase) -> str:
    """Return a hash of all that the base says; linking again on an equal base does nothing."""
    from kg.files import sha256_of_text

    images = [image.sha256 for entity in base.entities for image in entity.images]
    return sha256_of_text(repr((base.names, base.descriptions, images)))


def linking_encoders(engine: Engine) -> Encoders:
    """Return the encoders of the engine's settings."""
    from api.steps.encoders import image_encoder, text_encoder
    from linkers import Encoders

    return Encoders(text=text_encoder(engine), image=image_encoder(engine))
