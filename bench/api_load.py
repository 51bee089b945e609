"""What does REST cost beside the engine's own calls, and does it hold under load and change?

Questions: (1) how much later than from the engine does an answer come over REST, at a steady 200
requests a second? (2) How many reads that are kept does the server answer a second, asked by 50
clients? (3) How many of the engine's own questions a second, on NELL995, are left over REST?
(4) How soon does it answer after its start? (5) With ``--soak-minutes``: under mixed load, while
workers are replaced and the model changes, does any request fail, and does memory grow?

Rival: the engine's own calls, on the same store and models, in one run and by turns. Equal results
are asserted before any time is taken, and answers that are kept count in (2) alone: requests of (1)
and (3) forbid them (``Cache-Control: no-cache``). Latencies at a rate count from the moment at
which a request was due. The generator of the load is a process of its own (`bench.http_load`).

Command: ``python -m bench.api_load --graph DATA/kgqa/nell995-betae --model MODEL --out
docs/benchmarks`` (some 7 minutes), with MODEL from ``umbra train DATA/kgqa/nell995-betae --out
MODEL``; without ``--model`` a small one is trained for a few minutes (``bench/api_load.json`` has
its settings), and without ``--graph`` (3) is left out. ``--quick`` takes seconds for each part;
a part that is run alone (``--only soak``) has a page of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from api.engine import Engine
from api.routes.info import info_of
from api.steps.train_folder import train_folder
from api.workspace import Workspace
from bench.api_load_page import page
from bench.api_served import SETTINGS, graph_workspace, served, small_workspace
from bench.api_soak import QUESTION, soak
from bench.http_load import Seen, in_own_process, request_bytes
from bench.run_record import keep, run_record
from kg.graph_folder import load_graph_folder
from reasoning.id_sets import directed_edges
from reasoning.notations import write_query
from reasoning.sampling import sample_queries
from reasoning.structures import STRUCTURES

__all__ = ["main"]

RATE = 200.0
CLIENTS = 50
ROUNDS = 5
STRUCTURES_ASKED = ("1p", "2p", "2i", "2u")
SMALL_MODEL = Path(__file__).with_name("api_load.json")
NOT_KEPT = {"Cache_Control": "no-cache"}

Calls = dict[str, tuple[Callable[[], Any], bytes]]


def overhead(workspace: Workspace, *, workers: int, seconds: float) -> dict[str, Any]:
    """Send the same calls to the engine and over REST, by turns, at the same steady rate."""
    found: dict[str, dict[str, list[list[float]]]] = {}
    with (
        served(workspace, workers=workers) as server,
        Engine(workspace, settings=SETTINGS) as engine,
    ):
        calls = _calls(engine)
        for name, (call, request) in calls.items():
            assert _answer(server.port, request) == _plain(call()), name
            found[name] = {"engine": [], "rest": []}
        for _ in range(ROUNDS):
            for name, (call, request) in calls.items():
                found[name]["engine"].append(_paced(call, seconds))
                seen = asyncio.run(
                    in_own_process("steady", server.port, [request], rate=RATE, seconds=seconds)
                )
                assert set(seen.statuses) == {"200"}, seen.statuses
                found[name]["rest"].append(seen.milliseconds)
        started = {"answers_s": server.seconds_to_answer, "ready_s": server.seconds_to_ready}
    return {"rate": RATE, "calls": {n: _quantiles(both) for n, both in found.items()}, **started}


def _calls(engine: Engine) -> Calls:
    asked = {"query": QUESTION, "k": 3, "proofs": False}
    return {
        "info": (lambda: info_of(engine), request_bytes("GET", "/v1/info", **NOT_KEPT)),
        "entity": (
            lambda: engine.entity("country:TR"),
            request_bytes("GET", "/v1/entities/country:TR", **NOT_KEPT),
        ),
        "query": (
            lambda: engine.ask(QUESTION, k=3, proofs=False),
            request_bytes("POST", "/v1/query", asked, **NOT_KEPT),
        ),
    }


def _paced(call: Callable[[], Any], seconds: float) -> list[float]:
    """Call at the steady rate; each latency counts from when its call was due."""
    spent, start = [], time.perf_counter()
    for number in range(int(RATE * seconds)):
        due = start + number / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        call()
        spent.append(1000 * (time.perf_counter() - due))
    return spent


def _quantiles(both: dict[str, list[list[float]]]) -> dict[str, Any]:
    """Return the medians of the rounds' quantiles: a stall of the machine is in one round only."""
    by = {
        side: {
            f"p{round(100 * q)}_ms": float(np.median([np.quantile(part, q) for part in rounds]))
            for q in (0.5, 0.99)
        }
        for side, rounds in both.items()
    }
    more = {name: by["rest"][name] - by["engine"][name] for name in ("p50_ms", "p99_ms")}
    return {**by, "overhead": more, "n": sum(map(len, both["rest"]))}


def kept_reads(workspace: Workspace, *, workers: int, seconds: float) -> dict[str, Any]:
    """Let many clients read what has been read before, all of them without a pause."""
    codes = ("TR", "GR", "BG", "GE", "AM", "AZ", "SY", "IQ")
    requests = [request_bytes("GET", f"/v1/entities/country:{code}") for code in codes]
    requests += [request_bytes("GET", "/v1/info")]
    with served(workspace, workers=workers) as server:
        busy = {"clients": CLIENTS, "seconds": seconds}
        asyncio.run(in_own_process("busy", server.port, requests, clients=8, seconds=2.0))
        seen = asyncio.run(in_own_process("busy", server.port, requests, **busy))
    assert set(seen.statuses) == {"200"}, seen.statuses
    return {"clients": CLIENTS, "a_second": _rate(seen), **_both(seen)}


