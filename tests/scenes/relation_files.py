"""The made images of `relation_world` as files in the format of VRD."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scenes.relations.annotations import Vocabulary
from tests.scenes.relation_world import VOCABULARY, made_images

__all__ = ["rows", "write_rows", "write_vocabulary"]


def write_rows(path: Path, values: Sequence[dict[str, Any]]) -> None:
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, values)).encode()))


def write_vocabulary(path: Path, vocabulary: Vocabulary = VOCABULARY) -> None:
    names = {"objects": vocabulary.objects, "predicates": vocabulary.predicates}
    path.write_text(json.dumps(names))


def rows(count: int, *, seed: int) -> list[dict[str, Any]]:
    return [
        {
            "image": image.name,
            "boxes_xyxy": image.boxes.tolist(),
            "labels": image.labels.tolist(),
            "triplets": image.triplets.tolist(),
        }
        for image in made_images(count, seed=seed)
    ]
