"""The step that writes annotated images into the graph, with what a model finds likely in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.engine import Engine
    from kg.images import ImageFolder
    from kg.model import ImageRef
    from scenes.exchange.formats import AnnotationFormat
    from scenes.exchange.gathering import Exchanged
    from scenes.relations.annotations import AnnotatedImage, Vocabulary
    from scenes.relations.likely import Guess
    from scenes.relations.model import RelationModel

__all__ = ["AnnotationImport", "import_annotations"]


_RULE = "unless boxes rule it out"
"""Part of a model's version, so that edges written before the rule was kept are replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationImport:
    """What is imported.

    Attributes:
        annotations: Images in the format of VRD, COCO, Visual Genome or Label Studio.
        vocabulary: Names of their classes and predicates; None takes those of the model, else
            those that occur. VRD's format needs one.
        form: The format; None to tell by the file.
        images: Folder of the pictures by the names of the images; None draws the boxes.
        model: Folder of a model of relations; None writes only what is annotated.
        calibrate: Annotated images that the model has not seen.
        least: Smallest probability of a likely relation, in (0, 1].

    Raises:
        SettingError: A model without images to calibrate on, or `least` outside its range.
    """

    annotations: Path
    vocabulary: Path | None = None
    form: AnnotationFormat | None = None
    images: Path | None = None
    model: Path | None = None
    calibrate: Path | None = None
    least: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        from kg.errors import SettingError

        if (self.model is None) != (self.calibrate is None):
            raise SettingError(
                "a model and annotated images to calibrate it on are given both or not at all",
                where="model, calibrate",
            )
        if not 0 < self.least <= 1:
            raise SettingError(f"least must lie in (0, 1], got {self.least}")


def import_annotations(
    engine: Engine, task: AnnotationImport, *, progress: Progress = silent
) -> dict[str, Any]:
    """Write annotated images into the engine's graph; on the same files again: nothing.

    Args:
        engine: Whose graph and images.
        task: What to import.
        progress: Told pictures kept of how many.

    Returns:
        Counts of images, parts, edges said and likely, the model's version, how many likely edges
        boxes rule out, how many records were rejected, and the files that say which and why.

    Raises:
        RecordError: The file cannot be read, or a line of VRD's format is no annotated image;
            nothing was written.
        InputError: The vocabulary or the model do not fit, or no image can be taken.
        ImageError: A picture is broken.
    """
    from scenes.exchange.formats import read_exchanged
    from scenes.relations.graph import Annotations, write_annotations

    model = _model(task)
    read = read_exchanged(task.annotations, _vocabulary(task, model), form=task.form)
    version, guesses = _likely(task, model, read)
    allowed, ruled_out = _checked(read, guesses)
    engine.workspace.create()
    pictures: dict[str, ImageRef] = {}
    for number, image in enumerate(read.images):
        pictures[image.name] = _picture(task, image, read.vocabulary, engine.images)
        progress(number + 1, len(read.images))
    told = Annotations(
        images=read.images,
        vocabulary=read.vocabulary,
        pictures=pictures,
        source=task.annotations.name,
    )
    counts = write_annotations(engine.store, told, allowed, model=version)
    rejects = [one.to_json() for one in read.rejects]
    return {
        **counts,
        "model": version,
        **_listed(engine, task, "ruled_out", "review_file", ruled_out, "-ruled-out"),
        **_listed(engine, task, "rejected", "rejects_file", rejects, ""),
    }


def _model(task: AnnotationImport) -> RelationModel | None:
    from scenes.relations.checkpoint import load_relation_model

    return None if task.model is None else load_relation_model(task.model)


def _vocabulary(task: AnnotationImport, model: RelationModel | None) -> Vocabulary | None:
    from kg.errors import InputError
    from scenes.relations.annotations import read_vocabulary

    if task.vocabulary is None:
        return None if model is None else model.vocabulary
    vocabulary = read_vocabulary(task.vocabulary)
    if model is not None and model.vocabulary != vocabulary:
        raise InputError("the model is of another vocabulary", where=str(task.model))
    return vocabulary


def _checked(
    read: Exchanged, guesses: Sequence[tuple[Guess, ...]]
) -> tuple[list[tuple[Guess, ...]], list[str]]:
    """Part what boxes allow from what they rule out, which is not written but told as JSON."""
    allowed: list[tuple[Guess, ...]] = []
    ruled_out: list[dict[str, Any]] = []
    for image, found in zip(read.images if guesses else (), guesses, strict=True):
        why = [guess.ruled_out(image, read.vocabulary) for guess in found]
        allowed.append(tuple(g for g, said in zip(found, why, strict=True) if said is None))
        ruled_out += [
            {
                "image": image.name,
                "subject": guess.subject,
                "predicate": read.vocabulary.predicates[guess.predicate],
                "object": guess.object,
                "probability": round(guess.probability, 6),
                "geometry": said,
            }
            for guess, said in zip(found, why, strict=True)
            if said is not None
        ]
    return allowed, [json.dumps(one, ensure_ascii=False) for one in ruled_out]


def _listed(
    engine: Engine, task: AnnotationImport, counted: str, kept: str, lines: Sequence[str], end: str
) -> dict[str, Any]:
    """Write what was not taken beside the rejects of `umbra build`, and say how much there is."""
    from kg.files import atomic_write

    if not lines:
        return {counted: 0}
    path = engine.workspace.rejects / f"{task.annotations.stem}{end}.jsonl"
    with atomic_write(path) as file:
        file.writelines(f"{line}\n".encode() for line in lines)
    return {counted: len(lines), kept: str(path)}


def _likely(
    task: AnnotationImport, model: RelationModel | None, read: Exchanged
) -> tuple[str | None, list[tuple[Guess, ...]]]:
    if model is None or task.calibrate is None:
        return None, []
    from kg.files import sha256_of_text
    from scenes.exchange.formats import read_exchanged
    from scenes.relations.graph import MODEL_PREFIX
    from scenes.relations.likely import LikelyRelations

    held_out = read_exchanged(task.calibrate, model.vocabulary, form=task.form)
    likely = LikelyRelations.fit(model, held_out.images)
    digest = sha256_of_text(
        repr([(name, array.tobytes()) for name, array in sorted(model.arrays().items())])
        + repr(likely.calibration.to_json())
        + _RULE
    )
    return f"{MODEL_PREFIX}{digest[:12]}", likely.guesses(read.images, least=task.least)


def _picture(
    task: AnnotationImport, image: AnnotatedImage, vocabulary: Vocabulary, images: ImageFolder
) -> ImageRef:
    from kg.errors import InputError
    from scenes.relations.drawing import drawn_annotation

    if task.images is None:
        return images.add(drawn_annotation(image, vocabulary), source="drawn from its annotation")
    folder = task.images.resolve()
    path = (folder / image.name).resolve()
    if not path.is_relative_to(folder):
        raise InputError(
            "the name of an image leads out of the folder",
            where=f"{task.annotations}: {image.name}",
        )
    return images.add(path, source=image.name)
