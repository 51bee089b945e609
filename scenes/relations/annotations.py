"""Annotated images: boxes, labels and triplets, and the vocabulary that numbers them.

Files as in the VRD set: a vocabulary in JSON (``objects``, ``predicates``) and an image a line
(``image``, ``boxes_xyxy``, ``labels``, ``triplets``), plain or gzip. A benchmark is read whole or
not at all: a bad line is an error, or the figures would be over other images than they say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, RecordError
from kg.files import read_json
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Reject

__all__ = ["AnnotatedImage", "Vocabulary", "held_out_part", "read_annotations", "read_vocabulary"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_NAMES = 2_000
MAX_NAME = 200
MAX_IMAGES = 1_000_000
MAX_BOXES = 300
MAX_COORDINATE = 1_000_000
MAX_CELLS = 20_000_000
"""Largest number of pairs times predicates of one image: its scores stay below 160 MB."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What labels and predicates are called; their numbers are positions.

    Attributes:
        objects: Names of object classes.
        predicates: Names of predicates.
    """

    objects: tuple[str, ...]
    predicates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnnotatedImage:
    """Objects of one image and what is said of them.

    Attributes:
        name: Of the image.
        boxes: ``(objects, 4)`` x1, y1, x2, y2 in pixels; a side may have length 0.
        labels: ``(objects,)`` numbers of classes.
        triplets: ``(triplets, 3)`` subject, predicate, object, sorted and each once; subject and
            object are positions among the objects, and may be the same.
        masks: Of each object, as `encode_rle` writes it, or None; empty where none has one.
    """

    name: str
    boxes: Floats
    labels: Integers
    triplets: Integers
    masks: tuple[str | None, ...] = ()

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.labels)

    def renumbered(self, vocabulary: Vocabulary, other: Vocabulary) -> AnnotatedImage:
        """Return the image with the numbers that another vocabulary has for the same names.

        Args:
            vocabulary: The one that the image is written in.
            other: Has every name of it.

        Raises:
            ValueError: It lacks a name.
        """
        objects, predicates = (
            np.array([names.index(name) for name in own], dtype=np.int64)
            for own, names in (
                (vocabulary.objects, other.objects),
                (vocabulary.predicates, other.predicates),
            )
        )
        triplets = self.triplets.copy()
        triplets[:, 1] = predicates[triplets[:, 1]]
        return replace(self, labels=objects[self.labels]).with_triplets(triplets)

    def with_triplets(self, triplets: Integers) -> AnnotatedImage:
        """Return the image with other triplets.

        Args:
            triplets: ``(n, 3)`` in any order, also repeated.
        """
        return replace(self, triplets=np.unique(triplets.reshape(-1, 3), axis=0).astype(np.int64))


def read_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary.

    Raises:
        ForeignFileError: The file is no JSON object.
        InputError: It is missing, or its names are none, too many, empty or repeated.
    """
    try:
        value = read_json(path, kind="vocabulary")
    except OSError as error:
        raise InputError(f"not readable: {error.strerror}", where=str(path)) from error
    return Vocabulary(*(_names(value.get(key), key, path) for key in ("objects", "predicates")))


def _names(value: Any, key: str, path: Path) -> tuple[str, ...]:
    where = f"{path}, {key}"
    if not isinstance(value, list) or not 0 < len(value) <= MAX_NAMES:
        raise InputError(f"a list of 1 to {MAX_NAMES:,} names is needed", where=where)
    for name in value:
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
            raise InputError(
                f"{json.dumps(name)[:80]} is no name of 1 to {MAX_NAME} characters", where=where
            )
    if len(set(value)) < len(value):
        twice = next(name for name in value if value.count(name) > 1)
        raise InputError(f"the name {twice!r} stands there twice", where=where)
    return tuple(value)


