"""The step that trains the default model on a graph folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kg.errors import InputError
from kg.files import read_json
from kg.progress import Progress, silent

__all__ = ["train_folder"]


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
    model = train_folder_model(loaded, out, config=config, seed=seed, bars=bars)
    manifest = model.manifest
    kept = ("entities", "relations", "edges", "repeated", "rules", "seconds", "fingerprint")
    return {name: manifest[name] for name in kept} | {"model": str(out)}
