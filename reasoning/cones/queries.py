"""Bring any query into what cones can embed: branches of paths, with masks at the answer.

Cones have no shape for "all countries" or "population > 1e6". At the answer such a condition is an
exact mask over the candidates. At an inner variable it is kept only where it can be kept exactly: a
condition alone on a variable becomes the few entities that meet it, and a label is dropped where
the hops around the variable can only meet that label in the graph. Everything else is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from kg.errors import UnsupportedQueryError
from kg.snapshot import Snapshot
from reasoning.comparisons import matching
from reasoning.cones.validation import relation_ends
from reasoning.normal_form import normalise, to_disjunctive
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
)
from reasoning.safety import check_safe, describe
from reasoning.structures import Structure, directed, structure_of

__all__ = ["MAX_ANCHORS", "Branch", "ConeQueries"]

MAX_ANCHORS = 16
"""Most entities that a condition on an inner variable may turn into."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Branch:
    """One branch of a query in disjunctive normal form.

    Attributes:
        structure: Its paths; None where the branch has only conditions.
        anchors: Entity ids in slot order.
        relations: Directed relations in slot order.
        allowed: ``(num_entities,)`` which entities meet the conditions at the answer.
        fitting: ``(num_entities,)`` which have a label that the last hops lead to.
    """

    structure: Structure | None
    anchors: tuple[int, ...]
    relations: tuple[int, ...]
    allowed: Mask
    fitting: Mask


