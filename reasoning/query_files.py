"""Query files of the BetaE benchmarks as JSON lines: read into query sets with their answers.

A line: ``{"s": structure, "q": nested query, "hard": answers, "n_easy": count}``. A nested query is
``[start, [relations]]`` with an entity or a nested query as start, a list of nested queries for an
intersection, or one that ends in ``[-1]`` for a union; -2 among relations negates the set so far.
Integers are names, or lines of the graph folder's `entities.txt` and `relations.txt`. Where a
relation r has no name but r ^ 1 has, it is the inverse of that one (BetaE's numbering).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kg.errors import InputError
from kg.graph_folder import GraphFolder
from kg.model import EntityKey
from kg.snapshot import Snapshot
from reasoning.id_sets import answer_codes, directed_edges
from reasoning.query import Anchor, Intersection, Negation, Projection, Query, Union
from reasoning.sampling import QuerySet
from reasoning.structures import Structure, structure_of

__all__ = ["read_query_file"]

_NEGATE, _UNITE = -2, -1
_DEEPEST = 32
_LONGEST_LINE = 10_000_000


def read_query_file(
    path: Path, graph: GraphFolder, *, known: Snapshot | None = None
) -> tuple[QuerySet, ...]:
    """Read a query file; easy answers are computed on the known edges.

    Args:
        path: JSON lines, plain or gzip.
        graph: The graph that it is about.
        known: Edges that easy answers follow from; training and validation edges by default.

    Returns:
        One set a structure, in the order of their first query.

    Raises:
        InputError: A line is not a query of this graph; file and line are named.
    """
    names = _Names(graph)
    rows: dict[Structure, list[tuple[tuple[int, ...], tuple[int, ...], list[int]]]] = {}
    for number, record in _records(path):
        where = f"{path}:{number}"
        try:
            structure, anchors, relations = structure_of(names.tree(record["q"]), graph.full)
            hard = sorted({names.entity_id(answer) for answer in record["hard"]})
        except InputError as error:
            raise InputError(error.what, where=where, hint=error.hint) from error
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"not a query with its answers: {error!r}", where=where) from error
        if record.get("s") != structure.name:
            raise InputError(f"{record.get('s')!r} is a {structure.name}", where=where)
        rows.setdefault(structure, []).append((anchors, relations, hard))
    edges = directed_edges(known or graph.train_valid)
    return tuple(_query_set(structure, found, edges) for structure, found in rows.items())


def _query_set(structure: Structure, rows: list[Any], edges: Any) -> QuerySet:
    anchors = np.array([row[0] for row in rows], dtype=np.int32)
    relations = np.array([row[1] for row in rows], dtype=np.int32)
    codes = answer_codes(structure, anchors, relations, edges)
    bounds = np.searchsorted(codes, np.arange(1, len(rows)) * edges.num_entities)
    easy = np.split((codes % edges.num_entities).astype(np.int32), bounds)
    return QuerySet(
        structure=structure,
        anchors=anchors,
        relations=relations,
        easy=tuple(easy),
        hard=tuple(np.array(row[2], dtype=np.int32) for row in rows),
    )


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            number = 0
            while line := file.readline(_LONGEST_LINE):
                number += 1
                yield number, _parsed(line, f"{path}:{number}")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"it cannot be read: {error}", where=str(path)) from error


def _parsed(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where=where) from error
    if not isinstance(record, dict):
        raise InputError(f"not a JSON object: {line[:80]!r}", where=where)
    return record


class _Names:
    """What the numbers and names of a query file stand for."""

    def __init__(self, graph: GraphFolder) -> None:
        self._graph = graph
        self._relations = graph.full.relation_names

    def entity_id(self, given: int | str) -> int:
        return self._graph.full.entity_id(self._entity(given))

    def tree(self, nested: Any, depth: int = 0) -> Query:
        if depth > _DEEPEST:
            raise InputError(f"a query is nested more than {_DEEPEST} deep")
        if not isinstance(nested, list) or len(nested) < 2:
            raise InputError(f"not a nested query: {nested!r:.80}")
        if _is_path(nested):
            start, steps = nested
            inner = self.tree(start, depth + 1) if isinstance(start, list) else self._anchor(start)
            return self._followed(inner, steps)
        if nested[-1] == [_UNITE]:
            return Union(tuple(self.tree(branch, depth + 1) for branch in nested[:-1]))
        return Intersection(tuple(self.tree(branch, depth + 1) for branch in nested))

    def _followed(self, node: Query, steps: list[Any]) -> Query:
        for step in steps:
            if step == _NEGATE:
                node = Negation(node)
            else:
                name, inverse = self._relation(step)
                node = Projection(name, node, inverse=inverse)
        return node

    def _anchor(self, given: int | str) -> Query:
        return Anchor(EntityKey(self._entity(given)))

    def _entity(self, given: int | str) -> str:
        return _named(given, self._graph.entity_order)

    def _relation(self, given: int | str) -> tuple[str, bool]:
        name = _named(given, self._graph.relation_order)
        if name not in self._relations and isinstance(given, int):
            other = str(given ^ 1)
            if other in self._relations:
                return other, True
        return name, False


def _is_path(nested: list[Any]) -> bool:
    """Tell ``[start, [steps]]`` from a list of branches: steps are no lists."""
    steps = nested[1]
    return (
        len(nested) == 2
        and isinstance(steps, list)
        and steps != [_UNITE]
        and all(isinstance(step, int | str) for step in steps)
    )


def _named(given: int | str, order: tuple[str, ...] | None) -> str:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise InputError(f"{given!r} is no entity and no relation")
    if order is None or isinstance(given, str):
        return str(given)
    if not 0 <= given < len(order):
        raise InputError(f"{given} is none of {len(order)} numbered names")
    return order[given]
