"""The page of `bench.scenes_boosting_checks`."""

from __future__ import annotations

from collections.abc import Mapping

from bench.scenes_data import gained, per_cent
from evaluation import RunResult

__all__ = ["page"]

_KEYS = {
    "recall_at_50": "R@50",
    "mean_recall_at_50": "mR@50",
    "zero_shot_recall_at_50_unconstrained": "zR@50 unconstrained",
}
_RIVALS = {"supported": "confident as supported", "unrefuted": "confident as unrefuted"}
_GATE, _COVERAGE = 0.05, 0.6
"""Points of precision, and coverage, at which a check was to be a gate."""
_SURE = 0.975
"""Share of draws at which it is ahead beyond chance."""


def page(result: RunResult) -> str:
    """Return the page of a result; every figure comes from it."""
    parts = {"found": _found, "learner": _learnt, "written": _written}
    lines = [line for key, part in parts.items() if key in result.by for line in part(result)]
    return "\n".join([*_head(result), *lines]).rstrip() + "\n"


def _head(result: RunResult) -> list[str]:
    return [
        "# CaCao's additions checked before anything learns from them\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, no GPU. VRD, the held-out tenth of train "
            f"({result.n} images); test was not read.\n"
        ),
        (
            "Two witnesses hear each addition: the classes, and the boxes "
            "(`scenes.cacao.checking`). *Supported* or *refuted* is what both say, or what boxes "
            "rule out; all else is *uncertain*. Thresholds are set for a precision of 95 % each, "
            "on pairs that the fit left out.\n"
        ),
    ]


def _found(result: RunResult) -> list[str]:
    rows = result.by["found"]
    lines = [
        "## Are the checked ones right more often?\n",
        (
            "30 % of train's annotations are hidden and the teacher learns from the rest. An "
            "addition is right if it was hidden; others may be true too, since annotators say few "
            "of the things that they could, so precision is a lower bound and differences count. "
            "*Cut*: the most confident additions that hold as many right ones. *Ahead*: in how "
            "many of 2,000 draws of images the checked ones are right more often than these.\n"
        ),
        "| additions | number | right | cut | ahead | coverage of the right ones |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        cells = ["", "", ""]
        if "cut" in row:
            cells = [
                f"{100 * row['cut']:.1f}",
                f"{100 * row['ahead']:.0f} %",
                f"{100 * row['coverage']:.0f} %",
            ]
        right = f"{100 * row['precision']:.1f}"
        lines.append(f"| {name} | {row['n']:,} | {right} | {' | '.join(cells)} |")
    verdicts = [
        f"{name}: {'met' if _is_gate(rows[name]) else 'not met'}"
        for name in ("supported", "unrefuted")
    ]
    return [
        *lines,
        "",
        (
            "A check was to be on by default where it wins 5 points of precision at a coverage of "
            f"60 % or more. {'; '.join(verdicts).capitalize()}.\n"
        ),
    ]


def _is_gate(row: Mapping[str, float]) -> bool:
    lead = row["precision"] - row["cut"]
    return lead >= _GATE and row["ahead"] >= _SURE and row["coverage"] >= _COVERAGE


def _learnt(result: RunResult) -> list[str]:
    lines = [
        "## Do learners gain by it?\n",
        (
            "*Confident*: as many additions, those of which the teacher is surest. Gains in bold "
            "are beyond two standard errors over seeds; the prior counts and has none.\n"
        ),
        "| learner | additions | " + " | ".join(_KEYS.values()) + " |",
        "|---|---|" + "---|" * len(_KEYS),
    ]
    learners = result.by["learner"]
    for name, row in learners.items():
        cells = [per_cent(row, key) if key in row else "—" for key in _KEYS]
        lines.append(f"| {name.replace(' ', ', ', 1)} | {row['n']:,} | {' | '.join(cells)} |")
    for kind in dict.fromkeys(name.split(" ", 1)[0] for name in learners):
        for ours, rival in _RIVALS.items():
            for other in ("all", rival):
                gain = gained(result, f"{kind} {ours}", f"{kind} {other}")
                cells = [per_cent(gain, key, signed=True) if key in gain else "—" for key in _KEYS]
                lines.append(f"| {kind}, {ours} over {other} | | {' | '.join(cells)} |")
    return [*lines, ""]


def _written(result: RunResult) -> list[str]:
    lines = [
        "## Likely relations that boxes rule out\n",
        (
            "What `umbra scenes import --model` would write (probability from 0.1 on, half of the "
            "held-out images to calibrate, the other half judged): how many an annotator says, and "
            "how many the calibrated probabilities promise. Per cent.\n"
        ),
        "| likely relations | number | said | promised |",
        "|---|---|---|---|",
    ]
    return lines + [
        f"| {name} | {row['n']:,} | {100 * row['right']:.1f} | {100 * row['promised']:.1f} |"
        for name, row in result.by["written"].items()
    ]
