"""Images made ready for labelling: segmented, described and, with an encoder, encoded once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import ImageEncoder, Vectors
from scenes.descriptors import describe_regions
from scenes.model import Pixels, Region
from scenes.patches import pool_patches
from scenes.regions import SegmentConfig, segment

__all__ = ["Prepared", "prepare_images"]

Floats = NDArray[np.float64]
_BATCH = 16  # images encoded at a time
_AHEAD = 2  # batches that wait for the encoder or are with it


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
    images: Iterable[Pixels], config: SegmentConfig, *, encoder: ImageEncoder | None = None
) -> Iterator[Prepared]:
    """Segment, describe and, with an encoder, encode images, one after the other.

    The encoder is two batches ahead: its threads fill the cores while the images before are taken
    apart here, and labelled and written by whoever asks for the next one. With one batch they
    would stand still while the next one is read; two at once would only cost each other the cache.

    Args:
        images: Each ``(height, width, 3)``; no more than a few of them are held.
        config: The segmentation.
        encoder: One encoding an image serves all of its regions.

    Raises:
        ImageError: One of them cannot be read.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="encoding") as beside:

        def begun(batch: list[Pixels]) -> tuple[list[Pixels], Future[Vectors] | None]:
            return batch, None if encoder is None else beside.submit(encoder.encode, batch)

        started = map(begun, _batches(images))
        waiting = deque(islice(started, 1 if encoder is None else _AHEAD))
        while waiting:
            batch, encoding = waiting.popleft()
            taken = [segment(image, config) for image in batch]
            described = [describe_regions(regions) for regions in taken]
            tokens = None if encoding is None else encoding.result().tokens
            waiting.extend(islice(started, 1))
            for place, (image, regions) in enumerate(zip(batch, taken, strict=True)):
                pooled = None
                if encoder is not None and tokens is not None:
                    pooled = pool_patches(tokens[place], encoder.grid, regions)
                yield Prepared(
                    width=image.shape[1],
                    height=image.shape[0],
                    regions=regions,
                    descriptors=described[place],
                    patches=pooled,
                )


def _batches(images: Iterable[Pixels]) -> Iterator[list[Pixels]]:
    rest = iter(images)
    while batch := list(islice(rest, _BATCH)):
        yield batch
