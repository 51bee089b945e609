"""The page of `bench.link_prediction`: a row for each result that is kept.

Command: ``python -m bench.link_prediction_page docs/benchmarks`` reads ``link-prediction-*.json``
there and writes ``link-prediction.md`` beside them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation import RunResult, read_result
from kg.errors import InputError
from kg.files import atomic_write

__all__ = ["main", "page"]

_ABOUT = (
    "Held-out test edges, each asked for its tail and for its head among all entities; filtered by "
    "all other edges of train, valid and test, realistic ranks, figures × 100, standard error over "
    "edges. `heads` and `tails` are the MRR of each direction, `valid` the MRR of the validation "
    "edges, by which settings were chosen; test was ranked once a row. These models are ComplEx "
    "alone, without rules and calibration."
)
_HEADS = ("graph", "edges asked", "MRR", "±", "H@1", "H@3", "H@10", "heads", "tails", "valid")


def page(results: Sequence[RunResult]) -> str:
    """Return the page; every figure comes from the results."""
    lines = ["# Link prediction", "", _ABOUT, "", f"| {' | '.join(_HEADS)} |"]
    lines += ["|---" * len(_HEADS) + "|", *map(_row, results)]
    lines += ["", "How each was made:", "", *map(_made, results)]
    return "\n".join(lines) + "\n"


def _row(one: RunResult) -> str:
    shown = [one.metrics[name] for name in ("mrr", "standard_error")]
    shown += [one.metrics[f"hits_at_{k}"] for k in (1, 3, 10)]
    shown += [one.by["direction"][name]["mrr"] for name in ("head", "tail")]
    shown.append(one.by["split"]["valid"]["mrr"])
    cells = [_graph(one), f"{one.n:,}", *(f"{100 * value:.1f}" for value in shown)]
    return f"| {' | '.join(cells)} |"


def _made(one: RunResult) -> str:
    machine = one.machine
    return (
        f"- {_graph(one)}: `{one.command}`, commit {one.commit or 'unknown'}, {one.date}, "
        f"{machine.cores} cores, {machine.memory_gb:g} GiB, {machine.gpu or 'no GPU'}, seed "
        f"{one.seed}; peak memory {one.peak_memory_mb:,.0f} MB."
    )


def _graph(one: RunResult) -> str:
    """Return the folder's name, the first word after the module."""
    return one.command.split()[3]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the results lie")
    folder = parser.parse_args(argv).folder
    found = sorted(folder.glob("link-prediction-*.json"))
    if not found:
        raise InputError("no link-prediction-*.json", where=str(folder))
    with atomic_write(folder / "link-prediction.md") as file:
        file.write(page([read_result(path) for path in found]).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
