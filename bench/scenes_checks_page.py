"""Page of `bench.scenes_checks`."""

from __future__ import annotations

from collections.abc import Mapping

from evaluation import RunResult

__all__ = ["METHODS", "page"]

METHODS = ("both", "first alone", "second alone", "averaged")

_COLUMNS = (
    "true claims", "supported: precision", "coverage",
    "false claims", "refuted: precision", "coverage",
)  # fmt: skip
_WITNESSES = {
    "labels": "Labels: the first witness sees parts, the second the vector of the whole picture",
    "colours": "Colours: the first witness sees plain parts, the second the pixels",
}


def page(result: RunResult) -> str:
    """Return the page of a result; every figure comes from it."""
    lines = [
        "# Claims and predicates checked\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, no GPU, seed {result.seed}, {result.n} flags.\n"
        ),
        (
            "A claim (the flag has a star, has red) is *supported* or *refuted* where both "
            "witnesses say so, else *uncertain*. True claims are those of a flag's own description "
            "in the Factbook, false ones those of a random other flag that its own does not make "
            "(mean of 20 draws). Thresholds are set inside the training folds for a precision of "
            "95 % each; five folds by country, learnt on one artist's flags, judged on the other's "
            "held-out ones. Precision: of what is supported (refuted), the share that is true "
            "(false). Coverage: of the true (false) claims, the share that is supported "
            "(refuted).\n"
        ),
    ]
    for kind, title in _WITNESSES.items():
        lines += [f"## {title}\n", *_table(result.by[kind]), ""]
        lines += ["Both, by claim:\n", *_table(result.by[f"{kind}_each"]), ""]
    lines += [
        "## Predicates that boxes rule out\n",
        (
            "VRD's training triplets: the share that `scenes.rulings` rules out as annotators said "
            "them (its mistakes, or theirs) and with subject and object exchanged (for `above` and "
            "its like nearly always wrong; a rule of a gap, as of `on`, is the same both ways). "
            "Predicates that no rule strikes are left out.\n"
        ),
        "| predicate | triplets | ruled out as said | exchanged |",
        "|---|---|---|---|",
    ]
    for name, row in result.by["geometry"].items():
        lines.append(f"| {name} | {row['n']:.0f} | {row['as_said']:.1%} | {row['swapped']:.1%} |")
    return "\n".join(lines) + "\n"


def _table(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    columns = ("", *_COLUMNS)
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for name, row in rows.items():
        cells = " | ".join(
            f"{count:.0f} | {row[f'{outcome}_precision']:.3f} | {row[f'{outcome}_coverage']:.2f}"
            for count, outcome in ((row["n"], "supported"), (_false_claims(row), "refuted"))
        )
        lines.append(f"| {name} | {cells} |")
    return lines


def _false_claims(row: Mapping[str, float]) -> float:
    """Return the mean number of false claims a draw; results hold shares and one whole count."""
    return row["n"] / row["true_share"] - row["n"] if row["n"] else 0.0
