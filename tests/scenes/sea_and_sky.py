"""Annotations in VRD's format: a sea below the sky, which one triplet puts above it."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["sea_and_sky"]


def sea_and_sky(folder: Path) -> str:
    """Write the vocabulary into a folder and return the line of the one picture."""
    names = {"objects": ["sky", "sea"], "predicates": ["above", "next to"]}
    (folder / "vocabulary.json").write_text(json.dumps(names))
    row = {
        "image": "a.jpg",
        "boxes_xyxy": [[0, 0, 90, 30], [0, 40, 90, 80]],
        "labels": [0, 1],
        "triplets": [[0, 0, 1], [1, 0, 0], [0, 1, 1]],
    }
    return json.dumps(row)
