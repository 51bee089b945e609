"""The page of `bench.linking`, written from the kept results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation import Difference, paired_bootstrap
from evaluation.results import RunResult
from evaluation.units import read_units, units_path
from linkers.boosted.features import FEATURES

__all__ = ["page"]

Runs = Sequence[tuple[RunResult, Path]]

_GOALS = {
    "wikidiverse": {"hits_at_1": 89.0, "recall_at_64": 97.5, "unseen_other": 75.0},
    "wikidata-mel": {"hits_at_1": 85.5},
}
_KNOWN = {
    "wikidiverse": "fifteen plain features and boosted trees 87.7 (unseen 72.1), recall 95.8",
    "wikidata-mel": "the same features on the first 3,000 test mentions 84.3, recall 99.1",
}
_GROUPS = {
    "name_equal": "name-equal",
    "seen": "seen",
    "unseen": "unseen",
    "seen_other": "seen, other name",
    "unseen_other": "unseen, other name",
}


_COMMITS = """Not all parts were measured at one commit (each names its own): what came since an
older one is not in its figures.
"""


def page(kept: Mapping[str, Mapping[str, Runs]]) -> str:
    """Return the page.

    Args:
        kept: By set and kind (`memory`, `no-memory`, `tfidf`, `nil`) the results with their files.
    """
    first = next(iter(kept.values()))["memory"][0][0]
    parts = [
        f"""# Linking mentions to names

`make bench-linking` (`{first.command}`). Each figure is the mean over its seeds, behind it
the standard deviation over seeds; "se" is the standard error over mentions. Settings were chosen
on the valid split. The base is all 40,248 entities, which have a name and nothing else; ranks are
realistic (a tie takes the mean of its places).

The linker: at most 64 candidates a mention by names, words, initials, adjectives, vectors of the
packaged MiniLM, and what the surface has meant in training; {len(FEATURES)} numbers a candidate;
boosted trees. A training mention is described as if its document had not been linked, so the trees
learn how far memory is to be trusted. *Without memory* is the same ranker without what training
mentions tell of an entity: the no-prior baseline (its candidates still come from memory too).
*Unseen* are entities that no training mention names; the goal is over those that are not
name-equal, as in the baselines' three-way split. One of the numbers is that in an entity's id:
Wikidata gave the small ones to what was entered first, which is often what is well known. What
M3EL's network does alone on the same sets stands [on its own page](linking-m3el.md).

What training mentions tell of words counts for entities never seen: which words of a text, and of
a mention, stood beside which words of the names that were meant (in *without memory* it is left
out with the rest).

Test was looked at four times before. First with fewer seeds and before two choices on valid:
candidates from surfaces spelled like the mention and from part of a name's initials, and the weight
3 and not 2 of unseen entities in training (WikiDiverse: H@1 89.2, R@64 97.4, 74.6 of unseen
entities of other names; Wikidata-MEL: H@1 89.1). Then with all that is here now but for words that
speak for words, whole initials, names beside brackets, and where in a name a mention stands
(WikiDiverse: 89.1, 97.7 and 74.8; Wikidata-MEL: 88.8). Then at commit 93ad8187
(WikiDiverse: 89.3, 97.7 and 75.3; Wikidata-MEL: 88.6); what came since was to make it faster, and
moved 3 or 4 of the 450 unseen mentions of other names. The words and places of names were chosen on
WikiDiverse's valid mentions: H@1 90.4 before, 91.3 after (paired difference +0.9, standard error
0.4), unseen entities of other names 81.1 and 83.1 (+2.1, 1.0). On Wikidata-MEL's valid mentions
they change nothing (89.1, 89.1). Then faster, at commit e97c9250 (WikiDiverse: 89.3, 97.7 and 74.5;
Wikidata-MEL: 88.6). Then as now: the trees learn from the 24 wrong candidates of a mention that are
most alike, not from 12. Chosen on WikiDiverse's training mentions, each ranked by a ranker of the
other half of the documents (two seeds; differences with their standard errors): all +0.05 (0.08),
seen ones of other names +0.1 (0.2), unseen ones +0.1 (0.3); and on the valid ones +0.2 (0.2), +0.4
(0.5) and +0.5 (0.5). Little, but nothing loses. With 48: +0.1, +0.3 and 0.0; +0.2, 0.0 and +0.9.
Run again where growing trees sorts each column once: the same figures, to the last digit.

