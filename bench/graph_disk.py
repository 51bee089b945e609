"""The store's disk: is a commit on it before it is acknowledged; what if it is full or read-only?

Three trials. *Synced*: strace watches the engine while a client writes; within each acknowledged
write, between question and answer, a sync of a file of the database must have ended. *Full*: the
store lies on a small disk in memory and a client writes until it is refused, by an error of Umbra's
own; what was acknowledged is read back then, after the engine was killed, and after the disk was
made larger, when writing goes on. *Read-only*: the disk is made read-only while the store is
stopped; opening it is refused by an error of Umbra's own, and afterwards all is there.
Command: ``python -m bench.graph_disk --work disk --out docs/benchmarks`` (a minute; needs strace
and the right to mount). Writes ``graph-disk.json`` and ``graph-disk.md``.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.run_record import keep, run_record
from kg.backends import open_store
from kg.engine_command import LauncherConfig
from kg.errors import EngineError
from kg.launcher import stop_store, store_status
from kg.model import Entity, EntityKey
from kg.store import Store
from kg.upkeep.check import check_graph

__all__ = ["main"]

LAUNCHER = LauncherConfig(heap="256m", idle_timeout_s=60, start_timeout_s=180)
SYNC = re.compile(r"(\d+\.\d+) (?:fsync|fdatasync|msync)\(\d+<([^>]*)>\S* *= 0 <(\d+\.\d+)>")
SMALL, LARGE = "12m", "64m"


def synced(folder: Path, writes: int) -> dict[str, Any]:
    """Count the acknowledged writes within which a sync of the database ended.

    Args:
        folder: Where the store is made.
        writes: How many.
    """
    trace = folder / "strace.txt"
    graph = folder / "synced"
    with open_store(graph, launcher=LAUNCHER) as store:
        store.upsert_entities([_thing(-1)])
        pid = store_status(graph).pid
        command = ["strace", "-f", "-y", "-T", "-ttt", "-e", "trace=fsync,fdatasync,msync"]
        command += ["-o", str(trace), "-p", str(pid)]
        watcher = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
        assert watcher.stderr is not None
        watcher.stderr.readline()  # it says that it is attached
        spans = []
        for number in range(writes):
            began = time.time()
            store.upsert_entities([_thing(number)])
            spans.append((began, time.time()))
        watcher.send_signal(signal.SIGINT)
        watcher.wait()
    stop_store(graph)
    ends = [
        float(at) + float(lasted)
        for at, path, lasted in SYNC.findall(trace.read_text())
        if f"{graph}/engine/databases/" in path
    ]
    inside = sum(any(began <= end <= ended for end in ends) for began, ended in spans)
    return {"writes": writes, "with_a_sync_inside": inside, "syncs": len(ends)}


def full(folder: Path) -> dict[str, Any]:
    """Write until the disk is full; return what was acknowledged, refused and lost."""
    with _disk(folder / "small", SMALL) as disk:
        graph = disk / "graph"
        done, refused = 0, None
        with open_store(graph, launcher=LAUNCHER) as store:
            while refused is None and done < 100_000:
                try:
                    store.upsert_entities([_thing(done)])
                    done += 1
                except EngineError as error:
                    refused = _said(error, disk)
        seen = {"full": _read(graph, done)}
        pid = store_status(graph).pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        seen["killed_while_full"] = _read(graph, done)
        stop_store(graph, timeout_s=60)
        _mount("-o", f"remount,size={LARGE}", disk)
        seen["room_again"] = _read(graph, done)
        with open_store(graph, launcher=LAUNCHER) as store:
            store.upsert_entities([_thing(done)])
        seen["written_again"] = _read(graph, done + 1)
        stop_store(graph, timeout_s=60)
    return {"acknowledged": done, "refused_by": refused, "looks": seen}


def read_only(folder: Path) -> dict[str, Any]:
    """Open a store on a disk that is read-only, and again when it is not."""
    with _disk(folder / "fixed", LARGE) as disk:
        graph = disk / "graph"
        with open_store(graph, launcher=LAUNCHER) as store:
            for number in range(50):
                store.upsert_entities([_thing(number)])
        stop_store(graph, timeout_s=60)
        _mount("-o", "remount,ro", disk)
        refused = None
        try:
            open_store(graph, launcher=LAUNCHER).close()
        except EngineError as error:
            refused = _said(error, disk)
        _mount("-o", "remount,rw", disk)
        after = _read(graph, 50)
        stop_store(graph, timeout_s=60)
    return {"acknowledged": 50, "refused_by": refused, "looks": {"writable_again": after}}


def _read(graph: Path, done: int) -> dict[str, Any]:
    """Look for what was acknowledged; an error of Umbra's own is told, any other ends the bench."""
    try:
        with open_store(graph, launcher=LAUNCHER) as store:
            return {"lost": _lost(store, done), "faults": [f.kind for f in check_graph(store)]}
    except EngineError as error:
        return {"refused_by": _said(error, graph.parent)}


