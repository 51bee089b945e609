"""The step that trains the models that answer, and opens them again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kg.errors import MissingPartError, SettingError
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from api.settings import Settings
    from kg.snapshot import Snapshot
    from reasoning.cones.parts import PartFeatures
    from reasoning.protocols import Answerer

__all__ = ["ModelName", "estimate_training", "load_answerer", "train_model", "trained"]

ModelName = Literal["symbolic", "cone", "rough"]
PART_LABEL = "Part"
HEAD = "model.json"
"""What `umbra train FOLDER` writes last, and no other training writes."""
SECONDS_PER_1000_EDGES = {"symbolic": 3.0, "cone": 3.5, "rough": 4.5}
"""Measured on two shared cores on the demo's graph; only for `--estimate`."""
BYTES_PER_ENTITY_PAIR = 24
"""Rows of scores that training and the row cache hold at most, measured on the demo's graph."""


def train_model(
    engine: Engine, name: ModelName, *, seed: int = 0, progress: Progress = silent
) -> dict[str, Any]:
    """Train one model on the engine's snapshot; nothing to do if it is there for this very one.

    Args:
        engine: Opened on the snapshot to train on.
        name: `symbolic` (a link predictor for the neuro-symbolic answerer), `cone` or `rough`.
        seed: Everything random follows from it.
        progress: Is told how many steps are done of how many.

    Returns:
        The snapshot's hash, the checkpoint's hash, the seconds.

    Raises:
        SettingError: The seed is negative.
    """
    if seed < 0:
        raise SettingError(f"the seed must be at least 0, got {seed}", where="seed")
    done = trained(engine, name, seed=seed)
    if done is not None:
        return done
    workspace, snapshot = engine.workspace, engine.snapshot
    step = f"train-{engine.snapshot_name}-{name}"
    folder = workspace.model(engine.snapshot_name, name)
    inputs = _inputs(engine, name, seed)
    unfinished = workspace.folder / "unfinished" / step
    with workspace.doing(step, inputs) as outcome:
        train = _train_symbolic if name == "symbolic" else _train_cones
        outcome["checkpoint"] = train(
            engine, name, folder, seed=seed, progress=progress, unfinished=unfinished
        )
        outcome["snapshot"] = snapshot.hash
    shutil.rmtree(unfinished, ignore_errors=True)
    engine.forget()
    return outcome


def trained(engine: Engine, name: ModelName, *, seed: int = 0) -> dict[str, Any] | None:
    """Return what training found, if the model is there for the engine's very snapshot."""
    folder = engine.workspace.model(engine.snapshot_name, name)
    step = f"train-{engine.snapshot_name}-{name}"
    done = engine.workspace.done(step, _inputs(engine, name, seed))
    return done if folder.is_dir() else None


def _inputs(engine: Engine, name: ModelName, seed: int) -> str:
    """Say what a training rests on."""
    asked = f"{engine.snapshot.hash} {seed}"
    if name == "symbolic" or not engine.settings.part_vectors:
        return asked
    return f"{asked} part vectors of {engine.settings.image_encoder}"


def _train_symbolic(
    engine: Engine,
    _name: ModelName,
    folder: Path,
    *,
    seed: int,
    progress: Progress,
    unfinished: Path,
) -> str:
    from api.steps.fold_in import save_predictor
    from reasoning.predictors.training import train_link_predictor

    predictor = train_link_predictor(
        engine.snapshot, seed=seed, progress=progress, resume_folder=unfinished
    )
    return save_predictor(predictor, folder, snapshot_name=engine.snapshot_name)


def _train_cones(
    engine: Engine,
    name: ModelName,
    folder: Path,
    *,
    seed: int,
    progress: Progress,
    unfinished: Path,
) -> str:
    from reasoning.cones.checkpoint import save_cones
    from reasoning.cones.training import train_cones

    model = train_cones(
        engine.snapshot,
        geometry="rough" if name == "rough" else "cone",
        seed=seed,
        progress=progress,
        resume_folder=unfinished,
        part_features=part_features(engine),  # for both, so that they differ in geometry alone
    )
    return save_cones(model, folder, engine.snapshot)


