"""The page of `bench.linking_speed`, written from what it kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["page"]

_GOALS = {"from raw text": 250, "from vectors": 3_000}
_FLAT = 0.10
_MANY = 1_000_000


def page(found: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        found: What each part found; parts that were not run are left out.
    """
    parts = [
        """# Speed of linking

`make bench-linking-speed` (`python -m bench.linking_speed`): the accurate linker
([its figures](linking.md)) on 40,248 entities, two processes of one thread each, as `umbra link run
--workers 2` has them. A *processor second* is one second of one core; twice the rate of one is what
two free cores give, whatever else runs on the machine. Each part names its load before it began: a
load of 2 and more means that others had the cores too, and wall rates are that much lower.
"""
    ]
    for name, write in (
        ("text", _text),
        ("vectors", _vectors),
        ("many", _many),
        ("rerank", _rerank),
    ):
        if name in found:
            parts.append(write(found[name]))
    return "\n".join(parts)


def _measured(part: Mapping[str, Any]) -> str:
    machine = part["machine"]
    return (
        f"Commit {part['commit'] or 'unknown'}, {part['date']}, {machine['cores']} cores, "
        f"{machine['memory_gb']:g} GiB, load before {part['load_before']:g}.\n"
    )


def _row(title: str, rate: Mapping[str, Any]) -> str:
    cells = (
        f"{rate['n']:,}",
        f"{rate['per_second']:,.0f}",
        f"{rate['per_processor_second']:,.0f}",
        f"{2 * rate['per_processor_second']:,.0f}",
    )
    return f"| {title} | " + " | ".join(cells) + " |"


_HEAD = [
    "| | mentions | a second, wall | a processor second | two free cores |",
    "|---|---|---|---|---|",
]


def _goal(title: str, rate: Mapping[str, Any]) -> str:
    goal, free = _GOALS[title], 2 * rate["per_processor_second"]
    reached = "reached" if free >= goal else "**not reached**"
    wall = "reached" if rate["per_second"] >= goal else "not reached"
    return (
        f"At least {goal:,} a second {title}: {free:,.0f} by processor seconds, {reached}; "
        f"{rate['per_second']:,.0f} by the wall clock of that run, {wall}.\n"
    )


def _text(part: Mapping[str, Any]) -> str:
    encoder, linked = part["encoder alone"], part["from raw text"]
    lines = ["## From raw text\n", _measured(part), *_HEAD]
    lines.append(_row(f"encoder alone ({encoder['tokens']:g} tokens a text)", encoder))
    lines.append(_row("from raw text to lines of JSON", linked))
    size = linked["bytes_a_link"]
    lines.append(
        f"""
One text is encoded for each mention (texts that are shared once), the vectors of the mentions'
words are kept. All else counts: reading words, candidates, trees, probabilities, ten candidates,
two of them with their signals ({size:,} bytes of JSON a mention).
"""
    )
    lines.append(_goal("from raw text", linked))
    return "\n".join(lines)


def _vectors(part: Mapping[str, Any]) -> str:
    first, after, peaks = part["first"], part["after"], part["peak_mb"]
    values = list(peaks.values())
    change = values[-1] / values[0] - 1
    flat = "flat" if abs(change) <= _FLAT else "**not flat**"
    lines = ["## Candidates and decision from pooled vectors\n", _measured(part), *_HEAD]
    lines.append(_row("the first: most surfaces are new", first))
    lines.append(_row("after that: most surfaces were seen", after))
    lines.append(
        f"""
Vectors of words and texts are given. The stream draws from {part["surfaces"]:,} real surfaces and
their texts; each mention has a text of its own (a number is put before it) and noise on its vector
(cosine 0.98). What letters, names and memory say of a surface is remembered for the last 16,384
surfaces. No mention has a companion in its document. Compiled loops are loaded before the clock
runs.
"""
    )
    lines.append(_goal("from vectors", after))
    lines += ["| mentions | peak memory of a process, MB |", "|---|---|"]
    lines += [f"| {int(count):,} | {peak:,.0f} |" for count, peak in peaks.items()]
    lines.append(f"\nChange {100 * change:+.1f} %: {flat} (at most ± 10 %).\n")
    if max(map(int, peaks)) < _MANY:
        lines.append(f"**This run was shorter than the goal's {_MANY:,} mentions.**\n")
    return "\n".join(lines)


def _many(part: Mapping[str, Any]) -> str:
    seconds, asked, more = part["seconds"], part["queries"], part["added"]
    titles = {
        "build": "build the index",
        "ask": f"link {asked:,} mentions, all surfaces new",
        "add": f"add {more:,} entities",
        "ask again": f"link the {asked:,} mentions again, as if all surfaces were new",
    }
    lines = [f"## {part['n']:,} entities\n", _measured(part)]
    lines += ["| | seconds, wall | processor |", "|---|---|---|"]
    lines += [
        f"| {title} | {seconds[name]['wall']:,.1f} | {seconds[name]['cpu']:,.1f} |"
        for name, title in titles.items()
    ]
    found = "is found" if part["finds the last that was added"] else "is **not** found"
    rate = asked / float(seconds["ask"]["cpu"])
    lines.append(
        f"""
That is {rate:,.1f} mentions a processor second. Peak memory {part["peak_mb"]:,.0f} MB before the
{more:,} came ({part["before_mb"]:,.0f} MB of it names and vectors before the index was built),
{part["peak_with_more_mb"]:,.0f} MB with them. The last entity that was added {found} by its name.
Adding indexes the new ones and copies tables; how rare words and n-grams are stays as it was.

Names beyond the real ones are made of the words of two real names, their vectors of the vectors of
both; encoding is not in the figures (one thread encodes some hundred names a second).
"""
    )
    if part["n"] < _MANY:
        lines.append(f"**The goal's index has {_MANY:,} entities; this run had fewer.**\n")
    return "\n".join(lines)


def _rerank(part: Mapping[str, Any]) -> str:
    return f"""## Comparing tokens, apart

{_measured(part)}
M3EL's matching network, text units, {part["candidates"]} candidates of {part["tokens"]} tokens a
mention, entities encoded before, {part["threads"]} threads: {part["per_second"]:,.0f} mentions a
second ({part["pairs_per_second"]:,} pairs), {part["per_processor_second"]:,.0f} a processor second.
The accurate linker does not use it; `linkers.Linker` does.
"""
