"""What if an edge were there, or were not: the answers under edits beside those of the graph."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from kg.errors import InputError
from kg.model import EdgeKey, EntityKey
from reasoning.answers import Answer, Answers
from reasoning.protocols import Answerer, Edits
from reasoning.query import Query

__all__ = ["COMPARED", "Change", "Changes", "compared", "edits_of", "what_if"]

MAX_EDITS = 1_000
"""Most edges that one call adds or takes away."""

COMPARED = 1_000
"""How far below the last answer that is shown the other side is looked through."""

_NOTICED = 1e-9
"""A probability that differs by less has not moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An entity that is an answer before, after, or both.

    Attributes:
        entity: Its key.
        before: The answer over the graph as it is; None if it was not among the answers.
        after: The answer under the edits; None if it is not among them.
    """

    entity: EntityKey
    before: Answer | None
    after: Answer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What edits do to the answers of one query.

    Attributes:
        edits: The edges added and taken away.
        after: The answers under the edits.
        new: Answers that were none, best first.
        gone: Answers that are none any more, best first.
        moved: Answers of both whose probability or status differs, in the order of `after`.
    """

    edits: Edits
    after: Answers
    new: tuple[Change, ...]
    gone: tuple[Change, ...]
    moved: tuple[Change, ...]


def edits_of(added: Iterable[EdgeKey], removed: Iterable[EdgeKey]) -> Edits:
    """Return edits that a caller asked for.

    Raises:
        InputError: An edge is both added and taken away, or there are more than 1,000.
    """
    edits = Edits(added=frozenset(added), removed=frozenset(removed))
    both = sorted(edits.added & edits.removed)
    if both:
        raise InputError(
            f"the edge {' '.join(both[0])!r:.200} is both assumed and taken away",
            hint="leave one of the two out",
        )
    if len(edits.added) + len(edits.removed) > MAX_EDITS:
        raise InputError(f"a question may change at most {MAX_EDITS} edges")
    return edits


def what_if(
    answerer: Answerer, tree: Query, edits: Edits, *, k: int, with_proofs: bool = False
) -> Changes:
    """Return the k best answers under edits, and what differs from the graph as it is.

    What is told apart are the k best answers of either side. Each is looked for far below the k-th
    place of the other, so that none is gone because another pushed it down.

    Args:
        answerer: Answers both times.
        tree: The query.
        edits: Edges added or taken away; their ends and relations must be in the snapshot.
        k: Most answers of each side.
        with_proofs: Also explain the answers.

    Raises:
        UnknownEntityError: An end of an edge is not in the snapshot.
        UnknownRelationError: A relation is not in the snapshot.

    Example:
        >>> from kg.model import Entity
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.exact import ExactAnswerer
        >>> from reasoning.query import Labelled
        >>> graph = build_snapshot([Entity(key=EntityKey("a"), label="City", name="A")], [])
        >>> what_if(ExactAnswerer(graph), Labelled("City"), Edits(), k=3).moved
        ()
    """
    [shown] = answerer.answer([tree], k, edits=edits, with_proofs=with_proofs)
    [before] = answerer.answer([tree], k + COMPARED)
    [after] = answerer.answer([tree], k + COMPARED, edits=edits)
    best = {answer.entity for answer in (*before.answers[:k], *shown.answers)}
    return replace(compared(before, after, edits, best), after=shown)


def compared(
    before: Answers, after: Answers, edits: Edits, entities: Container[EntityKey]
) -> Changes:
    """Return what differs between the answers before and after edits.

    Args:
        before: Over the graph as it is.
        after: Under the edits.
        edits: The edits.
        entities: Of which answers are told apart.
    """
    old = {answer.entity: answer for answer in before.answers}
    new = {answer.entity: answer for answer in after.answers}
    stayed = [
        Change(entity=key, before=old[key], after=new[key])
        for key in new
        if key in old and key in entities
    ]
    return Changes(
        edits=edits,
        after=after,
        new=tuple(
            Change(entity=key, before=None, after=new[key])
            for key in new
            if key not in old and key in entities
        ),
        gone=tuple(
            Change(entity=key, before=old[key], after=None)
            for key in old
            if key not in new and key in entities
        ),
        moved=tuple(change for change in stayed if _moved(old[change.entity], new[change.entity])),
    )


def _moved(before: Answer, after: Answer) -> bool:
    changed = abs(before.probability - after.probability) > _NOTICED
    return changed or before.status != after.status
