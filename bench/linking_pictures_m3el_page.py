"""The page of `bench.linking_pictures_m3el`, written from the kept results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation import paired_bootstrap
from evaluation.results import RunResult
from evaluation.units import read_units, units_path
from linkers.matching import UNITS

__all__ = ["page"]

Runs = Sequence[tuple[RunResult, Path]]

_MODES = ("picture", "picture and words")
_HEAD = """# M3EL on drawings, all three modules, against the cosine of its encoders

`{command}`. Commit {commit}, {date}, {cores} cores, {gpu}.

The network of `linkers.matching` (text, image and cross-modal units) on the vectors of the packaged
MiniLM and DINOv2, which stay frozen; start {start}, parts {parts}, {epochs} epochs, learning rate
{rate:g}, batch 128: settings that did well on valid of one artist, not searched ones. Test was
looked at twice: with a random start and token attention (noto to noto: 19.9 for pictures, 27.0 with
words), and with these. Seeds: {seeds}. Emoji as in [linking drawings](linking-pictures.md): trained
on the 982 train concepts of one artist, judged on {n} test concepts, all 1,636 candidates. This is
the network alone, not the linker of that page. Cosine: of DINOv2's class vector about each side's
mean and, with a keyword, of MiniLM's vector, added with a weight chosen on train and valid. Mean
and standard deviation over seeds; *better* means that the 95 % interval of a paired bootstrap over
mentions (mean over seeds of each) lies above 0.

| trained on | judged on | mention | cosine H@1 | M3EL H@1 | M3EL MRR | gain |
|---|---|---|---|---|---|---|"""
_UNITS = """
## What each unit is worth

H@1 lost when a unit is left out of the mean of the trained network (which is not trained again),
over both artists of the test: a unit earns its place where the interval lies above 0. A picture
alone has only the image unit.

| trained on | mention | without | lost | |
|---|---|---|---|---|"""


def page(
    runs: Mapping[tuple[str, str], Runs], *, epochs: int, rate: float, start: str, parts: str
) -> str:
    """Return the page.

    Args:
        runs: By artist of the training and of the test, the results with their files: one a seed,
            and last that of the cosine.
        epochs: Of the training.
        rate: Learning rate of the training.
        start: What the network was before it, see `MatchingConfig`.
        parts: What its intra-modal units are made of.
    """
    first = next(iter(runs.values()))[0][0]
    head = _HEAD.format(
        command=first.command,
        commit=first.commit or "unknown",
        date=first.date,
        cores=first.machine.cores,
        gpu=first.machine.gpu or "no GPU",
        epochs=epochs,
        rate=rate,
        start=start,
        parts=parts,
        n=first.n,
        seeds=", ".join(str(run.seed) for run, _ in next(iter(runs.values()))[:-1]),
    )
    rows = [_row(*pair, mode, kept) for pair, kept in runs.items() for mode in _MODES]
    losses = [
        _lost(train, mode, unit, [kept for pair, kept in runs.items() if pair[0] == train])
        for train in dict.fromkeys(pair[0] for pair in runs)
        for mode in _MODES[1:]
        for unit in UNITS
    ]
    return "\n".join([head, *rows, _UNITS, *losses]) + "\n"


def _row(train: str, test: str, mode: str, kept: Runs) -> str:
    ours = [run.by["modality"][mode] for run, _ in kept[:-1]]
    cosine = kept[-1][0].by["modality"][mode]["hits_at_1"]
    row = f"modality={mode} hits_at_1"
    gap = paired_bootstrap(_hits(kept[:-1], row), _hits(kept[-1:], row))
    word = "better" if gap.low > 0 else "**not better**"
    hits, reciprocal = ([one[key] for one in ours] for key in ("hits_at_1", "mrr"))
    return (
        f"| {train} | {test} | {mode} | {100 * cosine:.1f} "
        f"| {_spread(hits)} | {_spread(reciprocal)} "
        f"| {100 * gap.mean:+.1f} [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}], {word} |"
    )


def _lost(train: str, mode: str, unit: str, kept: Sequence[Runs]) -> str:
    whole = [_hits(runs[:-1], f"modality={mode} hits_at_1") for runs in kept]
    without = [_hits(runs[:-1], f"without={unit}, {mode} hits_at_1") for runs in kept]
    gap = paired_bootstrap(np.concatenate(whole), np.concatenate(without))
    word = "earns its place" if gap.low > 0 else "harms" if gap.high < 0 else "does not show"
    return (
        f"| {train} | {mode} | {unit} | {100 * gap.mean:+.1f} "
        f"[{100 * gap.low:+.1f}, {100 * gap.high:+.1f}] | {word} |"
    )


def _hits(runs: Runs, row: str) -> NDArray[np.float64]:
    found = []
    for run, path in runs:
        units = read_units(units_path(path), inputs=run.inputs)
        assert units is not None, path
        found.append(np.asarray(units.values[row], dtype=np.float64))
    mean: NDArray[np.float64] = np.mean(found, axis=0)
    return mean


def _spread(values: Sequence[float]) -> str:
    spread = f" ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.1f}{spread}"
