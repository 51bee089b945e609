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

_GAIN, _COVERAGE, _PROMISED = 5.0, 0.6, 0.95


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
        lines += [
            _judged(result.by[kind]),
            "",
            "Both, by claim:\n",
            *_table(result.by[f"{kind}_each"]),
            "",
        ]
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


def _judged(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Hold both witnesses against the rule for a gate, set before: 5 points, at 60 % coverage."""
    both, averaged = rows["both"], rows["averaged"]
    said = []
    for outcome in ("supported", "refuted"):
        precision, coverage = both[f"{outcome}_precision"], both[f"{outcome}_coverage"]
        gain = 100 * (precision - averaged[f"{outcome}_precision"])
        met = "met" if gain >= _GAIN and coverage >= _COVERAGE else "**not met**"
        kept = "kept" if precision >= _PROMISED else "**not kept**"
        said.append(
            f"{outcome}: {gain:+.1f} points of precision over both averaged, at a coverage of "
            f"{coverage:.0%}: {met}; the 95 % promised: {kept}"
        )
    return (
        "Two witnesses as a gate were to win 5 points of precision at a coverage of 60 % or more. "
        + ". ".join(word[0].upper() + word[1:] for word in said)
        + ". So conflicts are shown to people, and nothing is written or taken back by them."
    )


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
