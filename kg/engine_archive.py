"""An archive of the embedded engine's classes, from which Java starts it at half the cost.

Java reads, checks, lays out and links some 7,000 classes at each start of the engine. It can keep
them as they then lie in memory (class data sharing, JEP 310 and 350), linked with each other
(JEP 483), and map that file at later starts: over a start and the first writes it took 1.3 s of
processor time and 157 MB instead of 2.7 s and 192 MB. The archive belongs to one installation: its
Java and its jars. Java itself refuses one of others, notes that in the engine's log and starts as
if there were none.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from kg.backends import open_store
from kg.engine_command import LauncherConfig, archive_path, java_command
from kg.errors import EngineError, StoreUnavailableError
from kg.launcher import stop_store
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance

__all__ = ["make_archive"]

TIME_LIMIT_S = 600
_SURE = (Provenance(kind="asserted", source="a first write"),)


def make_archive(path: Path | None = None) -> dict[str, Any]:
    """Make the archive of this installation's engine, or make it anew.

    It starts an engine on an empty folder, writes and asks a little, and has Java archive what
    that needed. Until it is whole, the file has another name.

    Args:
        path: Where to; the place in which later starts look for it if not given.

    Returns:
        The file (``archive``), its ``megabytes``, and the ``seconds`` that it took.

    Raises:
        MissingPartError: The engine's package is not installed.
        StoreUnavailableError: The place cannot be written to, or Java fails.
    """
    target, started = path or archive_path(), time.perf_counter()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            part = Path(work) / target.name
            _archive(_classes_of_a_session(Path(work)), part)
            part.replace(target)
    except EngineError:  # some of them are OSErrors too
        raise
    except OSError as error:
        raise StoreUnavailableError(
            f"the archive of the engine cannot be kept ({error.strerror})",
            where=str(error.filename or target),
            hint="run this as who installed Umbra; without it all works, starts are slower",
        ) from error
    return {
        "archive": str(target),
        "megabytes": round(target.stat().st_size / 1e6, 1),
        "seconds": round(time.perf_counter() - started, 1),
    }


def _classes_of_a_session(work: Path) -> Path:
    """Start an engine, use it, end it; return the list of the classes that it loaded."""
    listed, folder = work / "classes.txt", work / "graph"
    defaults = LauncherConfig()
    config = LauncherConfig(
        java_options=(*defaults.java_options, f"-XX:DumpLoadedClassList={listed}"),
        start_timeout_s=TIME_LIMIT_S,
    )
    entities = [
        Entity(key=EntityKey(f"thing:{i}"), label="Thing", name=f"thing {i}") for i in range(2)
    ]
    edge = Edge(head=entities[0].key, relation="after", tail=entities[1].key, provenance=_SURE)
    try:
        with open_store(folder, launcher=config) as store:
            store.upsert_entities(entities)
            store.upsert_edges([edge])
            store.query("MATCH (a)-[:after]->(b) RETURN b.name ORDER BY b.name LIMIT 1")
            list(store.entities())
            list(store.edges())
    finally:
        stop_store(folder)
    return listed


def _archive(listed: Path, target: Path) -> None:
    options = ("-Xshare:dump", "-XX:+AOTClassLinking", f"-XX:SharedClassListFile={listed}")
    java, *rest = java_command(LauncherConfig(java_options=()), archive=target)
    done = subprocess.run(  # noqa: S603 - the engine's own Java, no shell
        [java, *options, *rest], capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False
    )
    if done.returncode or not target.is_file():
        told = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise StoreUnavailableError(
            f"Java made no archive of the engine: {' '.join(told) or done.returncode}",
            hint="without it all works, starts are slower",
        )