def _said(error: EngineError, disk: Path) -> str:
    return f"{type(error).__name__}: {error}".replace(str(disk), "DISK")


def _lost(store: Store, done: int) -> int:
    there = {entity.key: entity for entity in store.entities()}
    return sum(there.get(_thing(number).key) != _thing(number) for number in range(done))


def _thing(number: int) -> Entity:
    return Entity(
        key=EntityKey(f"thing:{number}"),
        label="Thing",
        name=f"thing {number}",
        attributes={"text": f"{number} " * 200},
    )


@contextmanager
def _disk(place: Path, size: str) -> Iterator[Path]:
    """Mount a disk in memory of a size for a while."""
    place.mkdir(parents=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", place)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S603, S607 - of our own


def _mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)  # noqa: S603, S607 - of our own


def page(result: dict[str, Any]) -> str:
    """Return a result in Markdown."""
    machine, sync = result["machine"], result["synced"]
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores."
    )
    told = (
        f"strace beside the engine: of {sync['writes']} acknowledged writes, "
        f"{sync['with_a_sync_inside']} had a sync of a file of the database (fsync, fdatasync) "
        f"that ended between question and answer; {sync['syncs']} syncs in all."
    )
    names = ("disk", "looked at", "acknowledged", "lost", "faults of `graph check`")
    rows, refusals = [], []
    for name, trial in (("full", result["full"]), ("read-only", result["read_only"])):
        refusals.append(f"- {name}: `{trial['refused_by']}`")
        for when, seen in trial["looks"].items():
            said = seen.get("refused_by")
            lost = f"not readable: {said}" if said else str(seen["lost"])
            counts = f"{trial['acknowledged']:,} | {lost} | {len(seen.get('faults', []))}"
            rows.append(f"| {name} | {when.replace('_', ' ')} | {counts} |")
    lines = [
        "# The store's disk: synced, full, read-only",
        "",
        about,
        "",
        told,
        "",
        "What a client is told that meets a disk like this:",
        "",
        *refusals,
        "",
        "What was acknowledged before that, looked for afterwards:",
        "",
        "| " + " | ".join(names) + " |",
        "|---" * len(names) + "|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writes", type=int, default=100)
    parser.add_argument("--work", type=Path, required=True, help="an empty folder, or none yet")
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    folder = arguments.work.resolve()  # as strace names it
    folder.mkdir(parents=True, exist_ok=True)
    result = run_record("bench.graph_disk", given)
    result |= {
        "synced": synced(folder, arguments.writes),
        "full": full(folder),
        "read_only": read_only(folder),
    }
    shutil.rmtree(folder)
    keep(result, page, folder=arguments.out, name="graph-disk")
    looks = [*result["full"]["looks"].values(), *result["read_only"]["looks"].values()]
    lost = any(seen.get("lost") or seen.get("faults") for seen in looks)
    return int(lost or result["synced"]["with_a_sync_inside"] < arguments.writes)


if __name__ == "__main__":
    sys.exit(main())
