"""The step that looks for entities of the graph that may be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.review_schemas import DuplicateOut, DuplicatesOut
from kg.errors import SettingError

if TYPE_CHECKING:
    from api.review_desk import ReviewDesk

__all__ = ["duplicates"]


def duplicates(
    desk: ReviewDesk,
    *,
    label: str | None = None,
    least: float = 0.5,
    limit: int = 100,
    dry_run: bool = True,
) -> DuplicatesOut:
    """Look for entities that may be one; without a dry run they become cases of the review.

    Args:
        desk: Where they are decided; pairs that were decided are not found again.
        label: Class of entities to look at; all if not given.
        least: Least probability, in [0, 1].
        limit: Most pairs, the likeliest.
        dry_run: Write nothing.

    Raises:
        SettingError: A limit is out of range.
        LimitError: Too many share a spelling.
    """
    from linkers.review.duplicate_weights import decided_pairs, learnt_weights
    from linkers.review.duplicates import find_duplicates

    if not 0 <= least <= 1 or not 1 <= limit <= 10_000:
        raise SettingError("least lies in [0, 1] and limit in [1, 10000]", where="--least, --limit")
    store = desk.store
    with desk.holding() as review:
        weights, answered = learnt_weights(decided_pairs(review)), set(review.answers)
    found = find_duplicates(
        store.entities(label), store.edges(), least=least, decided=answered, weights=weights
    )
    new = 0 if dry_run else desk.add(pair.case for pair in found[:limit])
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
        for pair in found[:limit]
    )
    return DuplicatesOut(
        pairs=pairs,
        found=len(found),
        new_cases=new,
        learnt_from=weights.merged + weights.parted,
    )
