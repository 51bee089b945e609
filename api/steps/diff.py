"""The step that tells how two graphs differ: snapshots of the working folder, or backups."""

from __future__ import annotations

import hashlib
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cursors import cursor_of, texts_of
from api.undo_schemas import ChangedOut, DiffOut, ValueChangeOut
from kg.errors import InputError

if TYPE_CHECKING:
    from api.engine import Engine
    from api.held_difference import Ways
    from kg.snapshot import Snapshot

__all__ = ["STORE", "diff_graphs", "diff_named"]

STORE = "store"
"""Names the graph as it is in the store now."""
WAYS = 6
"""Ways to differ, each with its place in a cursor: entities and edges added, removed, changed."""
LONG = 200
"""Characters of a place, so that no cursor is too long for an address."""


def diff_graphs(
    engine: Engine, old: str, new: str, *, limit: int = 20, after: str | None = None
) -> DiffOut:
    """Compare two graphs.

    Args:
        engine: Opened on the working folder.
        old: A snapshot's name, ``store``, a folder that holds a snapshot, or a backup's file.
        new: Another.
        limit: Examples of each kind on one page.
        after: The `next` of the page before.

    Raises:
        InputError: There is no such snapshot or file, or `after` is no cursor.
        ForeignFileError: A file is no snapshot and no backup, or damaged.
    """
    return _told(engine, old, new, limit, _past(after), files=True)


def diff_named(
    engine: Engine, old: str, new: str, *, limit: int = 20, after: str | None = None
) -> DiffOut:
    """Compare two graphs as `diff_graphs` does, by names alone: no path is looked at."""
    return _told(engine, old, new, limit, _past(after), files=False)


def _past(cursor: str | None) -> Sequence[str]:
    """Return the last place of each way to differ that a cursor names."""
    return ("",) * WAYS if cursor is None else texts_of(cursor, WAYS)


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


def _name(engine: Engine, name: str, *, files: bool) -> Hashable:
    """Return what tells a graph from others, and from itself as it was; nothing is loaded."""
    if name == STORE:
        engine.workspace.require()
        return STORE, engine.store.version
    plain = Path(name).name == name and name not in ("", ".", "..")
    places = [engine.workspace.snapshot(name) / "snapshot.json"] if plain else []
    places += [Path(name) / "snapshot.json", Path(name)] if files else []
    for place in places:
        if place.is_file():
            told = place.stat()
            return str(place), told.st_mtime_ns, told.st_size, told.st_ino
    return object()  # there is none: opening it says so


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


def _compared(before: Snapshot, after: Snapshot) -> Ways:
    """Return what differs, for each way in the order of places."""
    from kg.snapshot_diff import diff_snapshots

    found = diff_snapshots(before, after)
    own: Callable[[Any], str] = _own_place
    first: Callable[[Any], str] = _first_place
    edge: Callable[[Any], str] = _edge_place
    ways: tuple[tuple[Sequence[Any], Callable[[Any], str]], ...] = (
        (found.entities_added, own),
        (found.entities_removed, own),
        (found.entities_changed, first),
        (found.edges_added, edge),
        (found.edges_removed, edge),
        (found.edges_changed, lambda row: _edge_place(row[0])),
    )
    return tuple(
        sorted(((place(row), row) for row in rows), key=itemgetter(0)) for rows, place in ways
    )


def _told(
    engine: Engine, old: str, new: str, limit: int, past: Sequence[str], *, files: bool
) -> DiffOut:
    names = [_name(engine, one, files=files) for one in (old, new)]
    ways = engine.difference.of(
        tuple(names), lambda: _compared(*(_opened(engine, one, files=files) for one in (old, new)))
    )
    pages = [_page(rows, at, limit) for rows, at in zip(ways, past, strict=True)]
    shown = [page.rows for page in pages]
    values = [
        ValueChangeOut(of=key, name=one.name, then=one.then, now=one.now)
        for key, changes in shown[2]
        for one in changes
    ]
    moved = [
        ValueChangeOut(of=" ".join(key), name=".probability", then=round(was, 6), now=round(now, 6))
        for key, was, now in shown[5]
    ]
    counts = [page.count for page in pages]
    joined = [[" ".join(key) for key in keys] for keys in shown[3:5]]
    more = limit > 0 and any(page.more for page in pages)
    return DiffOut(
        old=old,
        new=new,
        entities=_changed(counts[:3], shown[0], shown[1], values),
        edges=_changed(counts[3:], joined[0], joined[1], moved),
        next=cursor_of([page.last for page in pages]) if more else None,
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """Some of what differs in one way.

    Attributes:
        rows: Of this page.
        count: How many there are on all pages.
        last: Place of the last row so far; empty before any.
        more: Whether others come after these.
    """

    rows: list[Any]
    count: int
    last: str
    more: bool


def _page(placed: Sequence[tuple[str, Any]], past: str, limit: int) -> _Page:
    start = bisect_right(placed, past, key=itemgetter(0))
    shown = placed[start : start + limit]
    last = shown[-1][0] if shown else past
    return _Page([row for _, row in shown], len(placed), last, len(placed) > start + len(shown))


def _own_place(key: str) -> str:
    """Return what a key is sorted by; a long one ends in its hash, so that no cursor is too long.

    Such keys stand in the order of their first characters, and each has a place of its own.
    """
    if len(key) <= LONG:
        return key
    return key[:LONG] + hashlib.sha256(key.encode()).hexdigest()


def _first_place(row: tuple[str, Any]) -> str:
    return _own_place(row[0])


def _edge_place(key: Sequence[str]) -> str:
    return _own_place("\x1f".join(key))


def _changed(
    counts: Sequence[int],
    added: Sequence[str],
    removed: Sequence[str],
    values: Sequence[ValueChangeOut],
) -> ChangedOut:
    marked = (("+", added), ("-", removed))
    names = [f"{mark} {name}" for mark, names in marked for name in names]
    return ChangedOut(
        added=counts[0],
        removed=counts[1],
        changed=counts[2],
        examples=(*names, *map(_line, values)),
        values=tuple(values),
    )


def _line(change: ValueChangeOut) -> str:
    then, now = ("nothing" if v is None else f"{v!s:.80}" for v in (change.then, change.now))
    name = change.name.removeprefix(".")
    return f"~ {change.of} {name}: {then} -> {now}"
