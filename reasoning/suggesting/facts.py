"""Facts that hold for some of a set of entities: an edge, a part's edge, a label, an attribute.

Each is a query whose answers are the entities that it holds for, so that ``Intersection((question,
fact))`` is the question narrowed, and how many answers that has is known before it is asked. After
CroQS (arXiv 2412.13834), with facts of the graph in place of captions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import log10

import numpy as np
from numpy.typing import NDArray

from kg.model import AttributeValue
from reasoning.comparisons import matching
from reasoning.exact import known_answers
from reasoning.known_edges import Ids, KnownEdges, contains
from reasoning.query import Anchor, Compare, Labelled, Projection, Query

__all__ = ["LEAST", "MOST", "Fact", "facts_about"]

LEAST = 3
"""Results that a fact must hold for."""
MOST = 0.8
"""Share of the results that it may hold for at most: beyond, it parts nothing."""
KEPT = 300
"""Facts that are looked at closely: those nearest to half of the results."""
MAX_TEXT = 60
"""Characters of a text that may be a value to ask for: longer ones are prose."""
_SCANNED = 16
"""Edges a result below which a relation is scanned; in a longer one results are looked up."""
_ENDLESS = (float("inf"), float("-inf"))
"""No notation writes them, nor what is no number."""
_DISTINCT = 8
"""Numbers of more values than this are parted at their middle."""


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """Something that holds for some of the results.

    Attributes:
        query: Its answers are all that it holds for.
        words: The same as a clause, such as ``that borders Austria``.
        holders: ``(results,)`` which of the results it holds for.
    """

    query: Query
    words: str
    holders: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many of the results it holds for."""
        return int(self.holders.sum())


def facts_about(results: Ids, edges: KnownEdges, *, least: int = LEAST) -> list[Fact]:
    """Return facts that hold for at least so many, and not for nearly all, of the results.

    Of facts that hold for the same results only the first is returned: edges that leave them come
    before edges that enter them, then labels and attributes.

    Args:
        results: Ascending ids.
        edges: The edges that count as known.
        least: Results that a fact must hold for.

    Example:
        >>> from kg.model import Edge, Entity, EntityKey
        >>> from kg.provenance import Provenance
        >>> from kg.snapshot import build_snapshot
        >>> from reasoning.known_edges import known_edges
        >>> nodes = [Entity(key=EntityKey(k), label="X", name=k.upper()) for k in "abcdez"]
        >>> told = (Provenance(kind="asserted", source="a map"),)
        >>> roads = [Edge(head=EntityKey(k), relation="leads_to", tail=EntityKey("z"),
        ...               provenance=told) for k in "abc"]
        >>> graph = build_snapshot(nodes, roads)
        >>> [fact.words for fact in facts_about(np.arange(5), known_edges(graph))]
        ['that leads to Z']
    """
    most = int(MOST * len(results))
    found = [
        (count, query)
        for source in (_of_edges, _of_parts, _of_labels, _of_attributes)
        for query, count in source(results, edges, least, most)
    ]
    near = sorted(range(len(found)), key=lambda i: (abs(found[i][0] - len(results) / 2), i))
    facts: dict[bytes, Fact] = {}
    for place in sorted(near[:KEPT]):
        query = found[place][1]
        holders = _holders(query, results, edges)
        if least <= holders.sum() <= most:
            facts.setdefault(holders.tobytes(), Fact(query, clause(query, edges), holders))
    return list(facts.values())


def _holders(query: Query, results: Ids, edges: KnownEdges) -> NDArray[np.bool_]:
    """Tell which of the results are answers of a query."""
    if isinstance(query, Compare):  # on the results only: a column may be long
        answers = matching(edges.snapshot, query, among=results)
    else:
        answers = known_answers(query, edges)
    held = np.zeros(len(results), dtype=np.bool_)
    held[results.searchsorted(answers[contains(results, answers)])] = True
    return held


_Counted = tuple[Query, int]
"""A fact, and how many of the results it holds for."""


def _of_edges(results: Ids, edges: KnownEdges, least: int, most: int) -> Iterator[_Counted]:
    """Yield edges to one entity each; those to parts are left to `_of_parts`.

    Of more than `KEPT` only those nearest to half of the results are made queries of: the others
    would not be looked at, and thousands of short-lived objects call for collections of garbage.
    """
    among = np.zeros(edges.snapshot.num_entities, dtype=np.bool_)
    among[results] = True
    found: list[tuple[int, bool, Ids, NDArray[np.int64]]] = []
    for relation in range(edges.snapshot.num_relations):
        for inverse in (False, True):
            row = edges.row(relation, inverse=inverse)
            short = len(row.starts) < _SCANNED * len(results)
            at = among[row.starts] if short else row.positions(results)
            ends, counts = np.unique(row.ends[at], return_counts=True)
            kept = (counts >= least) & (counts <= most)  # before any query is made of them
            kept &= edges.snapshot.parents[ends] < 0
            if kept.any():
                found.append((relation, inverse, ends[kept], counts[kept].astype(np.int64)))
    if not found:
        return
    off = np.abs(np.concatenate([counts for *_, counts in found]) - len(results) / 2)
    near = np.zeros(len(off), dtype=np.bool_)
    near[np.argsort(off, kind="stable")[:KEPT]] = True
    start = 0
    for relation, inverse, ends, counts in found:
        at = near[start : start + len(ends)]
        start += len(ends)
        for end, count in zip(ends[at].tolist(), counts[at].tolist(), strict=True):
            yield _edge_to(edges, relation, end, leaving=not inverse), count


