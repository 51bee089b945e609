"""Images made ready for labelling: segmented, described and, with an encoder, encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import ImageEncoder
from kg.progress import Progress, silent
from scenes.descriptors import describe_regions
from scenes.model import Pixels, Region
from scenes.patches import pool_patches
from scenes.regions import SegmentConfig, segment

__all__ = ["Prepared", "prepare_images"]

Floats = NDArray[np.float64]
_BATCH = 16  # images encoded at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An image taken apart, before any label.

    Attributes:
        width: In pixels.
        height: In pixels.
        regions: Largest first.
        descriptors: ``(regions, len(DESCRIPTORS))``.
        patches: ``(regions, dimension)``, if there is an encoder.
    """

    width: int
    height: int
    regions: tuple[Region, ...]
    descriptors: Floats
    patches: Floats | None


def prepare_images(
    images: Sequence[Pixels],
    config: SegmentConfig,
    *,
    encoder: ImageEncoder | None = None,
    progress: Progress = silent,
) -> list[Prepared]:
    """Segment, describe and, with an encoder, encode images.

    Args:
        images: Each ``(height, width, 3)``.
        config: The segmentation.
        encoder: One encoding an image serves all of its regions.
        progress: Told images done.

    Raises:
        ImageError: One of them cannot be read.
    """
    found = []
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        tokens = None if encoder is None else encoder.encode(batch).tokens
        for offset, image in enumerate(batch):
            progress(start + offset, len(images))
            regions = segment(image, config)
            pooled = None
            if encoder is not None and tokens is not None:
                pooled = pool_patches(tokens[offset], encoder.grid, regions)
            found.append(
                Prepared(
                    width=image.shape[1],
                    height=image.shape[0],
                    regions=regions,
                    descriptors=describe_regions(regions),
                    patches=pooled,
                )
            )
    progress(len(images), len(images))
    return found
