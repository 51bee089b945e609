"""Labels by hand-made thresholds on the shape alone: the plain rival of `scenes.labels`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.descriptors import DESCRIPTORS
from scenes.lexicon import LABELS

__all__ = ["labels_by_rules"]

Floats = NDArray[np.float64]


def labels_by_rules(descriptors: Floats) -> NDArray[np.int64]:
    """Return the label of each region by thresholds that a person would write down.

    Args:
        descriptors: ``(regions, len(DESCRIPTORS))``.

    Returns:
        ``(regions,)`` numbers of labels in `LABELS`.
    """
    return np.array(
        [
            LABELS.index(_label(dict(zip(DESCRIPTORS, row, strict=True))))
            for row in descriptors.tolist()
        ],
        dtype=np.int64,
    )


def _label(d: dict[str, float]) -> str:
    bays = round(d["bays"] * 4)
    touching = sum(d[f"touches_{side}"] for side in ("left", "top", "right", "bottom"))
    if d["is_emblem"]:
        return "emblem"
    if touching == 4:
        return "cross" if d["filled_rectangularity"] < 0.6 else "field"
    if d["filled_rectangularity"] > 0.9:
        spans = d["spans_width"] or d["spans_height"]
        return "band" if spans and touching >= 2 else "rectangle"
    if 0.68 < d["filled_rectangularity"] < 0.86 and d["circularity"] > 0.85 and bays == 0:
        return "disc"
    if bays == 1 and d["largest_bay"] > 0.2 and d["flip_y"] > 0.7 and d["log_area"] < -2:
        return "crescent"
    if bays == 4 and d["turn_half"] > 0.8:
        return "cross"
    if 5 <= bays <= 8 and d["flip_x"] > 0.6:
        return "star"
    if bays > 8 and d["flip_x"] > 0.7:
        return "sun"
    if 0.4 < d["filled_rectangularity"] < 0.6 and d["filled_solidity"] > 0.9:
        return "triangle"
    return "other"
