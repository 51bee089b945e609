"""The steps that back a working folder up and restore it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from api.workspace import Workspace

__all__ = ["backup_graph", "restore_graph"]


def backup_graph(engine: Engine, path: Path, *, progress: Progress = silent) -> dict[str, Any]:
    """Write graph, images and decisions into one file, while others go on using them.

    Args:
        engine: Opened on the working folder.
        path: The file.
        progress: Told rows written, of 0.

    Returns:
        What the backup holds.

    Raises:
        MissingPartError: There is no graph yet.
        InputError: An image of the graph is missing.
    """
    from kg.upkeep.backup import write_backup

    engine.workspace.require()
    manifest = write_backup(
        engine.store, engine.images, path, files=_files(engine.workspace), progress=progress
    )
    return asdict(manifest) | {"file": str(path)}


def restore_graph(engine: Engine, path: Path, *, progress: Progress = silent) -> dict[str, Any]:
    """Fill an empty working folder from a backup; interrupted, it goes on when it runs again.

    Args:
        engine: Opened on a folder without a graph.
        path: The backup.
        progress: Told rows done of how many.

    Returns:
        What the backup holds.

    Raises:
        ConflictError: There is a graph already.
        InputError: There is no such file.
        ForeignFileError: The file is no backup, or damaged; nothing was written.
    """
    import shutil

    from api.steps.build import build_graph
    from kg.errors import ConflictError, InputError
    from kg.files import read_json, sha256_of_file, write_json
    from kg.upkeep.backup import unpack_backup

    workspace = engine.workspace
    if not path.is_file():
        raise InputError("no such file", where=str(path))
    workspace.create()
    begun, digest = workspace.folder / "restoring.json", sha256_of_file(path)
    goes_on = begun.exists() and read_json(begun, kind="mark of a restore")["backup"] == digest
    if not goes_on and next(iter(engine.store.entities()), None) is not None:
        raise ConflictError(
            "there is a graph already",
            where=str(workspace.folder),
            hint="restore into another working folder: --folder",
        )
    laid_out = workspace.folder / "restoring"
    manifest, graph = unpack_backup(path, engine.images, laid_out)
    write_json(begun, {"backup": digest})
    found = build_graph(engine, graph, format_name="jsonl", progress=progress)
    if (found["entities"], found["edges"]) != (manifest.entities, manifest.edges):
        raise ConflictError(
            f"{found['entities']} entities and {found['edges']} edges are there, the backup has "
            f"{manifest.entities} and {manifest.edges}",
            where=found["rejects_file"],
        )
    for name, place in _files(workspace).items():
        if (laid_out / name).exists() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            (laid_out / name).replace(place)
    shutil.rmtree(laid_out)
    begun.unlink()
    return asdict(manifest)


def _files(workspace: Workspace) -> dict[str, Path]:
    """Return what people made that is not in the graph, by its name in a backup."""
    return {"decisions.jsonl": workspace.review}
