"""The page of `bench.search`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.search.hybrid import C

__all__ = ["page"]


def page(result: Mapping[str, Any]) -> str:
    """Return the page of a result."""
    chosen, alone, machine = result["chosen"], result["words_alone"], result["machine"]
    told = (
        f"nDCG@10 (standard error), MRR: on the test half of each set, commit {result['commit']},"
        f" {result['date']}, {machine['cores']} cores, seed {result['seed']}, at most"
        f" {result['most']} queries a set. `bench/search.py` says what the sets are and what is"
        " indexed for each. Chosen on"
        f" valid: names {chosen['names']:g}, facts {chosen['facts']:g}, meaning"
        f" {chosen['meaning']:g} (words 1, rank constant {C}); for words alone names"
        f" {alone['names']:g}, facts {alone['facts']:g}."
    )
    head = ("answer stands in", "n", "words (BM25)", "meaning (vectors)", "both")
    head += ("both - words", "both - meaning")
    lines = ["<!-- Written by `python -m bench.search`. -->", ""]
    lines += ["# Search by words, by meaning, by both", "", told, ""]
    lines += [f"| {' | '.join(head)} |", "|---|---:|---:|---:|---:|---:|---:|"]
    for name, row in result["test"].items():
        cells = [
            f"{row[k]['ndcg_at_10']:.3f} ({row[k]['se']:.3f}), {row[k]['mrr']:.3f}"
            for k in ("words", "meaning", "both")
        ]
        gaps = [
            "{1:+.3f} [{0:+.3f}, {2:+.3f}]".format(*row[f"over_{k}"]) for k in ("words", "meaning")
        ]
        lines.append(f"| {name} | {row['n']} | {' | '.join([*cells, *gaps])} |")
    lines += ["", "Gaps are of nDCG@10 with 95 % intervals of a paired bootstrap over queries.", ""]
    return "\n".join(lines)
