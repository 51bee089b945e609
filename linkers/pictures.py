"""Pictures of the mentions of one shard: opened once, made small, and forgotten with the shard."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from kg.errors import ImageError
from kg.image_sources import ImageSources
from linkers.knowledge_base import Pixels

__all__ = ["MentionPictures"]

_SIDE = 384  # pixels; encoders take less, and a shard of 100 such pictures takes 44 MB
_AT_ONCE = 8  # pictures that are fetched at the same time


class MentionPictures:
    """Opens pictures by what rows say; given to a linker as its source of pixels.

    Args:
        sources: Reads them.
    """

    def __init__(self, sources: ImageSources) -> None:
        self._sources = sources
        self._kept: dict[str, Pixels] = {}

    def __call__(self, name: str) -> Pixels | None:
        """Return a picture that `take` has opened."""
        return self._kept.get(name)

    def take(self, names: Collection[str], folder: Path) -> dict[str, str]:
        """Open pictures in place of those held before.

        Args:
            names: What rows say.
            folder: What paths are relative to.

        Returns:
            Why each picture that is not held cannot be opened.
        """
        self._kept, failed = {}, {}
        wanted = sorted(set(names))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda name: self._opened(name, folder), wanted)
            for name, picture in zip(wanted, found, strict=True):
                if isinstance(picture, str):
                    failed[name] = picture
                else:
                    self._kept[name] = picture
        return failed

    def _opened(self, name: str, folder: Path) -> Pixels | str:
        try:
            image = self._sources.open(name, folder=folder)
        except ImageError as error:
            return error.what
        image.thumbnail((_SIDE, _SIDE))
        return np.asarray(image)
