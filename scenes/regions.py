"""Taking a flat-coloured picture (flag, logo, chart) apart into regions, without any training.

Colours, then connected pieces, then groups: small pieces that touch each other in one box become
one region of the kind ``emblem``, and what exceeds the limit becomes one region ``other``.
Photographs are not what this is for; they end as a heap of emblems, within the same limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import ImageError, SettingError
from scenes import piece_loops
from scenes.colours import colour_name
from scenes.components import clusters_of_small, dissolve_fragments
from scenes.masks import decode_rle, encode_rle
from scenes.model import Pixels, Region, RegionKind
from scenes.palette import colour_layers

__all__ = ["FlatDetector", "SegmentConfig", "decode_rle", "encode_rle", "segment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentConfig:
    """Limits and sizes of the segmentation.

    Attributes:
        most_parts: Largest number of regions of an image.
        most_colours: Largest number of flat colours.
        fewest_pixels: Pixels under which a piece is dissolved, at the working size. Pixels and
            not a share: the stars of a flag of 50 stars are under 0.05 % of its area.
        working_side: Longer side, in pixels, to which larger images are thinned out.
        most_pixels: Largest image that is read, in pixels. Each part keeps a mask of the image's
            size, so 64 parts of this largest image hold a gigabyte.
        small_share: Largest area, as a share of the image, of a piece that founds an emblem.
        absorbed_share: Largest area of a piece that an emblem takes in.
        emblem_pieces: Fewest small touching pieces that make an emblem.

    Raises:
        SettingError: A value is out of its range.
    """

    most_parts: int = 64
    most_colours: int = 14
    fewest_pixels: int = 6
    working_side: int = 512
    most_pixels: int = 16_000_000
    small_share: float = 0.015
    absorbed_share: float = 0.06
    emblem_pieces: int = 5

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("most_parts", "fewest_pixels", "most_pixels", "emblem_pieces"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 1 <= self.most_colours <= 64:
            raise SettingError(f"most_colours must lie in 1-64, got {self.most_colours}")
        if not 16 <= self.working_side <= 4096:
            raise SettingError(f"working_side must lie in 16-4096, got {self.working_side}")
        if not 0 <= self.small_share <= self.absorbed_share <= 1:
            raise SettingError("small_share and absorbed_share must lie in 0-1, in this order")


_DEFAULT = SegmentConfig()


def segment(image: Pixels, config: SegmentConfig = _DEFAULT) -> tuple[Region, ...]:
    """Take a flat-coloured image apart.

    Args:
        image: ``(height, width, 3)`` uint8, RGB.
        config: Limits.

    Returns:
        At most `config.most_parts` regions, largest first, ties by position; their masks are
        disjoint and cover the image.

    Raises:
        ImageError: Not such an array, empty, or more than `config.most_pixels`.

    Example:
        >>> picture = np.zeros((40, 60, 3), dtype=np.uint8)
        >>> picture[20:] = (206, 17, 38)
        >>> [(region.colour, region.box_xyxy) for region in segment(picture)]
        [('black', (0.0, 0.0, 60.0, 20.0)), ('red', (0.0, 20.0, 60.0, 40.0))]
    """
    _check(image, config)
    step = -(-max(image.shape[:2]) // config.working_side)
    # from the middle of each cell, or of the side where it is shorter than a cell (20,000 x 2)
    down, across = (min(step, side) // 2 for side in image.shape[:2])
    small = image[down::step, across::step]
    layers, colours = colour_layers(small, most=config.most_colours)
    layers, pieces, count = dissolve_fragments(
        layers, fewest=config.fewest_pixels, small=config.small_share
    )
    groups = _groups(pieces, count, config)
    owner = np.full(count, -1, dtype=np.int32)
    for number, (members, _) in enumerate(groups):
        owner[members] = number
    regions_map = owner[pieces]
    full = _enlarged(regions_map, step, image.shape[:2])
    boxes = piece_loops.boxes(full, len(groups)).tolist()
    shades = _main_colours(layers, regions_map, len(groups), colours)
    found = []
    for number, (members, kind) in enumerate(groups):
        left, top, right, bottom = boxes[number]
        if not right:  # lost between the kept pixels of a thinned image
            continue
        rgb = shades[number]
        found.append(
            Region(
                box_xyxy=(float(left), float(top), float(right), float(bottom)),
                mask=full == number,
                colour=colour_name(rgb),
                rgb=rgb,
                kind=kind,
                pieces=len(members),
            )
        )
    return tuple(sorted(found, key=_reading_order))


def _check(image: Pixels, config: SegmentConfig) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ImageError(f"expected (height, width, 3) uint8, got {image.shape} {image.dtype}")
    if image.size == 0:
        raise ImageError("an empty image")
    if image.shape[0] * image.shape[1] > config.most_pixels:
        raise ImageError(
            f"{image.shape[1]} x {image.shape[0]} pixels, at most {config.most_pixels} in all",
            hint="shrink the picture",
        )


def _groups(
    pieces: NDArray[np.int32], count: int, config: SegmentConfig
) -> list[tuple[list[int], RegionKind]]:
    clusters = clusters_of_small(
        pieces,
        count,
        small=config.small_share,
        absorbed=config.absorbed_share,
        members=config.emblem_pieces,
    )
    taken = {piece for cluster in clusters for piece in cluster}
    groups: list[tuple[list[int], RegionKind]] = [(cluster, "emblem") for cluster in clusters]
    groups += [([piece], "figure") for piece in range(count) if piece not in taken]
    if len(groups) <= config.most_parts:
        return groups
    sizes = np.bincount(pieces.ravel(), minlength=count)
    groups.sort(key=lambda group: (-int(sizes[group[0]].sum()), group[0]))
    kept, rest = groups[: config.most_parts - 1], groups[config.most_parts - 1 :]
    return [*kept, (sorted(piece for members, _ in rest for piece in members), "other")]


def _enlarged(numbers: NDArray[np.int32], step: int, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Bring a thinned map back to the size of the image."""
    if step == 1:
        return numbers
    rows = np.minimum(np.arange(shape[0]) // step, numbers.shape[0] - 1)
    columns = np.minimum(np.arange(shape[1]) // step, numbers.shape[1] - 1)
    result: NDArray[np.int32] = numbers[rows[:, None], columns[None, :]]
    return result


def _main_colours(
    layers: NDArray[np.int16],
    regions_map: NDArray[np.int32],
    count: int,
    colours: NDArray[np.uint8],
) -> list[tuple[int, int, int]]:
    """Return the most frequent colour of each region."""
    pixels = np.bincount(
        (regions_map.astype(np.int64) * len(colours) + layers).ravel(),
        minlength=count * len(colours),
    )
    most = pixels.reshape(count, len(colours)).argmax(axis=1)
    return [(red, green, blue) for red, green, blue in colours[most].tolist()]


def _reading_order(region: Region) -> tuple[float, ...]:
    left, top, _, _ = region.box_xyxy
    return (-region.area, top, left)


class FlatDetector:
    """`segment` as a `Detector`.

    Args:
        config: Limits of the segmentation.
    """

    def __init__(self, config: SegmentConfig = _DEFAULT) -> None:
        self._config = config

    @property
    def fingerprint(self) -> str:
        """Name, version and settings of the segmentation."""
        return f"flat-1 {self._config}"

    def detect(self, image: Pixels) -> tuple[Region, ...]:
        """Return the regions of an image, without labels."""
        return segment(image, self._config)
