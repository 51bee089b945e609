"""The step that takes the graph's images apart and writes their parts and relations."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from api.steps.link import MAX_WORKERS
from kg.errors import JobError, MissingPartError, RecordError, SettingError
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.engine import Engine
    from api.settings import Settings
    from api.workspace import Workspace
    from kg.jobs import Shard, ShardResult
    from kg.model import EntityKey
    from scenes.model import SceneParser

__all__ = [
    "FLAT",
    "SCENES",
    "SceneActors",
    "SceneJob",
    "estimate_scenes",
    "read_descriptions",
    "read_tied",
    "run_scenes",
    "seen",
]

SCENES = "scenes"
"""Name of the step and of the model's folder."""

FLAT = "flat"
"""A detector that needs no weights: the segmentation alone."""

SECONDS_AN_IMAGE = 0.35
"""Encoder included, measured on two shared cores; only for `--estimate`."""
MEMORY_MB = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneJob:
    """Which images to take apart, and what to learn from.

    Attributes:
        label: Label of the entities whose images are taken.
        descriptions: JSON Lines with ``entity_id`` and ``description``; None to use the model
            that was trained last.
        key: Template of an entity's key from ``entity_id``.
        drawn_alike: JSON object whose ``union`` is a list of sets of ids drawn alike.
        seed: Of the split and the networks.
        detector: Directory or hub id of an object detector, in the place of a scene model; or
            `FLAT` for the plain parts of flat-coloured images, without labels.
        engine: Who does the shards: this process (``local``), or ``ray`` (`api.ray_pool`).
        workers: Actors of Ray's.
    """

    label: str = "Country"
    descriptions: Path | None = None
    key: str = "country:{entity_id}"
    drawn_alike: Path | None = None
    seed: int = 0
    detector: str | None = None
    engine: Literal["local", "ray"] = "local"
    workers: int = 1

    def __post_init__(self) -> None:
        """Check that there is one source of labels."""
        if self.detector is not None and self.descriptions is not None:
            raise SettingError(
                "a detector brings its own labels and learns nothing from descriptions",
                hint="give the one or the other",
            )
        if not 1 <= self.workers <= MAX_WORKERS:
            raise SettingError(f"workers must lie in 1-{MAX_WORKERS}", where="--workers")
        if self.workers > 1 and self.engine == "local":
            raise SettingError(
                "this process does all shards itself",
                where="--workers",
                hint="add --engine ray, or leave --workers out",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneActors:
    """Opens a scene model or a detector where an actor runs (`api.ray_pool.ShardOpener`).

    Attributes:
        workspace: The working folder, which holds the images and the model.
        settings: Its settings.
        detector: As of `SceneJob`.
        version: Of the model that the job was submitted for.
    """

    workspace: Workspace
    settings: Settings
    detector: str | None
    version: str

    def function(self) -> Callable[[Shard], ShardResult]:
        """Open the model and return the pure function of a shard.

        Raises:
            JobError: The model is another one there.
        """
        import torch

        from api.engine import Engine
        from api.steps.knowledge_base import opened
        from scenes.job import scene_shard

        torch.set_num_threads(1)
        engine = Engine(self.workspace, settings=self.settings)
        model = _kept_model(engine, self.detector)
        if model.version != self.version:
            raise JobError(
                f"the scene model is {model.version} there, the job's is {self.version}",
                where="an actor of Ray's",
                hint="give every machine the same working folder and detector",
            )
        return lambda shard: scene_shard(shard, model, lambda sha256: opened(engine, sha256))


def run_scenes(engine: Engine, job: SceneJob, *, progress: Progress = silent) -> dict[str, Any]:
    """Train if there are descriptions, take every image apart, write the result.

    A newer model replaces its own output and nobody else's, in one transaction.

    Args:
        engine: Whose images to take apart.
        job: Which, and what to learn from.
        progress: Is told images done of all images.

    Returns:
        Counts of images, parts, edges; figures on the test images if a model was trained.

    Raises:
        MissingPartError: There are no images, or no model and no descriptions.
        RecordError: A description is unreadable.
    """
    done = seen(engine, job)
    if done is not None:
        return done
    images = _images(engine, job.label)
    with engine.workspace.doing(SCENES, _inputs(images, job)) as outcome:
        model, figures = _model(engine, job, dict(images), progress)
        outcome.update(_write(engine, model, images, job, progress), model=model.version)
        if figures:
            outcome["figures"] = figures
    return outcome


def seen(engine: Engine, job: SceneJob) -> dict[str, Any] | None:
    """Return what the step found, if it was done for these very images and descriptions."""
    return engine.workspace.done(SCENES, _inputs(_images(engine, job.label), job))


def _inputs(images: list[tuple[EntityKey, str]], job: SceneJob) -> str:
    files = (_content(job.descriptions), _content(job.drawn_alike))
    asked = (images, files, job.label, job.key, job.seed)
    return repr(asked if job.detector is None else (*asked, job.detector))


def _images(engine: Engine, label: str) -> list[tuple[EntityKey, str]]:
    entities = engine.store.entities(label)
    found = [(entity.key, image.sha256) for entity in entities for image in entity.images]
    if not found:
        raise MissingPartError(
            f"no {label} has an image", where="the graph", hint="build a graph with images first"
        )
    return found


def _content(path: Path | None) -> str | None:
    from kg.files import sha256_of_file

    if path is None:
        return None
    if not path.is_file():
        raise RecordError("no such file", path=str(path))
    return sha256_of_file(path)


def _model(
    engine: Engine, job: SceneJob, images: dict[EntityKey, str], progress: Progress
) -> tuple[SceneParser, dict[str, Any]]:
    if job.descriptions is None:
        return _kept_model(engine, job.detector), {}
    from api.steps.encoders import image_encoder
    from api.steps.knowledge_base import opened
    from scenes.assessment import evaluate_scenes
    from scenes.pipeline import SceneModel

    pixels = {str(key): opened(engine, sha256) for key, sha256 in images.items()}
    descriptions = read_descriptions(job.descriptions, job.key)
    model = SceneModel.train(
        pixels,
        descriptions,
        encoder=image_encoder(engine),
        tied=read_tied(job.drawn_alike, job.key),
        seed=job.seed,
        progress=progress,
    )
    model.save(engine.workspace.model("full", SCENES))
    return model, evaluate_scenes(model, pixels, descriptions, seed=job.seed)


def _kept_model(engine: Engine, detector: str | None) -> SceneParser:
    """Return the detector that is named, else the model that was trained last."""
    if detector == FLAT:
        from scenes.detector import DetectedScenes
        from scenes.regions import FlatDetector

        return DetectedScenes(FlatDetector())
    if detector is not None:
        from scenes.detector import DetectedScenes, TransformersDetector

        return DetectedScenes(TransformersDetector(detector))
    from api.steps.encoders import image_encoder
    from scenes.pipeline import SceneModel

    folder = engine.workspace.model("full", SCENES)
    return SceneModel.load(folder, encoder=image_encoder(engine))


def read_descriptions(path: Path, key: str) -> dict[str, str]:
    """Read descriptions by the key of their entity.

    Raises:
        RecordError: A line is unreadable, or lacks a field.
    """
    from kg.formats.jsonl import read_jsonl
    from kg.formats.records import Reject

    found = {}
    for row in read_jsonl(path):
        if isinstance(row, Reject):
            raise RecordError(row.reason, path=str(path), line=row.line)
        try:
            found[key.format_map(row.fields)] = str(row.fields["description"])
        except KeyError as error:
            raise RecordError(f"no field {error}", path=str(path), line=row.line) from error
    return found


def read_tied(drawn_alike: Path | None, key: str) -> list[list[str]]:
    """Read the sets of keys whose pictures are drawn alike; none without a file."""
    if drawn_alike is None:
        return []
    sets = json.loads(drawn_alike.read_text(encoding="utf-8"))["union"]
    return [[key.format(entity_id=code) for code in group] for group in sets]


def _write(
    engine: Engine,
    model: SceneParser,
    images: list[tuple[EntityKey, str]],
    job: SceneJob,
    progress: Progress,
) -> dict[str, Any]:
    from api.ray_pool import RayPool
    from api.steps.knowledge_base import opened
    from kg.ledger import Ledger
    from scenes.job import run_scene_job

    actors = SceneActors(
        workspace=engine.workspace,
        settings=engine.settings,
        detector=job.detector,
        version=model.version,
    )
    with Ledger(engine.workspace.ledger) as ledger:
        report = run_scene_job(
            engine.store,
            images,
            model,
            ledger=ledger,
            open_image=lambda sha256: opened(engine, sha256),
            open_pool=(lambda: RayPool(actors, workers=job.workers))
            if job.engine == "ray"
            else None,
            progress=progress,
        )
    return asdict(report)


def estimate_scenes(engine: Engine, job: SceneJob) -> dict[str, Any]:
    """Say how many images, seconds and megabytes a run would take; nothing is run."""
    count = len(_images(engine, job.label))
    seconds = round(20 + count * SECONDS_AN_IMAGE)
    return {"rows": count, "seconds": seconds, "peak_memory_mb": MEMORY_MB}