def questions(
    workspace: Workspace, graph: Path, *, workers: int, count: int, seed: int
) -> dict[str, Any]:
    """Ask the same warm questions of the engine and over REST, by turns; return both rates."""
    trees = _questions(graph, count, seed)
    requests = [
        request_bytes("POST", "/v1/query", {"query": tree, "k": 10, "proofs": False}, **NOT_KEPT)
        for tree in trees
    ]
    with (
        served(workspace, workers=workers) as server,
        Engine(workspace, settings=SETTINGS) as engine,
    ):

        def own() -> float:
            begun = time.perf_counter()
            for tree in trees:
                engine.ask(tree, k=10, proofs=False)
            return time.perf_counter() - begun

        for tree, request in zip(trees, requests, strict=True):
            told = _plain(engine.ask(tree, k=10, proofs=False))
            assert _same(_answer(server.port, request), told)
        spent = own()
        load = {"clients": 2 * workers, "seconds": max(5.0, 2 * spent)}
        asyncio.run(in_own_process("busy", server.port, requests, **load))
        rates: dict[str, list[float]] = {"engine": [], "rest": []}
        for _ in range(ROUNDS):
            rates["engine"].append(len(trees) / own())
            seen = asyncio.run(in_own_process("busy", server.port, requests, **load))
            assert set(seen.statuses) == {"200"}, seen.statuses
            rates["rest"].append(_rate(seen))
    best = {side: float(np.median(values)) for side, values in rates.items()}
    share = best["rest"] / best["engine"]
    return {"questions": len(trees), "clients": load["clients"], "a_second": best, "share": share}


def _questions(folder: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """Sample validation questions; trees as JSON."""
    graph = load_graph_folder(folder)
    known, full = directed_edges(graph.train), directed_edges(graph.train_valid)
    found = []
    for name in STRUCTURES_ASKED:
        drawn = np.random.default_rng(seed)
        queries = sample_queries(STRUCTURES[name], count, full, generator=drawn, known=known)
        found += [
            write_query(queries.tree(row, graph.train), "json") for row in range(len(queries))
        ]
    return [found[at] for at in np.random.default_rng(seed).permutation(len(found))]


def _rate(seen: Seen) -> float:
    return len(seen.milliseconds) / seen.seconds


def _both(seen: Seen) -> dict[str, float]:
    return {f"p{round(100 * q)}_ms": float(np.quantile(seen.milliseconds, q)) for q in (0.5, 0.99)}


def _plain(value: Any) -> Any:
    return json.loads(value.model_dump_json())


def _same(left: Any, right: Any) -> bool:
    """Compare answers; numbers may differ by what other threads' order of additions makes."""
    if isinstance(left, dict) and isinstance(right, dict):
        if "next" in left and "next" in right:  # a cursor's text holds such a number
            left, right = ({**side, "next": side["next"] is None} for side in (left, right))
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-4, abs_tol=1e-6)  # six digits
    return bool(left == right)


def _answer(port: int, request: bytes) -> Any:
    """Send one request and return the JSON of its answer."""
    head, _, body = request.decode().partition("\r\n\r\n")
    line, *headers = head.split("\r\n")
    method, path, _ = line.split(" ")
    sent = dict(header.split(": ", 1) for header in headers)
    address = f"http://127.0.0.1:{port}{path}"
    asked = urllib.request.Request(address, body.encode() or None, sent, method=method)
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        return json.load(answer)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graph", type=Path, help="graph folder of (3), such as NELL995's")
    parser.add_argument("--model", type=Path, help="its model, from `umbra train FOLDER`")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--count", type=int, default=100, help="questions a structure in (3)")
    parser.add_argument("--soak-minutes", type=float, default=0.0)
    parser.add_argument("--soak-rate", type=float, default=50.0, help="requests a second in (5)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="seconds for each part")
    parser.add_argument("--only", choices=("overhead", "kept", "questions", "soak"))
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    result = run_record("bench.api_load", given) | {
        "seed": arguments.seed,
        "workers": arguments.workers,
        "parts": _parts(arguments),
    }
    name = f"api-{arguments.only or 'load'}"
    keep(result, page, folder=arguments.out, name=name)
    return 0


def _parts(arguments: argparse.Namespace) -> dict[str, Any]:
    only, parts = arguments.only, {}
    seconds = 2.0 if arguments.quick else arguments.seconds
    with TemporaryDirectory(prefix="umbra-load-") as name:
        folder, workers = Path(name), arguments.workers
        if only in (None, "overhead", "kept"):
            workspace, _ = small_workspace(folder / "small")
            if only != "kept":
                parts["overhead"] = overhead(workspace, workers=workers, seconds=seconds)
            if only != "overhead":
                parts["kept"] = kept_reads(workspace, workers=workers, seconds=seconds)
        if arguments.graph is not None and only in (None, "questions"):
            parts["questions"] = _asked_of_graph(arguments, folder)
        if arguments.soak_minutes and only in (None, "soak"):
            parts["soak"] = soak(
                folder / "soak",
                minutes=arguments.soak_minutes,
                rate=arguments.soak_rate,
                workers=workers,
                seed=arguments.seed,
            )
    return parts


def _asked_of_graph(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    model = arguments.model
    if model is None:
        model = folder / "model"
        train_folder(arguments.graph, model, seed=arguments.seed, settings=SMALL_MODEL)
    workspace = graph_workspace(folder / "graph", arguments.graph, model)
    count = 5 if arguments.quick else arguments.count
    asked = questions(
        workspace, arguments.graph, workers=arguments.workers, count=count, seed=arguments.seed
    )
    return {"graph": arguments.graph.name, "small_model": arguments.model is None, **asked}


if __name__ == "__main__":
    sys.exit(main())
