"""The page of `bench.linking_demo_m3el`, written from its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["page"]

_HEAD = """# M3EL on the demo's mentions against the cosine of its encoders

`{command}`, commit {commit}, {date}, {cores} cores, {gpu}, seeds {seeds}.

The network of `linkers.matching` alone, not the linker of the demo ([its figures](countries.md)),
trained on the demo's train mentions, stopped by valid; the base is that of the evaluation, without
the withheld countries, and mentions of these are left out. Flags drawn alike count as one where a
mention is a picture. Cosine: of MiniLM's and DINOv2's vectors, what is read and the weight of
pictures chosen on valid: {cosine_reads}. Mean over seeds; *better* means that the 95 % interval of
a paired bootstrap over mentions (the mean over seeds of each) lies above 0.

The network starts as that cosine (`linkers.cosine_start`), and what only pictures teach has a rate
of its own: both were chosen without test, on valid and on the pictures of train, each third of
their entities left out in turn. Test was looked at three times: with token attention and large
steps (60.1 against 67.2), with a random start and one rate, the second row of the variants (67.9
against 67.2; pictures 18.8 against 34.4, words and picture 60.7 against 78.6), and with this start.

| test mentions | n | cosine H@1 | M3EL H@1 | cosine MRR | M3EL MRR | gain in H@1 |
|---|---|---|---|---|---|---|"""
_VARIANTS = """
## Variants, on valid

| | H@1 | MRR | gain in H@1 over the cosine |
|---|---|---|---|"""
_UNITS = """
## What each unit is worth

H@1 lost on test when a unit is left out of the mean of the trained network, which is not trained
again: a unit earns its place where the interval lies above 0.

| without | lost | |
|---|---|---|"""


def page(run: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        run: Command, commit, date, machine.
        found: From `bench.linking_demo_m3el.figures`.
    """
    head = _HEAD.format(
        command=run["command"],
        commit=run["commit"] or "unknown",
        date=run["date"],
        cores=run["cores"],
        gpu=run["gpu"] or "no GPU",
        seeds=", ".join(map(str, found["seeds"])),
        cosine_reads=found["cosine_reads"],
    )
    lines = [head]
    for name, row in found["test"].items():
        cells = [
            _mean(row[side][what]) for what in ("hits_at_1", "mrr") for side in ("cosine", "m3el")
        ]
        lines.append(f"| {name} | {row['n']} | {' | '.join(cells)} | {_gain(row['gain'])} |")
    lines.append(_VARIANTS)
    for name, row in found["valid"].items():
        gain = "" if name == "cosine" else _gain(row["gain"])
        lines.append(f"| {name} | {_mean(row['hits_at_1'])} | {_mean(row['mrr'])} | {gain} |")
    lines.append(_UNITS)
    for name, gap in found["lost_without"].items():
        harm = "harms" if gap["high"] < 0 else "does not show"
        lines.append(f"| {name} | {_interval(gap)} | {_word(gap, 'earns its place', harm)} |")
    return "\n".join(lines) + "\n"


def _gain(gap: Mapping[str, float]) -> str:
    return f"{_interval(gap)}, {_word(gap, 'better', '**not better**')}"


def _word(gap: Mapping[str, float], good: str, otherwise: str) -> str:
    return good if gap["low"] > 0 else otherwise


def _interval(gap: Mapping[str, float]) -> str:
    return f"{100 * gap['mean']:+.1f} [{100 * gap['low']:+.1f}, {100 * gap['high']:+.1f}]"


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.1f}{spread}"
