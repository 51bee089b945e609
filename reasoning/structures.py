"""Structures: query trees with numbered holes, so that many queries are worked on at once.

A structure is an ordinary `Query` whose anchors and relations are slot numbers ("0", "1", …) in
the order of a walk from the root, and whose hops carry no direction: a slot takes a *directed*
relation, 2 · relation + (1 if inverse). Equal structures are equal trees, so they group a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import assert_never

from kg.errors import UnsupportedQueryError
from kg.model import EntityKey
from kg.snapshot import Snapshot
from reasoning.normal_form import normalise
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
    children,
    structure_name,
    walk,
)

__all__ = [
    "STRUCTURES",
    "TRAINING_STRUCTURES",
    "Structure",
    "directed",
    "fill",
    "in_normal_form",
    "structure_of",
]


@dataclass(frozen=True, slots=True)
class Structure:
    """A query with holes.

    Attributes:
        tree: Query whose keys and relations are slot numbers.
        num_anchors: Anchor slots.
        num_relations: Relation slots.
    """

    tree: Query
    num_anchors: int
    num_relations: int

    @property
    def has_name(self) -> bool:
        """Whether the field has a name for it."""
        return structure_name(self.tree) is not None

    @property
    def name(self) -> str:
        """The field's name (1p … pni), or a formula: ``p(i(p(e), n(p(e))))``."""
        return structure_name(self.tree) or _formula(self.tree)


def _formula(node: Query) -> str:
    letter = {Projection: "p", Intersection: "i", Union: "u", Negation: "n"}.get(type(node))
    below = ", ".join(map(_formula, children(node)))
    return "e" if letter is None else f"{letter}({below})"


def directed(relation: int, *, inverse: bool) -> int:
    """Return the directed relation; its opposite direction is ``… ^ 1``."""
    return 2 * relation + int(inverse)


def structure_of(
    tree: Query, snapshot: Snapshot
) -> tuple[Structure, tuple[int, ...], tuple[int, ...]]:
    """Take the anchors and relations out of a query without labels and comparisons.

    Returns:
        The structure, the anchors' entity ids and the directed relations, in slot order.

    Raises:
        UnknownEntityError: An anchor is not in the snapshot.
        UnknownRelationError: A relation is not in the snapshot.
        UnsupportedQueryError: A soft anchor, a label or a comparison stands in the tree.
    """
    anchors: list[EntityKey] = []
    hops: list[Projection] = []
    shape = _emptied(tree, anchors, hops)
    codes = (directed(snapshot.relation_id(hop.relation), inverse=hop.inverse) for hop in hops)
    ids = tuple(snapshot.entity_id(key) for key in anchors)
    return Structure(shape, len(anchors), len(hops)), ids, tuple(codes)


def _emptied(node: Query, anchors: list[EntityKey], hops: list[Projection]) -> Query:
    match node:
        case Anchor(entity=key):
            anchors.append(key)
            return Anchor(EntityKey(str(len(anchors) - 1)))
        case Projection(child=child):
            hops.append(node)
            slot = str(len(hops) - 1)
            return Projection(slot, _emptied(child, anchors, hops))
        case Intersection(children=branches):
            return Intersection(tuple(_emptied(branch, anchors, hops) for branch in branches))
        case Union(children=branches):
            return Union(tuple(_emptied(branch, anchors, hops) for branch in branches))
        case Negation(child=child):
            return Negation(_emptied(child, anchors, hops))
        case SoftAnchor() | Labelled() | Compare():
            raise UnsupportedQueryError("a structure has no soft anchors, labels and comparisons")
        case _:
            assert_never(node)


def in_normal_form(structure: Structure) -> Structure:
    """Return a structure whose negations stand beside a positive branch each, as folds need them.

    Slots keep their numbers, so that the same anchors and relations fill them. A structure without
    negation stays as it is.

    Example:
        >>> hops = (Projection(slot, Anchor(EntityKey(slot))) for slot in "01")
        >>> neither = Intersection(tuple(map(Negation, hops)))
        >>> in_normal_form(Structure(Negation(neither), 2, 2)).name
        '2u'
    """
    if not any(isinstance(node, Negation) for node in walk(structure.tree)):
        return structure
    return replace(structure, tree=normalise(structure.tree))


def fill(
    structure: Structure, anchors: Sequence[int], relations: Sequence[int], snapshot: Snapshot
) -> Query:
    """Put anchors (entity ids) and directed relations back; the opposite of `structure_of`."""

    def filled(node: Query) -> Query:
        match node:
            case Anchor(entity=slot):
                return Anchor(snapshot.entities.name(int(anchors[int(slot)])))
            case Projection(relation=slot, child=child):
                code = int(relations[int(slot)])
                name = snapshot.relation_names.name(code >> 1)
                return Projection(name, filled(child), inverse=bool(code & 1))
            case Intersection(children=branches):
                return Intersection(tuple(map(filled, branches)))
            case Union(children=branches):
                return Union(tuple(map(filled, branches)))
            case Negation(child=child):
                return Negation(filled(child))
            case SoftAnchor() | Labelled() | Compare():
                raise UnsupportedQueryError(
                    "a structure has no soft anchors, labels and comparisons"
                )
            case _:
                assert_never(node)

    return filled(structure.tree)


def _path(hops: int, start: Query | None = None) -> Query:
    node = start or Anchor(EntityKey(""))
    for _ in range(hops):
        node = Projection("", node)
    return node


def _both(*branches: Query) -> Query:
    return Intersection(branches)


_ONE, _TWO = _path(1), _path(2)

_TREES: tuple[Query, ...] = (
    _ONE,
    _TWO,
    _path(3),
    _both(_ONE, _ONE),
    _both(_ONE, _ONE, _ONE),
    _path(1, _both(_ONE, _ONE)),
    _both(_TWO, _ONE),
    Union((_ONE, _ONE)),
    _path(1, Union((_ONE, _ONE))),
    _both(_ONE, Negation(_ONE)),
    _both(_ONE, _ONE, Negation(_ONE)),
    _path(1, _both(_ONE, Negation(_ONE))),
    _both(_TWO, Negation(_ONE)),
    _both(_ONE, Negation(_TWO)),
)


def _named() -> dict[str, Structure]:
    found = {}
    for tree in _TREES:
        anchors: list[EntityKey] = []
        hops: list[Projection] = []
        shape = _emptied(tree, anchors, hops)
        structure = Structure(shape, len(anchors), len(hops))
        found[structure.name] = structure
    return found


STRUCTURES: Mapping[str, Structure] = MappingProxyType(_named())
"""The fourteen structures of the field by name."""

TRAINING_STRUCTURES = ("1p", "2p", "3p", "2i", "3i", "2in", "3in", "inp", "pin", "pni")
"""What models train on; ip, pi, 2u and up are only tested (zero-shot)."""
