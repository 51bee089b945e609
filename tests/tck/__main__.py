"""Runs the openCypher compatibility kit on the embedded store, by Umbra's own API and over Bolt.

Command: ``make tck``, or ``make tck FEATURES=FOLDER`` for any folder of feature files; some minutes
on two cores. The kit's own archive (../shared/data/tck) is held against the list of known failures
and writes ``docs/benchmarks/graph-tck.md`` and ``.json``; of other folders at least 95 % must pass.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.run_record import keep, run_record
from kg.launcher import LauncherConfig, attach, stop_store
from tests.tck.doors import ApiDoor, BoltDoor
from tests.tck.known import known_failures, surprises
from tests.tck.report import counted, page, share
from tests.tck.running import Verdict, run_all
from tests.tck.scenarios import Scenario, folder_of, read

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = ROOT.parent / "shared" / "data" / "tck" / "features.tar.gz"
DOORS = {"api": ApiDoor, "bolt": BoltDoor}
LEAST = 0.95


def judged(name: str, scenarios: Sequence[Scenario], *, graph: Path, folder: Path) -> list[Verdict]:
    """Run all scenarios through one door."""
    door = DOORS[name](graph)
    try:
        verdicts = []
        for verdict in run_all(scenarios, door, folder=folder):
            verdicts.append(verdict)
            if len(verdicts) % 500 == 0:
                print(f"{name}: {len(verdicts)} of {len(scenarios)}", file=sys.stderr)
        return verdicts
    finally:
        door.close()


def told(name: str, verdicts: Sequence[Verdict], *, own_kit: bool) -> bool:
    """Print a door's counts and surprises; return whether all is as it should be."""
    for area, counts in counted(verdicts)["areas"].items():
        said = ", ".join(f"{counts.get(o, 0)} {o}" for o in ("passed", "failed", "left out"))
        print(f"{name}  {area}: {said}")
    found = surprises(verdicts, known_failures(name))
    reasons = {verdict.scenario.id: verdict.reason for verdict in verdicts}
    for case in found.new:
        print(f"{name}  FAILED  {case} | {reasons[case]}")
    for case in found.mended:
        print(f"{name}  PASSED, take its line from known_failures.txt: {case}")
    part = share(verdicts)
    print(f"{name}  {100 * part:.1f} % passed")
    return part >= LEAST and not found.mended and not (own_kit and found.new)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the kit."""
    parser = argparse.ArgumentParser(prog="python -m tests.tck", description=__doc__)
    parser.add_argument("--features", type=Path, default=ARCHIVE, help="folder or tar archive")
    parser.add_argument("--doors", nargs="+", choices=DOORS, default=list(DOORS))
    parser.add_argument("--out", type=Path, help="folder of the page and the JSON")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    own_kit = arguments.features == ARCHIVE
    if not arguments.features.exists():
        parser.error(f"no feature files at {arguments.features}: name a folder by FEATURES=FOLDER")
    begun = time.monotonic()
    doors: dict[str, Any] = {}
    fine = True
    with folder_of(arguments.features) as folder, tempfile.TemporaryDirectory() as name:
        scenarios = list(read(folder))
        if not scenarios:
            parser.error(f"{arguments.features} holds no .feature file")
        graph = Path(name) / "graph"
        hold = attach(graph, LauncherConfig(idle_timeout_s=60, heap="512m"))
        try:
            for door in arguments.doors:
                verdicts = judged(door, scenarios, graph=graph, folder=folder)
                fine = told(door, verdicts, own_kit=own_kit) and fine
                doors[door] = counted(verdicts)
        finally:
            hold.close()
            stop_store(graph)
    out = arguments.out or (ROOT / "docs" / "benchmarks" if own_kit else None)
    record = run_record("tests.tck", given)
    result = {**record, "seconds": time.monotonic() - begun, "doors": doors}
    keep(result, page, folder=out, name="graph-tck")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