def _of_parts(results: Ids, edges: KnownEdges, least: int, most: int) -> Iterator[_Counted]:
    """Yield edges of the parts that belong to the results, such as a label of a shape."""
    snapshot = edges.snapshot
    if not len(results) or snapshot.parents.max(initial=-1) < 0:  # nothing was taken apart
        return
    for relation in range(snapshot.num_relations):
        row = edges.row(relation)
        places = row.positions(results)
        places = places[snapshot.parents[row.ends[places]] >= 0]
        if not len(places):
            continue
        owner = dict(zip(row.ends[places].tolist(), row.starts[places].tolist(), strict=True))
        parts = np.array(sorted(owner), dtype=np.int32)
        for second in range(snapshot.num_relations):
            told = edges.row(second)
            at = told.positions(parts)
            at = at[snapshot.parents[told.ends[at]] < 0]
            pairs = {
                (owner[start], end)
                for start, end in zip(told.starts[at].tolist(), told.ends[at].tolist(), strict=True)
                if owner[start] != end
            }
            for end, count in sorted(Counter(end for _, end in pairs).items()):
                if not least <= count <= most:
                    continue
                of_part = _edge_to(edges, second, end, leaving=True)
                name = snapshot.relation_names.name(relation)
                yield Projection(name, of_part, inverse=True), count


def _edge_to(edges: KnownEdges, relation: int, end: int, *, leaving: bool) -> Projection:
    snapshot = edges.snapshot
    anchor = Anchor(snapshot.entities.name(end))
    return Projection(snapshot.relation_names.name(relation), anchor, inverse=leaving)


def _of_labels(results: Ids, edges: KnownEdges, least: int, most: int) -> Iterator[_Counted]:
    labels, counts = np.unique(edges.snapshot.label_ids[results], return_counts=True)
    kept = (counts >= least) & (counts <= most)
    for label, count in zip(labels[kept].tolist(), counts[kept].tolist(), strict=True):
        yield Labelled(edges.snapshot.labels.name(label)), count


def _of_attributes(results: Ids, edges: KnownEdges, least: int, most: int) -> Iterator[_Counted]:
    ids = results.tolist()
    for name, column in sorted(edges.snapshot.attributes.items()):
        if name in ("name", "key"):  # a comparison reads these as the entity's own
            continue
        values = [value for value in map(column.get, ids) if value is not None]
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        found = _halves(name, numbers) if len(set(numbers)) > _DISTINCT else _equals(name, values)
        yield from (row for row in found if least <= row[1] <= most)


def _equals(name: str, values: list[AttributeValue]) -> Iterator[_Counted]:
    kept = [v for v in values if not isinstance(v, tuple) and v not in _ENDLESS and v == v]
    same = Counter((isinstance(v, bool), v) for v in kept if len(str(v)) <= MAX_TEXT)
    for (_, value), count in same.items():
        yield Compare(name, "=", value), count


def _halves(name: str, numbers: list[int | float]) -> Iterator[_Counted]:
    """Yield both sides of a number of two digits near the middle."""
    middle = float(np.median(numbers))
    if not np.isfinite(middle):
        return
    digits = 1 - int(log10(abs(middle))) if middle else 0
    near = round(middle, digits)
    at = int(near) if near.is_integer() else near
    above = sum(number >= at for number in numbers)
    yield Compare(name, ">=", at), above
    yield Compare(name, "<", at), len(numbers) - above


def clause(query: Query, edges: KnownEdges) -> str:
    """Return a fact as words that follow what is looked for.

    Args:
        query: An edge to an entity, such an edge of a part, a label or a comparison.
        edges: Gives the names of entities.
    """
    snapshot = edges.snapshot
    match query:
        case Projection(relation=relation, child=Anchor(entity=key), inverse=inverse):
            name = snapshot.names[snapshot.entity_id(key)]
            verb = relation.replace("_", " ")
            return f"that {verb} {name}" if inverse else f"that {name} {verb}"
        case Projection(relation=relation, child=child):
            return f"that {relation.replace('_', ' ')} something {clause(child, edges)}"
        case Labelled(label=label):
            return f"that is a {label}"
        case Compare(attribute=attribute, comparison="=", value=value):
            return f"whose {attribute.replace('_', ' ')} is {_value(value)}"
        case Compare(attribute=attribute, comparison=comparison, value=value):
            side = "at least" if comparison == ">=" else "under"
            return f"with {attribute.replace('_', ' ')} {side} {_value(value)}"
        case _:
            raise TypeError(f"no clause for {type(query).__name__}")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
