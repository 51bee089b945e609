"""Annotations in the format of Visual Genome: scene graphs, relationships or objects of images.

One list of images, each with ``image_id`` and ``objects`` (object_id, names or name, x, y, w, h),
``relationships`` (predicate, and subject and object as whole objects or by their ids), or both:
``scene_graphs.json``, ``relationships.json`` and ``objects.json`` of the set all read. Names are
taken in small letters, as everybody does who counts them; an image is called by its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kg.errors import InputError
from kg.files import write_json
from scenes.exchange.fields import integer_of, name_of, number_of
from scenes.exchange.gathering import Exchanged, Gathering
from scenes.relations.annotations import AnnotatedImage, Vocabulary

__all__ = ["read_visual_genome", "write_visual_genome"]


def read_visual_genome(value: Any, path: Path, vocabulary: Vocabulary | None) -> Exchanged:
    """Read annotations.

    Args:
        value: The parsed file.
        path: Of the file, for messages.
        vocabulary: Names that are taken; None for whatever occurs.

    Raises:
        InputError: It is no list, or no image can be taken.
    """
    if not isinstance(value, list):
        raise InputError("a list of images is needed", where=str(path))
    gathering = Gathering(path, vocabulary)
    for number, record in enumerate(value, start=1):
        taken = False
        with gathering.record("images", number, record):
            key = integer_of(record, "image_id")
            gathering.image(key, _file_of(record, key))
            taken = True
        if not taken:
            continue
        for place, one in enumerate(_list(gathering, number, record, "objects"), start=1):
            with gathering.record(f"objects[{place}]", number, one):
                _object(gathering, key, one)
        for place, one in enumerate(_list(gathering, number, record, "relationships"), start=1):
            with gathering.record(f"relationships[{place}]", number, one):
                _relationship(gathering, key, one)
    return gathering.done()


def _file_of(record: Any, key: int) -> str:
    """Return the name of the image's file; the set's own are named by their numbers."""
    return name_of(record, "file_name") if "file_name" in record else f"{key}.jpg"


def _list(gathering: Gathering, number: int, record: Any, name: str) -> list[Any]:
    found = record.get(name, [])
    if isinstance(found, list):
        return found
    gathering.refuse("images", number, record, InputError("a list is needed", where=name))
    return []


def _object(gathering: Gathering, image: int, record: Any) -> int:
    key = integer_of(record, "object_id")
    left, top, width, height = (number_of(record, side) for side in ("x", "y", "w", "h"))
    names = record.get("names")
    first = {"name": names[0]} if isinstance(names, list) and names else record
    label = name_of(first, "name").lower()
    gathering.part(image, key, label, (left, top, left + width, top + height))
    return key


def _relationship(gathering: Gathering, image: int, record: Any) -> None:
    ends = []
    for role in ("subject", "object"):
        if isinstance(record, dict) and isinstance(record.get(role), dict):
            ends.append(_object(gathering, image, record[role]))
        else:
            ends.append(integer_of(record, f"{role}_id"))
    gathering.relation(image, ends[0], name_of(record, "predicate").lower(), ends[1])


def write_visual_genome(
    images: Sequence[AnnotatedImage], vocabulary: Vocabulary, path: Path
) -> None:
    """Write scene graphs; `read_visual_genome` gives them back, but for masks and capitals.

    Args:
        images: In the order of the file.
        vocabulary: Names of their classes and predicates.
        path: Of the file; replaced whole or not at all.
    """
    value, first = [], 1
    for key, image in enumerate(images, start=1):
        objects = [
            {
                "object_id": first + place,
                "names": [vocabulary.objects[label]],
                "x": box[0],
                "y": box[1],
                "w": box[2] - box[0],
                "h": box[3] - box[1],
            }
            for place, (box, label) in enumerate(
                zip(image.boxes.tolist(), image.labels.tolist(), strict=True)
            )
        ]
        relationships = [
            {
                "relationship_id": number,
                "predicate": vocabulary.predicates[predicate],
                "subject_id": first + subject,
                "object_id": first + other,
            }
            for number, (subject, predicate, other) in enumerate(image.triplets.tolist(), start=1)
        ]
        value.append(
            {
                "image_id": key,
                "file_name": image.name,
                "objects": objects,
                "relationships": relationships,
            }
        )
        first += len(image)
    write_json(path, value)
