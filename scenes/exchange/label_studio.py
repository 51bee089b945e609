"""Annotations in the format of Label Studio (https://labelstud.io/guide/export): a list of tasks.

A task is an image (``data``, the first text in it that names a picture), its first annotation that
was not cancelled, else its first prediction. Regions are rectangles, polygons or brush strokes, in
per cent of the picture; relations join them, in the direction that they say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from PIL import Image, ImageDraw

from kg.errors import InputError, LimitError
from kg.files import write_json
from kg.model import BoxXyxy
from scenes.exchange.fields import corners_of, integer_of, member, name_of, number_of
from scenes.exchange.gathering import Exchanged, Gathering
from scenes.exchange.run_lengths import Mask, brush_decoded, brush_encoded
from scenes.masks import MAX_MASK_PIXELS, box_of, decode_rle, encode_rle
from scenes.relations.annotations import AnnotatedImage, Vocabulary

__all__ = ["read_label_studio", "write_label_studio"]

_KINDS = ("rectanglelabels", "polygonlabels", "brushlabels")


def read_label_studio(value: Any, path: Path, vocabulary: Vocabulary | None) -> Exchanged:
    """Read annotations.

    Args:
        value: The parsed file.
        path: Of the file, for messages.
        vocabulary: Names that are taken; None for whatever occurs.

    Raises:
        InputError: It is no list, or no image can be taken.
    """
    if not isinstance(value, list):
        raise InputError("a list of tasks is needed", where=str(path))
    gathering = Gathering(path, vocabulary)
    for number, task in enumerate(value, start=1):
        result: list[Any] = []
        with gathering.record("tasks", number, task):
            found = _result(task)
            gathering.image(number, _file_of(task))
            result = found
        regions = [isinstance(one, dict) and one.get("type") in _KINDS for one in result]
        for taken, take in ((True, _region), (False, _relation)):  # what relations join comes first
            for place, one in enumerate(result, start=1):
                if regions[place - 1] == taken:
                    with gathering.record(f"result[{place}]", number, one):
                        take(gathering, number, one)
    return gathering.done()


def _file_of(task: Any) -> str:
    """Return the file's name at the end of the picture's address."""
    data = member(task, "data", dict, "an object")
    texts = [data["image"]] if isinstance(data.get("image"), str) else list(data.values())
    for text in texts:
        if isinstance(text, str) and (name := _last_part(text)):
            return name
    raise InputError("no image is named", where="data")


def _last_part(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:  # such as a bracket without its other one
        return ""
    inside = parts.query.removeprefix("d=") if parts.query.startswith("d=") else parts.path
    return PurePosixPath(unquote(inside)).name


def _result(task: Any) -> list[Any]:
    for name in ("annotations", "predictions"):
        told = task.get(name) if isinstance(task, dict) else None
        for one in told if isinstance(told, list) else []:
            if isinstance(one, dict) and not one.get("was_cancelled"):
                result: list[Any] = member(one, "result", list, "a list")
                return result
    return []


def _region(gathering: Gathering, image: int, record: Any) -> None:
    key, value = name_of(record, "id"), member(record, "value", dict, "an object")
    kind = record["type"]
    labels = member(value, kind, list, "a list of labels")
    if len(labels) != 1:
        raise InputError(f"one label is needed, {len(labels)} are given", where=kind)
    height, width = (integer_of(record, f"original_{side}") for side in ("height", "width"))
    if min(height, width) < 1:
        raise InputError("a side is below 1", where="original_height, original_width")
    if value.get("rotation"):
        raise InputError("boxes that are turned are not read", where="rotation")
    mask = None
    if kind == "rectanglelabels":
        box = _rectangle(value, height, width)
    else:
        mask = _mask(kind, value, height, width)
        if not mask.any():
            raise InputError("the region is empty", where=kind)
        box = box_of(mask)
    label = name_of({kind: labels[0]}, kind)
    gathering.part(image, key, label, box, None if mask is None else encode_rle(mask))


def _rectangle(value: Any, height: int, width: int) -> BoxXyxy:
    left, across = (number_of(value, name) * width / 100 for name in ("x", "width"))
    top, down = (number_of(value, name) * height / 100 for name in ("y", "height"))
    # per cent of whole pixels come back as such
    return (
        _whole(left),
        _whole(top),
        _whole(left + across),
        _whole(top + down),
    )


def _whole(value: float) -> float:
    near = round(value)
    return float(near) if math.isclose(value, near, abs_tol=1e-6) else value


def _mask(kind: str, value: Any, height: int, width: int) -> Mask:
    if height * width > MAX_MASK_PIXELS:
        raise LimitError(f"a picture of {width} x {height} pixels, at most {MAX_MASK_PIXELS:,}")
    if kind == "brushlabels":
        return brush_decoded(value.get("rle"), height=height, width=width)
    points = member(value, "points", list, "a list of points")
    if len(points) < 3 or not all(isinstance(one, list) and len(one) == 2 for one in points):
        raise InputError("a polygon has three points at least, [x, y]", where="points")
    corners = [
        (x * width / 100, y * height / 100)
        for x, y in (corners_of(point, "points") for point in points)
    ]
    picture = Image.new("1", (width, height))
    ImageDraw.Draw(picture).polygon(corners, fill=1, outline=1)
    return np.asarray(picture)


def _relation(gathering: Gathering, image: int, record: Any) -> None:
    if not isinstance(record, dict) or record.get("type") != "relation":
        kind = record.get("type") if isinstance(record, dict) else None
        raise InputError(f"regions of the type {kind!r} are not read", where="type")
    first, second = name_of(record, "from_id"), name_of(record, "to_id")
    direction = record.get("direction", "right")
    if direction not in ("right", "left", "bi"):
        raise InputError(f"the direction {direction!r} is none", where="direction")
    labels = member(record, "labels", list, "a list of predicates")
    if not labels:
        raise InputError("a relation without a predicate", where="labels")
    for label in labels:
        predicate = name_of({"labels": label}, "labels")
        if direction != "left":
            gathering.relation(image, first, predicate, second)
        if direction != "right":
            gathering.relation(image, second, predicate, first)


def write_label_studio(
    images: Sequence[AnnotatedImage], vocabulary: Vocabulary, path: Path
) -> None:
    """Write tasks to be imported; `read_label_studio` gives them back.

    A mask is a brush stroke, whose box is that of its pixels; everything else is a rectangle.

    Args:
        images: In the order of the file.
        vocabulary: Names of their classes and predicates.
        path: Of the file; replaced whole or not at all.
    """
    tasks = []
    for image in images:
        result = [*_regions(image, vocabulary)]
        result += [
            {
                "type": "relation",
                "from_id": f"r{subject}",
                "to_id": f"r{other}",
                "direction": "right",
                "labels": [vocabulary.predicates[predicate]],
            }
            for subject, predicate, other in image.triplets.tolist()
        ]
        tasks.append({"data": {"image": image.name}, "annotations": [{"result": result}]})
    write_json(path, tasks)


def _regions(image: AnnotatedImage, vocabulary: Vocabulary) -> Iterator[dict[str, Any]]:
    masks = [None if one is None else decode_rle(one) for one in image.masks]
    shape = next((mask.shape for mask in masks if mask is not None), None)
    if shape is None:  # no size is known: the boxes tell one
        corner = np.maximum(np.ceil(image.boxes.max(axis=0, initial=1)), 1)
        shape = (int(corner[3]), int(corner[2]))
    height, width = shape
    for number, label in enumerate(image.labels.tolist()):
        mask = masks[number] if masks else None
        left, top, right, bottom = image.boxes[number].tolist()
        value: dict[str, Any]
        if mask is None:
            kind = "rectanglelabels"
            value = {
                "x": 100 * left / width,
                "y": 100 * top / height,
                "width": 100 * (right - left) / width,
                "height": 100 * (bottom - top) / height,
                "rotation": 0,
            }
        else:
            kind = "brushlabels"
            value = {"format": "rle", "rle": brush_encoded(mask)}
        yield {
            "id": f"r{number}",
            "type": kind,
            "from_name": "label",
            "to_name": "image",
            "original_width": width,
            "original_height": height,
            "value": {**value, kind: [vocabulary.objects[label]]},
        }
