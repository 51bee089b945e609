"""The page of `bench.suggestions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.suggestions_methods import METHODS

__all__ = ["page"]

HEADS = {
    "unchanged": "the query unchanged, by vectors",
    "frequent": "told the group: its most frequent fact",
    "nearest": "told the group: fact nearest to its mean vector",
    "ours": "**told the group: fact of best F1**",
    "frequent as words": "most frequent, as words",
    "nearest as words": "nearest, as words",
    "ours as words": "best F1, as words",
    "five frequent": "not told: best of the five most frequent",
    "our five": "**not told: best of our five suggestions**",
}


def page(result: Mapping[str, Any]) -> str:
    """Return the page of a result."""
    told = (
        f"Commit `{result['commit']}`, {result['date']}, {result['machine']['cores']} cores, seed"
        f" {result['seed']}: `{result['command']}`. What a query, a group and each method is says"
        " `bench/suggestions.py`. Choices were made on valid; test decides nothing."
    )
    lines = ["<!-- Written by `python -m bench.suggestions`. -->", ""]
    lines += ["# Suggestions: do they lead to groups that people see?", "", told]
    for name, found in result["sets"].items():
        lines += ["", f"## {name}: {found['groups']} groups of {found['queries']} queries", ""]
        lines += ["| | closed recall | AP | closeness | duplicates |", "|---|---:|---:|---:|---:|"]
        for method in METHODS:
            row = found[method]
            figures = (row["closed_recall"], row["ap"], row["closeness"], row["duplicates"])
            lines.append(f"| {HEADS[method]} | {' | '.join(f'{one:.3f}' for one in figures)} |")
        lines += ["", _verdict(found)]
    return "\n".join([*lines, ""])


def _verdict(found: Mapping[str, Any]) -> str:
    """Hold the two conditions of the default against the figures."""
    times = found["ours"]["closed_recall"] / max(1e-9, found["unchanged"]["closed_recall"])
    low, mean, high = found["ap over frequent"]
    keeps = "met" if times >= 1.5 else "not met"
    fits = "met" if mean >= 0 else "not met"
    return (
        f"Closed recall is {times:.2f} times that of the unchanged query (wanted 1.5: {keeps}); AP"
        f" against the group's most frequent fact {mean:+.3f} [{low:+.3f}, {high:+.3f}] (wanted not"
        f" below: {fits}; 95 % interval of a paired bootstrap over groups)."
    )