def read_annotations(path: Path, vocabulary: Vocabulary) -> tuple[AnnotatedImage, ...]:
    """Read annotated images, plain or gzip; a triplet that is repeated counts once.

    Raises:
        RecordError: The file is missing, or a line is no annotated image; with line and field.
        InputError: The file holds no image.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.jsonl"
        >>> _ = file.write_text('{"image": "a.jpg", "boxes_xyxy": [[0, 0, 9, 9], [2, 2, 5, 5]],'
        ...                     ' "labels": [0, 1], "triplets": [[1, 0, 0]]}')
        >>> read_annotations(file, Vocabulary(("dog", "hat"), ("on",)))[0].triplets.tolist()
        [[1, 0, 0]]
    """
    images: list[AnnotatedImage] = []
    lines: dict[str, int] = {}
    for item in read_jsonl(path):
        if isinstance(item, Reject):
            raise RecordError(item.reason, path=str(path), line=item.line, column=item.column)
        line = _Line(str(path), item.line)
        if len(images) == MAX_IMAGES:
            raise line.error(f"more than {MAX_IMAGES:,} images", None)
        image = line.image(item.fields, vocabulary)
        if image.name in lines:
            raise line.error(f"the image stands in line {lines[image.name]} already", "image")
        lines[image.name] = item.line
        images.append(image)
    if not images:
        raise InputError("the file holds no image", where=str(path))
    return tuple(images)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a file; every error names it."""

    path: str
    line: int

    def error(self, what: str, field: str | None) -> RecordError:
        return RecordError(what, path=self.path, line=self.line, column=field)

    def image(self, fields: Any, vocabulary: Vocabulary) -> AnnotatedImage:
        name = fields.get("image")
        if not isinstance(name, str) or not name:
            raise self.error("the image needs a name", "image")
        labels = self._numbers(fields, "labels", [len(vocabulary.objects)])[:, 0]
        count = len(labels)
        if count > MAX_BOXES or count**2 * len(vocabulary.predicates) > MAX_CELLS:
            raise self.error(f"{count:,} objects are too many", "labels")
        boxes = self._boxes(fields, "boxes_xyxy")
        if len(boxes) != count:
            raise self.error(f"{len(boxes)} boxes for {count} labels", "boxes_xyxy")
        below = [count, len(vocabulary.predicates), count]
        triplets = self._numbers(fields, "triplets", below)
        return AnnotatedImage(
            name=name, boxes=boxes, labels=labels, triplets=np.unique(triplets, axis=0)
        )

    def _rows(self, fields: Any, field: str, width: int, kinds: tuple[type, ...]) -> list[Any]:
        value = fields.get(field)
        if not isinstance(value, list):
            raise self.error("a list is needed", field)
        for row in value if width > 1 else [[cell] for cell in value]:
            whole = isinstance(row, list) and len(row) == width
            if not whole or not all(type(cell) in kinds for cell in row):
                what = f"a list of {width} numbers" if width > 1 else "a whole number"
                told = json.dumps(row if width > 1 else row[0])[:80]
                raise self.error(f"{told} is not {what}", field)
        return value

    def _boxes(self, fields: Any, field: str) -> Floats:
        rows = self._rows(fields, field, 4, (int, float))
        if any(abs(cell) > MAX_COORDINATE for row in rows for cell in row):
            raise self.error(f"a coordinate is beyond {MAX_COORDINATE:,}", field)
        boxes = np.array(rows, dtype=np.float64).reshape(-1, 4)
        if (boxes[:, 2:] < boxes[:, :2]).any():
            raise self.error("a box ends before it starts", field)
        return boxes

    def _numbers(self, fields: Any, field: str, below: Sequence[int]) -> Integers:
        rows = self._rows(fields, field, len(below), (int,))
        for row in rows:
            for cell, limit in zip(row if len(below) > 1 else [row], below, strict=True):
                if not 0 <= cell < limit:
                    raise self.error(f"{cell} is not a number from 0 to {limit - 1}", field)
        return np.array(rows, dtype=np.int64).reshape(-1, len(below))


def held_out_part(
    images: Sequence[AnnotatedImage], share: float = 0.1
) -> tuple[tuple[AnnotatedImage, ...], tuple[AnnotatedImage, ...]]:
    """Split images by the hash of their names: the rest, and the part held out.

    Args:
        images: To split.
        share: The part held out, about; the last one by the split rule of all data sets.
    """
    fractions = [
        int(hashlib.sha256(image.name.encode()).hexdigest()[:8], 16) / 2**32 for image in images
    ]
    rest = tuple(one for one, place in zip(images, fractions, strict=True) if place < 1 - share)
    held = tuple(one for one, place in zip(images, fractions, strict=True) if place >= 1 - share)
    return rest, held
