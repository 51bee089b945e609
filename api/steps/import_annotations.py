"""The step that writes annotated images into the graph, with what a model finds likely in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.images import ImageFolder
    from kg.model import ImageRef
    from scenes.relations.annotations import AnnotatedImage, Vocabulary
    from scenes.relations.likely import Guess

__all__ = ["AnnotationImport", "import_annotations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationImport:
    """What is imported.

    Attributes:
        annotations: Images in the format of VRD, a line each.
        vocabulary: Names of their classes and predicates.
        images: Folder of the pictures by the names of the images; None draws the boxes.
        model: Folder of a model of relations; None writes only what is annotated.
        calibrate: Annotated images that the model has not seen.
        least: Smallest probability of a likely relation, in (0, 1].

    Raises:
        SettingError: A model without images to calibrate on, or `least` outside its range.
    """

    annotations: Path
    vocabulary: Path
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
        Counts of images, parts, edges said and likely, and the model's version.

    Raises:
        RecordError: A line is no annotated image; nothing was written.
        InputError: The vocabulary or the model do not fit.
        ImageError: A picture is broken.
    """
    from scenes.relations.annotations import read_annotations, read_vocabulary
    from scenes.relations.graph import Annotations, write_annotations

    vocabulary = read_vocabulary(task.vocabulary)
    images = read_annotations(task.annotations, vocabulary)
    version, guesses = _likely(task, vocabulary, images)
    engine.workspace.create()
    pictures: dict[str, ImageRef] = {}
    for number, image in enumerate(images):
        pictures[image.name] = _picture(task, image, vocabulary, engine.images)
        progress(number + 1, len(images))
    told = Annotations(
        images=images, vocabulary=vocabulary, pictures=pictures, source=task.annotations.name
    )
    counts = write_annotations(engine.store, told, guesses, model=version)
    return {**counts, "model": version}


def _likely(
    task: AnnotationImport, vocabulary: Vocabulary, images: tuple[AnnotatedImage, ...]
) -> tuple[str | None, list[tuple[Guess, ...]]]:
    if task.model is None or task.calibrate is None:
        return None, []
    from kg.errors import InputError
    from kg.files import sha256_of_text
    from scenes.relations.annotations import read_annotations
    from scenes.relations.checkpoint import load_relation_model
    from scenes.relations.graph import MODEL_PREFIX
    from scenes.relations.likely import LikelyRelations

    model = load_relation_model(task.model)
    if model.vocabulary != vocabulary:
        raise InputError("the model is of another vocabulary", where=str(task.model))
    likely = LikelyRelations.fit(model, read_annotations(task.calibrate, vocabulary))
    digest = sha256_of_text(
        repr([(name, array.tobytes()) for name, array in sorted(model.arrays().items())])
        + repr(likely.calibration.to_json())
    )
    return f"{MODEL_PREFIX}{digest[:12]}", likely.guesses(images, least=task.least)


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
