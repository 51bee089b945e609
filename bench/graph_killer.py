"""One kill after another, for `bench.graph_kills`: a run, a victim, a moment; then a look."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

from bench.graph_kills_facts import Acks
from bench.graph_kills_process import Process, engine_pid, kill, supervisor_pid
from bench.graph_kills_truth import look
from bench.graph_kills_work import (
    OPERATIONS,
    Begun,
    World,
    begin,
    folder_of,
    opened,
    unpacked_store,
)
from kg.backends.memory import MemoryStore
from kg.launcher import stop_store
from kg.ledger import Ledger
from linkers import Linker
from linkers.pipeline import LinkTask, run_link_job

__all__ = ["FOLDER_RUNS", "Killer"]

WEIGHTS = {"load": 24, "upsert": 29, "link": 20, "index": 12, "backup": 12, "migration": 3}
VICTIMS = {"umbra": 91, "store": 6, "supervisor": 3}
SIGNALS = {signal.SIGKILL: 2, signal.SIGTERM: 1, signal.SIGINT: 1}
FOLDER_RUNS = 30
LIMIT_S = 240.0
"""Seconds after which a run counts as hanging."""


class Killer:
    """Kills runs in one working folder after another.

    Args:
        folder: For working folders; emptied.
        linker: Links mentions.
        rows: A table of mentions.
        seed: Of the moments, the operations, the victims and the signals.
    """

    def __init__(
        self, folder: Path, linker: Linker, rows: list[dict[str, Any]], *, seed: int
    ) -> None:
        self._folder = folder
        self._seed = seed
        self._linker, self._rows = linker, rows
        self._names = [entity.name for entity in self._linker.base.entities]
        self._links = self._meant(folder)
        self._typical = dict.fromkeys(OPERATIONS, 1.0)
        self._world: World | None = None
        self._runs: list[str] = []

    def _meant(self, folder: Path) -> dict[str, str]:
        """Return what each mention means that makes an edge, by a job that nobody disturbs."""
        for graph in folder.glob("world-*/graph"):
            stop_store(graph, timeout_s=60)  # of a bench that was killed itself
        shutil.rmtree(folder, ignore_errors=True)
        place = folder / "undisturbed"
        place.mkdir(parents=True)
        mentions = place / "mentions.jsonl"
        mentions.write_text("".join(json.dumps(row) + "\n" for row in self._rows))
        task = LinkTask(mentions=mentions, output=place / "links.jsonl")
        with Ledger(place / "ledger.sqlite") as ledger, MemoryStore() as store:
            run_link_job(self._linker, task, ledger=ledger, store=store)
        links = [json.loads(line) for line in task.output.read_text().splitlines()]
        return {link["mention"]: link["entity"] for link in links if link["state"] == "linked"}

    def one(self, number: int) -> dict[str, Any]:
        """Kill one run and return what became of it; draws until a victim was alive."""
        for attempt in range(100):
            chance = random.Random(f"{self._seed}-{number}-{attempt}")
            operation = _drawn(chance, WEIGHTS)
            victim = _drawn(chance, VICTIMS)
            if operation == "migration" and victim == "supervisor":
                victim = "store"
            signum = _drawn(chance, SIGNALS)
            run = f"{operation}-{number * 100 + attempt}"
            started = time.monotonic()
            result = self._kill(run, victim, signal.Signals(signum), chance)
            if result is not None:
                result |= {"kill": number, "run": run, "operation": operation, "victim": victim}
                result["signal"] = signal.Signals(signum).name
                result["seconds"] = round(time.monotonic() - started, 2)
                return result
        raise RuntimeError("no victim was ever alive")

    def _kill(
        self, run: str, victim: str, signum: signal.Signals, chance: random.Random
    ) -> dict[str, Any] | None:
        world = self._ready()
        operation = run.partition("-")[0]
        if operation == "migration":
            unpacked_store(world, run)
        self._runs.append(run)
        graph = folder_of(world, run) / "graph"
        errors = world.folder / f"{run}.errors"
        process = Process(partial(_work, world, run), errors)
        early = victim == "umbra" and chance.random() < 0.15
        process.wait_for(b"r" if early else b"b", LIMIT_S)
        moment = chance.uniform(0.0, self._typical[operation])
        end = time.monotonic() + moment
        while time.monotonic() < end and process.is_alive():
            time.sleep(min(0.002, max(0.0, end - time.monotonic())))
        pid = {
            "umbra": process.pid,
            "store": engine_pid(graph),
            "supervisor": supervisor_pid(graph),
        }
        hit = process.is_alive() and kill(
            pid[victim], signum, group=victim == "umbra" and signum != signal.SIGTERM
        )
        self._typical[operation] *= 1.03 if hit else 0.8
        code = process.end(LIMIT_S)
        if not hit:
            if operation == "migration":
                self._drop(world, run)
            return None
        result = self._looked_at(world, run)
        allowed = {0, 3, 130, -signum} if victim == "umbra" else {0, 3}
        result |= {"exit": code, "moment_s": round(moment, 3), "ended_well": code in allowed}
        if errors.exists():
            result["said"] = errors.read_text()[-2000:]
        if operation == "migration":
            self._drop(world, run)
        return result

    def _looked_at(self, world: World, run: str) -> dict[str, Any]:
        """Compare after the kill and after the run was done again, in a process of its own."""
        told = world.folder / "look.json"
        told.unlink(missing_ok=True)
        errors = world.folder / "look.errors"
        process = Process(partial(_look, world, run, self._runs, self._links, told), errors)
        code = process.end(LIMIT_S)
        if code == 0:
            found: dict[str, Any] = json.loads(told.read_text())
            return found
        said = errors.read_text() if errors.exists() else ""
        return {"looks": [], "broken": f"the look ended with {code}: {said[-2000:]}"}

    def _ready(self) -> World:
        """Return the folder of this time, or begin another after thirty runs."""
        if self._world is not None and len(self._runs) < FOLDER_RUNS:
            return self._world
        self.close()
        count = sum(1 for _ in self._folder.glob("world-*")) + 1
        self._world = World(
            folder=self._folder / f"world-{count}",
            linker=self._linker,
            rows=self._rows,
            names=self._names,
        )
        self._runs = []
        self._world.folder.mkdir(parents=True)
        world = self._world
        if Process(lambda _begun: begin(world), world.folder / "begin.errors").end(LIMIT_S) != 0:
            raise RuntimeError(f"no folder can be begun: see {world.folder}")
        return world

    def _drop(self, world: World, run: str) -> None:
        place = folder_of(world, run)
        stop_store(place / "graph", timeout_s=60)
        shutil.rmtree(place)

    def close(self) -> None:
        """End the engine of the present folder and empty it."""
        if self._world is not None:
            stop_store(self._world.folder / "graph", timeout_s=60)
            log = self._world.log.read_bytes()
            shutil.rmtree(self._world.folder)
            self._world.folder.mkdir()
            self._world.log.write_bytes(log)
            self._world = None


def _drawn(chance: random.Random, weights: dict[Any, int]) -> Any:
    return chance.choices(list(weights), weights=list(weights.values()))[0]


def _work(world: World, run: str, begun: Begun) -> None:
    OPERATIONS[run.partition("-")[0]](world, run, Acks(world.log), begun)


def _look(
    world: World, run: str, runs: list[str], links: dict[str, str], told: Path, _begun: Begun
) -> None:
    looks = []
    with opened(world, run) as engine:
        looks.append(look(world, engine, run, runs, links).to_json())
    if not run.startswith("upsert"):  # a client's upserts are no job that could go on
        _work(world, run, lambda: None)
        with opened(world, run) as engine:
            looks.append(look(world, engine, run, runs, links).to_json())
    told.write_text(json.dumps({"looks": looks}))
