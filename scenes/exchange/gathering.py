"""What readers of annotations share: objects and triplets gathered, bad records put aside.

A file of others is large and made by many hands: a record that cannot be taken becomes a reject
with its number and the field to blame, and the others land. What hangs on it (the relations of an
object that was refused) is refused too, by its own number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kg.errors import EngineError, InputError, LimitError
from kg.formats.records import Reject
from kg.model import BoxXyxy
from scenes.relations.annotations import (
    MAX_BOXES,
    MAX_CELLS,
    MAX_COORDINATE,
    MAX_IMAGES,
    MAX_NAMES,
    AnnotatedImage,
    Vocabulary,
)

__all__ = ["Exchanged", "Gathering"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """What a file held.

    Attributes:
        vocabulary: Names of classes and predicates: those given, else those that occur, sorted.
        images: In the order of the file.
        rejects: Records that were not taken; `line` is the record's number in its list, from 1 (of
            Visual Genome and Label Studio the image's), `column` the list and the field.
    """

    vocabulary: Vocabulary
    images: tuple[AnnotatedImage, ...]
    rejects: tuple[Reject, ...]


@dataclass(slots=True)
class _Gathered:
    """Objects and triplets of one image, by name."""

    name: str
    position: dict[Hashable, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    boxes: list[BoxXyxy] = field(default_factory=list)
    masks: list[str | None] = field(default_factory=list)
    triplets: list[tuple[int, str, int]] = field(default_factory=list)


class Gathering:
    """Gathers annotated images.

    Args:
        path: Of the file, for messages.
        vocabulary: Names that are taken; None for whatever occurs.
    """

    def __init__(self, path: Path, vocabulary: Vocabulary | None) -> None:
        self._path, self._vocabulary = path, vocabulary
        self._images: dict[Hashable, _Gathered] = {}
        self._names: set[str] = set()
        self._rejects: list[Reject] = []

    @contextmanager
    def record(self, kind: str, number: int, value: Any) -> Iterator[None]:
        """Take one record; if it is wrong it becomes a reject, and what follows goes on.

        Args:
            kind: Name of the list that it stands in, and its place within the image if it has one.
            number: Of the record in the list, or of its image, from 1.
            value: As it stands in the file, kept with the reject.
        """
        try:
            yield
        except (InputError, LimitError) as error:
            self.refuse(kind, number, value, error)

    def refuse(self, kind: str, number: int, value: Any, error: EngineError) -> None:
        """Put a record aside; see `record`."""
        column = kind if error.where is None else f"{kind}.{error.where}"
        text = json.dumps(value, ensure_ascii=False, default=str)
        self._rejects.append(
            Reject(file=self._path.name, line=number, column=column, reason=error.what, text=text)
        )

    def image(self, key: Hashable, name: str) -> None:
        """Begin an image.

        Args:
            key: How records name it.
            name: Of its file.

        Raises:
            InputError: It is there already, or there are too many.
        """
        if key in self._images or name in self._names:
            raise InputError(f"the image {name!r} is there already", where="image")
        if len(self._images) == MAX_IMAGES:
            raise InputError(f"more than {MAX_IMAGES:,} images", where="image")
        self._images[key] = _Gathered(name)
        self._names.add(name)

    def part(
        self, image: Hashable, key: Hashable, label: str, box: BoxXyxy, mask: str | None = None
    ) -> None:
        """Add an object; the same one again (equal key) changes nothing.

        Args:
            image: Key of its image.
            key: How relations name it.
            label: Name of its class.
            box: In pixels.
            mask: As `encode_rle` writes it.

        Raises:
            InputError: No such image, a class that is not in the vocabulary, a box that is none,
                or too many objects.
        """
        found = self._of(image)
        if key in found.position:
            return
        if self._vocabulary is not None and label not in self._vocabulary.objects:
            raise InputError(f"the class {label!r} is not in the vocabulary", where="label")
        if len(found.labels) == MAX_BOXES:
            raise InputError(f"more than {MAX_BOXES} objects on one image", where="image")
        _check_box(box)
        found.position[key] = len(found.labels)
        found.labels.append(label)
        found.boxes.append(box)
        found.masks.append(mask)

    def relation(self, image: Hashable, subject: Hashable, predicate: str, other: Hashable) -> None:
        """Add a triplet.

        Raises:
            InputError: No such image or object, or a predicate that is not in the vocabulary.
        """
        found = self._of(image)
        for role, key in (("subject", subject), ("object", other)):
            if key not in found.position:
                raise InputError(f"no object {key!r} was taken from this image", where=role)
        if self._vocabulary is not None and predicate not in self._vocabulary.predicates:
            raise InputError(
                f"the predicate {predicate!r} is not in the vocabulary", where="predicate"
            )
        found.triplets.append((found.position[subject], predicate, found.position[other]))

    def done(self) -> Exchanged:
        """Return what was gathered.

        Raises:
            InputError: Nothing was, or more names occur than a vocabulary holds.
        """
        if not self._images:
            told = f"; the first record: {self._rejects[0].reason}" if self._rejects else ""
            raise InputError(f"the file holds no image that can be taken{told}", where=self._where)
        vocabulary = self._vocabulary or self._occurring()
        objects, predicates = (
            {name: number for number, name in enumerate(names)}
            for names in (vocabulary.objects, vocabulary.predicates)
        )
        return Exchanged(
            vocabulary=vocabulary,
            images=tuple(
                _numbered(one, objects, predicates, self._where) for one in self._images.values()
            ),
            rejects=tuple(self._rejects),
        )

    @property
    def _where(self) -> str:
        return str(self._path)

    def _of(self, image: Hashable) -> _Gathered:
        found = self._images.get(image)
        if found is None:
            raise InputError(f"no image {image!r} was taken", where="image")
        return found

    def _occurring(self) -> Vocabulary:
        images = self._images.values()
        objects = sorted({label for image in images for label in image.labels})
        predicates = sorted({name for image in images for _, name, _ in image.triplets})
        for kind, names in (("classes", objects), ("predicates", predicates)):
            if len(names) > MAX_NAMES:
                raise InputError(
                    f"{len(names):,} {kind}, at most {MAX_NAMES:,}",
                    where=self._where,
                    hint="give a vocabulary of those that you want",
                )
        return Vocabulary(tuple(objects), tuple(predicates))


def _check_box(box: BoxXyxy) -> None:
    if not all(math.isfinite(side) and abs(side) <= MAX_COORDINATE for side in box):
        raise InputError(f"a coordinate is beyond {MAX_COORDINATE:,}", where="box")
    if box[2] < box[0] or box[3] < box[1]:
        raise InputError("the box ends before it starts", where="box")


def _numbered(
    image: _Gathered, objects: Mapping[str, int], predicates: Mapping[str, int], where: str
) -> AnnotatedImage:
    if len(image.labels) ** 2 * max(len(predicates), 1) > MAX_CELLS:
        raise InputError(
            f"{len(image.labels):,} objects with {len(predicates):,} predicates are too many",
            where=f"{where}, {image.name}",
            hint="give a vocabulary of fewer predicates",
        )
    triplets = np.array(
        [(one, predicates[name], other) for one, name, other in image.triplets], dtype=np.int64
    )
    masked = any(mask is not None for mask in image.masks)
    return AnnotatedImage(
        name=image.name,
        boxes=np.array(image.boxes, dtype=np.float64).reshape(-1, 4),
        labels=np.array([objects[label] for label in image.labels], dtype=np.int64),
        triplets=np.unique(triplets.reshape(-1, 3), axis=0),
        masks=tuple(image.masks) if masked else (),
    )
