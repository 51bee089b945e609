"""What a run of the kit prints and keeps: counts an area and a door, failures with reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.tck.running import Verdict

__all__ = ["counted", "page", "share"]

TITLES = {"api": "Umbra's own API", "bolt": "Bolt"}


def share(verdicts: Iterable[Verdict]) -> float:
    """Return the part of the cases that passed, of those that were run; 1 if none was."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    run = counts["passed"] + counts["failed"]
    return counts["passed"] / run if run else 1.0


def counted(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return a door's counts, in all and by area, and what did not pass with its reason."""
    areas: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        areas.setdefault(verdict.scenario.area, Counter())[verdict.outcome] += 1
    return {
        "passed_share": share(verdicts),
        "counts": dict(Counter(verdict.outcome for verdict in verdicts)),
        "areas": {name: dict(counts) for name, counts in sorted(areas.items())},
        **{
            outcome.replace(" ", "_"): {
                verdict.scenario.id: verdict.reason
                for verdict in verdicts
                if verdict.outcome == outcome
            }
            for outcome in ("failed", "left out")
        },
    }


def page(result: Mapping[str, Any]) -> str:
    """Return a run of the kit in Markdown."""
    doors: Mapping[str, Any] = result["doors"]
    machine = result["machine"]
    heads = [f"{TITLES[name]}: passed | failed | left out" for name in doors]
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores, {result['seconds']:.0f} s. Each case runs on an empty graph of "
        "the embedded store, through `Store.query` and `Store.execute`, and by the official driver "
        "on the engine's Bolt port. Rows and columns are compared with their types, side effects "
        "by reading the whole graph before and after, errors by class: what the kit wants at "
        "compile time must be a `QuerySyntaxError` (an unknown name `UnsupportedQueryError`), what "
        "it wants at run time a `QueryValueError` of its type; openCypher's word for the error is "
        "compared where Umbra knows it. Errors over Bolt are told apart by the same table."
    )
    lines = [
        "# The openCypher compatibility kit",
        "",
        about,
        "",
        "".join(
            f"**{TITLES[name]}: {100 * door['passed_share']:.1f} %** of "
            f"{door['counts'].get('passed', 0) + door['counts'].get('failed', 0)} cases. "
            for name, door in doors.items()
        ).strip(),
        "",
        f"| area | {' | '.join(heads)} |",
        f"|---|{'---|' * (3 * len(heads))}",
    ]
    areas = sorted({area for door in doors.values() for area in door["areas"]})
    for area in areas:
        cells = [
            str(door["areas"].get(area, {}).get(outcome, 0))
            for door in doors.values()
            for outcome in ("passed", "failed", "left out")
        ]
        lines.append(f"| {area} | {' | '.join(cells)} |")
    left = {case: why for door in doors.values() for case, why in door["left_out"].items()}
    lines += [
        "",
        "What fails, and why, stands in `tests/tck/known_failures.txt`; the list may only shrink.",
        "",
        f"## Left out ({len(left)})",
        "",
        *(f"- {case}: {why}" for case, why in left.items()),
        "",
    ]
    return "\n".join(lines)
