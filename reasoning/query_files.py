"""Query files of the BetaE benchmarks as JSON lines: read into query sets with their answers.

A line: ``{"s": structure, "q": nested query, "hard": answers, "n_easy": count}``. The nested query
is BetaE's (`reasoning.notations.betae`); its integers are names, or lines of the graph folder's
`entities.txt` and `relations.txt`.
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
from kg.snapshot import Snapshot
from reasoning.id_sets import answer_codes, directed_edges
from reasoning.notations.betae import BetaeNames, read_betae
from reasoning.sampling import QuerySet
from reasoning.structures import Structure, structure_of

__all__ = ["read_query_file"]

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
    names = BetaeNames(
        entities=graph.entity_order,
        relations=graph.relation_order,
        known=graph.full.relation_names,
    )
    rows: dict[Structure, list[tuple[tuple[int, ...], tuple[int, ...], list[int]]]] = {}
    for number, record in _records(path):
        where = f"{path}:{number}"
        try:
            structure, anchors, relations = structure_of(read_betae(record["q"], names), graph.full)
            hard = sorted({graph.full.entity_id(names.entity(each)) for each in record["hard"]})
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
