"""Kills at random moments of whatever writes to a graph: is an acknowledged write lost or doubled?

Loads, upserts, links written into the graph, index builds, backups beside a writer, and the opening
of stores of an older format are killed by SIGKILL, SIGTERM and SIGINT: Umbra's own process, the
store's engine, or the process that watches the engine. What a run was told is done stands in a
text file outside the store, on the disk before the run goes on. After each kill the store is opened
anew, compared with that file, and checked by `umbra graph check`; then the run is done again to its
end, and the store compared once more. A kill counts if its victim was alive and the run under way.
One folder serves thirty runs, and all that was acknowledged since its beginning must be there.
Command: ``python -m bench.graph_kills --work kills --out docs/benchmarks`` (an hour on two
cores); begun again, it goes on. Writes ``graph-kills.json`` and ``graph-kills.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch

from bench.graph_killer import FOLDER_RUNS, Killer
from bench.graph_kills_page import page, summed
from bench.link_kills_world import made_up
from bench.run_record import keep, run_record
from kg.files import read_json, write_json

__all__ = ["kill_side_by_side", "kills_so_far", "main"]

ROWS = 24
"""Mentions of each linking job."""


def kill_side_by_side(work: Path, *, kills: int, workers: int, seed: int) -> None:
    """Do the kills that are left, in processes of their own.

    Args:
        work: Keeps what was found so far, a file a process, and the working folders.
        kills: How many in all.
        workers: How many processes; another number goes on as well.
        seed: As in `Killer`.
    """
    work.mkdir(parents=True, exist_ok=True)
    done = _done(work, seed)
    left = [number for number in range(kills) if number not in done]
    if left:
        linker, rows = made_up(0)
        pids = []
        for worker in range(workers):
            pid = os.fork()
            if pid == 0:
                _share(Killer(work / f"worlds-{worker}", linker, rows[:ROWS], seed=seed),
                       left[worker::workers], work / f"kills-{seed}-{worker}.jsonl")  # fmt: skip
            pids.append(pid)
        ends = [os.waitpid(pid, 0)[1] for pid in pids]  # wait for all of them
        if any(ends):
            raise RuntimeError("a process ended by a fault; begun again, the bench goes on")


def kills_so_far(work: Path, *, kills: int, seed: int) -> list[dict[str, Any]]:
    """Return what became of the kills that were done, of the first so many."""
    done = _done(work, seed)
    return [done[number] for number in sorted(done) if number < kills]


def _begun(work: Path, given: Sequence[str]) -> dict[str, Any]:
    """Return command, commit, date and machine of when the kills of a folder were begun."""
    record = work / "run.json"
    if not record.exists():
        write_json(record, run_record("bench.graph_kills", given))
    return read_json(record, kind="record of a run")


def _done(work: Path, seed: int) -> dict[int, dict[str, Any]]:
    files = sorted(work.glob(f"kills-{seed}-*.jsonl"))
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return {kill["kill"]: kill for kill in found}


def _share(killer: Killer, numbers: Sequence[int], state: Path) -> NoReturn:
    code = 1
    try:
        with state.open("a") as file:
            for number in numbers:
                file.write(json.dumps(killer.one(number)) + "\n")
                file.flush()
                os.fsync(file.fileno())
        killer.close()
        code = 0
    except BaseException:  # noqa: BLE001 - a child must not go on with what is its parent's
        traceback.print_exc()
    finally:
        os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, required=True, help="folder of its state and stores")
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    parser.add_argument("--report", action="store_true", help="kill nothing: tell what was found")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    torch.set_num_threads(1)
    # begun in the background of a shell, this process and all of its own would ignore SIGINT
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work = arguments.work.resolve()
    result = _begun(work, given) | {"seed": arguments.seed}
    seed = arguments.seed
    if not arguments.report:
        kill_side_by_side(work, kills=arguments.kills, workers=arguments.workers, seed=seed)
    kills = kills_so_far(work, kills=arguments.kills, seed=seed)
    result["kills"] = arguments.kills
    result |= {"folder_runs": FOLDER_RUNS, "report": summed(kills)}
    keep(result, page, folder=arguments.out, name="graph-kills")
    return int(bool(result["report"]["total"]["wrong"]))


if __name__ == "__main__":
    sys.exit(main())
