"""The page of `bench.linking_m3el`, written from the kept ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation import paired_bootstrap

__all__ = ["page"]

Runs = Sequence[Mapping[str, NDArray[np.float64]]]

_OURS = "M3EL, text unit"
_CHOSEN = "text unit, chosen on valid"
_COSINES = ("cosine, surface", "cosine, surface and text")
_PARTS = {
    "without ICL": "intra-modal contrastive learning (ICL)",
    "global to local only": "global to global",
    "global to global only": "global to local",
}
_HEAD = """# M3EL's text unit against the cosine of its encoder

`{command}`. The network of `linkers.matching` on the token and pooled vectors of the packaged
MiniLM, which stays frozen, trained on each set's training mentions. The base is all 40,248
entities, which have a name and nothing else; no picture is at hand, so of the four units only the
text one is there. No alias table, no letters, no memory: this is the network alone, not the linker
([linking](linking.md)). Parts and variants are judged on valid; test is given for the cosine, the
network with all its parts, and the one chosen on valid: global to global alone, without ICL, at a
learning rate of 2e-4 and not 1e-3 (first seed, first 1,200 valid mentions of Wikidata-MEL, three
epochs: cosine 79.3, 80.5 at 1e-3, 80.8 at 2e-4; it was chosen after the test figures of the whole
network were seen). The linker ships near it since: global alone at 2e-4, with ICL, chosen on
valid of [the demo](linking-demo-m3el.md). Ranks are realistic and in two stages: all entities by
the global vectors, the best 512 by the whole network. Mean and standard deviation over seeds.

*Better* means that the 95 % interval of a paired bootstrap over mentions (the mean over seeds of
each) lies above 0.
"""


def page(
    kept: Mapping[str, Mapping[str, Runs]], machines: Mapping[str, Mapping[str, object]]
) -> str:
    """Return the page.

    Args:
        kept: By set and variant the runs, each with ``(n,)`` ranks by split.
        machines: By set the command, commit, date and machine.
    """
    first = next(iter(machines.values()))
    parts = [_HEAD.format(command=first["command"])]
    for name, variants in kept.items():
        parts.append(_of_set(name, variants, machines[name]))
    return "\n".join(parts)


def _of_set(name: str, variants: Mapping[str, Runs], machine: Mapping[str, object]) -> str:
    where = f"{machine['cores']} cores, {machine['gpu'] or 'no GPU'}"
    lines = [
        f"## {name}\n",
        f"Commit {machine['commit'] or 'unknown'}, {machine['date']}, {where}.\n",
        "| per cent | seeds | valid H@1 | valid MRR | test H@1 | test MRR |",
        "|---|---|---|---|---|---|",
    ]
    for variant, runs in variants.items():
        cells = [
            _spread([value(run[split]) for run in runs if split in run])
            for split in ("valid", "test")
            for value in (_hits, _reciprocal)
        ]
        lines.append("| " + " | ".join([variant, str(len(runs)), *cells]) + " |")
    lines.append("")
    if _OURS in variants:
        lines += _compared(variants)
    return "\n".join(lines)


def _compared(variants: Mapping[str, Runs]) -> list[str]:
    cosines = [name for name in _COSINES if name in variants]
    best = max(cosines, key=lambda name: _hits(variants[name][0]["valid"]))
    count = {split: len(variants[_OURS][0][split]) for split in ("valid", "test")}
    lines = [f"Mentions: {count['valid']:,} valid, {count['test']:,} test.\n"]
    for ours in (_OURS, _CHOSEN):
        for split in ("test", "valid") if ours in variants else ():
            gap = paired_bootstrap(_each(variants[ours], split), _each(variants[best], split))
            word = "better" if gap.is_better else "**not better**"
            lines.append(f"- {ours}, against {best}, on {split}: {_told(gap)}, {word}.")
    for without, part in _PARTS.items():
        if without in variants:
            gap = paired_bootstrap(
                _each(variants[_OURS], "valid"), _each(variants[without], "valid")
            )
            word = "earns its place" if gap.is_better else "**does not earn its place**"
            lines.append(f"- What {part} adds on valid: {_told(gap)}, {word}.")
    for other in ("paper's formulas", "SDM for cross-entropy"):
        if other in variants:
            gap = paired_bootstrap(_each(variants[other], "valid"), _each(variants[_OURS], "valid"))
            lines.append(f"- {other[0].upper()}{other[1:]}, on valid: {_told(gap)}.")
    return [*lines, ""]


def _told(gap: object) -> str:
    low, mean, high = (100 * getattr(gap, name) for name in ("low", "mean", "high"))
    return f"H@1 {mean:+.1f} [{low:+.1f}, {high:+.1f}]"


def _each(runs: Runs, split: str) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.mean([run[split] <= 1 for run in runs], axis=0)
    return found


def _hits(ranks: NDArray[np.float64]) -> float:
    return float((ranks <= 1).mean())


def _reciprocal(ranks: NDArray[np.float64]) -> float:
    return float((1 / ranks).mean())


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    spread = f" ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.1f}{spread}"
