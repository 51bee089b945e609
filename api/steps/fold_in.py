"""New facts without training again: the default model on a graph that has grown since.

Beside the model lies the snapshot it was trained on. When the working folder's snapshot is a later
one, the model is folded into it once, and kept until it is trained again or the graph grows more.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from kg.errors import CheckpointMismatchError, ConflictError, MissingPartError

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.snapshot import Snapshot
    from reasoning.predictors.calibrated import CalibratedPredictor

__all__ = ["freeze_growth", "is_folded_in", "open_predictor", "save_predictor"]

GROWS = "full"
"""The snapshot that follows the store; others are made for an evaluation and stay."""
GRAPH = "graph"
FOLDED = "folded"


def save_predictor(predictor: CalibratedPredictor, folder: Path, *, snapshot_name: str) -> str:
    """Save a model that was just trained, and the graph it was trained on if that may grow.

    Returns:
        The checkpoint's hash.
    """
    from kg.snapshot import save_snapshot

    shutil.rmtree(folder / FOLDED, ignore_errors=True)
    if snapshot_name == GROWS:
        save_snapshot(predictor.snapshot, folder / GRAPH)
    return predictor.save(folder)


def open_predictor(folder: Path, snapshot: Snapshot) -> CalibratedPredictor:
    """Open a model on the graph that it was trained on, or on a later one.

    Raises:
        CheckpointMismatchError: It was trained on another snapshot, which was not kept.
    """
    from reasoning.predictors.calibrated import CalibratedPredictor

    try:
        return CalibratedPredictor.load(folder, snapshot)
    except CheckpointMismatchError:
        if not _may_grow(folder):
            raise
    try:
        return CalibratedPredictor.load(folder / FOLDED, snapshot)
    except (ConflictError, MissingPartError):  # none, of an earlier growth, or damaged
        folded = _folded_in(folder, snapshot)
    folded.save(folder / FOLDED)
    return folded


def freeze_growth(engine: Engine) -> None:
    """Make a snapshot of what was added, if the default model can be folded into it."""
    if _may_grow(engine.workspace.model(GROWS, "symbolic")):
        from api.steps.snapshot import freeze

        freeze(engine)


def is_folded_in(engine: Engine) -> bool:
    """Tell whether the engine's snapshot is later than the one its default model was trained on."""
    step = f"train-{engine.snapshot_name}-symbolic"
    if not engine.workspace.step(step).exists():
        return False
    return bool(engine.workspace.recorded(step)["snapshot"] != engine.snapshot.hash)


def _may_grow(folder: Path) -> bool:
    return (folder / GRAPH / "snapshot.json").is_file()


def _folded_in(folder: Path, snapshot: Snapshot) -> CalibratedPredictor:
    from kg.snapshot import load_snapshot
    from reasoning.fold_in import fold_in_calibrated
    from reasoning.predictors.calibrated import CalibratedPredictor

    before = load_snapshot(folder / GRAPH)
    return fold_in_calibrated(CalibratedPredictor.load(folder, before), snapshot)
