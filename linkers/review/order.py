"""Which case first: the one whose answer is worth most.

A case is worth ``doubt x (1 + ln n) / (1 + d)``: its doubt is 1 minus the lead of the likeliest
outcome (an entity, or NIL) over the next; n is how many open cases have the same words, d how many
of them were decided, since each answer teaches the linker the words. Ties go by id.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from linkers.names import normalised
from linkers.review.model import Case

__all__ = ["doubt", "most_useful_first", "worths"]


def doubt(case: Case) -> float:
    """Return how unsure the linker was, in [0, 1]; of a pair, how close it is to a toss-up.

    Example:
        >>> doubt(Case(id="a", probability=0.5, nil_probability=0.5))
        1.0
    """
    if case.pair is not None:
        return 1 - abs(2 * case.probability - 1)
    known = [candidate.probability for candidate in case.candidates] or [case.probability]
    first, second = (*sorted((*known, case.nil_probability), reverse=True), 0.0)[:2]
    return min(1.0, max(0.0, 1 - (first - second)))


def most_useful_first(opened: Iterable[Case], decided: Iterable[Case] = ()) -> list[Case]:
    """Return open cases, the most useful first.

    Args:
        opened: The cases that wait.
        decided: Those that were decided.
    """
    found = worths(opened, decided)
    return [case for _, case in sorted(found, key=lambda row: (-row[0], row[1].id))]


def worths(opened: Iterable[Case], decided: Iterable[Case] = ()) -> list[tuple[float, Case]]:
    """Return open cases with what each is worth, in the order in which they were given.

    Args:
        opened: The cases that wait.
        decided: Those that were decided.
    """
    waiting = list(opened)
    repeats = Counter(map(_words, waiting))
    answered = Counter(map(_words, decided))

    def worth(case: Case) -> float:
        words = _words(case)
        return doubt(case) * (1 + math.log(repeats[words])) / (1 + answered[words])

    return [(worth(case), case) for case in waiting]


def _words(case: Case) -> str:
    return case.id if case.mention is None else normalised(case.mention.surface) or case.id
