"""The step that builds the graph from files by a declared mapping."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["build_graph", "estimate_build"]


def build_graph(
    engine: Engine, mapping: Path, *, max_errors: int | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Import what a mapping declares into the engine's store; again on the same files: nothing.

    Where a default model was trained, questions see at once what was added (`api.steps.fold_in`).

    Args:
        engine: Whose store and images to fill.
        mapping: The mapping file.
        max_errors: End after so many rejected rows.
        progress: Is told how many rows are done of how many.

    Returns:
        Counts of entities, edges, images, rejects, and where the rejects lie.

    Raises:
        MappingError: The mapping cannot be applied; nothing was written.
        JobError: There were more than `max_errors` rejects.
    """
    from api.steps.fold_in import freeze_growth
    from kg.importing import import_mapping
    from kg.ledger import Ledger

    workspace = engine.workspace
    workspace.create()
    rejects = workspace.rejects / f"{mapping.stem}.jsonl"
    with Ledger(workspace.ledger) as ledger:
        report = import_mapping(
            engine.store,
            mapping,
            ledger=ledger,
            images=engine.images,
            rejects=rejects,
            max_errors=max_errors,
            progress=progress,
        )
    freeze_growth(engine)
    step = f"build-{mapping.stem}"
    if report.skipped and workspace.step(step).exists():
        return workspace.recorded(step)
    with workspace.doing(step, str(report.jobs)) as outcome:
        outcome.update(asdict(report), rejects_file=str(rejects), seconds=round(report.seconds, 2))
    return outcome


def estimate_build(mapping: Path) -> dict[str, Any]:
    """Say how many rows, seconds and megabytes a build would take, from a sample."""
    from kg.importing import estimate_mapping

    return asdict(estimate_mapping(mapping))
