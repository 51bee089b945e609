"""The step that tells how two graphs differ: snapshots of the working folder, or backups."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from api.undo_schemas import ChangedOut, DiffOut, ValueChangeOut
from kg.errors import InputError

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.snapshot import Snapshot

__all__ = ["STORE", "diff_graphs", "diff_named"]

STORE = "store"
"""Names the graph as it is in the store now."""


def diff_graphs(engine: Engine, old: str, new: str, *, limit: int = 20) -> DiffOut:
    """Compare two graphs.

    Args:
        engine: Opened on the working folder.
        old: A snapshot's name, ``store``, a folder that holds a snapshot, or a backup's file.
        new: Another.
        limit: Examples of each kind.

    Raises:
        InputError: There is no such snapshot or file.
        ForeignFileError: A file is no snapshot and no backup, or damaged.
    """
    return _told(
        old, _opened(engine, old, files=True), new, _opened(engine, new, files=True), limit
    )


def diff_named(engine: Engine, old: str, new: str, *, limit: int = 20) -> DiffOut:
    """Compare two graphs as `diff_graphs` does, by names alone: no path is looked at."""
    before, after = (_opened(engine, name, files=False) for name in (old, new))
    return _told(old, before, new, after, limit)


def _opened(engine: Engine, name: str, *, files: bool) -> Snapshot:
    from kg.snapshot import build_snapshot, load_snapshot

    if name == STORE:
        engine.workspace.require()
        return build_snapshot(engine.store.entities(), engine.store.edges())
    plain = Path(name).name == name and name not in ("", ".", "..")
    if plain and (engine.workspace.snapshot(name) / "snapshot.json").exists():
        return load_snapshot(engine.workspace.snapshot(name))
    if files and (Path(name) / "snapshot.json").exists():
        return load_snapshot(Path(name))
    if files and Path(name).is_file():
        return _of_backup(Path(name))
    raise InputError(
        f"no snapshot {name!r:.200}", hint="name `store`, a snapshot such as full, or a backup"
    )


def _of_backup(path: Path) -> Snapshot:
    from kg.graph_formats.lines import facts_in
    from kg.images import ImageFolder
    from kg.model import Edge, Entity
    from kg.snapshot import build_snapshot
    from kg.upkeep.backup import unpack_backup

    with tempfile.TemporaryDirectory() as name:
        _, graph = unpack_backup(path, ImageFolder(Path(name) / "images"), Path(name))
        facts = list(facts_in(graph))
    return build_snapshot(
        [fact for fact in facts if isinstance(fact, Entity)],
        [fact for fact in facts if isinstance(fact, Edge)],
    )


def _told(old: str, before: Snapshot, new: str, after: Snapshot, limit: int) -> DiffOut:
    from kg.snapshot_diff import diff_snapshots

    found = diff_snapshots(before, after)
    values = [
        ValueChangeOut(of=key, name=one.name, then=one.then, now=one.now)
        for key, changes in found.entities_changed[:limit]
        for one in changes
    ]
    moved = [
        ValueChangeOut(of=" ".join(key), name=".probability", then=round(was, 6), now=round(now, 6))
        for key, was, now in found.edges_changed[:limit]
    ]
    entities, edges = len(found.entities_changed), len(found.edges_changed)
    return DiffOut(
        old=old,
        new=new,
        entities=_changed(found.entities_added, found.entities_removed, entities, values, limit),
        edges=_changed(
            [" ".join(key) for key in found.edges_added],
            [" ".join(key) for key in found.edges_removed],
            edges,
            moved,
            limit,
        ),
    )


def _changed(
    added: Sequence[str],
    removed: Sequence[str],
    changed: int,
    values: Sequence[ValueChangeOut],
    limit: int,
) -> ChangedOut:
    marked = (("+", added), ("-", removed))
    names = [f"{mark} {name}" for mark, names in marked for name in names[:limit]]
    return ChangedOut(
        added=len(added),
        removed=len(removed),
        changed=changed,
        examples=(*names, *map(_line, values)),
        values=tuple(values),
    )


def _line(change: ValueChangeOut) -> str:
    then, now = ("nothing" if v is None else f"{v!s:.80}" for v in (change.then, change.now))
    name = change.name.removeprefix(".")
    return f"~ {change.of} {name}: {then} -> {now}"
