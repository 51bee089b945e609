"""Who wrote a value: claims, each a value and the records by which it was written.

A value that was written over is kept below the newer one while a record still speaks for it, so
that taking records away gives what the writes that are left would have given in their order
(`kg.claimed` does this to entities and edges). A record speaks for one value of a field: the last
that it wrote; so a field holds at most one claim a record, however often it is written.

Source of the idea: last-writer-wins registers (Shapiro et al. 2011) that keep the others' writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kg.provenance import Provenance

__all__ = ["NOBODY", "SILENT", "Claim", "Claims", "above", "beside", "left_of", "same", "speakers"]

NOBODY = ""
"""Speaks for what was written without a record; no undo takes it away."""

SILENT = "-"
"""Stands for `NOBODY` in a row that brings something back, where it tells a place and no more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One value of a field, or one alias.

    Attributes:
        value: The value.
        by: Identities of the records that wrote it (`Provenance.identity`), or `NOBODY`.
    """

    value: Any
    by: frozenset[str]


Claims = tuple[Claim, ...]
"""Of one field, the oldest first: the last one holds. Of aliases: all hold, in their order."""


def speakers(records: Iterable[Provenance]) -> frozenset[str]:
    """Return who speaks by some records: `NOBODY` if there are none."""
    return frozenset(record.identity for record in records) or frozenset((NOBODY,))


def above(old: Claims, new: Claims, own: frozenset[str]) -> Claims:
    """Return claims of a field with newer ones written over them.

    Args:
        old: What is there.
        new: What is written, oldest first.
        own: Who writes. Claims of others among `new` only say where an own one belongs: below the
            next of them that is there, and on top if there is none.

    Example:
        >>> one, two = Claim(1, frozenset("a")), Claim(2, frozenset("b"))
        >>> [claim.value for claim in above((one,), (two,), two.by)]
        [1, 2]
        >>> [claim.value for claim in above((two,), (one, two), one.by)]
        [1, 2]
    """
    moved = frozenset().union(*(claim.by for claim in new)) & own
    told = [(claim, _others(claim, own)) for claim in new]
    found = [Claim(claim.value, claim.by - moved) for claim in old]
    if any(others for _, others in told):  # most writes tell no place
        found = _parted(found, told)
    place = len(found)
    for claim, others in reversed(told):
        place = min([place, *(at for at, each in enumerate(found) if each.by & others)])
        if claim.by & own:
            found.insert(place, Claim(claim.value, claim.by & own))
    return _joined(found)


def _others(claim: Claim, own: frozenset[str]) -> frozenset[str]:
    others = claim.by - own
    return others | {NOBODY} if SILENT in others else others


def _parted(found: Iterable[Claim], told: Iterable[tuple[Claim, frozenset[str]]]) -> list[Claim]:
    """Part what was joined when one between was taken away, so that it can come back between."""
    parted: list[Claim] = []
    for one in found:
        rest = one.by
        for claim, others in told:
            some = rest & others
            if some and some < rest and same(claim.value, one.value):
                parted.append(Claim(one.value, some))
                rest -= some
        parted.append(Claim(one.value, rest))  # with those who came since: they are newer
    return parted


def beside(old: Claims, new: Claims, own: frozenset[str]) -> Claims:
    """Return claims of aliases with others added; those of `new` stand as `above` says."""
    found = list(old)
    place = len(found)
    for claim in reversed(new):
        at = next((n for n, each in enumerate(found) if each.value == claim.value), None)
        if at is not None:
            found[at] = Claim(claim.value, found[at].by | (claim.by & own))
            place = min(place, at) if claim.by - own else place
        elif claim.by & own:
            found.insert(place, Claim(claim.value, claim.by & own))
    return tuple(found)


def left_of(claims: Claims, who: frozenset[str]) -> Claims:
    """Return what is left of claims of a field, or of aliases, if only these still speak."""
    return _joined(Claim(claim.value, claim.by & who) for claim in claims)


def _joined(claims: Iterable[Claim]) -> Claims:
    """Leave out claims without a speaker, and make neighbours of one value one claim."""
    found: list[Claim] = []
    for claim in claims:
        if claim.by and found and same(found[-1].value, claim.value):
            found[-1] = Claim(claim.value, found[-1].by | claim.by)
        elif claim.by:
            found.append(claim)
    return tuple(found)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal and of one type: 1 is not True."""
    return bool(one == other) and repr(one) == repr(other)
