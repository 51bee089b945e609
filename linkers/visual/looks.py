"""Pictures as several kinds of vectors: an encoder's summaries, and descriptors of pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import ImageEncoder, Pixels
from kg.errors import InputError
from kg.progress import Progress, silent
from linkers.visual.descriptors import describe

__all__ = ["Looks", "look_at"]

_BATCH = 64
_FEW = 8  # so many token rows are summaries, each a kind of its own; more are patches

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """Vectors of pictures.

    Attributes:
        kinds: ``(n, size)`` float32 by kind; a row without a picture is zero.
        present: ``(n,)`` bool, which rows have a picture.

    Raises:
        InputError: A kind has another number of rows.
    """

    kinds: Mapping[str, Floats]
    present: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Check that the parts fit."""
        for name, rows in self.kinds.items():
            if rows.ndim != 2 or len(rows) != len(self.present):
                raise InputError(f"{rows.shape} does not fit {len(self.present)} rows", where=name)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.present)

    def take(self, rows: NDArray[np.int64]) -> Looks:
        """Return some rows."""
        kinds = {name: vectors[rows] for name, vectors in self.kinds.items()}
        return Looks(kinds=kinds, present=self.present[rows])


def look_at(
    images: Iterable[Pixels | None],
    encoder: ImageEncoder,
    *,
    count: int,
    progress: Progress = silent,
) -> Looks:
    """Return the vectors of pictures; they are read one after the other and not kept.

    Args:
        images: ``(height, width, 3)`` uint8 each, or None where there is none.
        encoder: With at most eight token rows (`encoders.packaged_layered_encoder`) each row is a
            kind; of any other the global vector is one, and the mean of the patches.
        count: How many there are.
        progress: Told pictures done.

    Raises:
        ImageError: One is not such an array.
    """
    kinds: dict[str, list[Floats]] = {}
    present = np.zeros(count, dtype=np.bool_)
    source, done = iter(images), 0
    while batch := list(islice(source, _BATCH)):
        shown = [image for image in batch if image is not None]
        for name, vectors in {**_encoded(shown, encoder), **describe(shown)}.items():
            kinds.setdefault(name, []).append(vectors)
        present[done : done + len(batch)] = [image is not None for image in batch]
        done += len(batch)
        progress(done, count)
    if done != count:
        raise InputError(f"{done} pictures where {count} were announced")
    if not kinds:
        kinds = {n: [v] for n, v in {**_encoded([], encoder), **describe([])}.items()}
    return Looks(
        kinds={name: _spread(parts, present) for name, parts in kinds.items()}, present=present
    )


def _spread(parts: Sequence[Floats], present: NDArray[np.bool_]) -> Floats:
    shown = np.concatenate(parts)
    whole = np.zeros((len(present), shown.shape[1]), dtype=np.float32)
    whole[present] = shown
    return whole


def _encoded(images: Sequence[Pixels], encoder: ImageEncoder) -> dict[str, Floats]:
    rows, columns = encoder.grid
    layered = rows * columns <= _FEW
    names = [f"layer {n + 1}" for n in range(rows * columns)] if layered else ["whole", "patches"]
    if not images:
        return {name: np.zeros((0, encoder.dimension), dtype=np.float32) for name in names}
    vectors = encoder.encode(images)
    tokens = vectors.tokens.astype(np.float32)
    if layered:
        return {name: tokens[:, n] for n, name in enumerate(names)}
    return {"whole": vectors.pooled, "patches": tokens.mean(axis=1)}
