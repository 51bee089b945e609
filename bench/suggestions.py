"""Do suggested facts lead to the groups that people see in the results of a search?

Emoji: a query is a keyword that at least twelve concepts have; the gold groups are the Unicode
subcategories among its results with at least three members. The graph holds concepts and their
tags and keywords, nothing of the subcategories. Flags: a query is "country in a region"; the groups
are clusters of the flags' pictures (k-means on vectors of the image encoder, 2 to 8 by silhouette).

Told the group, each method names one fact: ours the one with the best F1 of its results and the
group; the rivals the fact most frequent in the group, and the one whose text vector is nearest to
the group's mean. Not told the group, our five suggestions are shown as a user sees them, and the
one that fits a group best counts for it; so do the five most frequent facts. Each fact runs as a
typed query (its answers first, then the rest, both by the text vectors' likeness to the query) and
as words added to the query and searched by vectors alone.

- closed recall: the group's share found among as many of the query's results as it has members.
- AP: over all entities, divided by the whole group's size, not by what was found.
- closeness: words of the query over words of query and suggestion (Jaccard).
- duplicates: groups of a query that get a fact that another group of it already has.

The queries split by the SHA-256 of their keyword; choices (weight of overlap, value of a share)
are made on valid, test decides nothing.

Command: ``python -m bench.suggestions ../shared/data/linking --demo FOLDER --out docs/benchmarks``
(minutes; FOLDER after ``umbra build`` and ``umbra scenes run`` on the countries; without
``--demo`` no flags).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.run_record import keep, run_record
from bench.suggestions_methods import METHODS, measured
from bench.suggestions_page import page
from bench.suggestions_sets import Asked, emoji_queries, flag_queries
from encoders import packaged_text_encoder
from evaluation import paired_bootstrap

__all__ = ["main", "summary"]

FIGURES = ("closed_recall", "ap", "closeness")


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the means by method, and the paired gaps of ours to the rivals."""
    found: dict[str, Any] = {"groups": len(rows), "queries": len({row["query"] for row in rows})}
    for method in METHODS:
        figures = {name: float(np.mean([row[method][name] for row in rows])) for name in FIGURES}
        facts: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            facts[row["query"]].append(row[method]["fact"])
        again = sum(len(one) - len(set(one)) for one in facts.values())
        found[method] = {**figures, "duplicates": again / max(1, len(rows))}
    ours = np.array([[row["ours"][name] for name in FIGURES[:2]] for row in rows])
    for rival in ("unchanged", "frequent"):
        theirs = np.array([[row[rival][name] for name in FIGURES[:2]] for row in rows])
        for place, name in enumerate(FIGURES[:2]):
            gap = paired_bootstrap(ours[:, place], theirs[:, place])
            found[f"{name} over {rival}"] = [gap.low, gap.mean, gap.high]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="emoji.jsonl.gz")
    parser.add_argument("--demo", type=Path, help="working folder with flags taken apart")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    encoder = packaged_text_encoder(None, workers=1, remembers=False)
    sets: dict[str, list[Asked]] = {
        "emoji": emoji_queries(given.folder / "emoji.jsonl.gz", encoder)
    }
    if given.demo is not None:
        sets["flags"] = flag_queries(given.demo, encoder, seed=given.seed)
    found: dict[str, Any] = {}
    for name, asked in sets.items():
        for split in ("valid", "test"):
            rows = [row for one in asked if one.split == split for row in measured(one)]
            found[f"{name}, {split}"] = summary(rows)
    shown = ["../shared/data/linking", "--demo", "FOLDER", "--seed", str(given.seed)]
    result = {
        **run_record("bench.suggestions", [*shown, "--out", "docs/benchmarks"]),
        "seed": given.seed,
        "sets": found,
    }
    keep(result, page, folder=given.out, name="search-suggestions")


if __name__ == "__main__":
    main()
