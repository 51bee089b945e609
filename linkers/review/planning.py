"""From a request to its change: what is left open is filled in, what makes no sense is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kg.errors import InputError
from kg.model import EntityKey
from kg.store import Store
from linkers.review.change import Change
from linkers.review.effects import mention_change
from linkers.review.model import Case, Request
from linkers.review.union import merge_change, split_change

__all__ = ["Plan", "planned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A request as it will be kept, and what it does.

    Attributes:
        request: With all that was left open.
        change: What it does to the graph as it is now.
        case: Id of the case that it decides, if any.
    """

    request: Request
    change: Change
    case: str | None = None


def planned(
    store: Store, request: Request, case: Case | None, at: str, *, proposed: EntityKey | None = None
) -> Plan:
    """Plan any request but an undo.

    Args:
        store: The graph.
        request: What is asked for.
        case: The case that it names, if it names one.
        at: When it is decided.
        proposed: What the linker proposed, as it is called after merges.

    Raises:
        InputError: The request does not fit the case.
        UnknownEntityError: An entity that it names is not there.
        ConflictError: The graph does not allow it.
    """
    name = None if case is None else case.id
    if request.kind == "split":
        return Plan(request=request, change=split_change(store, request, at))
    if request.kind == "accept" and case is not None and case.pair is not None:
        stays, goes = case.pair
        request = replace(request, kind="merge", entity=stays, keys=(goes,))
    if request.kind == "merge":
        return Plan(request=request, change=merge_change(store, request, at), case=name)
    if case is None:  # its kind needs one: `Request` has seen to it
        raise InputError("no case is named")
    if case.pair is not None and request.kind != "reject":
        raise InputError("a pair is accepted, rejected or merged", where=case.id)
    if request.kind == "accept":
        if request.entity not in (None, case.entity, proposed):
            raise InputError(
                f"{request.entity!r:.80} was not proposed", where=case.id, hint="decide 'other'"
            )
        kind = request.kind if proposed is not None else "reject"
        request = replace(request, kind=kind, entity=proposed)
    return Plan(request=request, change=mention_change(store, request, case, at), case=name)