How sure a link is is learnt from the lists of training mentions, each ranked by a ranker of the
other half of the documents, and calibrated on valid; before, both from valid alone. Chosen on
WikiDiverse's valid mentions with the first draw of withheld entities, by folds: links kept at a
promise of 98 % 29.9 before (99.8 of them right) and 46.8 after (97.9), AUROC 94.4 and 94.5, ECE 2.3
and 2.0.

Tried on WikiDiverse's training and valid mentions and left out: bilinear forms of the vectors of
surface, text and name, learnt apart and given to the trees (-0.3, standard error 0.3); the mean of
two forests of other seeds (no difference); hints that see the mention's own document in training
(-0.4: the trees learn to trust what gives the answer away).

Left out too, judged on WikiDiverse's training mentions, each ranked by a ranker of the other half
of the documents (2,576 unseen ones of other names: 77.4; 2,951 seen ones of other names: 85.8), and
on the valid ones by the same rankers; differences with their standard errors. Mentions of entities
of two documents described a second time as if no training mention named theirs: unseen +0.3 (0.2),
seen -0.2 (0.2), two seeds; on valid +0.2 (0.4) and -0.7 (0.4). The same for two to six documents,
one seed: +0.6 (0.3) and -1.0 (0.3); with weight 3: +1.5 (0.4) and -2.0 (0.3). What unseen entities
gain so, seen ones lose: 44 % of the training mentions, as of the test's 43 %, are unseen without
their own document anyway. Two forests of half the trees each, grown at twice the rate: -0.4 (0.3)
and 0.0 (0.2). Twice the trees at half the rate: +0.1 (0.2) and +0.2 (0.2).
"""
    ]
    if len({kinds["memory"][0][0].commit for kinds in kept.values()}) > 1:
        parts.append(_COMMITS)
    for name, kinds in kept.items():
        parts.append(_of_set(name, kinds))
    return "\n".join(parts)


def _of_set(name: str, kinds: Mapping[str, Runs]) -> str:
    example = kinds["memory"][0][0]
    lines = [
        f"## {name}\n",
        _measured(example),
    ]
    known = _KNOWN.get(name)
    if known:
        lines.append(f"Measured before, on test: {known}.\n")
    groups = " | ".join(_GROUPS.values())
    lines += [
        f"| test, per cent | seeds | H@1 | se | MRR | R@64 | {groups} |",
        "|---" * (6 + len(_GROUPS)) + "|",
    ]
    titles = {"tfidf": "character TF-IDF", "no-memory": "without memory", "memory": "with memory"}
    lines += [_row(title, kinds[kind]) for kind, title in titles.items() if kinds.get(kind)]
    lines.append("")
    sizes = ", ".join(
        f"{title} {example.by['group'][group]['n']:,}"
        for group, title in _GROUPS.items()
        if group in example.by["group"]
    )
    lines.append(f"Mentions: {example.n:,} ({sizes}).\n")
    lines += _goals(name, kinds["memory"])
    lines += _against(kinds)
    metrics = [run.metrics for run, _ in kinds["memory"]]
    if "ece" in metrics[0]:
        kept = _mean(m["coverage_at_98"] for m in metrics)
        lines.append(
            f"Calibration: ECE {_mean(m['ece'] for m in metrics)} over the chosen link of each "
            f"mention. Links that promise 98 % together: {kept} "
            f"of mentions, of which {_mean(m.get('precision_at_98', 0.0) for m in metrics)} are "
            "right.\n"
        )
    if kinds.get("nil"):
        lines += _nil(kinds["nil"])
    return "\n".join(lines)


def _measured(run: RunResult) -> str:
    where = run.machine
    machine = f"{where.cores} cores, {where.memory_gb:g} GiB, {where.gpu or 'no GPU'}"
    return f"Commit {run.commit or 'unknown'}, {run.date}, {machine}.\n"


def _row(title: str, runs: Runs) -> str:
    results = [run for run, _ in runs]
    cells = [str(len(runs)), _mean(run.metrics["hits_at_1"] for run in results)]
    hits = results[0].metrics["hits_at_1"]
    cells.append(f"{100 * float(np.sqrt(hits * (1 - hits) / results[0].n)):.1f}")
    cells += [
        _mean(run.metrics[key] for run in results if key in run.metrics)
        for key in ("mrr", "recall_at_64")
    ]
    cells += [
        _mean(run.by["group"][group]["hits_at_1"] for run in results if group in run.by["group"])
        for group in _GROUPS
    ]
    return "| " + " | ".join([title, *cells]) + " |"


def _mean(values: object) -> str:
    found = [100 * float(value) for value in values]  # type: ignore[attr-defined]
    if not found:
        return "–"
    spread = f" ± {np.std(found, ddof=1):.1f}" if len(found) > 1 else ""
    return f"{np.mean(found):.1f}{spread}"


def _goals(name: str, runs: Runs) -> list[str]:
    lines = []
    for key, goal in _GOALS.get(name, {}).items():
        if key in _GROUPS:
            tables = [run.by["group"].get(key, {}) for run, _ in runs]
            values = [table["hits_at_1"] for table in tables if table]
        else:
            values = [run.metrics[key] for run, _ in runs]
        if not values:
            continue
        reached = 100 * float(np.mean(values))
        title = {"hits_at_1": "H@1", "recall_at_64": "R@64"}.get(key, f"H@1 of {_GROUPS.get(key)}")
        word = "reached" if reached >= goal else "**not reached**"
        lines.append(f"- {title} at least {goal}: {reached:.1f}, {word}.")
    return [*lines, ""]


def _against(kinds: Mapping[str, Runs]) -> list[str]:
    """Return what memory changes, paired over mentions (the mean over seeds of each)."""
    if not kinds.get("no-memory"):
        return ["The no-prior baseline was not run at this commit.\n"]
    lines = []
    for row, title in (("all", "all"), ("group=unseen", "unseen"), ("group=seen", "seen")):
        both = [_hits(kinds[kind], f"{row} hits_at_1") for kind in ("memory", "no-memory")]
        if both[0] is None or both[1] is None:
            continue
        gap: Difference = paired_bootstrap(both[0], both[1])
        lines.append(
            f"- memory on {title} mentions: {100 * gap.mean:+.1f} "
            f"[{100 * gap.low:+.1f}, {100 * gap.high:+.1f}] (95 %, paired bootstrap)."
        )
    return [*lines, ""]


def _hits(runs: Runs, row: str) -> np.ndarray | None:
    found = []
    for run, path in runs:
        units = read_units(units_path(path), inputs=run.inputs)
        if units is None or row not in units.values:
            return None
        found.append(np.asarray(units.values[row], dtype=np.float64))
    return np.mean(found, axis=0)


def _nil(runs: Runs) -> list[str]:
    results = [run for run, _ in runs]
    keys = {
        "auroc": "AUROC",
        "nil_f1": "F1 of NIL",
        "nil_precision": "precision",
        "nil_recall": "recall",
        "accuracy": "right decisions",
        "ece": "ECE of the decision",
        "coverage_at_98": "links kept at a promise of 98 %",
        "precision_at_98": "of these right",
    }
    lines = [
        f"### NIL: 30 % of the entities taken out of the base (draws: {len(runs)})\n",
        _measured(results[0]),
        "| " + " | ".join(["", *keys.values()]) + " |",
        "|---" * (len(keys) + 1) + "|",
    ]
    cells = [_mean(r.metrics[key] for r in results if key in r.metrics) for key in keys]
    lines.append("| " + " | ".join(["test, per cent", *cells]) + " |")
    goals = [("auroc", 0.90, True), ("ece", 0.03, False)]
    for key, goal, above in goals:
        value = float(np.mean([r.metrics[key] for r in results]))
        reached = value >= goal if above else value <= goal
        word = "at least" if above else "at most"
        lines.append(
            f"\n{keys[key]} {word} {goal}: {value:.3f}, {'' if reached else '**not** '}reached."
        )
    return [*lines, ""]
