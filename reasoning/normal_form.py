"""The normal form of a query: equal questions become equal trees; semantics stay as they were.

In normal form a negation stands only as a branch of an intersection that also has a positive
branch, and never above another negation. Interpreters rely on that. An unsafe query ("everything
but …") has no such form: `reasoning.safety` refuses it.

Every node is rewritten to a sign and a positive tree, "in" or "not in":

    not x            the other sign
    and              x1 ∧ … ∧ ¬y1 ∧ …      if there is a positive branch, else  ¬(y1 ∨ …)
    or               x1 ∨ …                if all are positive,  else  ¬(y1 ∧ … ∧ ¬x1 ∧ …)
    projection       only of a positive tree
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import assert_never

from kg.errors import LimitError
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Span,
    Union,
)
from reasoning.safety import check_safe, check_size

__all__ = ["EVERYTHING", "normalise", "to_disjunctive"]

EVERYTHING = Compare("key", "starts with", "")
"""True of every entity, since each has a key; left out beside another positive branch."""


def normalise(tree: Query) -> Query:
    """Return the normal form of a query.

    Double negations are gone, nested intersections and unions are flat, a negated union is a
    negation of each branch, branches stand once each in a fixed order (what leads somewhere first,
    then labels and comparisons, then negations). Spans are kept. Idempotent. An unsafe tree keeps
    its meaning and stays unsafe.

    Raises:
        LimitError: The tree is too deep or too large.

    Example:
        >>> from kg.model import EntityKey
        >>> a, b = Labelled("Country"), Projection("speaks", Anchor(EntityKey("language:ara")))
        >>> normalise(Negation(Negation(Intersection((a, b))))) == normalise(Intersection((b, a)))
        True
    """
    check_size(tree)
    positive, rewritten = _signed(tree)
    return rewritten if positive else Negation(rewritten, span=tree.span)


def _signed(node: Query) -> tuple[bool, Query]:
    """Return (sign, tree without a negation on top): the node means "in tree" or "not in tree"."""
    match node:
        case Anchor() | Labelled() | Compare():
            return True, node
        case SoftAnchor():
            return True, _ordered(node)
        case Projection(child=child):
            positive, inner = _signed(child)
            return True, replace(node, child=inner if positive else Negation(inner, child.span))
        case Negation(child=child):
            positive, inner = _signed(child)
            return not positive, inner
        case Intersection(children=branches):
            ins, outs = _split(branches)
            if ins:
                return True, _intersection(ins, outs, node.span)
            return False, _union(outs, node.span)
        case Union(children=branches):
            ins, outs = _split(branches)
            if not outs:
                return True, _union(ins, node.span)
            return False, _intersection(outs, ins, node.span)
        case _:
            assert_never(node)


def _ordered(node: SoftAnchor) -> Query:
    """Order candidates, the surest first; one that is sure and alone is a plain anchor."""
    ordered = tuple(sorted(node.candidates, key=lambda pair: (-pair[1], pair[0])))
    if len(ordered) == 1 and ordered[0][1] == 1.0:
        return Anchor(ordered[0][0], node.span)
    return replace(node, candidates=ordered)


def _split(branches: Sequence[Query]) -> tuple[list[Query], list[Query]]:
    ins: list[Query] = []
    outs: list[Query] = []
    for branch in branches:
        positive, tree = _signed(branch)
        (ins if positive else outs).append(tree)
    return ins, outs


def _intersection(ins: Iterable[Query], outs: Iterable[Query], span: Span | None) -> Query:
    flat = _flat(ins, Intersection)
    flat = [tree for tree in flat if tree != EVERYTHING] or flat
    negated = [Negation(tree, tree.span) for tree in _flat(outs, Union)]
    return _joined([*flat, *negated], Intersection, span)


def _union(branches: Iterable[Query], span: Span | None) -> Query:
    return _joined(_flat(branches, Union), Union, span)


def _flat(branches: Iterable[Query], kind: type[Intersection] | type[Union]) -> list[Query]:
    flat: list[Query] = []
    for branch in branches:
        flat.extend(branch.children if isinstance(branch, kind) else (branch,))
    return flat


def _joined(
    branches: list[Query],
    make: Callable[[tuple[Query, ...], Span | None], Query],
    span: Span | None,
) -> Query:
    once = {_order(branch): branch for branch in reversed(branches)}
    ordered = tuple(once[key] for key in sorted(once))
    return ordered[0] if len(ordered) == 1 else make(ordered, span)


_RANKS: dict[type, int] = {
    Anchor: 0,
    SoftAnchor: 1,
    Projection: 2,
    Intersection: 3,
    Union: 4,
    Labelled: 5,
    Compare: 6,
    Negation: 7,
}


def _order(node: Query) -> tuple[int, str]:
    """Return what branches are sorted and compared by; a repr holds no spans, so neither does it.

    A repr also tells 1 from 1.0 and True, which Python's equality does not.
    """
    return _RANKS[type(node)], repr(node)


def to_disjunctive(tree: Query, *, limit: int = 64) -> tuple[Query, ...]:
    """Return trees without unions whose answers, taken together, are those of the query.

    For interpreters whose shapes have no union (cones). Projections and intersections distribute
    over unions; a negated union becomes several negated branches.

    Args:
        tree: A query.
        limit: Most trees at any point of the work.

    Raises:
        LimitError: There would be more than `limit` trees.
        UnsafeQueryError: The query is unsafe.
    """
    check_safe(tree)
    branches = _alternatives(normalise(tree), limit)
    once = {_order(branch): branch for branch in map(normalise, branches)}
    return tuple(once[key] for key in sorted(once))


def _alternatives(node: Query, limit: int) -> list[Query]:
    match node:
        case Anchor() | SoftAnchor() | Labelled() | Compare() | Negation():
            return [node]
        case Projection(child=child):
            return [replace(node, child=branch) for branch in _alternatives(child, limit)]
        case Union(children=branches):
            found = [tree for branch in branches for tree in _alternatives(branch, limit)]
            _check_count(len(found), limit)
            return found
        case Intersection(children=branches):
            outs = [
                Negation(tree, branch.span)
                for branch in branches
                if isinstance(branch, Negation)
                for tree in _alternatives(branch.child, limit)
            ]
            ins = [_alternatives(b, limit) for b in branches if not isinstance(b, Negation)]
            _check_count(max(len(outs), prod(map(len, ins))), limit)
            return [_joined([*chosen, *outs], Intersection, node.span) for chosen in product(*ins)]
        case _:
            assert_never(node)


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise LimitError(
            f"a query has {count} alternatives, more than {limit}",
            hint="ask it in parts, or by an interpreter that keeps unions (exact, symbolic)",
        )
