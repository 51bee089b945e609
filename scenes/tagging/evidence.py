"""A few numbers for each tag and each colour, taken from the regions of one image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import logit

from scenes.colours import COLOUR_NAMES, colour_name, lab_of
from scenes.lexicon import LABELS
from scenes.model import Pixels, Region
from scenes.tagging.round_figures import round_evidence

__all__ = ["COLOURS", "TAGS", "colour_evidence", "label_evidence", "tag_evidence"]

Floats = NDArray[np.float64]

COLOURS: Mapping[str, tuple[str, ...]] = {
    "red": ("red",),
    "blue": ("blue", "light blue"),
    "green": ("green",),
    "white": ("white",),
    "black": ("black",),
    "yellow": ("yellow",),
    "orange": ("orange",),
}
"""Colours that are told, and the names of `scenes.colours` that each takes in."""

TAGS: Mapping[str, tuple[str, ...]] = {
    "star": ("star",),
    "crescent": ("crescent",),
    "cross": ("cross",),
    "disc": ("disc",),
    "sun": ("sun",),
    "triangle": ("triangle",),
    "stripe": ("band",),
    "emblem": ("emblem", "shield", "bird", "lion"),
}
"""Tags, and the labels of regions that each takes in."""

_ROUND = ("disc", "sun")
_LEAST = 1e-3
_LEAST_SHARE = 1e-4
_ORANGE = (44.0, 81.0)  # hues in Lab, degrees: what painters call orange reaches into either side
_YELLOW_END = 100.0
_VIVID = 45.0  # chroma from which a hue says something
_QUARTER = 0.56  # of either side: a flag in the corner may have an edge around it


def tag_evidence(
    opinion: Floats, regions: Sequence[Region], shape: Floats | None = None
) -> dict[str, Floats]:
    """Return for each of `TAGS` how much of it an image has.

    Of discs and suns: the likeliest region, and `round_evidence`; of the others `label_evidence`.

    Args:
        opinion: ``(regions, labels)`` probabilities.
        regions: Of the image; at least one.
        shape: Their `round_evidence`, if it is known.
    """
    rows = label_evidence(opinion, regions)
    shape = round_evidence(regions) if shape is None else shape
    found = {}
    for tag, labels in TAGS.items():
        own = rows[[LABELS.index(label) for label in labels]]
        found[tag] = np.concatenate([own[0, :1], shape]) if tag in _ROUND else own.ravel()
    return found


def label_evidence(opinion: Floats, regions: Sequence[Region]) -> Floats:
    """Return ``(labels, 6)``: how much of each label an image has.

    The likeliest region, the second likeliest, the expected number of regions, the expected share
    of the image, the likeliest region weighed by its size, and the likeliest that is not inside the
    upper left quarter, where another flag may stand, whose parts nobody names.

    Args:
        opinion: ``(regions, labels)`` probabilities.
        regions: Of the image.
    """
    areas = np.array([region.area for region in regions]) / regions[0].mask.size
    height, width = regions[0].mask.shape
    corner = np.array([_QUARTER * width, _QUARTER * height])
    outside = np.array([(np.array(r.box_xyxy[2:]) > corner).any() for r in regions])
    ordered = np.sort(opinion, axis=0)
    second = ordered[-2] if len(ordered) > 1 else np.zeros(opinion.shape[1])
    return np.stack(
        [
            _log_odds(ordered[-1]),
            second,
            np.log1p(opinion.sum(axis=0)),
            np.log(areas @ opinion + _LEAST),
            _log_odds((opinion * np.sqrt(areas)[:, None]).max(axis=0)),
            _log_odds(opinion[outside].max(axis=0, initial=0.0)),
        ],
        axis=1,
    )


def _log_odds(probability: Floats) -> Floats:
    result: Floats = logit(np.clip(probability, _LEAST, 1 - _LEAST))
    return result


def colour_evidence(image: Pixels, regions: Sequence[Region]) -> dict[str, Floats]:
    """Return ``(7,)`` for each of `COLOURS`, but ``(2,)`` for orange.

    The share of the image; the same without what lies in emblems; the same without the upper left
    quarter too, where another flag may stand, whose colours nobody names; the largest plain region;
    the largest piece that holds together; whether there is a plain region, and how many. Orange
    lies between red and yellow and has no hue of its own: the largest plain region of the hues
    between them, and that of the yellow ones.

    Args:
        image: ``(height, width, 3)``.
        regions: Of the image.
    """
    names = _names(image[::2, ::2])
    emblem = np.zeros(image.shape[:2], dtype=bool)
    for region in regions:
        if region.kind != "figure":
            emblem |= region.mask
    emblem = emblem[::2, ::2]
    elsewhere = ~emblem
    elsewhere[: names.shape[0] // 2, : names.shape[1] // 2] = False
    plain = [region for region in regions if region.kind == "figure"]
    found = {}
    for colour, members in COLOURS.items():
        mask = np.isin(names, [COLOUR_NAMES.index(name) for name in members])
        areas = [region.area / region.mask.size for region in plain if region.colour in members]
        shares = (
            float(mask.mean()),
            float((mask & ~emblem).mean()),
            float((mask & elsewhere).mean()),
            max(areas, default=0.0),
            _largest_piece(mask),
        )
        logs = [math.log(share + _LEAST_SHARE) for share in shares]
        found[colour] = np.array([*logs, float(bool(areas)), math.log1p(len(areas))])
    return found | {"orange": _orange(plain)}


def _names(image: Pixels) -> NDArray[np.intp]:
    """``(height, width)`` numbers of colour names, each name asked once a shade (5 bits)."""
    coarse = image.astype(np.int64) >> 3
    codes = (coarse[..., 0] << 10) | (coarse[..., 1] << 5) | coarse[..., 2]
    shades, where = np.unique(codes, return_inverse=True)
    numbers = np.array([COLOUR_NAMES.index(colour_name(_middle(int(code)))) for code in shades])
    result: NDArray[np.intp] = numbers[where].reshape(codes.shape)
    return result


def _middle(code: int) -> tuple[int, int, int]:
    return ((code >> 10) * 8 + 4, ((code >> 5) & 31) * 8 + 4, (code & 31) * 8 + 4)


def _largest_piece(mask: NDArray[np.bool_]) -> float:
    pieces, count = ndimage.label(ndimage.binary_opening(mask))
    return float(np.bincount(pieces.ravel())[1:].max() / mask.size) if count else 0.0


def _orange(plain: Sequence[Region]) -> Floats:
    best = np.zeros(2)
    for region in plain:
        _, a, b = lab_of(np.array(region.rgb, dtype=np.uint8)).tolist()
        hue = math.degrees(math.atan2(b, a)) % 360
        if math.hypot(a, b) <= _VIVID or not _ORANGE[0] < hue <= _YELLOW_END:
            continue
        side = int(hue > _ORANGE[1])
        best[side] = max(best[side], region.area / region.mask.size)
    return np.log(best + 2 * _LEAST)