class ConeQueries:
    """Splits queries over one snapshot into branches.

    Args:
        snapshot: Where labels, attributes and the ends of relations come from.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._ends = relation_ends(snapshot)
        self._labels = np.asarray(snapshot.label_ids)

    def branches(self, tree: Query) -> tuple[Branch, ...]:
        """Return the branches of a query; none where it cannot have answers.

        Raises:
            UnsafeQueryError: The answers would be "everything but …".
            UnsupportedQueryError: A condition on an inner variable that cannot be kept exactly.
            UnknownEntityError: An anchor is not in the snapshot.
            UnknownRelationError: A relation is not in the snapshot.
            LimitError: The tree, or its disjunctive normal form, is too large.
        """
        check_safe(tree)
        grounded = self._at_answer(normalise(tree))
        if grounded is None:
            return ()
        return tuple(self._branch(alternative) for alternative in to_disjunctive(grounded))

    def _branch(self, tree: Query) -> Branch:
        members = tree.children if isinstance(tree, Intersection) else (tree,)
        paths = [node for node in members if not _is_condition(node)]
        everything = np.ones(len(self._labels), dtype=np.bool_)
        masks = (self._meets(node) for node in members if _is_condition(node))
        allowed = reduce(np.logical_and, masks, everything)
        if not paths:
            return Branch(
                structure=None, anchors=(), relations=(), allowed=allowed, fitting=everything
            )
        joined = paths[0] if len(paths) == 1 else Intersection(tuple(paths))
        structure, anchors, relations = structure_of(joined, self._snapshot)
        return Branch(
            structure=structure,
            anchors=anchors,
            relations=relations,
            allowed=allowed,
            fitting=self._leads_to(joined)[self._labels],
        )

    def _at_answer(self, node: Query) -> Query | None:
        """Ground what lies below the answer; conditions at the answer stay. None: no answers."""
        match node:
            case Union(children=branches):
                return _any_of(node, map(self._at_answer, branches))
            case Intersection(children=branches):
                return _all_of(node, ((b, self._at_answer(b)) for b in branches))
            case Anchor() | Labelled() | Compare() | Negation(child=Labelled() | Compare()):
                return node
            case SoftAnchor():
                raise _soft(node)
            case Projection() | Negation():
                return self._inner(node, np.ones(self._ends.shape[1], dtype=np.bool_))
            case _:
                assert_never(node)

    def _inner(self, node: Query, meets: Mask) -> Query | None:
        """Ground a node at an inner variable.

        Args:
            node: In normal form.
            meets: ``(num_labels,)`` labels that the hop above can start from.
        """
        match node:
            case Anchor():
                return node
            case SoftAnchor():
                raise _soft(node)
            case Labelled() | Compare():
                return self._few(node, np.flatnonzero(self._meets(node)))
            case Projection(relation=relation, child=child, inverse=inverse):
                back = directed(self._snapshot.relation_id(relation), inverse=not inverse)
                below = self._inner(child, self._ends[back])
                return None if below is None else replace(node, child=below)
            case Negation(child=child):
                below = self._inner(child, meets)
                return None if below is None else replace(node, child=below)
            case Union(children=branches):
                return _any_of(node, (self._inner(branch, meets) for branch in branches))
            case Intersection(children=branches):
                return self._joined(node, branches, meets)
            case _:
                assert_never(node)

    def _joined(self, node: Intersection, branches: tuple[Query, ...], meets: Mask) -> Query | None:
        conditions = [branch for branch in branches if _is_condition(branch)]
        rest = [branch for branch in branches if not _is_condition(branch)]
        fixed = [branch for branch in rest if isinstance(branch, Anchor)]
        if len({anchor.entity for anchor in fixed}) > 1:
            return None  # one variable cannot be two entities
        positive = [branch for branch in rest if not isinstance(branch, Negation)]
        if conditions and (fixed or not positive):
            met = reduce(np.logical_and, map(self._meets, conditions)).copy()
            if fixed:
                met &= np.arange(len(met)) == self._snapshot.entity_id(fixed[0].entity)
            chosen = self._few(node, np.flatnonzero(met))
            if chosen is None:
                return None
            rest = [chosen, *(branch for branch in rest if not isinstance(branch, Anchor))]
        else:
            possible = reduce(np.logical_and, map(self._leads_to, positive), meets)
            for condition in conditions:
                self._check_implied(condition, possible)
        return _all_of(node, ((branch, self._inner(branch, meets)) for branch in rest))

    def _few(self, node: Query, ids: NDArray[np.int64]) -> Query | None:
        if len(ids) > MAX_ANCHORS:
            raise _refusal(node, f"{len(ids)} entities meet it, more than {MAX_ANCHORS}")
        anchors = tuple(Anchor(self._snapshot.entities.name(int(i))) for i in ids)
        if len(anchors) < 2:
            return anchors[0] if anchors else None
        return Union(anchors)

    def _check_implied(self, condition: Query, possible: Mask) -> None:
        """Refuse a condition beside a path, unless every entity that is possible there meets it."""
        negated = isinstance(condition, Negation)
        label = condition.child if isinstance(condition, Negation) else condition
        if isinstance(label, Labelled):
            number = self._snapshot.labels.get(label.label)
            wanted = np.zeros_like(possible)
            if number is not None:
                wanted[number] = True
            if not (possible & (wanted if negated else ~wanted)).any():
                return
        raise _refusal(condition, "cones cannot restrict an inner variable")

    def _meets(self, condition: Query) -> Mask:
        """Return which entities meet a label or a comparison, or do not meet a negated one."""
        mask = np.zeros(len(self._labels), dtype=np.bool_)
        match condition:
            case Labelled(label=label):
                mask[self._snapshot.ids_with_label(label)] = True
            case Compare():
                mask[matching(self._snapshot, condition)] = True
            case Negation(child=child):
                return ~self._meets(child)
            case _:
                raise _refusal(condition, "it is no condition")
        return mask

    def _leads_to(self, node: Query) -> Mask:
        """Return ``(num_labels,)``: labels that answers of a node can have."""
        everything = np.ones(self._ends.shape[1], dtype=np.bool_)
        match node:
            case Projection(relation=relation, inverse=inverse):
                code = directed(self._snapshot.relation_id(relation), inverse=inverse)
                leads: Mask = self._ends[code]
                return leads
            case Anchor(entity=key):
                only = np.zeros_like(everything)
                only[self._labels[self._snapshot.entity_id(key)]] = True
                return only
            case Intersection(children=branches):
                return reduce(np.logical_and, map(self._leads_to, branches), everything)
            case Union(children=branches):
                return reduce(np.logical_or, map(self._leads_to, branches))
            case SoftAnchor() | Negation() | Labelled() | Compare():
                return everything
            case _:
                assert_never(node)


def _is_condition(node: Query) -> bool:
    inner = node.child if isinstance(node, Negation) else node
    return isinstance(inner, Labelled | Compare)


def _any_of(node: Union, branches: Iterable[Query | None]) -> Query | None:
    left = tuple(branch for branch in branches if branch is not None)
    if len(left) < 2:
        return left[0] if left else None
    return replace(node, children=left)


def _all_of(node: Intersection, pairs: Iterable[tuple[Query, Query | None]]) -> Query | None:
    """Join what grounding left of branches: nothing of a positive one leaves nothing of all."""
    left: list[Query] = []
    for before, after in pairs:
        if after is not None:
            left.append(after)
        elif not isinstance(before, Negation):
            return None
    return left[0] if len(left) == 1 else replace(node, children=tuple(left))


def _soft(node: SoftAnchor) -> UnsupportedQueryError:
    span = node.span
    return UnsupportedQueryError(
        f"cones cannot answer ({describe(node)}): they start from one entity",
        position=None if span is None else span.start,
        line=None if span is None else span.line,
        column=None if span is None else span.column,
        hint="name the surest candidate, or ask the exact or the symbolic interpreter",
    )


def _refusal(node: Query, reason: str) -> UnsupportedQueryError:
    span = node.span
    return UnsupportedQueryError(
        f"cones cannot answer ({describe(node)}) at an inner variable: {reason}",
        position=None if span is None else span.start,
        line=None if span is None else span.line,
        column=None if span is None else span.column,
        hint="put the condition on the answer, or ask the exact or the symbolic interpreter",
    )
