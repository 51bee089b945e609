"""What the boxes of two things rule out: predicates that cannot be true as the picture lies.

Narrow on purpose: annotators call many things "above" that overlap, so only what lies lower at both
its edges is ruled out. Of what VRD's annotators say in training images that strikes 0.5 % of
``above`` and at most 2.1 % of each predicate said 100 times, but 2.7 % of ``on the left of``, 2.8 %
of ``on the right of``; of the rare ``inside`` 3 of 29 and of ``contain`` 2 of 21. With subject and
object exchanged it strikes 86 % of ``above``; rules of a gap are the same both ways and see no
exchange (`bench.scenes_checks` counts all).
"""

from __future__ import annotations

from kg.model import BoxXyxy
from scenes.geometry import box_overlap, contradicts

__all__ = ["ruled_out"]

_ABOVE = frozenset({"above", "over", "on the top of"})
_BELOW = frozenset({"below", "under", "beneath"})
_LEFT = frozenset({"left of", "on the left of"})
_RIGHT = frozenset({"right of", "on the right of"})
_WITHIN = frozenset({"in", "inside", "contain", "surrounds"})
_TOUCHING = frozenset({"wear", "hold", "carry", "ride", "sit on", "stand on", "on"})
_FAR = 0.1
"""Gap of the boxes, of the longer side of the picture, beyond which nothing is worn or held."""


def ruled_out(
    predicate: str, subject: BoxXyxy, other: BoxXyxy, *, side: float | None = None
) -> str | None:
    """Say why a predicate cannot be true of two boxes; None where the boxes allow it.

    Args:
        predicate: As an edge or an annotation names it: ``left_of``, ``on the left of`` ….
        subject: Box of the subject.
        other: Box of the object.
        side: Longer side of the picture in pixels; None for that of the box around both.

    Example:
        >>> ruled_out("above", (0, 8, 2, 9), (0, 0, 2, 3))
        'the subject lies lower: rows 8 to 9, the object 0 to 3'
        >>> ruled_out("above", (0, 0, 2, 5), (0, 2, 2, 4)) is None
        True
    """
    name = predicate.replace("_", " ")
    if name in _ABOVE | _BELOW:
        higher = name in _BELOW
        if _beyond(other, subject, 1) if higher else _beyond(subject, other, 1):
            return f"the subject lies {'higher' if higher else 'lower'}: " + _span(
                "rows", subject, other, 1
            )
    elif name in _LEFT | _RIGHT:
        left = name in _RIGHT
        if _beyond(other, subject, 0) if left else _beyond(subject, other, 0):
            return f"the subject lies further {'left' if left else 'right'}: " + _span(
                "columns", subject, other, 0
            )
    elif name in _WITHIN:
        if box_overlap(subject, other) <= 0:
            return f"the boxes share nothing, a gap of {_gap(subject, other):g} pixels"
    elif name in _TOUCHING:
        gap = _gap(subject, other)
        whole = side or max(
            max(subject[i + 2], other[i + 2]) - min(subject[i], other[i]) for i in (0, 1)
        )
        if gap > _FAR * whole:
            return f"a gap of {gap:g} pixels lies between the boxes"
    elif contradicts(predicate, subject, other):
        return "the centre of one lies outside the box of the other"
    return None


def _beyond(first: BoxXyxy, second: BoxXyxy, axis: int) -> bool:
    """Whether the first box lies further along an axis at both its edges."""
    return first[axis] > second[axis] and first[axis + 2] > second[axis + 2]


def _span(unit: str, subject: BoxXyxy, other: BoxXyxy, axis: int) -> str:
    return (
        f"{unit} {subject[axis]:g} to {subject[axis + 2]:g}, "
        f"the object {other[axis]:g} to {other[axis + 2]:g}"
    )


def _gap(first: BoxXyxy, second: BoxXyxy) -> float:
    gaps = (max(first[i], second[i]) - min(first[i + 2], second[i + 2]) for i in (0, 1))
    return max(0.0, *gaps)
