"""The page of `bench.scenes_noisy_labels`."""

from __future__ import annotations

from bench.scenes_data import gained, per_cent
from evaluation.results import RunResult
from scenes.relations.branches import NOISY

__all__ = ["KEYS", "page"]

KEYS = {"recall_at_50": "R@50", "mean_recall_at_50": "mR@50"}


def page(result: RunResult) -> str:
    """Return the page of a result; every figure comes from it."""
    ways = result.by["way"]
    sets = list(dict.fromkeys(name.rsplit(" ", 1)[0] for name in ways))
    lines = [
        "# Labels that may be wrong (CromSS)\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, no GPU, {result.seconds:.0f} s. VRD, PredCls, judged "
            f"on the held-out tenth of train ({next(iter(ways.values()))['n']} seeds); test was "
            "not read. Per cent.\n"
        ),
        (
            "Two branches tell the predicate: one sees classes, names and counts, the other how "
            "the boxes lie; their log-probabilities are averaged. *Planted*: that share of train's "
            "predicates is replaced, half by any other, half by one that the same classes have "
            "elsewhere. *Boosted*: train with CaCao's additions, the annotated triplets at weight "
            "1. `smoothed` gives a tenth of each doubtful label to what is usual of its classes; "
            "`own` weighs labels by a branch's own confidence; `cromss` smooths, weighs by both "
            "branches' and lets each learn from the other. The gain is over `plain` of the same "
            "set, paired by seed, ± the standard error over seeds; in bold beyond two of them. "
            "AUROC: how well the weights that a method would give rank labels that are right "
            "above those that were replaced, 50 by chance.\n"
        ),
        "| train | labels | R@50 | gain | mR@50 | gain | AUROC |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in sets:
        for noisy in NOISY:
            row = ways.get(f"{name} {noisy}")
            if row is None:
                continue
            gain = gained(result, f"{name} {noisy}", f"{name} plain")
            cells = []
            for key in KEYS:
                own = "" if noisy == "plain" else per_cent(gain, key, signed=True)
                cells += [per_cent(row, key), own]
            cells.append(per_cent(row, "auroc") if "auroc" in row else "")
            lines.append(f"| {name} | {noisy} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, *_ruling(result)]) + "\n"


def _ruling(result: RunResult) -> list[str]:
    """Say what the rule for the default comes to."""
    if "boosted cromss" not in result.by["way"]:
        return []
    gain = gained(result, "boosted cromss", "boosted plain")
    won, error = gain["mean_recall_at_50"], gain["mean_recall_at_50_error"]
    wins = won >= 0.01 and won > 2 * error
    return [
        "",
        "Rule: `cromss` is used for boosted labels if it wins a point of mR@50 there. It "
        + ("does." if wins else 'does not, so `NetworkLearner(noisy="plain")` is the default.'),
    ]
