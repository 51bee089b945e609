"""The step that judges a model of relations on annotated images: JSON and units."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from evaluation.machine import Measurement
from evaluation.results import RunResult, check_destination
from evaluation.units import Units, units_path
from kg.errors import InputError, SettingError
from kg.files import sha256_of_file
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from encoders.protocols import TextEncoder
    from scenes.exchange.gathering import Exchanged
    from scenes.relations.annotations import AnnotatedImage, Vocabulary
    from scenes.relations.matching import Protocol
    from scenes.relations.model import RelationLearner, RelationModel
    from scenes.relations.weighting import Weighting

__all__ = ["RELATION_LEARNERS", "RelationEvaluation", "evaluate_relations", "relation_learner"]

RelationKind = Literal["network", "baseline", "context", "logistic", "prior", "epic"]
RELATION_LEARNERS: tuple[RelationKind, ...] = get_args(RelationKind)
"""Models that can be trained, the default first; the last has an open vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationEvaluation:
    """What is evaluated.

    Attributes:
        annotations: Images to judge on, in VRD's, COCO's, Visual Genome's or Label Studio's format.
        vocabulary: Names of their classes and predicates.
        model: Folder of a trained model; None to train one.
        train: Images to train on, where there is no model.
        kind: Which model is trained.
        objects: The objects found in the images, for protocols that do not give them.
        protocol: Which.
        save: Folder for the trained model; None keeps it not.
        mean_recall: Of the `Weighting` of guesses; that of `BALANCED` if None.
        novelty: The same.

    Raises:
        SettingError: A model and training images are given both or not at all; objects are given
            to PredCls, or lack for another protocol.
    """

    annotations: Path
    vocabulary: Path
    model: Path | None = None
    train: Path | None = None
    kind: RelationKind = "network"
    objects: Path | None = None
    protocol: Protocol = "predcls"
    save: Path | None = None
    mean_recall: float | None = None
    novelty: float | None = None

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        if (self.model is None) == (self.train is None):
            raise SettingError(
                "either a trained model or images to train on are needed, and not both",
                where="model, train",
            )
        if (self.objects is None) != (self.protocol == "predcls"):
            raise SettingError(
                "predcls gives the objects, sgcls and sgdet need a file of those found",
                where="objects",
            )
        if self.save is not None and self.train is None:
            raise SettingError("only a model that is trained here is kept", where="save")


def evaluate_relations(
    task: RelationEvaluation,
    *,
    encoder: TextEncoder,
    out: Path,
    seed: int = 0,
    command: str = "umbra scenes evaluate",
    bars: Callable[[str, str], Progress] = lambda _title, _unit: silent,
) -> RunResult:
    """Judge a model on files and write what was found.

    Args:
        task: What to evaluate.
        encoder: Of the names of classes, for training.
        out: Result file; its units lie beside it.
        seed: Of the training.
        command: Command line that makes it again.
        bars: Opens a progress bar for the training, and for the judging.

    Raises:
        InputError: A file cannot be read, nothing can be learnt or judged, or the model is of
            another vocabulary.
    """
    from scenes.relations.annotations import read_vocabulary
    from scenes.relations.checkpoint import save_relation_model
    from scenes.relations.recall import figures_of, rank_relations

    clock = Measurement.start()
    check_destination(out)
    vocabulary = read_vocabulary(task.vocabulary)
    files = _read(task, vocabulary)
    model = _opened(_model(task, files, vocabulary, encoder, seed, bars), vocabulary, encoder)
    shown = {role: _in_words_of(model, vocabulary, f.images, task) for role, f in files.items()}
    gold = shown["annotations"]
    found = None if task.objects is None else _objects(task.objects, shown["objects"], gold)
    ranked = rank_relations(
        model,
        gold,
        protocol=task.protocol,
        found=found,
        weighting=_weighting(task),
        progress=bars("judging", "images"),
    )
    figures = figures_of(ranked)
    if task.save is not None:
        save_relation_model(model, task.save)
    result = RunResult.measured(
        clock,
        command=command,
        seed=seed,
        protocol=task.protocol,
        inputs=_inputs(task),
        n=figures.n,
        metrics=figures.metrics,
        by={**figures.by, **_rejects(files)},
    )
    Units(values=figures.units).save(units_path(out), inputs=result.inputs)
    result.save(out)
    return result


