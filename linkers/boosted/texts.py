"""Pooled vectors of texts: each distinct text is encoded once, and kept on disk where asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.cache import VectorCache
from encoders.protocols import TextEncoder
from kg.progress import Progress, silent

__all__ = ["PooledTexts"]

_BATCH = 256  # texts encoded between two writes; bounds what an interrupt loses

Floats = NDArray[np.float32]


class PooledTexts:
    """Looks pooled vectors up; token vectors are dropped, so a million texts stay small.

    Args:
        encoder: Encodes what is not known yet.
        cache: Folder that keeps vectors between processes; None keeps them in memory only.

    Example:
        >>> from encoders import TinyTextEncoder
        >>> PooledTexts(TinyTextEncoder(dimension=8)).matrix(["Peru", "Chile"]).shape
        (2, 8)
    """

    def __init__(self, encoder: TextEncoder, cache: Path | None = None) -> None:
        self.encoder = encoder
        self._rows: dict[str, Floats] = {}
        self._cache: VectorCache | None = None
        if cache is not None:
            self._cache = VectorCache(
                cache, fingerprint=f"pooled {encoder.fingerprint}", dimension=encoder.dimension
            )

    def matrix(self, texts: Sequence[str], *, progress: Progress = silent) -> Floats:
        """Return ``(texts, dim)`` vectors; an empty text has a zero row."""
        self.add(texts, progress=progress)
        found = np.zeros((len(texts), self.encoder.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            if text.strip():
                found[row] = self._rows[text]
        return found

    def add(self, texts: Sequence[str], *, progress: Progress = silent) -> None:
        """Encode what is not there yet."""
        wanted = sorted({t for t in texts if t.strip()} - self._rows.keys(), key=len)
        if self._cache is not None and wanted:
            keys = {_digest(text): text for text in wanted}
            for key, (pooled, _) in self._cache.get(list(keys)).items():
                self._rows[keys[key]] = pooled
            wanted = [text for text in wanted if text not in self._rows]
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            pooled = self.encoder.encode(part).pooled
            fresh = {text: pooled[row].copy() for row, text in enumerate(part)}
            self._rows.update(fresh)
            if self._cache is not None:
                none = np.zeros((0, self.encoder.dimension), dtype=np.float16)
                self._cache.put({_digest(text): (row, none) for text, row in fresh.items()})
            progress(start + len(part), len(wanted))

    def give(self, texts: Sequence[str], vectors: Floats) -> None:
        """Take vectors ``(texts, dim)`` that were computed elsewhere, by the same encoder."""
        self._rows.update(zip(texts, vectors, strict=True))

    def forget(self) -> None:
        """Drop what is kept in memory, so that a long job's memory stays bounded."""
        self._rows.clear()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