def part_features(engine: Engine) -> PartFeatures | None:
    """Return geometry of all parts of the snapshot, or None where there are none.

    Vectors of their pixels are there if the setting `part_vectors` says so.
    """
    import numpy as np

    from reasoning.cones.parts import PartFeatures

    snapshot = engine.snapshot
    rows = [
        (position, entity, entity.part)
        for entity in engine.store.entities(PART_LABEL)
        if entity.part is not None and (position := snapshot.entities.get(entity.key)) is not None
    ]
    if not rows:
        return None
    sizes = {image.sha256: image for e in engine.store.entities() for image in e.images}
    boxes = []
    for _, _, part in rows:
        image = sizes[part.image]
        scale = (image.width, image.height, image.width, image.height)
        boxes.append([side / length for side, length in zip(part.box_xyxy, scale, strict=True)])
    vectors = None
    if engine.settings.part_vectors:
        from api.steps.part_vectors import part_vectors

        vectors = part_vectors(engine, [entity for _, entity, _ in rows])
    return PartFeatures(
        ids=np.array([position for position, _, _ in rows], dtype=np.int32),
        boxes=np.array(boxes, dtype=np.float32),
        area_shares=np.array([part.area_share for _, _, part in rows], dtype=np.float32),
        regions=vectors,
    )


def load_answerer(
    name: Literal["symbolic", "cone", "rough", "exact"],
    folder: Path,
    snapshot: Snapshot,
    settings: Settings,
) -> Answerer:
    """Open an interpreter.

    Args:
        name: Which.
        folder: Its model's folder; not read for `exact`.
        snapshot: The snapshot to answer on.
        settings: Holds the known probability.

    Raises:
        MissingPartError: There is no such model.
        CheckpointMismatchError: It was trained on another snapshot, and cannot be folded in.
    """
    known = settings.known_probability
    if name == "exact":
        from reasoning.exact import ExactAnswerer

        return ExactAnswerer(snapshot, known)
    if not folder.is_dir():
        command = "umbra train" if name == "symbolic" else f"umbra train --model {name}"
        raise MissingPartError(f"no {name} model", where=str(folder), hint=f"run `{command}`")
    if name == "symbolic":
        if (folder / HEAD).is_file():  # `umbra train FOLDER` made it
            return _of_folder(folder, snapshot, known)
        from api.steps.fold_in import open_predictor
        from reasoning.symbolic.answerer import SymbolicAnswerer
        from reasoning.symbolic.config import SymbolicConfig

        predictor = open_predictor(folder, snapshot)
        return SymbolicAnswerer(snapshot, predictor, SymbolicConfig(known_probability=known))
    from reasoning.cones.answerer import ConeAnswerer
    from reasoning.cones.checkpoint import load_cones
    from reasoning.cones.rough_answerer import RoughConeAnswerer

    kind = RoughConeAnswerer if name == "rough" else ConeAnswerer
    return kind(snapshot, load_cones(folder, snapshot))


def _of_folder(folder: Path, snapshot: Snapshot, known: float) -> Answerer:
    from reasoning.folder_model import load_folder_model

    model = load_folder_model(folder, snapshot)
    answering = replace(model.config.answering, known_probability=known)
    return replace(model, config=replace(model.config, answering=answering)).answerer()


def estimate_training(engine: Engine, models: Sequence[str]) -> dict[str, Any]:
    """Say what training would cost on the store as it is; nothing is run."""
    store = engine.store
    entities, edges = sum(1 for _ in store.entities()), sum(1 for _ in store.edges())
    seconds = sum(SECONDS_PER_1000_EDGES[name] * edges / 1000 for name in models)
    return {
        "rows": entities + edges,
        "entities": entities,
        "edges": edges,
        "seconds": round(seconds),
        "peak_memory_mb": round(600 + BYTES_PER_ENTITY_PAIR * entities**2 / 2**20),
    }
