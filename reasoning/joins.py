"""Exact answers of patterns: joins of sorted arrays over the known edges, with a limit on rows.

First every edge's pairs are thinned out by the conditions and by each other (semi-joins, as
Yannakakis' algorithm does for acyclic patterns). Then a table of bindings grows edge by edge: an
edge whose ends are both bound only filters; else the edge that adds the fewest rows is next. A
variable that is no answer is dropped as soon as no edge needs it. Every row is known; the time and
memory are bounded by `max_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from kg.errors import LimitError
from kg.model import EntityKey
from reasoning.exact import answer_set
from reasoning.known_edges import KnownEdges
from reasoning.patterns import Pattern, PatternEdge
from reasoning.query import Intersection, Negation, Query, Union

__all__ = ["MAX_ROWS", "binding_keys", "bindings"]

MAX_ROWS = 1_000_000
"""Most rows of bindings at any point of a join."""

_PASSES = 4
"""Semi-join passes; more thin out little, and they change only the time."""

Mask = NDArray[np.bool_]
Pairs = NDArray[np.int32]
"""``(n, 2)`` ids at the two ends of edges."""


def bindings(pattern: Pattern, edges: KnownEdges, *, max_rows: int = MAX_ROWS) -> NDArray[np.int32]:
    """Return ``(n, len(pattern.answer))`` entity ids, each row once, in ascending order.

    Args:
        pattern: What is asked.
        edges: Known edges.
        max_rows: Most rows at any point.

    Raises:
        LimitError: There would be more rows.
        UnknownEntityError: An entity of a condition is not in the snapshot.
        UnknownRelationError: A relation is not in the snapshot.

    Example:
        >>> from kg.model import Edge, Entity
        >>> from kg.provenance import Provenance
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.known_edges import known_edges
        >>> nodes = [Entity(key=EntityKey(k), label="City", name=k) for k in "ab"]
        >>> source = Provenance(kind="asserted", source="a map")
        >>> road = Edge(head=EntityKey("a"), relation="road", tail=EntityKey("b"),
        ...             provenance=(source,))
        >>> graph = known_edges(build_snapshot(nodes, [road]))
        >>> bindings(Pattern(("y", "x"), (PatternEdge("x", ("road",), "y"),)), graph).tolist()
        [[1, 0]]
    """
    num_entities = edges.snapshot.num_entities
    masks = {name: np.ones(num_entities, dtype=np.bool_) for name in pattern.variables}
    for name, condition in pattern.conditions:
        masks[name] &= _meets(condition, edges)
    left = _thinned(pattern.edges, masks, edges)
    table = _Table(max_rows, num_entities)
    apart = list(pattern.different)
    while left:
        place = min(range(len(left)), key=lambda i: table.growth(*left[i]))
        table.join(*left.pop(place))
        apart = table.tell_apart(apart)
        needed = {name for edge, _ in left for name in _ends(edge)}
        table.keep({*pattern.answer, *needed, *_names(apart)})
    joined = {name for edge in pattern.edges if edge.head != edge.tail for name in _ends(edge)}
    for name in pattern.variables:
        if name not in joined:
            table.cross(name, np.flatnonzero(masks[name]).astype(np.int32)[:, None])
            apart = table.tell_apart(apart)
            table.keep({*pattern.answer, *_names(apart)})
    return table.projected(pattern.answer)


def binding_keys(rows: NDArray[np.int32], edges: KnownEdges) -> tuple[tuple[EntityKey, ...], ...]:
    """Return the entity keys of rows of ids."""
    names = edges.snapshot.entities
    return tuple(tuple(names.name(int(entity)) for entity in row) for row in rows)


def _names(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for pair in pairs:
        yield from pair


def _ends(edge: PatternEdge) -> tuple[str, str]:
    return (edge.head, edge.tail)


def _meets(condition: Query, edges: KnownEdges) -> Mask:
    """Return ``(num_entities,)``: which are answers of a query, whether it is safe or not."""
    if isinstance(condition, Negation):
        return ~_meets(condition.child, edges)
    if isinstance(condition, Intersection):
        return reduce(np.logical_and, (_meets(part, edges) for part in condition.children))
    if isinstance(condition, Union):
        return reduce(np.logical_or, (_meets(part, edges) for part in condition.children))
    mask = np.zeros(edges.snapshot.num_entities, dtype=np.bool_)
    mask[answer_set(condition, edges)] = True
    return mask


def _pairs(edge: PatternEdge, edges: KnownEdges) -> Pairs:
    found = []
    for relation in edge.relations:
        row = edges.row(edges.snapshot.relation_id(relation))
        found.append(np.stack([row.starts, row.ends], axis=1))
    if edge.either_way:
        found += [pairs[:, ::-1] for pairs in found]
    return found[0] if len(found) == 1 else np.unique(np.concatenate(found), axis=0)


def _thinned(
    pattern_edges: Sequence[PatternEdge], masks: dict[str, Mask], edges: KnownEdges
) -> list[tuple[PatternEdge, Pairs]]:
    """Return the pairs of each edge that can be part of a binding, and narrow the masks to them.

    An edge from a variable to itself only narrows the mask.
    """
    left: list[tuple[PatternEdge, Pairs]] = []
    for edge in pattern_edges:
        pairs = _pairs(edge, edges)
        if edge.head == edge.tail:
            masks[edge.head] &= _present(pairs[pairs[:, 0] == pairs[:, 1], 0], masks[edge.head])
        else:
            left.append((edge, pairs))
    for _ in range(_PASSES):
        for place, (edge, pairs) in enumerate(left):
            pairs = pairs[masks[edge.head][pairs[:, 0]] & masks[edge.tail][pairs[:, 1]]]
            masks[edge.head] &= _present(pairs[:, 0], masks[edge.head])
            masks[edge.tail] &= _present(pairs[:, 1], masks[edge.tail])
            left[place] = (edge, pairs)
    return left


def _present(ids: NDArray[np.int32], like: Mask) -> Mask:
    mask = np.zeros_like(like)
    mask[ids] = True
    return mask


class _Table:
    """Bindings of some variables, a row each; at first one row that binds nothing."""

    def __init__(self, max_rows: int, num_entities: int) -> None:
        self._max_rows = max_rows
        self._num_entities = num_entities
        self._columns: list[str] = []
        self._rows = np.empty((1, 0), dtype=np.int32)

    def growth(self, edge: PatternEdge, pairs: Pairs) -> float:
        """Return about how many rows there will be after joining an edge."""
        bound = [side for side, name in enumerate(_ends(edge)) if name in self._columns]
        if len(bound) == 2:
            return 0.0
        if not bound:
            return float(len(self._rows) * len(pairs))
        distinct = max(1, len(np.unique(pairs[:, bound[0]])))
        return len(self._rows) * len(pairs) / distinct

    def join(self, edge: PatternEdge, pairs: Pairs) -> None:
        """Join the pairs of an edge.

        Raises:
            LimitError: There would be too many rows.
        """
        head, tail = (name in self._columns for name in _ends(edge))
        if head and tail:
            places = [self._columns.index(name) for name in _ends(edge)]
            codes = self._codes(self._rows[:, places])
            self._rows = self._rows[np.isin(codes, self._codes(pairs))]
        elif head:
            self._expand(edge.head, edge.tail, pairs)
        elif tail:
            self._expand(edge.tail, edge.head, pairs[:, ::-1])
        else:
            self.cross(edge.head, pairs, edge.tail)

    def _codes(self, pairs: NDArray[np.int32]) -> NDArray[np.int64]:
        return pairs[:, 0].astype(np.int64) * self._num_entities + pairs[:, 1]

    def _expand(self, bound: str, new: str, pairs: Pairs) -> None:
        pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
        keys = self._rows[:, self._columns.index(bound)]
        low = np.searchsorted(pairs[:, 0], keys, side="left")
        counts = np.searchsorted(pairs[:, 0], keys, side="right") - low
        self._check(int(counts.sum()))
        before = np.cumsum(counts) - counts
        places = np.repeat(low - before, counts) + np.arange(int(counts.sum()))
        rows = np.repeat(self._rows, counts, axis=0)
        self._rows = np.concatenate([rows, pairs[places, 1:]], axis=1)
        self._columns.append(new)

    def cross(self, name: str, values: NDArray[np.int32], second: str | None = None) -> None:
        """Join each row with each row of values: of one new variable, or of two.

        Raises:
            LimitError: There would be too many rows.
        """
        self._check(len(self._rows) * len(values))
        rows = np.repeat(self._rows, len(values), axis=0)
        others = np.tile(values, (len(self._rows), 1))
        self._rows = np.concatenate([rows, others], axis=1)
        self._columns += [name] if second is None else [name, second]

    def tell_apart(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Drop rows where two variables are one entity; return the pairs that are not bound yet."""
        left = []
        for pair in pairs:
            if pair[0] in self._columns and pair[1] in self._columns:
                one, other = (self._rows[:, self._columns.index(name)] for name in pair)
                self._rows = self._rows[one != other]
            else:
                left.append(pair)
        return left

    def keep(self, wanted: set[str]) -> None:
        """Drop columns that nothing needs, and rows that are then equal."""
        places = [place for place, name in enumerate(self._columns) if name in wanted]
        if len(places) < len(self._columns):
            self._columns = [self._columns[place] for place in places]
            rows = self._rows[:, places]
            self._rows = np.unique(rows, axis=0) if places else rows[:1]

    def projected(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Return the columns of some variables, each row once, ascending."""
        places = [self._columns.index(name) for name in names]
        return np.unique(self._rows[:, places], axis=0)

    def _check(self, count: int) -> None:
        if count > self._max_rows:
            raise LimitError(
                f"a pattern has {count} rows of bindings on the way, more than {self._max_rows}",
                hint="add a label, a key or an edge that narrows a variable down",
            )
