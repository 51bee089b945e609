"""Writes of the Bolt backend inside one transaction: read what is there, merge, write the rest.

Merging happens in Python by the functions that every store shares, so an upsert costs one read
and one write a chunk, and rows that change nothing are not written at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, LiteralString, TypeVar

from kg.backends import statements
from kg.backends.merging import (
    exact_edges,
    exact_entities,
    fold_edges,
    fold_entities,
    merge_edge,
    merge_entity,
    missing_end,
    without,
)
from kg.backends.names import is_name
from kg.backends.rows import edge_from_row, edge_properties, entity_from_row, entity_properties
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.store import Withdrawal

__all__ = ["CHUNK", "Run", "TransactionWriter", "chunks"]

CHUNK = 1000
Run = Callable[[LiteralString, Mapping[str, Any]], tuple[tuple[str, ...], list[list[Any]]]]
"""Runs one statement in the transaction and returns its columns and rows."""
Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield lists of up to `size` items."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


class TransactionWriter:
    """The `Writer` of one transaction.

    Args:
        run: Runs a statement in it.
        ensure: Called with new labels and relations before they are used; raises
            `ConstraintError` for a name that is already the other kind.
        labels_of: The labels that a new node of one label carries.

    Attributes:
        changed: Something was written, so the store's version must grow.
    """

    def __init__(
        self,
        run: Run,
        *,
        ensure: Callable[[set[str], set[str]], None],
        labels_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._statement = run
        self._ensure = ensure
        self._labels_of = labels_of
        self.changed = False

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Add or merge entities; see `kg.store.Writer`."""
        folded = fold_entities(rows)
        new: list[Entity] = []
        newer: list[tuple[Entity, Entity]] = []
        for keys in chunks(folded):
            present = self._entities(keys)
            for key in keys:
                old = merged = present.get(key)
                for row in folded[key]:
                    merged = merge_entity(merged, row)
                if merged is None or merged == old:
                    continue
                if old is None:
                    new.append(merged)
                else:
                    newer.append((old, merged))
        if new:
            self._ensure({row.label for row in new}, set())
        self._create_entities(new)
        self._replace_entities(newer)
        return sum(map(len, folded.values()))

    def _entities(self, keys: Iterable[str]) -> dict[EntityKey, Entity]:
        rows = self._run(statements.FIND_ENTITIES, {"keys": list(keys)})
        return {found.key: found for found in (entity_from_row(*row) for row in rows)}

    def _create_entities(self, rows: list[Entity]) -> None:
        by_label: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            by_label.setdefault(row.label, []).append(entity_properties(row))
        for label, maps in by_label.items():
            for chunk in chunks(maps):
                names = sorted({name for row in chunk for name in row})
                text = statements.create_entities(self._labels_of(label), names)
                self._write(text, {"rows": chunk})

    def _replace_entities(self, pairs: list[tuple[Entity, Entity]]) -> None:
        """Write what differs; one statement for all rows in which the same properties do."""
        by_names: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for old, new in pairs:
            changed = _difference(entity_properties(old), entity_properties(new))
            rows = by_names.setdefault(tuple(sorted(changed)), [])
            rows.append({**changed, "key": new.key})
        for names, rows in by_names.items():
            for chunk in chunks(rows):
                self._write(statements.set_entities(names), {"rows": chunk})

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Add or merge edges; see `kg.store.Writer`."""
        folded = fold_edges(rows)
        self._check_ends(folded)
        new: dict[str, list[Edge]] = {}
        newer: list[tuple[Edge, Edge]] = []
        for relation, keys in _by_relation(folded).items():
            for chunk in chunks(keys):
                present = self._edges(relation, chunk)
                for key in chunk:
                    old = merged = present.get(key)
                    for row in folded[key]:
                        merged = merge_edge(merged, row)
                    if merged is None or merged == old:
                        continue
                    if old is None:
                        new.setdefault(relation, []).append(merged)
                    else:
                        newer.append((old, merged))
        if new:
            self._ensure(set(), set(new))
        for relation, made in new.items():
            for part in chunks(made):
                maps = [{**edge_properties(edge), **_ends(edge.key)} for edge in part]
                names = sorted({name for row in maps for name in row} - {"_head", "_tail"})
                self._write(statements.create_edges(relation, names), {"rows": maps})
        self._replace_edges(newer)
        return sum(map(len, folded.values()))

    def _check_ends(self, folded: Mapping[EdgeKey, object]) -> None:
        needed = dict.fromkeys(end for head, _, tail in folded for end in (head, tail))
        present = {
            row[0]
            for keys in chunks(needed)
            for row in self._run(statements.COUNT_ENDS, {"keys": keys})
        }
        for key in folded:
            for end in (key[0], key[2]):
                if end not in present:
                    raise missing_end(key, end)

    def _edges(self, relation: str, keys: Iterable[EdgeKey]) -> dict[EdgeKey, Edge]:
        if not is_name(relation):
            return {}
        rows = self._run(statements.find_edges(relation), {"rows": [_ends(key) for key in keys]})
        found = (edge_from_row(head, relation, tail, values) for head, tail, values in rows)
        return {edge.key: edge for edge in found}

    def _replace_edges(self, pairs: Iterable[tuple[Edge, Edge]]) -> None:
        groups: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}
        for old, new in pairs:
            changed = _difference(edge_properties(old), edge_properties(new))
            rows = groups.setdefault((new.relation, tuple(sorted(changed))), [])
            rows.append({**changed, **_ends(new.key)})
        for (relation, names), rows in groups.items():
            for chunk in chunks(rows):
                self._write(statements.set_edges(relation, names), {"rows": chunk})

    def replace_entities(self, rows: Iterable[Entity]) -> int:
        """Make entities exactly these rows; see `kg.store.Writer`."""
        kept = list(rows)
        self._replace_entities(exact_entities(kept, self._all_entities))
        return len(kept)

    def _all_entities(self, keys: list[EntityKey]) -> dict[EntityKey, Entity]:
        parts = (self._entities(part) for part in chunks(keys))
        return {key: row for part in parts for key, row in part.items()}

    def replace_edges(self, rows: Iterable[Edge]) -> int:
        """Make edges exactly these rows; see `kg.store.Writer`."""
        kept = list(rows)
        self._replace_edges(exact_edges(kept, self._all_edges))
        return len(kept)

    def _all_edges(self, keys: list[EdgeKey]) -> dict[EdgeKey, Edge]:
        groups = _by_relation(keys).items()
        parts = (self._edges(name, part) for name, group in groups for part in chunks(group))
        return {key: edge for part in parts for key, edge in part.items()}

    def delete_entities(self, keys: Iterable[EntityKey]) -> int:
        """Delete entities with their edges and return how many there were."""
        total = 0
        for chunk in chunks(dict.fromkeys(keys)):
            present = [row[0] for row in self._run(statements.COUNT_ENDS, {"keys": chunk})]
            total += len(present)
            if present:
                self._write(statements.DELETE_ENTITIES, {"keys": present})
        return total

    def delete_edges(self, keys: Iterable[EdgeKey]) -> int:
        """Delete edges and return how many there were."""
        total = 0
        for relation, group in _by_relation(dict.fromkeys(keys)).items():
            for chunk in chunks(group):
                present = [_ends(key) for key in self._edges(relation, chunk)]
                total += len(present)
                if present:
                    self._write(statements.delete_edges(relation), {"rows": present})
        return total

    def withdraw(self, what: Withdrawal) -> int:
        """Take away matching records; see `kg.store.Writer`."""
        needle = _needle(what)
        if needle is None:
            return 0
        total, gone_edges, gone_parts = 0, [], []
        shorter_edges: list[tuple[Edge, Edge]] = []
        shorter: list[tuple[Entity, Entity]] = []
        for row in self._run(statements.EDGES_TOUCHED, {"needle": needle}):
            edge = edge_from_row(*row)
            kept, taken = without(edge.provenance, what)
            total += taken
            if taken and kept:
                shorter_edges.append((edge, replace(edge, provenance=kept)))
            elif taken:
                gone_edges.append(edge.key)
        for labels, values in self._run(statements.ENTITIES_TOUCHED, {"needle": needle}):
            entity = entity_from_row(labels, values)
            kept, taken = without(entity.provenance, what)
            total += taken
            if taken and (kept or entity.part is None):
                shorter.append((entity, replace(entity, provenance=kept)))
            elif taken:
                gone_parts.append(entity.key)
        self._replace_edges(shorter_edges)
        self._replace_entities(shorter)
        self.delete_edges(gone_edges)
        self.delete_entities(gone_parts)
        return total

    def raw(
        self, text: LiteralString, parameters: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], list[list[Any]]]:
        """Run trusted Cypher that may write, and return its columns and rows."""
        self.changed = True
        return self._statement(text, parameters)

    def _run(self, text: LiteralString, parameters: Mapping[str, Any]) -> list[list[Any]]:
        return self._statement(text, parameters)[1]

    def _write(self, text: LiteralString, parameters: Mapping[str, Any]) -> None:
        self.changed = True
        self._statement(text, parameters)


def _ends(key: EdgeKey) -> dict[str, str]:
    return {"_head": key[0], "_tail": key[2]}


def _by_relation(keys: Iterable[EdgeKey]) -> dict[str, list[EdgeKey]]:
    groups: dict[str, list[EdgeKey]] = {}
    for key in keys:
        groups.setdefault(key[1], []).append(key)
    return groups


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that must be written, None for those that must go."""
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    return {**dict.fromkeys(old.keys() - new.keys()), **changed}


def _needle(what: Withdrawal) -> str | None:
    """Return a piece of text that the JSON of every matching record holds."""
    for name in ("job", "source", "model", "kind"):
        value = getattr(what, name)
        if value is not None:
            return json.dumps({name: value}, ensure_ascii=False)[1:-1]
    return None