def relation_learner(
    kind: RelationKind, encoder: TextEncoder, *, progress: Progress = silent
) -> RelationLearner:
    """Return the learner of a sort of model.

    Args:
        kind: Of `RELATION_LEARNERS`.
        encoder: Of the names of classes.
        progress: Is told epochs done, by those that have any.
    """
    from scenes.epic.learner import OpenLearner
    from scenes.relations.context import ContextLearner
    from scenes.relations.network import BASELINE, LOGISTIC, NetworkLearner
    from scenes.relations.prior import PriorLearner

    match kind:
        case "network":
            return NetworkLearner(encoder=encoder, progress=progress)
        case "baseline":
            return NetworkLearner(encoder=encoder, config=BASELINE, progress=progress)
        case "context":
            return ContextLearner(encoder=encoder, progress=progress)
        case "logistic":
            return NetworkLearner(encoder=encoder, config=LOGISTIC, progress=progress)
        case "prior":
            return PriorLearner()
        case "epic":
            return OpenLearner(encoder=encoder)


def _read(task: RelationEvaluation, vocabulary: Vocabulary) -> dict[str, Exchanged]:
    """Read the files of the task, by their roles."""
    from scenes.exchange.formats import read_exchanged

    paths = {"annotations": task.annotations, "train": task.train, "objects": task.objects}
    return {
        role: read_exchanged(path, vocabulary) for role, path in paths.items() if path is not None
    }


def _rejects(files: Mapping[str, Exchanged]) -> dict[str, dict[str, dict[str, float]]]:
    """Say how many records were not taken, so that nobody takes the figures for those of all."""
    found = {role: {"n": float(len(one.rejects))} for role, one in files.items() if one.rejects}
    return {"rejects": found} if found else {}


def _model(
    task: RelationEvaluation,
    files: Mapping[str, Exchanged],
    vocabulary: Vocabulary,
    encoder: TextEncoder,
    seed: int,
    bars: Callable[[str, str], Progress],
) -> RelationModel:
    from scenes.relations.checkpoint import load_relation_model

    if "train" in files:
        learner = relation_learner(task.kind, encoder, progress=bars("training", "epochs"))
        return learner.fit(files["train"].images, vocabulary, seed=seed)
    if task.model is None:
        raise AssertionError("the task was checked when it was made")
    return load_relation_model(task.model)


def _opened(model: RelationModel, vocabulary: Vocabulary, encoder: TextEncoder) -> RelationModel:
    """Return a model of an open vocabulary over all predicates that are asked, by their names."""
    from scenes.epic.model import OpenModel

    known = model.vocabulary.predicates
    new = [name for name in vocabulary.predicates if name not in set(known)]
    if not new or not isinstance(model, OpenModel):
        return model
    return model.with_predicates([*known, *new], encoder)


def _in_words_of(
    model: RelationModel,
    vocabulary: Vocabulary,
    images: tuple[AnnotatedImage, ...],
    task: RelationEvaluation,
) -> tuple[AnnotatedImage, ...]:
    """Return images with the model's numbers: its vocabulary may have more names, or another order.

    Raises:
        InputError: It lacks a name.
    """
    known = model.vocabulary
    if known == vocabulary:
        return images
    lacks = {*vocabulary.objects} - {*known.objects} | {*vocabulary.predicates} - {
        *known.predicates
    }
    if lacks:
        raise InputError(
            f"the model was trained on another vocabulary: it has no {min(lacks)!r}",
            where=str(task.model),
            hint=f"train one on that of {task.vocabulary}; a model of the kind epic knows new "
            "predicates by their names",
        )
    return tuple(image.renumbered(vocabulary, known) for image in images)


def _weighting(task: RelationEvaluation) -> Weighting:
    from dataclasses import replace

    from scenes.relations.weighting import BALANCED

    given = {"mean_recall": task.mean_recall, "novelty": task.novelty}
    return replace(BALANCED, **{name: one for name, one in given.items() if one is not None})


def _objects(
    path: Path, found: tuple[AnnotatedImage, ...], gold: tuple[AnnotatedImage, ...]
) -> list[AnnotatedImage]:
    """Return what was found in each image, in their order."""
    by_name = {image.name: image for image in found}
    missing = next((image.name for image in gold if image.name not in by_name), None)
    if missing is not None:
        raise InputError(f"no line for the image {missing!r}", where=str(path))
    return [by_name[image.name] for image in gold]


def _inputs(task: RelationEvaluation) -> Mapping[str, str]:
    files = {
        "scenes": task.annotations,
        "vocabulary": task.vocabulary,
        "objects": task.objects,
        "train": task.train,
        "model": None if task.model is None else task.model / "relations.json",
    }
    return {role: sha256_of_file(path) for role, path in files.items() if path is not None}
