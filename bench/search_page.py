"""The page of `bench.search`, and the tables that it shares with that of `bench.search_demo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["HEADS", "RIVALS", "page", "tables"]

HEADS = {
    "words": "BM25 over all fields",
    "meaning": "vectors",
    "unified": "BM25 + vectors, equal",
    "equal": "all lists, equal",
    "blended": "shipped",
    "stranger": "graph never seen",
}
RIVALS = ("words", "meaning", "unified", "equal")
"""What the search is held against; the last is a fusion of all lists by places."""
SETS = (
    ("FB15k-237", "facts", "a description of an entity, its own names masked",
     "names, and names of neighbours in the training graph; no description"),
    ("FB15k-237", "names", "an alias that is not indexed",
     "the other names, descriptions, names of neighbours"),
    ("FB15k-237", "prose", "half of the words of a description, drawn at random", "the same"),
    ("DB15K", "facts", "two or three facts that hold for one entity alone",
     "names, names of neighbours in the training graph"),
    ("DB15K", "names", "a name with one letter wrong", "the same"),
    ("emoji", "names", "a concept's name in one of six other languages", "English names, tags"),
    ("emoji", "prose", "what people type for it", "the same"),
    ("VRD", "picture", "three relations between things on a picture", "names of its parts"),
    ("countries", "facts", "two or three facts that hold for one country alone", "the demo"),
    ("countries", "names", "a foreign name or an adjective that no name spells", "the demo"),
    ("countries", "picture", "the description of a flag, the country's names masked", "the demo"),
    ("countries", "prose", "half of the words that the Factbook begins with, names masked",
     "the demo, with these texts as prose"),
)  # fmt: skip
"""Of each set: the graph, where the answer stands, what is asked, and what is indexed."""


def page(result: Mapping[str, Any]) -> str:
    """Return the page of a result."""
    told = (
        f"nDCG@10 (standard error), MRR. Commit `{result['commit']}`, {result['date']},"
        f" {result['machine']['cores']} cores, seed {result['seed']}: `{result['command']}`. The"
        " sets are made by `bench/search_lists.py`, what is compared says `bench/search.py`; the"
        " test queries of the demo are asked by [`bench.search_demo`](search-demo.md). All is"
        " fitted on valid, and its form was chosen there with each graph left out in turn. The"
        " test queries of FB15k-237 were looked at three times by a search that this one replaced,"
        " and once by this one; those of the other graphs once."
    )
    lines = ["<!-- Written by `python -m bench.search`. -->", "", "# Search on several graphs"]
    lines += ["", told, "", "| graph | answer stands in | a query is | searched are |"]
    lines += ["|---|---|---|---|", *(f"| {' | '.join(row)} |" for row in SETS)]
    lines += ["", (
        "*Shipped* was fitted on the valid queries of all these graphs. *Graph never seen* is the"
        " same search fitted without the graph that is asked: so it does on a graph of yours."
    )]  # fmt: skip
    lines += ["", "## Test", "", *tables(result["test"])]
    lines += ["", "## Valid", "", (
        "By the column *graph never seen* the form of the sum was chosen; *shipped* has seen these"
        " queries."
    ), "", *tables(result["valid"])]  # fmt: skip
    blend = ", ".join(f"{k} {v:.2f}" for k, v in result["blend"].items() if k != "format")
    lines += ["", f"What was learnt, beside 1 for the best field: {blend}."]
    return "\n".join([*lines, ""])


def tables(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the table of the scores, that of the gaps, and what they say in words."""
    lines = [f"| graph | answer stands in | n | {' | '.join(HEADS.values())} |"]
    lines += [f"|---|---|---:|{'---:|' * len(HEADS)}"]
    for row in rows:
        cells = [
            "{ndcg_at_10:.3f} ({se:.3f}), {mrr:.3f}".format(**row["scores"][name]) for name in HEADS
        ]
        lines.append(f"| {row['graph']} | {row['kind']} | {row['n']} | {' | '.join(cells)} |")
    for ours, head in (("blended", "shipped"), ("stranger", "graph never seen")):
        named = " | ".join(HEADS[name] for name in RIVALS)
        lines += ["", f"| {head} minus | answer stands in | {named} |"]
        lines += [f"|---|---|{'---:|' * len(RIVALS)}"]
        for row in rows:
            gaps = row["gaps"][ours]
            cells = ["{1:+.3f} [{0:+.3f}, {2:+.3f}]".format(*gaps[name]) for name in RIVALS]
            lines.append(f"| {row['graph']} | {row['kind']} | {' | '.join(cells)} |")
    lines += ["", "Gaps are of nDCG@10 with 95 % intervals of a paired bootstrap over queries."]
    for ours, head in (("blended", "The shipped search"), ("stranger", "On a graph never seen it")):
        lines += ["", f"{head} is {_verdict(rows, ours)}"]
    return lines


def _verdict(rows: Sequence[Mapping[str, Any]], ours: str) -> str:
    """Say where it surely wins against the best of its rivals, and where it loses to any."""
    better = [
        f"{row['graph']} {row['kind']}"
        for row in rows
        if all(low > 0 for low, _, _ in row["gaps"][ours].values())
    ]
    worse = [
        f"{row['graph']} {row['kind']} (than {HEADS[name]})"
        for row in rows
        for name, (_, _, high) in row["gaps"][ours].items()
        if high < 0
    ]
    return (
        f"surely better than each of the four on: {', '.join(better) or 'none'}."
        f" It is surely worse on: {', '.join(worse) or 'none'}."
    )
