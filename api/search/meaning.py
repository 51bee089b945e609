"""Entities by the meaning of their names and prose: vectors of the text encoder, kept as one file.

A derived index like the full text: made anew when the store has moved on, and only for texts that
have no vector yet. Parts of pictures have none: their few words say all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoders.vector_index import VectorIndex
from kg.errors import EngineError
from kg.files import atomic_write, read_json, write_json
from kg.full_text import searched_texts
from kg.model import Entity, EntityKey
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from encoders.protocols import TextEncoder
    from kg.store import Store

__all__ = ["MOST", "MeaningIndex", "text_of", "versions_on_disk"]

FORMAT = 1

MOST = 200_000
"""Entities up to which vectors are made: beyond, encoding them would take hours."""
MAX_CHARS = 400
"""Characters of an entity's text that are encoded; the packaged encoder reads 64 tokens."""
_BATCH = 256


@dataclass(frozen=True, slots=True)
class _Built:
    version: int
    keys: tuple[EntityKey, ...]
    labels: NDArray[np.str_]
    vectors: NDArray[np.float32]
    index: VectorIndex


class MeaningIndex:
    """Finds entities whose text means what a query means.

    Args:
        store: What is searched.
        encoder: Encodes texts.
        folder: Keeps the vectors between processes; None keeps none.
    """

    def __init__(self, store: Store, encoder: TextEncoder, folder: Path | None = None) -> None:
        self._store = store
        self._encoder = encoder
        short = hashlib.sha256(encoder.fingerprint.encode()).hexdigest()[:12]
        self._file = None if folder is None else folder / f"meaning-{short}.npz"
        self._lock = Lock()
        self._built: _Built | None = None
        self._thread: Thread | None = None

    def ready(self) -> bool:
        """Tell whether a search need not wait; if not, begin to make the vectors."""
        built = self._built
        if built is not None and built.version == self._store.version:
            return True
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._current, name="umbra-meaning", daemon=True)
            self._thread.start()
        return False

    def catch_up(self, *, progress: Progress = silent) -> None:
        """Make the vectors of the store as it is now.

        Args:
            progress: Told texts encoded, of those that are new.
        """
        self._current(progress)

    def search(
        self, text: str, *, k: int = 10, labels: Collection[str] = ()
    ) -> list[tuple[EntityKey, float]]:
        """Return the best entities with their cosine, best first; ties in the order of keys."""
        built = self._current()
        query = np.asarray(self._encoder.encode([text[:MAX_CHARS]]).pooled[:1], dtype=np.float32)
        index, rows = built.index, np.arange(len(built.keys))
        if labels:  # filtered before scoring: k entities of these labels, if there are k
            rows = np.flatnonzero(np.isin(built.labels, sorted(labels)))
            index = VectorIndex(built.vectors[rows])
        if not len(rows):
            return []
        positions, scores = index.search(query, k=min(k, len(rows)))
        return [
            (built.keys[rows[position]], float(score))
            for position, score in zip(positions[0], scores[0], strict=True)
            if position >= 0
        ]

    def _current(self, progress: Progress = silent) -> _Built:
        with self._lock:
            version = self._store.version
            if self._built is None or self._built.version != version:
                self._built = self._made(version, progress)
            return self._built

    def _made(self, version: int, progress: Progress) -> _Built:
        entities = [entity for entity in self._store.entities() if entity.part is None][:MOST]
        texts = [text_of(entity) for entity in entities]
        digests = [_digest(text) for text in texts]
        known = self._kept()
        pairs = dict(zip(digests, texts, strict=True))
        new = {digest: text for digest, text in pairs.items() if digest not in known}
        order = sorted(new)
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            pooled = self._encoder.encode([new[digest] for digest in batch]).pooled
            known.update(zip(batch, np.asarray(pooled, dtype=np.float32), strict=True))
            progress(start + len(batch), len(order))
        if new:
            self._keep({digest: known[digest] for digest in digests})
        if self._file is not None:
            reached = {"format": FORMAT, "store_version": version}
            write_json(self._file.with_suffix(".json"), reached)
        dimension = self._encoder.dimension
        vectors = np.array([known[d] for d in digests], np.float32).reshape(-1, dimension)
        return _Built(
            version=version,
            keys=tuple(entity.key for entity in entities),
            labels=np.array([entity.label for entity in entities], dtype=np.str_),
            vectors=vectors,
            index=VectorIndex(vectors),
        )

    def _kept(self) -> dict[bytes, NDArray[np.float32]]:
        """Return the vectors of earlier texts; a damaged file holds none."""
        if self._file is None or not self._file.exists():
            return {}
        try:
            with np.load(self._file, allow_pickle=False) as kept:
                digests, vectors = kept["digests"], kept["vectors"].astype(np.float32)
        except (OSError, ValueError, KeyError, EOFError):
            return {}
        if vectors.shape != (len(digests), self._encoder.dimension):
            return {}
        return {digest.tobytes(): row for digest, row in zip(digests, vectors, strict=True)}

    def _keep(self, known: dict[bytes, NDArray[np.float32]]) -> None:
        if self._file is None:
            return
        digests = np.frombuffer(b"".join(known), dtype=np.uint8).reshape(len(known), -1)
        with atomic_write(self._file) as file:
            np.savez(file, digests=digests, vectors=np.array([*known.values()], np.float32))


def versions_on_disk(folder: Path) -> list[int]:
    """Return the versions of the store that the vectors in a folder have reached."""
    found = []
    for path in sorted(folder.glob("meaning-*.json")):
        with suppress(EngineError, OSError, KeyError, ValueError):
            fields = read_json(path, kind="mark of vectors", formats=(FORMAT,))
            found.append(int(fields["store_version"]))
    return found


def text_of(entity: Entity) -> str:
    """Return what is encoded of an entity: its names, then its prose."""
    return "; ".join(dict.fromkeys(text for _, text in searched_texts(entity)))[:MAX_CHARS]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
