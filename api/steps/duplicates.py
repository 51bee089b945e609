"""The step that looks for entities of the graph that may be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cursors import cursor_of, place_of
from api.review_schemas import DuplicateOut, DuplicatesOut
from kg.errors import SettingError

if TYPE_CHECKING:
    from api.review_desk import ReviewDesk
    from linkers.review.duplicates import Duplicate

__all__ = ["duplicates"]


def duplicates(
    desk: ReviewDesk,
    *,
    label: str | None = None,
    least: float = 0.5,
    limit: int = 100,
    after: str | None = None,
    dry_run: bool = True,
) -> DuplicatesOut:
    """Look for entities that may be one; without a dry run they become cases of the review.

    Args:
        desk: Where they are decided; pairs that were decided are not found again.
        label: Class of entities to look at; all if not given.
        least: Least probability, in [0, 1].
        limit: Most pairs, the likeliest.
        after: The `next` of the page before, searched for with the same label and probability.
        dry_run: Write nothing.

    Raises:
        SettingError: A limit is out of range.
        LimitError: Too many share a spelling.
        InputError: `after` is no cursor.
    """
    from linkers.review.duplicate_weights import decided_pairs, learnt_weights
    from linkers.review.duplicates import find_duplicates

    if not 0 <= least <= 1 or not 1 <= limit <= 10_000:
        raise SettingError("least lies in [0, 1] and limit in [1, 10000]", where="--least, --limit")
    past = None if after is None else place_of(after, names=2)
    store = desk.store
    with desk.holding() as review:
        weights, answered = learnt_weights(decided_pairs(review)), set(review.answers)
    found = find_duplicates(
        store.entities(label), store.edges(), least=least, decided=answered, weights=weights
    )
    later = [pair for pair in found if past is None or _place(pair) > past]
    page = later[:limit]
    new = 0 if dry_run else desk.add(pair.case for pair in page)
    pairs = tuple(
        DuplicateOut(
            case=pair.case.id,
            stays=pair.stays,
            stays_name=desk.name(pair.stays),
            goes=pair.goes,
            goes_name=desk.name(pair.goes),
            probability=pair.probability,
            reasons=dict(pair.reasons),
        )
        for pair in page
    )
    return DuplicatesOut(
        pairs=pairs,
        found=len(found),
        next=_cursor(page[-1]) if len(page) < len(later) else None,
        new_cases=new,
        learnt_from=weights.merged + weights.parted,
    )


def _place(pair: Duplicate) -> tuple[float, tuple[str, ...]]:
    """Return what `find_duplicates` sorts by."""
    return -pair.probability, (pair.stays, pair.goes)


def _cursor(pair: Duplicate) -> str:
    return cursor_of((repr(pair.probability), pair.stays, pair.goes))
