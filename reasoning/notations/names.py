"""Names of a text against those of a snapshot: what is unknown is refused, one entity is an anchor.

Embedding interpreters start from anchors, people write names. A condition ``name = 'Arabic'`` (with
the label beside it) that exactly one entity fulfils becomes that entity; the answers stay the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

import numpy as np

from kg.errors import UnknownEntityError, UnsupportedQueryError
from kg.snapshot import Snapshot
from kg.vocabulary import Vocabulary
from reasoning.comparisons import attribute_of, compares, matching
from reasoning.patterns import Pattern
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

__all__ = ["resolve", "resolve_pattern"]


def resolve(tree: Query, snapshot: Snapshot) -> Query:
    """Check every name of a query against a snapshot and turn unique names into anchors.

    Raises:
        UnknownRelationError: A relation that no edge has.
        UnknownEntityError: An anchor's key, or a name asked for by ``=``, that no entity has.
        UnsupportedQueryError: A label that no entity has; the nearest ones are named.
    """
    match tree:
        case Anchor(entity=key):
            snapshot.entity_id(key)
            return tree
        case SoftAnchor(candidates=candidates):
            for key, _ in candidates:
                snapshot.entity_id(key)
            return tree
        case Labelled():
            _check_label(tree, snapshot)
            return tree
        case Compare():
            return _named(tree, (), snapshot)
        case Projection(relation=relation, child=child):
            snapshot.relation_id(relation)
            return replace(tree, child=resolve(child, snapshot))
        case Negation(child=child):
            return replace(tree, child=resolve(child, snapshot))
        case Union(children=branches):
            return replace(tree, children=tuple(resolve(b, snapshot) for b in branches))
        case Intersection(children=branches):
            return _intersection(tree, branches, snapshot)
        case _:
            assert_never(tree)


def resolve_pattern(pattern: Pattern, snapshot: Snapshot) -> Pattern:
    """Check every name of a pattern against a snapshot and turn unique names into anchors.

    Raises:
        InputError: As `resolve`.
    """
    for edge in pattern.edges:
        for relation in edge.relations:
            snapshot.relation_id(relation)
    said: dict[str, list[Query]] = {}
    for name, condition in pattern.conditions:
        said.setdefault(name, []).append(condition)
    conditions = []
    for name, parts in said.items():
        joined = parts[0] if len(parts) == 1 else Intersection(tuple(parts))
        conditions.append((name, resolve(joined, snapshot)))
    return replace(pattern, conditions=tuple(conditions))


def _intersection(node: Intersection, branches: tuple[Query, ...], snapshot: Snapshot) -> Query:
    labels = tuple(branch for branch in branches if isinstance(branch, Labelled))
    parts = [
        _named(branch, labels, snapshot)
        if isinstance(branch, Compare)
        else resolve(branch, snapshot)
        for branch in branches
    ]
    anchors = [part for part in parts if isinstance(part, Anchor)]
    if anchors:
        entity = snapshot.entity_id(anchors[0].entity)
        parts = [part for part in parts if not _is_said(part, entity, snapshot)]
    return parts[0] if len(parts) == 1 else Intersection(tuple(parts), node.span)


def _is_said(part: Query, entity: int, snapshot: Snapshot) -> bool:
    """Tell whether a label or comparison holds of an entity that is named beside it."""
    match part:
        case Labelled(label=label):
            return snapshot.label_of(entity) == label
        case Compare():
            value = attribute_of(snapshot, entity, part.attribute)
            return compares(value, part.comparison, part.value)
        case _:
            return False


def _named(node: Compare, labels: tuple[Labelled, ...], snapshot: Snapshot) -> Query:
    if node.comparison != "=" or node.attribute not in ("name", "key"):
        return node
    found = matching(snapshot, node)
    if len(found) == 0:
        known = _known(node.attribute, snapshot)
        raise UnknownEntityError(str(node.value), nearest=known.nearest(str(node.value)))
    for branch in labels:
        found = found[np.isin(found, snapshot.ids_with_label(branch.label))]
    if len(found) != 1:
        return node
    return Anchor(snapshot.entities.name(int(found[0])), node.span)


def _known(attribute: str, snapshot: Snapshot) -> Vocabulary[str]:
    if attribute == "name":
        return Vocabulary(dict.fromkeys(snapshot.names))
    return Vocabulary(str(key) for key in snapshot.entities)


def _check_label(node: Labelled, snapshot: Snapshot) -> None:
    if node.label in snapshot.labels:
        return
    nearest = snapshot.labels.nearest(node.label)
    span = node.span
    raise UnsupportedQueryError(
        f"no entity has the label {node.label!r}",
        position=None if span is None else span.start,
        line=None if span is None else span.line,
        column=None if span is None else span.column,
        hint=f"did you mean {' or '.join(map(repr, nearest))}?" if nearest else None,
    )
