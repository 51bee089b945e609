"""Images made ready for labelling: segmented, described and, with an encoder, encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
    batches = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
    found: list[Prepared] = []
    with ThreadPoolExecutor(1, thread_name_prefix="encoding") as beside:
        for batch in batches:
            # the encoder's threads and the segmentation fill the cores beside one another
            encoding = None if encoder is None else beside.submit(encoder.encode, batch)
            taken: list[tuple[Pixels, tuple[Region, ...], Floats]] = []
            for image in batch:
                progress(len(found) + len(taken), len(images))
                regions = segment(image, config)
                taken.append((image, regions, describe_regions(regions)))
            tokens = None if encoding is None else encoding.result().tokens
            for offset, (image, regions, descriptors) in enumerate(taken):
                pooled = None
                if encoder is not None and tokens is not None:
                    pooled = pool_patches(tokens[offset], encoder.grid, regions)
                found.append(
                    Prepared(
                        width=image.shape[1],
                        height=image.shape[0],
                        regions=regions,
                        descriptors=descriptors,
                        patches=pooled,
                    )
                )
    progress(len(images), len(images))
    return found
