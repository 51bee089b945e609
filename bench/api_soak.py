"""Mixed load on a server whose workers are replaced and whose model changes under it."""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from api.engine import Engine
from api.steps.train import train_model
from api.workspace import Workspace
from bench.api_served import SETTINGS, Served, served, small_workspace
from bench.http_load import Seen, in_own_process, request_bytes

__all__ = ["soak"]

WARM_UP = 0.2
"""Share of the time in which memory may still grow: models and records are read."""
TOLD_LINES = 150
"""Lines of the server's log that are printed of a failure."""
QUESTION = "MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c"


def soak(folder: Path, *, minutes: float, rate: float, workers: int, seed: int) -> dict[str, Any]:
    """Run the soak and return what was seen.

    Args:
        folder: An empty place for the graph.
        minutes: How long.
        rate: Requests a second.
        workers: Processes that answer.
        seed: Of the order of requests.
    """
    workspace, keys = small_workspace(folder / "world", keys=True)
    models = [_trained(workspace, folder, number) for number in (0, 1)]
    load = _mixed(keys["load"], seed)
    limited = [_request("GET", "/v1/info", keys["limited"])]
    events: Counter[str] = Counter()
    memory: list[tuple[float, float]] = []
    with served(workspace, workers=workers, log=folder / "serve.log") as server:
        seconds = 60 * minutes

        async def everything() -> list[Seen]:
            watch = asyncio.create_task(_watch(server, memory))
            trouble = asyncio.create_task(_trouble(server, workspace, models, seconds, events))
            seen = await asyncio.gather(
                in_own_process("steady", server.port, load, rate=rate, seconds=seconds),
                in_own_process("steady", server.port, limited, rate=8, seconds=seconds),
            )
            watch.cancel()
            await trouble
            return seen

        mixed, refused = asyncio.run(everything())
        reloads = _reloads(server.port, keys["load"])
    failed = _failed(mixed, ()) + _failed(refused, ("429",))
    if failed:
        _tell(folder / "serve.log")
    latencies = np.asarray(mixed.milliseconds)
    return {
        "minutes": minutes,
        "rate": rate,
        "workers": workers,
        "requests": len(mixed.milliseconds) + len(refused.milliseconds),
        "statuses": dict(mixed.statuses),
        "statuses_of_limited_key": dict(refused.statuses),
        "failed": failed,
        "p50_ms": float(np.quantile(latencies, 0.5)),
        "p99_ms": float(np.quantile(latencies, 0.99)),
        "replacements_of_all_workers": events["workers"],
        "new_models": events["model"],
        "reloads_counted": reloads,
        "memory": _flatness(memory),
    }


def _failed(seen: Seen, refusals: tuple[str, ...]) -> int:
    fine = ("200", "202", "304", *refusals)
    return sum(count for status, count in seen.statuses.items() if status not in fine)


def _tell(log: Path) -> None:
    """Print what the server says of failures; its log goes with the folder."""
    lines = log.read_text(errors="replace").splitlines()
    for place, line in enumerate(lines):
        if " ERROR " in line:
            print("\n".join(lines[place : place + TOLD_LINES]), file=sys.stderr)


def _trained(workspace: Workspace, folder: Path, seed: int) -> Path:
    """Train a model of the world and put it aside."""
    place = folder / f"model-{seed}"
    with Engine(workspace, settings=SETTINGS) as engine:
        train_model(engine, "symbolic", seed=seed)
    shutil.copytree(workspace.model("full", "symbolic"), place)
    return place


def _request(method: str, path: str, key: str, body: Any = None, **headers: str) -> bytes:
    return request_bytes(method, path, body, Authorization=f"Bearer {key}", **headers)


def _mixed(key: str, seed: int) -> list[bytes]:
    """Return requests of all kinds: kept and not, to the store, to the index, about jobs."""
    countries = ("TR", "GR", "BG", "GE", "AM", "AZ", "SY", "IQ", "RU", "TN", "DZ", "ML")
    rows = {"query": "MATCH (a:Country)-[:borders]->(b) RETURN a.name, count(b)"}
    requests = [_request("GET", f"/v1/entities/country:{code}", key) for code in countries]
    requests += [_request("GET", "/v1/info", key), _request("GET", "/v1/jobs", key)] * 2
    requests += [_request("GET", f"/v1/search?q={word}", key) for word in ("Turkey", "moon")]
    requests.append(_request("POST", "/v1/cypher", key, rows))
    for number in range(8):
        asked = {"query": QUESTION, "k": 1 + number % 4, "proofs": bool(number % 2)}
        requests.append(_request("POST", "/v1/query", key, asked))
        requests.append(_request("POST", "/v1/query", key, asked, Cache_Control="no-cache"))
    random.Random(seed).shuffle(requests)
    return requests


async def _trouble(
    server: Served,
    workspace: Workspace,
    models: list[Path],
    seconds: float,
    events: Counter[str],
) -> None:
    """In turn replace all workers and put another model in place, some ten times each."""
    start, every = time.monotonic(), max(15.0, seconds / 20)
    number = 0
    while time.monotonic() - start < seconds - every:
        await asyncio.sleep(every)
        if number % 2 == 0:
            _put(models[number // 2 % 2], workspace.model("full", "symbolic"))
            events["model"] += 1
        else:
            server.replace_workers()
            events["workers"] += 1
        number += 1


def _put(model: Path, place: Path) -> None:
    """Put a model in the place of another, with a rename as training does."""
    fresh, old = place.with_name("fresh"), place.with_name("old")
    shutil.copytree(model, fresh)
    place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old)


async def _watch(server: Served, memory: list[tuple[float, float]]) -> None:
    """Note the memory of all processes, and how many they are, every second."""
    usual = len(server.pids)
    while True:
        await asyncio.sleep(1.0)
        if len(server.pids) == usual:  # else old and new workers stand side by side for a moment
            memory.append((time.monotonic(), server.memory_mb()))


def _flatness(memory: list[tuple[float, float]]) -> dict[str, float]:
    """Return the median memory after the warm-up, and how far windows of a tenth lie from it."""
    start, end = memory[0][0], memory[-1][0]
    begun = start + WARM_UP * (end - start)
    settled = [mb for at, mb in memory if at >= begun]
    median = float(np.median(settled))
    windows = [float(np.mean(part)) for part in np.array_split(settled, 10) if len(part)]
    return {
        "median_mb": median,
        "largest_deviation": max(abs(mb - median) for mb in windows) / median,
        "first_window_mb": windows[0],
        "last_window_mb": windows[-1],
    }


def _reloads(port: int, key: str) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    counted = [x for x in lines if x.startswith("umbra_reloads_total{") and '"done"' in x]
    return int(sum(float(line.rpartition(" ")[2]) for line in counted))
