"""The page of `bench.parts`: figures over seeds, their spread, and what RConE is ahead by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation import RunResult
from evaluation.significance import paired_bootstrap, standard_error

__all__ = ["MEASURES", "Units", "page", "summary"]

MEASURES = ("within", "within_first", "end_to_end", "end_to_end_first")
"""Reciprocal ranks and whether the rank is 1, in both views; fields of `Figures`."""

Units = Mapping[str, NDArray[np.float64]]
"""Values of units by ``rival/question/measure``."""

_TITLES = {
    "within": "MRR within the image",
    "within_first": "H@1 within the image",
    "end_to_end": "MRR among all parts",
    "end_to_end_first": "H@1 among all parts",
}
_OURS = "rcone"


def summary(seeds: Sequence[Units]) -> dict[str, Any]:
    """Return, for each measure, question and rival, the mean over seeds and RConE's lead.

    `lead` is RConE's mean minus the rival's: by seed, with the standard error over seeds, and a
    paired bootstrap over the units of all seeds.
    """
    keys = [key.split("/") for key in seeds[0]]
    rivals = list(dict.fromkeys(key[0] for key in keys))
    questions = list(dict.fromkeys(key[1] for key in keys))
    found: dict[str, Any] = {}
    for measure in MEASURES:
        for question in questions:
            ours = [units[f"{_OURS}/{question}/{measure}"] for units in seeds]
            for rival in rivals:
                theirs = [units[f"{rival}/{question}/{measure}"] for units in seeds]
                means = [float(values.mean()) for values in theirs]
                cell: dict[str, Any] = {
                    "mean": float(np.mean(means)),
                    "by_seed": means,
                    "standard_error_over_units": standard_error(np.concatenate(theirs)),
                    "standard_error_over_seeds": standard_error(means),
                }
                if rival != _OURS:
                    leads = [float(a.mean() - b.mean()) for a, b in zip(ours, theirs, strict=True)]
                    both = np.concatenate(ours), np.concatenate(theirs)
                    cell["lead"] = {
                        "mean": float(np.mean(leads)),
                        "standard_error_over_seeds": standard_error(leads),
                        "bootstrap": asdict(paired_bootstrap(*both)),
                    }
                found.setdefault(measure, {}).setdefault(question, {})[rival] = cell
    return found


def page(name: str, results: Sequence[RunResult], seeds: Sequence[Units]) -> str:
    """Return the page; every figure comes from the results and their units."""
    first, table = results[0], summary(seeds)
    lines = [
        f"# Parts as answers: {name}\n",
        (
            f"`{first.command} --seeds {len(results)}`, commit {first.commit}, {first.date}, "
            f"{first.machine.cores} cores, no GPU; {sum(one.seconds for one in results):.0f} s. "
            "Mean over seeds ± standard error over seeds, in per cent. A unit is a query and an "
            "image with held-out answers of it.\n"
        ),
    ]
    for measure in MEASURES:
        questions = table[measure]
        rivals = list(next(iter(questions.values())))
        lines.append(f"## {_TITLES[measure]}\n")
        lines.append("| rival | " + " | ".join(questions) + " |")
        lines.append("|---" * (len(questions) + 1) + "|")
        for rival in rivals:
            cells = [_cell(questions[question][rival]) for question in questions]
            lines.append(f"| {rival} | " + " | ".join(cells) + " |")
        lines.append(f"\nRConE's lead ({_TITLES[measure]}), with the 95 % interval of the paired ")
        lines[-1] += "bootstrap over units:\n"
        lines.append("| over | " + " | ".join(questions) + " |")
        lines.append("|---" * (len(questions) + 1) + "|")
        for rival in rivals:
            if rival != _OURS:
                leads = [_lead(questions[question][rival]["lead"]) for question in questions]
                lines.append(f"| {rival} | " + " | ".join(leads) + " |")
        lines.append("")
    return "\n".join(lines) + "\n"


def _cell(cell: Mapping[str, Any]) -> str:
    return f"{100 * cell['mean']:.1f} ± {100 * cell['standard_error_over_seeds']:.1f}"


def _lead(lead: Mapping[str, Any]) -> str:
    interval = lead["bootstrap"]
    return (
        f"{100 * lead['mean']:+.1f} ± {100 * lead['standard_error_over_seeds']:.1f} "
        f"[{100 * interval['low']:+.1f}, {100 * interval['high']:+.1f}]"
    )
