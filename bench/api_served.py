"""A server as users start it, for benches: `umbra serve` in its own processes, and its folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

from api.access.keys import KeyRing
from api.settings import Settings
from api.workspace import Workspace
from kg.backends import open_store
from kg.backends.bolt import BoltStore
from kg.backends.names import storable_names
from kg.graph_folder import load_graph_folder
from kg.launcher import LauncherConfig
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import save_snapshot
from tests.api.world import fill, make_world

__all__ = ["IDLE_S", "SETTINGS", "Served", "graph_workspace", "served", "small_workspace"]

IDLE_S = 120
SETTINGS = Settings(text_encoder="tiny", idle_timeout_s=IDLE_S)
"""For an engine that is asked beside the server."""
_HOLD = LauncherConfig(idle_timeout_s=IDLE_S)
_LOAD = "the load"


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs.

    Attributes:
        process: The one that was started.
        port: Where it listens.
        seconds_to_answer: From its start to the first answer.
        seconds_to_ready: From its start until store, snapshot and models were open.
    """

    process: subprocess.Popen[str]
    port: int
    seconds_to_answer: float
    seconds_to_ready: float

    @property
    def pids(self) -> list[int]:
        """The process and its children."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [pid, *map(int, children.split())]

    def memory_mb(self) -> float:
        """Return the memory of all its processes, what they share counted once."""
        return sum(map(_share_mb, self.pids))

    def replace_workers(self) -> None:
        """Ask for every worker to be replaced by a new process."""
        self.process.send_signal(signal.SIGHUP)


@contextmanager
def served(workspace: Workspace, *, workers: int, log: Path | None = None) -> Iterator[Served]:
    """Start `umbra serve` on any free port, wait until it is ready, and end it at last."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith("UMBRA_")}
    environment |= {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "api.cli.main", "serve", "--port", "0"]
    command += ["--folder", str(workspace.folder), "--workers", str(workers)]
    started = time.perf_counter()
    with (log or Path(os.devnull)).open("w") as errors:
        process = subprocess.Popen(  # noqa: S603
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=errors
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        port = int(line.split("://")[1].split("/")[0].rpartition(":")[2])
        times = [_seconds_until(port, path, started) for path in ("/healthz", "/readyz")]
        yield Served(process, port, *times)
    finally:
        process.terminate()
        process.wait(60)


def _seconds_until(port: int, path: str, started: float) -> float:
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}"):
                return time.perf_counter() - started
        except URLError:
            time.sleep(0.01)


def _share_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has just been replaced
        return 0.0
    return next((int(x.split()[1]) / 1024 for x in lines if x.startswith("Pss:")), 0.0)


def small_workspace(folder: Path, *, keys: bool = False) -> tuple[Workspace, dict[str, str]]:
    """Make the small world of the tests with a store and, if wanted, keys.

    Returns:
        The folder, and the keys: ``load`` without limits, ``limited`` to two requests a second.
    """
    workspace = make_world(folder)
    workspace.settings.write_text(f'text_encoder = "tiny"\nidle_timeout_s = {IDLE_S}\n')
    with open_store(workspace.graph, launcher=_HOLD) as store:
        fill(store, workspace)
    if not keys:
        return workspace, {}
    ring = KeyRing(workspace.keys)
    scopes = ("read", "jobs")
    load = ring.create(_LOAD, scopes, rate=0, parallel=0)[1]
    return workspace, {"load": load, "limited": ring.create("limited", scopes, rate=2)[1]}


def graph_workspace(folder: Path, graph: Path, model: Path) -> Workspace:
    """Make a working folder of a graph folder's training edges and a model trained on them."""
    workspace = Workspace(folder)
    workspace.create()
    workspace.settings.write_text(f'text_encoder = "tiny"\nidle_timeout_s = {IDLE_S}\n')
    train = load_graph_folder(graph).train
    save_snapshot(train, workspace.snapshot("full"))
    place = workspace.model("full", "symbolic")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(model.absolute())
    keys = [EntityKey(key) for key in train.entities]
    told = (Provenance(kind="asserted", source="train.tsv"),)
    rows = (
        Entity(key=key, label=train.label_of(number), name=train.names[number])
        for number, key in enumerate(keys)
    )
    stored = storable_names(train.relation_names)
    names = [stored[name] for name in train.relation_names]
    edges = (
        Edge(head=keys[h], relation=names[r], tail=keys[t], provenance=told)
        for h, r, t in zip(train.heads, train.relations, train.tails, strict=True)
    )
    with open_store(workspace.graph, launcher=_HOLD) as store:
        assert isinstance(store, BoltStore)
        store.bulk_load(rows, edges)
    return workspace
