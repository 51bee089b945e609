"""The page of `bench.linking_pictures`, written from the kept results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation import paired_bootstrap
from evaluation.results import RunResult
from evaluation.units import read_units, units_path

__all__ = ["Parts", "page"]

Runs = Sequence[tuple[RunResult, Path]]
Parts = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]

_MODES = ("picture", "words", "picture and words")
_GOALS = {
    ("picture", True): (29.0, 38.0, "same artist 25.3"),
    ("picture", False): (26.0, 35.0, "unseen artist 23.5"),
    ("picture and words", True): (45.0, 55.0, "40.3"),
    ("picture and words", False): (45.0, 55.0, "40.3"),
}

_CALIBRATION = """
ECE of the chosen link's probability, picture and keyword: {low:.3f} to {high:.3f} over artists and
seeds.
"""
_PARTS = """
## What each part is worth

H@1 on train and valid concepts whose maps and weights were learnt on other concepts, and what is
lost when a part is left out, with its 95 % interval (paired bootstrap). A part earns its place
where the interval lies above 0.
"""


def page(runs: Mapping[tuple[str, str], Runs], parts: Parts) -> str:
    """Return the page.

    Args:
        runs: By artist of the training and of the test, the results with their files: one a seed,
            and last that of the cosine.
        parts: By artist and mode, hits of held-out mentions with all units and without each.
    """
    first = next(iter(runs.values()))[0][0]
    machine = f"{first.machine.cores} cores, {first.machine.memory_gb:g} GiB"
    lines = [
        f"""# Linking drawings

`make bench-linking-pictures` (`{first.command}`). Commit {first.commit or "unknown"}, {first.date},
{machine}, {first.machine.gpu or "no GPU"}.

Emoji: the base is OpenMoji's picture, name, annotation and tags of 1,636 concepts; a mention is
the picture of another artist, Noto or Twemoji, alone or with one keyword. Trained on the 982 train
concepts of one artist, judged on the {first.n} test concepts, of which training shows neither
picture nor keyword; candidates are always all 1,636. Ranks are realistic. Settings were chosen by
five folds over train and valid.

The linker (`linkers.visual`) looks at a picture in six ways: the mean patch of the packaged
DINOv2's eighth block, the class vectors of its eleventh and last, directions of outlines in fine
and coarse cells, and colours. Each way has its own map, in closed form, that keeps what a pair has
in common and drops style; a ridge regression leads from all six to the names' vectors; a keyword is
compared by spelling and by meaning. The weights of all come from folds over the training concepts,
and so does what is taken off entities that are near to mentions of others (`linkers.hubness`).
Seeds change these folds and nothing else, so the spread over seeds is small; the standard error
(se) over mentions is what counts.
""",
        "| trained on | judged on | mention | H@1 | se | MRR | R@64 |",
        "|---|---|---|---|---|---|---|",
    ]
    for (train, test), kept in runs.items():
        results = [run for run, _ in kept[:-1]]
        lines += [_row(train, test, mode, results) for mode in _MODES]
        cosine = kept[-1][0].metrics
        cells = [f"{100 * cosine[k]:.1f}" for k in ("hits_at_1", "mrr", "recall_at_64")]
        lines.append(
            f"| nothing | {test} | picture, cosine | {cells[0]} | | {cells[1]} | {cells[2]} |"
        )
    lines += ["", "Per cent; mean and standard deviation over seeds.", "", "## Goals", ""]
    for (train, test), kept in runs.items():
        for mode in ("picture", "picture and words"):
            lines.append(_goal(train, test, mode, [run for run, _ in kept[:-1]]))
    lines += ["", "## Against the encoder's cosine", ""]
    for (train, test), kept in runs.items():
        lines.append(_against(train, test, kept))
    eces = [run.metrics["ece"] for kept in runs.values() for run, _ in kept[:-1]]
    lines.append(_CALIBRATION.format(low=min(eces), high=max(eces)))
    lines += [_PARTS] if parts else []
    for train, modes in parts.items():
        for mode in ("picture", "picture and words"):
            if mode in modes:
                lines += _parts(train, mode, modes[mode])
    return "\n".join(lines) + "\n"


def _row(train: str, test: str, mode: str, results: Sequence[RunResult]) -> str:
    tables = [run.by["modality"].get(mode) for run in results]
    found = [table for table in tables if table]
    cells = [
        _spread([table[key] for table in found]) for key in ("hits_at_1", "mrr", "recall_at_64")
    ]
    error = f"{100 * found[0]['hits_at_1_standard_error']:.1f}" if found else "–"
    return f"| {train} | {test} | {mode} | {cells[0]} | {error} | {cells[1]} | {cells[2]} |"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    spread = f" ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.1f}{spread}"


def _goal(train: str, test: str, mode: str, results: Sequence[RunResult]) -> str:
    least, aim, known = _GOALS[mode, train == test]
    reached = 100 * float(np.mean([run.by["modality"][mode]["hits_at_1"] for run in results]))
    word = "aim reached" if reached >= aim else "reached" if reached >= least else "**not reached**"
    return (
        f"- {mode}, {train} to {test}: at least {least:g}, aim {aim:g} (linear map: {known}): "
        f"{reached:.1f}, {word}."
    )


def _against(train: str, test: str, kept: Runs) -> str:
    row = "modality=picture hits_at_1"
    hits: list[NDArray[np.float64]] = []
    for run, path in kept:
        units = read_units(units_path(path), inputs=run.inputs)
        if units is None or row not in units.values:
            return f"- {train} to {test}: units of a run are missing."
        hits.append(np.asarray(units.values[row], dtype=np.float64))
    gap = paired_bootstrap(np.mean(hits[:-1], axis=0), hits[-1])
    return (
        f"- picture, {train} to {test}: {100 * gap.mean:+.1f} "
        f"[{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]"
    )


def _parts(train: str, mode: str, variants: Mapping[str, Sequence[float]]) -> list[str]:
    whole = np.array(variants["all"])
    lines = [
        f"### {train}, {mode}: all parts {100 * whole.mean():.1f} ({len(whole):,} concepts)",
        "",
        "| without | H@1 | lost |",
        "|---|---|---|",
    ]
    for name, hits in variants.items():
        if name != "all":
            gap = paired_bootstrap(whole, np.array(hits))
            lines.append(
                f"| {name} | {100 * np.mean(hits):.1f} | {100 * gap.mean:+.1f} "
                f"[{100 * gap.low:+.1f}, {100 * gap.high:+.1f}] |"
            )
    return [*lines, ""]
