"""kill -9 at random moments of a linking job with four workers: what is lost, doubled or changed?

Question: is what a job writes, after any number of kills at any moments, what an undisturbed run
writes, byte for byte? A run is a coordinator that submits the job, four workers that share it, and
the writing of the output at the end; all in one process group. Two of three kills take the whole
group, the third one worker, whose shard the others take over. A kill counts only if its victim was
alive. When a job comes to its end, its files are compared and the next one begins in a new folder.
Command: ``python -m bench.link_kills --out docs/benchmarks`` (ten minutes on two cores).
Writes ``link-kills.json`` and ``link-kills.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import shlex
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from bench.link_kills_page import page
from bench.link_kills_world import made_up
from evaluation import current_commit, this_machine
from kg.files import write_json
from kg.ledger import Ledger
from linkers.pipeline import LinkTask, finish_link_job, run_link_job, submit_link_job, work_on
from linkers.protocols import MentionLinker

__all__ = ["KillReport", "kill_at_random", "main"]

SHARD_ROWS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class KillReport:
    """What became of killed runs.

    Attributes:
        kills: Victims that were alive, as asked for.
        of_all: Kills of the whole process group.
        of_one: Kills of one worker.
        jobs: Jobs that came to their end, each compared byte for byte.
        differing: Jobs whose links or rejects differ from those of the undisturbed run.
        lost: Rows that the outputs lack, over all jobs.
        doubled: Rows that they hold twice.
        rows: Rows of one job.
        shards: Shards of one job.
        undisturbed_s: Seconds of an undisturbed run with the same workers.
    """

    kills: int
    of_all: int
    of_one: int
    jobs: int
    differing: int
    lost: int
    doubled: int
    rows: int
    shards: int
    undisturbed_s: float


def kill_at_random(
    linker: MentionLinker,
    task: LinkTask,
    folder: Path,
    *,
    kills: int,
    workers: int = 4,
    seed: int = 0,
) -> KillReport:
    """Kill runs of a job at random moments until enough victims were alive, then let it end.

    Args:
        linker: Does the work; it is forked, so this process must run no other thread.
        task: The job; its outputs go to sub-folders of `folder`.
        folder: An empty folder.
        kills: How many victims.
        workers: Processes that share the work.
        seed: Of the moments and of the victims.
    """
    chance = random.Random(seed)
    torch.set_num_threads(1)
    whole = _in_folder(task, folder / "whole")
    with Ledger(folder / "whole" / "ledger.sqlite") as ledger:
        report = run_link_job(linker, whole, ledger=ledger)
        shards = sum(1 for _ in ledger.shards(report.job))
    expected = _written(whole)
    began = time.monotonic()
    _Run(linker, _in_folder(task, folder / "undisturbed"), workers).end()
    lasts_s = time.monotonic() - began
    counts: Counter[str] = Counter()
    number = 0
    while counts["all"] + counts["one"] < kills:
        number += 1
        one = _in_folder(task, folder / f"job-{number}")
        while not one.output.exists():
            run = _Run(linker, one, workers)
            if counts["all"] + counts["one"] < kills:
                victim = "one" if chance.random() < 1 / 3 else "all"
                # most moments lie in the work, some in its beginning and its end
                run.wait(chance.uniform(0.0, 0.6 * lasts_s), begun=victim == "one")
                counts[run.kill(victim, chance)] += 1
            run.end()
        found = _written(one)
        ids = Counter(json.loads(line)["mention"] for line in found[0].splitlines())
        wanted = {json.loads(line)["mention"] for line in expected[0].splitlines()}
        for which, one_file, expected_file in zip(
            ("links", "rejects"), found, expected, strict=True
        ):
            if one_file != expected_file:
                print(f"job {number}: the {which} differ", file=sys.stderr)
        counts["differing"] += found != expected
        counts["lost"] += len(wanted - set(ids))
        counts["doubled"] += sum(times - 1 for times in ids.values())
    return KillReport(
        kills=counts["all"] + counts["one"],
        of_all=counts["all"],
        of_one=counts["one"],
        jobs=number,
        differing=counts["differing"],
        lost=counts["lost"],
        doubled=counts["doubled"],
        rows=sum(report.rows.values()) + report.rejects,
        shards=shards,
        undisturbed_s=round(lasts_s, 2),
    )


def _in_folder(task: LinkTask, folder: Path) -> LinkTask:
    folder.mkdir(parents=True)
    return replace(task, output=folder / "links", rejects=folder / "rejects")


def _written(task: LinkTask) -> tuple[bytes, bytes]:
    rejects = task.rejects
    bad = rejects.read_bytes() if rejects is not None and rejects.exists() else b""
    return task.output.read_bytes(), bad


class _Run:
    """One run of a job, as a process group of its own that holds the end of a pipe."""

    def __init__(self, linker: MentionLinker, task: LinkTask, workers: int) -> None:
        self._pipe, theirs = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.setpgid(0, 0)
            os.close(self._pipe)
            _coordinate(linker, task, workers, theirs)
        with suppress(PermissionError, ProcessLookupError):  # the child has done it, or has ended
            os.setpgid(self.pid, self.pid)
        os.close(theirs)
        self._told = b""

    def wait(self, seconds: float, *, begun: bool) -> None:
        """Wait, if asked first for the workers to begin, and hear which processes they are."""
        while begun and not self._told:
            if not self._hear():
                return
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._pipe], [], [], left)[0] and not self._hear():
                return

    def _hear(self) -> bool:
        """Take what the coordinator said; False once all of the group have ended."""
        block = os.read(self._pipe, 4096)
        self._told += block
        return bool(block)

    def kill(self, victim: str, chance: random.Random) -> str:
        """Kill all, or one worker (all, if none has begun); return which, or "none"."""
        pids = [int(pid) for pid in self._told.split(b"\n")[0].split()] if self._told else []
        if victim == "all" or not pids:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return "none"
            os.killpg(self.pid, signal.SIGKILL)
            return "all"
        pid = chance.choice(pids)
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return "none"
        if state[0] in "ZX" or int(state[2]) != self.pid:  # ended, or its number is another's now
            return "none"
        os.kill(pid, signal.SIGKILL)
        return "one"

    def end(self) -> None:
        """Wait until all of the group have ended."""
        while self._hear():
            pass
        os.close(self._pipe)
        _, status = os.waitpid(self.pid, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            raise RuntimeError("a run ended by a fault; its traceback stands above")


def _coordinate(linker: MentionLinker, task: LinkTask, workers: int, pipe: int) -> None:
    """Submit the job, let workers do it, write its output; never returns."""
    code = 1
    try:
        place = task.output.parent / "ledger.sqlite"
        with Ledger(place) as ledger:
            job = submit_link_job(ledger, linker.fingerprint, task).id
        pids = []
        for _ in range(workers):
            pid = os.fork()
            if pid == 0:
                with Ledger(place) as ledger:
                    work_on(ledger, job, linker, task)
                os._exit(0)
            pids.append(pid)
        os.write(pipe, " ".join(map(str, pids)).encode() + b"\n")
        ends = [os.waitpid(pid, 0)[1] for pid in pids]
        with Ledger(place) as ledger:
            if ledger.job(job).state == "done":
                finish_link_job(ledger, job, task)
        code = int(any(os.WIFEXITED(end) and os.WEXITSTATUS(end) for end in ends))
    except BaseException:  # noqa: BLE001 - a child must not go on with what is its parent's
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    commit = current_commit()
    torch.set_num_threads(1)
    linker, rows = made_up(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mentions = folder / "mentions.jsonl"
        mentions.write_text("".join(json.dumps(row) + "\n" for row in rows))
        task = LinkTask(mentions=mentions, output=folder / "links", shard_rows=SHARD_ROWS)
        report = kill_at_random(
            linker,
            task,
            folder,
            kills=arguments.kills,
            workers=arguments.workers,
            seed=arguments.seed,
        )
    machine = this_machine()
    result = {
        "command": shlex.join(["python", "-m", "bench.link_kills", *given]),
        "commit": commit,
        "date": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        "machine": {"cores": machine.cores, "memory_gb": machine.memory_gb},
        "seed": arguments.seed,
        "workers": arguments.workers,
        "report": asdict(report),
    }
    print(page(result))
    if arguments.out is not None:
        write_json(arguments.out / "link-kills.json", result)
        (arguments.out / "link-kills.md").write_text(page(result), encoding="utf-8")
    return int(bool(report.differing or report.lost or report.doubled))


if __name__ == "__main__":
    sys.exit(main())
