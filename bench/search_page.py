"""The page of `bench.search`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.search.meaning import BEHIND

__all__ = ["page"]

HEADS = {
    "words": "BM25 over all fields",
    "meaning": "vectors",
    "unified": "BM25 + vectors, equal",
    "equal": "all lists, equal",
    "routed": "routed",
    "reranked": "routed, reranked",
    "told": "told the kind",
    "unseen": "kind never seen",
}


ASKED = {
    "facts": (
        "FB15k-237",
        "a description of an entity, its own names masked",
        "names, and names of neighbours in the training graph; no description",
    ),
    "names": (
        "FB15k-237",
        "an alias that is not indexed",
        "the other names, descriptions, names of neighbours",
    ),
    "picture": (
        "the demo (250 countries)",
        "the description of a flag, the country's names masked",
        "names of the flag's parts, names, names of neighbours; no description",
    ),
    "prose": (
        "FB15k-237",
        "half of the words of a description, drawn at random",
        "names, descriptions, names of neighbours",
    ),
}
"""Of each set: the graph, what is asked, and what is indexed."""


def page(result: Mapping[str, Any]) -> str:
    """Return the page of a result."""
    told = (
        f"nDCG@10 (standard error), MRR on the test half of each set. Commit `{result['commit']}`,"
        f" {result['date']}, {result['machine']['cores']} cores, seed {result['seed']}, rank"
        f" constant {result['constant']}: `{result['command']}`. The sets are made by"
        " `bench/search_lists.py`, what is compared says `bench/search.py`; names and facts of"
        " the demo are asked for by `bench.search_demo`. Router"
        " and weights are fitted on valid; test was looked at three times, as the bench says."
        f" {result.get('note', '')}"
    ).rstrip()
    lines = [
        "<!-- Written by `python -m bench.search`. -->",
        "",
        "# Search, routed by kind of query",
    ]
    lines += ["", told, "", "| answer stands in | of | a query is | searched are |"]
    lines += ["|---|---|---|---|"]
    lines += [f"| {kind} | {' | '.join(ASKED[kind])} |" for kind in result["test"]]
    lines += ["", f"| answer stands in | n | {' | '.join(HEADS.values())} |"]
    lines += [f"|---|---:|{'---:|' * len(HEADS)}"]
    for kind, row in result["test"].items():
        cells = [
            "{ndcg_at_10:.3f} ({se:.3f}), {mrr:.3f}".format(**row["scores"][name])
            if name in row["scores"]
            else "—"
            for name in HEADS
        ]
        lines.append(f"| {kind} | {row['n']} | {' | '.join(cells)} |")
    rivals = ("words", "meaning", "unified", "equal")
    lines += ["", f"| routed minus | {' | '.join(HEADS[name] for name in rivals)} | kind found |"]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    for kind, row in result["test"].items():
        cells = ["{1:+.3f} [{0:+.3f}, {2:+.3f}]".format(*row["gaps"][name]) for name in rivals]
        lines.append(f"| {kind} | {' | '.join(cells)} | {row['right_kind']:.2f} |")
    lines += ["", "Gaps are of nDCG@10 with 95 % intervals of a paired bootstrap over queries.", ""]
    lines += [_verdict(result["test"]), "", *_reranking(result), "", *_shares(result["folds"])]
    lines += _floors(result["floors"])
    return "\n".join(lines)


def _reranking(result: Mapping[str, Any]) -> list[str]:
    """Return what the learnt order adds, on valid, where it was decided on, and on test."""
    lines = ["## What reranking adds", ""]
    lines += ["nDCG@10 of the reranked list minus that of the routed one, with 95 % intervals:", ""]
    lines += ["| | valid, five folds | test | test, minus BM25 + vectors |", "|---|---:|---:|---:|"]
    shown = "{1:+.3f} [{0:+.3f}, {2:+.3f}]"
    for kind, gap in result["reranking"].items():
        own = result["test"].get(kind, {}).get("reranking", {})
        on_test = [shown.format(*own[name]) if own else "" for name in ("routed", "unified")]
        lines.append(f"| {kind} | {shown.format(*gap)} | {' | '.join(on_test)} |")
    worst = min(gap[1] for kind, gap in result["reranking"].items() if kind != "all")
    kept = result["reranking"]["all"][0] > 0 and worst > -0.01
    lost = [kind for kind, row in result["test"].items() if row["reranking"]["routed"][1] < -0.01]
    lines += ["", (
        "It is on, since on valid it gains over all and no kind loses more than a point."
        if kept
        else "It is not worth being on: on valid it gains nothing sure, or a kind loses a point."
    ) + (f" On test it loses more than a point on {_listed(lost)}." if lost else "")]  # fmt: skip
    return lines


def _shares(folds: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the table by which the steady share of the weights was chosen, and what it says."""
    halves = [name for name in next(iter(folds.values())) if name != "reranked"]
    lines = ["## How much of a weight does not depend on the query", ""]
    lines += ["nDCG@10 on valid by five folds, by the share that always goes to words and meaning:"]
    lines += ["", f"| | {' | '.join(halves)} |", f"|---|{'---:|' * len(halves)}"]
    for kind, row in folds.items():
        lines.append(f"| {kind} | {' | '.join(f'{row[half]:.3f}' for half in halves)} |")
    mean = [sum(row[half] for row in folds.values()) / len(folds) for half in halves]
    lines.append(f"| mean | {' | '.join(f'{one:.3f}' for one in mean)} |")
    names = folds.get("names")
    if names is not None:
        best = max(halves, key=lambda half: names[half])
        lines += ["", (
            f"Names do best at {best}: an alias that is not indexed is found by its meaning, and no"
            " list of one field adds to that. Such a query looks like a few words of prose, so what"
            " wins names back by a larger share is lost on the other kinds."
        )]  # fmt: skip
    return [*lines, ""]


def _floors(floors: Mapping[str, Mapping[str, list[float]]]) -> list[str]:
    """Return what each distance behind the best cosine adds on valid."""
    shares = list(next(iter(floors.values())))
    lines = ["## How near a hit by meaning must be", ""]
    said = (
        "What leaving out hits whose cosine is so far behind the best adds to nDCG@10 on valid,"
        f" with 95 % intervals; taken is {BEHIND}:"
    )
    lines += [said, "", f"| | {' | '.join(shares)} |", f"|---|{'---:|' * len(shares)}"]
    for kind, row in floors.items():
        cells = ["{1:+.4f} [{0:+.4f}, {2:+.4f}]".format(*row[share]) for share in shares]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return [*lines, ""]


def _verdict(test: Mapping[str, Any]) -> str:
    """Say in words where routing wins and where not; nothing is left to the reader's hope."""
    wins = [kind for kind, row in test.items() if row["gaps"]["unified"][0] > 0]
    losses = [kind for kind, row in test.items() if row["gaps"]["unified"][2] < 0]
    unseen = [
        kind
        for kind, row in test.items()
        if "unseen" in row["scores"]
        and row["scores"]["unseen"]["ndcg_at_10"] < row["scores"]["unified"]["ndcg_at_10"]
    ]
    text = (
        f"Routing beats one unified index on {_listed(wins)} and loses to it on {_listed(losses)}"
    )
    return (
        f"{text} (intervals that leave out 0). A router that never saw a kind of query does worse"
        f" than that index on {_listed(unseen)}: out of its domain routing is no gain there."
    )


def _listed(kinds: list[str]) -> str:
    return ", ".join(kinds) or "none"
