"""Query files of the BetaE benchmarks as JSON lines: read into query sets with their answers.

A line: ``{"s": structure, "q": nested query, "hard": answers, "n_easy": count}``, the nested query
as `reasoning.notations.betae` says, in lists. Integers are names, or lines of the graph folder's
`entities.txt` and `relations.txt`; where a relation r has no edge but r ^ 1 has, it is the inverse
of that one (BetaE's numbering). Easy answers are computed, since a file may hold only their number.

Queries of one shape differ in their entities and relations only, so a tree is made for each shape
and not for each line.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, LimitError, UnknownEntityError, UnknownRelationError
from kg.formats.records import is_packed, packed_hint
from kg.graph_folder import GraphFolder
from kg.snapshot import Snapshot
from reasoning.id_sets import DirectedEdges, answer_codes, directed_edges
from reasoning.notations.betae import BetaeNames, read_betae
from reasoning.safety import check_safe
from reasoning.sampling import QuerySet
from reasoning.structures import STRUCTURES, Structure, directed, in_normal_form, structure_of

__all__ = ["MAX_QUERIES", "QueryFile", "read_queries", "read_query_file"]

MAX_QUERIES = 5_000_000
"""Most lines of a file."""

_LONGEST_LINE = 10_000_000
_NEGATE, _UNITE = -2, -1
_DEEPEST = 32
_BATCH_ROWS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryFile:
    """The queries of a file.

    Attributes:
        sets: One a structure, in the order of their first query.
        other_counts: How many queries have another number of easy answers on this graph than the
            file says; more than a few mean that the file was made for another graph.
    """

    sets: tuple[QuerySet, ...]
    other_counts: int


@dataclass(slots=True)
class _Rows:
    """What was read of one structure; its name is looked up once, not for each line."""

    structure: Structure
    name: str
    anchors: list[list[int]] = field(default_factory=list)
    relations: list[list[int]] = field(default_factory=list)
    hard: list[NDArray[np.int32]] = field(default_factory=list)
    easy_counts: list[int] = field(default_factory=list)


def read_query_file(
    path: Path, graph: GraphFolder, *, known: Snapshot | None = None, limit: int | None = None
) -> tuple[QuerySet, ...]:
    """Read the query sets of a file; see `read_queries`."""
    return read_queries(path, graph, known=known, limit=limit).sets


def read_queries(
    path: Path, graph: GraphFolder, *, known: Snapshot | None = None, limit: int | None = None
) -> QueryFile:
    """Read a query file; easy answers are computed on the known edges.

    Args:
        path: JSON lines, plain or gzip, or Parquet as `reasoning.query_writing` writes it.
        graph: The graph that it is about.
        known: Edges that easy answers follow from; training and validation edges by default.
        limit: Most queries of each structure, the first ones of the file; all by default.

    Raises:
        InputError: A line is not a query of this graph; file and line are named.
        LimitError: The file has more than `MAX_QUERIES` lines.
    """
    reader = _Reader(graph)
    for number, record in _records(path):
        where = f"{path}:{number}"
        try:
            rows, anchors, relations = reader.query(record["q"])
            named = str(record.get("s", rows.name)).removesuffix("-DNF").removesuffix("-DM")
            if named != rows.name and (rows.structure.has_name or named in STRUCTURES):
                raise InputError(f"{named!r} is a {rows.name}")
            if limit is not None and len(rows.anchors) >= limit:
                continue
            rows.hard.append(reader.answers(record["hard"]))
        except InputError as error:
            unknown = isinstance(error, UnknownEntityError | UnknownRelationError)
            hint = error.hint or ("is the file of this graph?" if unknown else None)
            raise InputError(error.what, where=where, hint=hint) from error
        except KeyError as error:
            raise InputError(f"the query has no field {error}", where=where) from error
        except (TypeError, ValueError, IndexError) as error:
            raise InputError(f"not a query with its answers: {error!r}", where=where) from error
        rows.anchors.append(anchors)
        rows.relations.append(relations)
        count = record.get("n_easy")
        rows.easy_counts.append(count if isinstance(count, int) else -1)
    edges = directed_edges(known or graph.train_valid)
    sets = tuple(_query_set(rows, edges) for rows in reader.found)
    return QueryFile(sets=sets, other_counts=sum(map(_differing, sets, reader.found)))


def _differing(queries: QuerySet, rows: _Rows) -> int:
    counted = np.array([len(easy) for easy in queries.easy], dtype=np.int64)
    said = np.array(rows.easy_counts, dtype=np.int64)
    return int(((said >= 0) & (said != counted)).sum())


def _query_set(rows: _Rows, edges: DirectedEdges) -> QuerySet:
    count = len(rows.anchors)
    anchors = np.array(rows.anchors, dtype=np.int32).reshape(count, -1)
    relations = np.array(rows.relations, dtype=np.int32).reshape(count, -1)
    codes = answer_codes(rows.structure, anchors, relations, edges)
    bounds = np.searchsorted(codes, np.arange(1, count) * edges.num_entities)
    easy = np.split((codes % max(edges.num_entities, 1)).astype(np.int32), bounds)
    return QuerySet(
        structure=rows.structure,
        anchors=anchors,
        relations=relations,
        easy=tuple(easy),
        hard=tuple(rows.hard),
    )


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if path.suffix == ".parquet":
        yield from _parquet_records(path)
        return
    number = 0
    try:
        opener = gzip.open if is_packed(path) else open
        with opener(path, "rt", encoding="utf-8-sig") as file:
            while line := file.readline(_LONGEST_LINE):
                number += 1
                if number > MAX_QUERIES:
                    raise LimitError(f"more than {MAX_QUERIES} queries", where=str(path))
                if line.strip():
                    yield number, _parsed(line, f"{path}:{number}")
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8: {error.reason}", where=f"{path} after line {number}"
        ) from error
    except (OSError, EOFError) as error:
        raise InputError(
            f"it cannot be read: {error}", where=str(path), hint=packed_hint(error)
        ) from error


def _parquet_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    number = 0
    try:
        file = parquet.ParquetFile(path)
        if file.metadata.num_rows > MAX_QUERIES:
            raise LimitError(f"more than {MAX_QUERIES} queries", where=str(path))
        for batch in file.iter_batches(_BATCH_ROWS, columns=["s", "q", "hard", "n_easy"]):
            for row in batch.to_pylist():
                number += 1
                row["q"] = _json(row["q"], f"{path}:{number}")
                yield number, row
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"it cannot be read: {error}", where=str(path)) from error


def _parsed(line: str, where: str) -> dict[str, Any]:
    if len(line) >= _LONGEST_LINE:
        raise InputError(f"a line of over {_LONGEST_LINE} characters", where=where)
    record = _json(line, where)
    if not isinstance(record, dict):
        raise InputError(f"not a JSON object: {line[:80]!r}", where=where)
    return record


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where=where) from error


class _Reader:
    """Turns nested queries into slots; remembers shapes, entities and relations it has seen."""

    def __init__(self, graph: GraphFolder) -> None:
        self._full = graph.full
        used = {graph.full.relation_names.name(r) for r in np.unique(graph.full.relations)}
        self._names = BetaeNames(
            entities=graph.entity_order, relations=graph.relation_order, known=used
        )
        self._rows: dict[object, _Rows] = {}
        self._entities: dict[int | str, int] = {}
        self._relations: dict[int | str, int] = {}

    @property
    def found(self) -> list[_Rows]:
        """What was read, by structure."""
        return list({id(rows): rows for rows in self._rows.values()}.values())

    def query(self, nested: Any) -> tuple[_Rows, list[int], list[int]]:
        """Return where a query belongs, its anchors' ids and directed relations in slot order."""
        anchors: list[int] = []
        relations: list[int] = []
        shape = self._shape(nested, anchors, relations, 0)
        rows = self._rows.get(shape)
        if rows is None:
            tree = read_betae(nested, self._names)
            check_safe(tree)
            structure = in_normal_form(structure_of(tree, self._full)[0])
            # two ways of writing may have one tree
            same = (one for one in self._rows.values() if one.structure == structure)
            rows = next(same, None) or _Rows(structure, structure.name)
            self._rows[shape] = rows
        return rows, anchors, relations

    def _shape(self, nested: Any, anchors: list[int], relations: list[int], depth: int) -> object:
        """Collect the slots in the order of `structure_of`; returns what tells the tree's shape."""
        if depth > _DEEPEST:
            raise InputError(f"a query is nested more than {_DEEPEST} deep")
        if not isinstance(nested, list) or len(nested) < 2:
            raise InputError(f"not a nested query: {str(nested)[:80]}")
        if not _is_path(nested):
            return tuple(
                "u" if branch == [_UNITE] else self._shape(branch, anchors, relations, depth + 1)
                for branch in nested
            )
        start, steps = nested
        # the last hop is the root of the tree
        relations += [self._relation(step) for step in reversed(steps) if step != _NEGATE]
        kinds = tuple(step == _NEGATE for step in steps)
        if isinstance(start, list):
            return kinds, self._shape(start, anchors, relations, depth + 1)
        anchors.append(self._entity(start))
        return kinds

    def answers(self, given: Any) -> NDArray[np.int32]:
        """Return the ids of answers, ascending, each once."""
        if not isinstance(given, list):
            raise InputError("hard answers are no list")
        return np.array(sorted({self._entity(answer) for answer in given}), dtype=np.int32)

    def _entity(self, given: Any) -> int:
        found = self._entities.get(given) if type(given) in (int, str) else None
        if found is None:
            found = self._full.entity_id(self._names.entity(_checked(given)))
            self._entities[given] = found
        return found

    def _relation(self, given: Any) -> int:
        found = self._relations.get(given) if type(given) in (int, str) else None
        if found is None:
            name, inverse = self._names.relation(_checked(given))
            found = directed(self._full.relation_id(name), inverse=inverse)
            self._relations[given] = found
        return found


def _is_path(nested: list[Any]) -> bool:
    """Tell ``[start, [steps]]`` from a list of branches: steps are no lists."""
    steps = nested[1]
    return (
        len(nested) == 2
        and isinstance(steps, list)
        and steps != [_UNITE]
        and not any(isinstance(step, list) for step in steps)
    )


def _checked(given: Any) -> int | str:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise InputError(f"{str(given)[:80]} is no entity and no relation")
    return given
