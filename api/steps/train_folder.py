"""The step that trains the default model on a graph folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.side_by_side import Task, side_by_side
from kg.errors import InputError
from kg.files import read_json
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from reasoning.predictors.embeddings.members import Member

__all__ = ["train_folder", "train_member"]


def train_folder(
    graph: Path,
    out: Path,
    *,
    seed: int = 0,
    settings: Path | None = None,
    bars: Callable[[str, str], Progress] = lambda _title, _unit: silent,
) -> dict[str, Any]:
    """Train on a folder of train and valid edges; a run that was killed goes on where it was.

    Args:
        graph: Graph folder (`kg.graph_folder`).
        out: Where the model goes.
        seed: Everything random follows from it.
        settings: JSON file of what differs from the defaults, by part
            (`reasoning.folder_model_config`).
        bars: Opens a progress bar for each part of the training.

    Returns:
        Counts of the graph, the number of rules, seconds of each part, the fingerprint.

    Raises:
        InputError: The folder cannot be read; file and line are named.
        SettingError: A setting is unknown or out of range.
        ConflictError: Another model stands in `out`.
    """
    from kg.graph_folder import load_graph_folder
    from reasoning.folder_model import train_folder_model
    from reasoning.folder_model_config import FolderModelConfig

    if seed < 0:
        raise InputError(f"the seed must be at least 0, got {seed}", where="--seed")
    loaded = load_graph_folder(graph)
    config = FolderModelConfig.for_graph(loaded.full.num_entities, loaded.train.num_edges)
    if settings is not None:
        changes = read_json(settings, kind="file of settings")
        config = config.changed(changes, where=str(settings))

    def members(trainings: list[Member]) -> None:
        if len(trainings) > 1:
            side_by_side(_tasks(graph, trainings), bars, workers=os.cpu_count() or 1)

    model = train_folder_model(
        loaded, out, config=config, seed=seed, bars=bars, side_by_side=members
    )
    manifest = model.manifest
    kept = ("entities", "relations", "edges", "repeated", "rules", "seconds", "fingerprint")
    return {name: manifest[name] for name in kept} | {"model": str(out)}


def _tasks(graph: Path, trainings: list[Member]) -> dict[str, Task]:
    count = len(trainings)
    return {
        f"member {number}": Task(
            title=f"training member {number} of {count}",
            unit="epochs",
            done=lambda: None,
            function=train_member,
            arguments=(graph, training),
        )
        for number, training in enumerate(trainings, start=1)
    }


def train_member(graph: Path, training: Member, *, progress: Progress) -> dict[str, Any]:
    """Train one member of an embedding, up to the last state that it keeps, on one thread.

    Args:
        graph: Graph folder.
        training: Which member; a kept state is taken up.
        progress: Told the epochs done.

    Returns:
        Nothing to tell; the state is in its folder.
    """
    import torch

    from kg.graph_folder import load_graph_folder
    from reasoning.predictors.embeddings import train_embedding

    torch.set_num_threads(1)
    loaded = load_graph_folder(graph)
    train_embedding(
        loaded.train,
        training.config,
        valid=loaded.edges("valid"),
        seed=training.seed,
        progress=progress,
        resume_folder=training.state,
    )
    return {}
