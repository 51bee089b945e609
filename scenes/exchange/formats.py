"""Reading and writing annotated images, whatever their format."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from kg.errors import InputError
from kg.files import atomic_write
from kg.formats.records import MAX_LINE_BYTES, readable
from scenes.exchange.coco import read_coco, write_coco
from scenes.exchange.fields import parsed
from scenes.exchange.gathering import Exchanged
from scenes.exchange.label_studio import read_label_studio, write_label_studio
from scenes.exchange.visual_genome import read_visual_genome, write_visual_genome
from scenes.relations.annotations import AnnotatedImage, Vocabulary, read_annotations

__all__ = ["FORMATS", "AnnotationFormat", "format_of", "read_exchanged", "write_exchanged"]

AnnotationFormat = Literal["vrd", "coco", "visual-genome", "label-studio"]
FORMATS: tuple[AnnotationFormat, ...] = get_args(AnnotationFormat)
"""What is read and written."""

_READERS: Mapping[AnnotationFormat, Callable[[Any, Path, Vocabulary | None], Exchanged]] = {
    "coco": read_coco,
    "visual-genome": read_visual_genome,
    "label-studio": read_label_studio,
}
_WRITERS: Mapping[
    AnnotationFormat, Callable[[Sequence[AnnotatedImage], Vocabulary, Path], None]
] = {
    "coco": write_coco,
    "visual-genome": write_visual_genome,
    "label-studio": write_label_studio,
}


def read_exchanged(
    path: Path, vocabulary: Vocabulary | None = None, *, form: AnnotationFormat | None = None
) -> Exchanged:
    """Read annotated images; a record that cannot be taken is a reject, the others land.

    Args:
        path: Of the file, plain or ``.gz``.
        vocabulary: Names that are taken; None for whatever occurs. VRD's format needs one, and is
            read whole or not at all, as a benchmark is.
        form: The format; None to tell by the file.

    Raises:
        RecordError: The file is missing or no JSON, or a line of VRD is no annotated image.
        InputError: The format is none of `FORMATS`, a vocabulary is missing, or no image can be
            taken.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.json"
        >>> _ = file.write_text('[{"image_id": 1, "objects": [{"object_id": 1, "names": ["dog"],'
        ...                     ' "x": 0, "y": 0, "w": 9, "h": 9}, {"object_id": 2}]}]')
        >>> found = read_exchanged(file)
        >>> found.vocabulary.objects, [(one.line, one.column) for one in found.rejects]
        (('dog',), [(1, 'objects[2].x')])
    """
    if form == "vrd" or (form is None and _is_vrd(path)):
        if vocabulary is None:
            raise InputError(
                "annotations in VRD's format need a vocabulary of their numbers", where=str(path)
            )
        return Exchanged(
            vocabulary=vocabulary, images=read_annotations(path, vocabulary), rejects=()
        )
    value = parsed(path)
    return _READERS[form or format_of(value, path)](value, path, vocabulary)


def _is_vrd(path: Path) -> bool:
    """Tell whether a file has an annotated image a line: by its name, or by its first line."""
    if ".jsonl" in path.suffixes:
        return True
    with readable(path) as file:
        first = file.readline(MAX_LINE_BYTES)
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):  # JSON over many lines, or no JSON, which is told later
        return False
    return isinstance(value, dict) and "boxes_xyxy" in value


def format_of(value: Any, path: Path) -> AnnotationFormat:
    """Tell the format of a parsed file by what is in it.

    Raises:
        InputError: It is none that is read.
    """
    if isinstance(value, dict) and "annotations" in value and "images" in value:
        return "coco"
    listed = value if isinstance(value, list) else []
    first: dict[str, Any] = next((one for one in listed if isinstance(one, dict)), {})
    if "image_id" in first:
        return "visual-genome"
    if "data" in first:
        return "label-studio"
    raise InputError(
        "neither COCO's, Visual Genome's nor Label Studio's annotations", where=str(path),
        hint="VRD's format is JSON Lines: an object a line, no array",
    )  # fmt: skip


def write_exchanged(
    images: Sequence[AnnotatedImage],
    vocabulary: Vocabulary,
    path: Path,
    *,
    form: AnnotationFormat,
) -> None:
    """Write annotated images; the file is replaced whole or not at all.

    Args:
        images: In the order of the file.
        vocabulary: Names of their classes and predicates; VRD's format keeps numbers only.
        path: Of the file.
        form: The format; only COCO's and Label Studio's keep masks.
    """
    if form != "vrd":
        _WRITERS[form](images, vocabulary, path)
        return
    with atomic_write(path) as file:
        for image in images:
            row = {
                "image": image.name,
                "boxes_xyxy": image.boxes.tolist(),
                "labels": image.labels.tolist(),
                "triplets": image.triplets.tolist(),
            }
            file.write((json.dumps(row, ensure_ascii=False) + "\n").encode())
