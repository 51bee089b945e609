"""Annotations in the format of COCO (https://cocodataset.org/#format-data): one JSON object.

Objects come with their box, and their mask from polygons or run lengths. COCO has no relations:
they stand in two more lists, ``predicates`` (id, name) and ``relations`` (image_id, subject_id and
object_id of annotations, predicate_id), which other readers pass over.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from kg.errors import InputError, LimitError
from kg.files import write_json
from kg.model import BoxXyxy
from scenes.exchange.fields import corners_of, integer_of, member, name_of
from scenes.exchange.gathering import Exchanged, Gathering
from scenes.exchange.run_lengths import Mask, coco_decoded, coco_encoded
from scenes.masks import MAX_MASK_PIXELS, decode_rle, encode_rle
from scenes.relations.annotations import AnnotatedImage, Vocabulary

__all__ = ["read_coco", "write_coco"]

Sizes = dict[int, tuple[int, int]]


def read_coco(value: Any, path: Path, vocabulary: Vocabulary | None) -> Exchanged:
    """Read annotations.

    Args:
        value: The parsed file.
        path: Of the file, for messages.
        vocabulary: Names that are taken; None for whatever occurs.

    Raises:
        InputError: A list is missing, or no image can be taken.
    """
    gathering = Gathering(path, vocabulary)
    lists = {
        name: _list(value, name, path, needed=name in ("images", "annotations", "categories"))
        for name in ("categories", "images", "annotations", "predicates", "relations")
    }
    classes = _names(gathering, "categories", lists["categories"])
    sizes: Sizes = {}
    for number, record in enumerate(lists["images"], start=1):
        with gathering.record("images", number, record):
            key, size = integer_of(record, "id"), _size(record)
            gathering.image(key, name_of(record, "file_name"))
            sizes[key] = size
    for number, record in enumerate(lists["annotations"], start=1):
        with gathering.record("annotations", number, record):
            _annotation(gathering, record, classes, sizes)
    predicates = _names(gathering, "predicates", lists["predicates"])
    for number, record in enumerate(lists["relations"], start=1):
        with gathering.record("relations", number, record):
            gathering.relation(
                integer_of(record, "image_id"),
                integer_of(record, "subject_id"),
                _known(predicates, record, "predicate_id"),
                integer_of(record, "object_id"),
            )
    return gathering.done()


def _list(value: Any, name: str, path: Path, *, needed: bool) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    if found is None and not needed:
        return []
    if not isinstance(found, list):
        raise InputError(f"the list {name!r} of COCO's format is missing", where=str(path))
    return found


def _names(gathering: Gathering, kind: str, records: Sequence[Any]) -> dict[int, str]:
    names: dict[int, str] = {}
    for number, record in enumerate(records, start=1):
        with gathering.record(kind, number, record):
            names[integer_of(record, "id")] = name_of(record, "name")
    return names


def _known(names: dict[int, str], record: Any, field: str) -> str:
    number = integer_of(record, field)
    if number not in names:
        raise InputError(f"nothing has the id {number}", where=field)
    return names[number]


def _size(record: Any) -> tuple[int, int]:
    """Return height and width; without them a polygon has no mask."""
    if not isinstance(record, dict) or not {"height", "width"} <= set(record):
        return (0, 0)
    height, width = integer_of(record, "height"), integer_of(record, "width")
    if height < 0 or width < 0:
        raise InputError("a side is below 0", where="height, width")
    return height, width


def _annotation(gathering: Gathering, record: Any, classes: dict[int, str], sizes: Sizes) -> None:
    image = integer_of(record, "image_id")
    mask = _mask(record.get("segmentation"), sizes.get(image, (0, 0)))
    gathering.part(
        image,
        integer_of(record, "id"),
        _known(classes, record, "category_id"),
        _box(record),
        None if mask is None else encode_rle(mask),
    )


def _box(record: Any) -> BoxXyxy:
    sides = member(record, "bbox", list, "[x, y, width, height]")
    if len(sides) != 4:
        raise InputError("[x, y, width, height] is needed", where="bbox")
    left, top, width, height = corners_of(sides, "bbox")
    return (left, top, left + width, top + height)


def _mask(value: Any, size: tuple[int, int]) -> Mask | None:
    if not value:
        return None
    if isinstance(value, dict):
        mask = coco_decoded(value)
        if all(size) and mask.shape != size:
            raise InputError(f"a mask of {mask.shape} on an image of {size}", where="segmentation")
        return mask
    if not isinstance(value, list):
        raise InputError("neither polygons nor run lengths", where="segmentation")
    return _painted(value, size) if all(size) else None


def _painted(polygons: list[Any], size: tuple[int, int]) -> Mask:
    """Return the pixels that polygons enclose, their edges included."""
    if size[0] * size[1] > MAX_MASK_PIXELS:
        raise LimitError(f"a mask of {size[0]} x {size[1]} pixels, at most {MAX_MASK_PIXELS:,}")
    picture = Image.new("1", (size[1], size[0]))
    draw = ImageDraw.Draw(picture)
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise InputError("a polygon is a list of x, y, x, y …", where="segmentation")
        corners = corners_of(polygon, "segmentation")
        draw.polygon(list(zip(corners[::2], corners[1::2], strict=True)), fill=1, outline=1)
    return np.asarray(picture)


def write_coco(images: Sequence[AnnotatedImage], vocabulary: Vocabulary, path: Path) -> None:
    """Write annotations; `read_coco` gives them back.

    Args:
        images: In the order of the file.
        vocabulary: Names of their classes and predicates.
        path: Of the file; replaced whole or not at all.
    """
    value: dict[str, Any] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": n, "name": name} for n, name in enumerate(vocabulary.objects, 1)],
        "predicates": [{"id": n, "name": name} for n, name in enumerate(vocabulary.predicates, 1)],
        "relations": [],
    }
    for key, image in enumerate(images, start=1):
        first = len(value["annotations"]) + 1
        record: dict[str, Any] = {"id": key, "file_name": image.name}
        masks = [None if one is None else decode_rle(one) for one in image.masks]
        shape = next((mask.shape for mask in masks if mask is not None), None)
        if shape is not None:
            record |= {"height": shape[0], "width": shape[1]}
        value["images"].append(record)
        for place, (box, label) in enumerate(
            zip(image.boxes.tolist(), image.labels.tolist(), strict=True)
        ):
            width, height = box[2] - box[0], box[3] - box[1]
            annotation = {
                "id": first + place,
                "image_id": key,
                "category_id": label + 1,
                "bbox": [box[0], box[1], width, height],
                "area": width * height,
                "iscrowd": 0,
            }
            mask = masks[place] if masks else None
            if mask is not None:
                annotation |= {
                    "segmentation": coco_encoded(mask),
                    "area": int(np.count_nonzero(mask)),
                }
            value["annotations"].append(annotation)
        for subject, predicate, other in image.triplets.tolist():
            value["relations"].append(
                {
                    "id": len(value["relations"]) + 1,
                    "image_id": key,
                    "subject_id": first + subject,
                    "predicate_id": predicate + 1,
                    "object_id": first + other,
                }
            )
    write_json(path, value)
