"""What the image encoder sees of each part of the graph's pictures, for cones and for search.

One encoding of a picture serves all of its parts: its patch vectors are averaged under the mask of
a part, or under its box where it has no mask (`scenes.patches`). They are kept in the working
folder, and made again when the parts or the encoder are others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kg.described_arrays import DescribedArrays
from kg.errors import EngineError, InputError, SettingError, UnknownEntityError
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from api.engine import Engine
    from kg.model import Entity, ImagePart
    from scenes.model import Region

__all__ = ["part_vectors", "similar_parts"]

_FILES = DescribedArrays(kind="file of part vectors", stem="vectors", format=1)
_BATCH = 16  # pictures encoded at a time


def part_vectors(
    engine: Engine, parts: Sequence[Entity], *, progress: Progress = silent
) -> NDArray[np.float32]:
    """Return ``(parts, dimension)`` of unit length; zero for a part that covers all of its picture.

    The mean of a picture is taken away from its parts: a vector says how a part differs from what
    is around it.

    Args:
        engine: Whose pictures and image encoder.
        parts: Parts of pictures, in any order.
        progress: Told pictures done.

    Raises:
        InputError: An entity is no part of a picture.
        ImageError: A picture cannot be read.
    """
    import numpy as np

    from api.steps.encoders import image_encoder
    from api.steps.knowledge_base import opened
    from scenes.patches import pool_patches

    encoder = image_encoder(engine)
    asked = _asked(encoder.fingerprint, parts)
    folder = engine.workspace.indexes / "parts"
    kept = _kept(folder, asked)
    if kept is not None:
        return kept
    rows: dict[str, list[int]] = {}
    for row, entity in enumerate(parts):
        rows.setdefault(_part(entity).image, []).append(row)
    found = np.zeros((len(parts), encoder.dimension), dtype=np.float32)
    done = 0
    pictures = sorted(rows)
    for start in range(0, len(pictures), _BATCH):
        names = pictures[start : start + _BATCH]
        images = [opened(engine, name) for name in names]
        tokens = encoder.encode(images).tokens
        for name, image, seen in zip(names, images, tokens, strict=True):
            regions = [_region(_part(parts[row]), image.shape[:2]) for row in rows[name]]
            found[rows[name]] = pool_patches(seen, encoder.grid, regions)
        done += len(names)
        progress(done, len(rows))
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    found /= np.where(lengths > 0, lengths, 1.0)
    engine.workspace.create()
    _FILES.write(folder, {"asked": asked}, {"vectors": found})
    return found


def similar_parts(engine: Engine, key: str, *, most: int = 10) -> list[tuple[Entity, float]]:
    """Return the other parts of pictures that look most like one, with their cosines.

    Args:
        engine: Whose graph, pictures and image encoder.
        key: Of the part.
        most: How many, at least 1.

    Raises:
        SettingError: `most` is below 1.
        UnknownEntityError: No entity has the key.
        InputError: It is no part of a picture.

    Example:
        >>> [part.name for part, _ in similar_parts(engine, "part:country:TR/1")]
        ... # doctest: +SKIP
    """
    from encoders import VectorIndex
    from kg.model import EntityKey

    if most < 1:
        raise SettingError(f"must be at least 1, got {most}", where="most")
    asked = engine.store.entity(EntityKey(key))
    if asked is None:
        raise UnknownEntityError(key)
    _part(asked)
    parts = [one for one in engine.store.entities("Part") if one.part is not None]
    vectors = part_vectors(engine, parts)
    place = next(row for row, one in enumerate(parts) if one.key == asked.key)
    rows, cosines = VectorIndex(vectors).search(vectors[[place]], k=most + 1)
    found = zip(rows[0].tolist(), cosines[0].tolist(), strict=True)
    return [(parts[row], cosine) for row, cosine in found if row not in (-1, place)][:most]


def _part(entity: Entity) -> ImagePart:
    if entity.part is None:
        raise InputError("no part of a picture", where=entity.key)
    return entity.part


def _asked(encoder: str, parts: Sequence[Entity]) -> str:
    """Name what vectors are asked for: of which encoder, of which parts."""
    from kg.files import sha256_of_text

    said = [(one.key, (of := _part(one)).image, of.box_xyxy, of.mask_rle) for one in parts]
    return sha256_of_text(repr((encoder, said)))


def _kept(folder: Path, asked: str) -> NDArray[np.float32] | None:
    """Return the vectors that were made before; none if they are of other parts, or broken."""
    try:
        if _FILES.read(folder)["asked"] != asked:
            return None
        with _FILES.opened(folder) as arrays:
            vectors: NDArray[np.float32] = arrays["vectors"]
            return vectors
    except (EngineError, KeyError):
        return None


def _region(part: ImagePart, shape: tuple[int, int]) -> Region:
    """Return the pixels of a part: its mask, or its box without one of that size."""
    import numpy as np

    from scenes.masks import decode_rle
    from scenes.model import Region

    height, width = shape
    left, top, right, bottom = map(int, part.box_xyxy)
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    right, bottom = min(max(right, left + 1), width), min(max(bottom, top + 1), height)
    mask = None if part.mask_rle is None else decode_rle(part.mask_rle)
    if mask is None or mask.shape != shape:
        mask = np.zeros(shape, dtype=bool)
        mask[top:bottom, left:right] = True
    box = (float(left), float(top), float(right), float(bottom))
    return Region(box_xyxy=box, mask=mask, colour="", rgb=(0, 0, 0))
