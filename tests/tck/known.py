"""The list of cases that are known to fail: as long as the truth, and it may only shrink."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.tck.running import Verdict

__all__ = ["LIST", "Surprises", "known_failures", "surprises"]

LIST = Path(__file__).with_name("known_failures.txt")


@dataclass(frozen=True)
class Surprises:
    """Where a run and the list differ.

    Attributes:
        new: Cases that failed and are not listed.
        mended: Cases that are listed and passed: their lines must go.
    """

    new: tuple[str, ...]
    mended: tuple[str, ...]


def known_failures(door: str, path: Path = LIST) -> frozenset[str]:
    """Return the cases that are listed for a door.

    A line holds the doors that a case fails on (``api``, ``bolt`` or ``both``) and its id; a line
    that begins with ``#`` says why those below fail.

    Raises:
        ValueError: A line is not of that form.
    """
    found = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        doors, _, case = line.partition(" ")
        if doors not in ("api", "bolt", "both") or not case.strip():
            raise ValueError(f"{path}:{number}: expected api, bolt or both, and a case: {line!r}")
        if doors in (door, "both"):
            found.add(case.strip())
    return frozenset(found)


def surprises(verdicts: Iterable[Verdict], known: frozenset[str]) -> Surprises:
    """Compare a run with the list; cases that were not run are not looked at."""
    outcomes = {verdict.scenario.id: verdict.outcome for verdict in verdicts}
    return Surprises(
        new=tuple(
            case for case, came in outcomes.items() if came == "failed" and case not in known
        ),
        mended=tuple(case for case, came in outcomes.items() if came == "passed" and case in known),
    )
