"""Keeps vectors by content hash, so that a text or a picture is encoded once for ever.

One SQLite file for each encoder fingerprint; rows are raw little-endian blobs. A batch is one
transaction: after a crash or an interrupt the file holds whole batches only.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from encoders.padding import padded
from encoders.protocols import ImageEncoder, Pixels, TextEncoder, Vectors
from kg.errors import ForeignFileError, FormatVersionError

__all__ = ["CachedImageEncoder", "CachedTextEncoder", "VectorCache"]

Item = TypeVar("Item")
Encoder = TypeVar("Encoder", TextEncoder, ImageEncoder)
_Row = tuple[NDArray[np.float32], NDArray[np.float16]]

_FORMAT = 1
_BATCH = 32  # items encoded between two writes; bounds what an interrupt loses
_LOOKUP = 500  # SQLite allows 999 parameters in old builds
_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (hash BLOB PRIMARY KEY, pooled BLOB, tokens BLOB)"


class VectorCache:
    """Vectors of one encoder on disk.

    Args:
        folder: Where the file lies; it is made if missing.
        fingerprint: The encoder's; names the file.
        dimension: Size of a vector.

    Raises:
        ForeignFileError: The file is not such a cache.
        FormatVersionError: It is of another format.
    """

    def __init__(self, folder: Path, *, fingerprint: str, dimension: int) -> None:
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", fingerprint)[:60]
        short = hashlib.sha256(fingerprint.encode()).hexdigest()[:8]
        self._file = folder / f"{name}-{short}.sqlite"
        self._dimension = dimension
        folder.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _FORMAT):
                raise FormatVersionError(
                    f"a vector cache of format {version}, this version reads {_FORMAT}",
                    where=str(self._file),
                    hint="delete the file; it is made anew",
                )
            with connection:
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {_FORMAT:d}")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._file, timeout=60)) as connection:
                connection.execute("PRAGMA synchronous = NORMAL")
                yield connection
        except sqlite3.DatabaseError as error:
            raise ForeignFileError(
                f"not a vector cache ({error})", where=str(self._file), hint="delete the file"
            ) from error

    def get(self, hashes: Sequence[bytes]) -> dict[bytes, _Row]:
        """Return what is kept: ``(dim,)`` pooled and ``(length, dim)`` token vectors by hash."""
        found: dict[bytes, _Row] = {}
        with self._open() as connection:
            for start in range(0, len(hashes), _LOOKUP):
                part = list(hashes[start : start + _LOOKUP])
                marks = ",".join("?" * len(part))
                rows = connection.execute(
                    f"SELECT hash, pooled, tokens FROM vectors WHERE hash IN ({marks})",  # noqa: S608 - question marks only
                    part,
                )
                found.update((row[0], self._decode(row[1], row[2])) for row in rows)
        return found

    def put(self, rows: dict[bytes, _Row]) -> None:
        """Keep vectors; a hash that is there already is left alone."""
        values = [
            (key, pooled.astype("<f4").tobytes(), tokens.astype("<f2").tobytes())
            for key, (pooled, tokens) in rows.items()
        ]
        with self._open() as connection, connection:
            connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", values)

    def _decode(self, pooled: bytes, tokens: bytes) -> _Row:
        size = self._dimension
        if len(pooled) != 4 * size or len(tokens) % (2 * size):
            raise ForeignFileError(
                "a vector of a wrong size", where=str(self._file), hint="delete the file"
            )
        matrix = np.frombuffer(tokens, dtype="<f2").reshape(-1, size)
        return np.frombuffer(pooled, dtype="<f4"), matrix


def _through(
    cache: VectorCache,
    items: Sequence[Item],
    hashes: Sequence[bytes],
    encode: Callable[[list[Item]], Vectors],
    dimension: int,
) -> Vectors:
    """Encode what the cache lacks, a batch a transaction, and return all in order."""
    rows = cache.get(list(dict.fromkeys(hashes)))
    missing = [
        (key, item)
        for key, item in dict(zip(hashes, items, strict=True)).items()
        if key not in rows
    ]
    for start in range(0, len(missing), _BATCH):
        part = missing[start : start + _BATCH]
        vectors = encode([item for _, item in part])
        fresh = {
            key: (vectors.pooled[row], vectors.tokens[row][vectors.mask[row]])
            for row, (key, _) in enumerate(part)
        }
        cache.put(fresh)
        rows.update(fresh)
    pooled = [rows[key][0] for key in hashes]
    return padded(pooled, [rows[key][1] for key in hashes], dimension)


class _Remembering(Generic[Encoder]):
    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder: Encoder = encoder
        self._cache = VectorCache(
            folder, fingerprint=encoder.fingerprint, dimension=encoder.dimension
        )

    @property
    def dimension(self) -> int:
        """Size of a vector."""
        return self._encoder.dimension

    @property
    def fingerprint(self) -> str:
        """Names weights and settings."""
        return self._encoder.fingerprint


class CachedTextEncoder(_Remembering[TextEncoder]):
    """A text encoder that remembers.

    Args:
        encoder: Does the work.
        folder: Where the vectors are kept.
    """

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; an empty text gives a zero vector and an all-false mask."""
        hashes = [hashlib.sha256(text.encode()).digest() for text in texts]
        return _through(self._cache, texts, hashes, self._encoder.encode, self.dimension)


class CachedImageEncoder(_Remembering[ImageEncoder]):
    """An image encoder that remembers.

    Args:
        encoder: Does the work.
        folder: Where the vectors are kept.
    """

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the patch grid."""
        return self._encoder.grid

    def encode(self, images: Sequence[Pixels]) -> Vectors:
        """Encode pictures of any size."""
        hashes = [
            hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()
            for image in images
        ]
        return _through(self._cache, images, hashes, self._encoder.encode, self.dimension)
