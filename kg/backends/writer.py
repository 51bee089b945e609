"""Writes of the Bolt backend inside one transaction: read what is there, merge, write the rest.

Merging happens in Python by the functions that every store shares. An upsert of entities costs one
read and one write a chunk, one of edges a single statement that makes those that are new; rows
that change nothing are not written at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice, starmap
from typing import TYPE_CHECKING, Any, TypeVar

from kg.backends import statements
from kg.backends.edge_maps import by_key, by_relation, edge_note, ends, made_maps
from kg.backends.merging import (
    exact_edges,
    exact_entities,
    fold_edges,
    fold_entities,
    merge_edges,
    merge_entities,
    missing_end,
)
from kg.backends.names import is_name
from kg.backends.rows import (
    difference,
    edge_from_row,
    edge_properties,
    entity_from_row,
    entity_properties,
)
from kg.backends.withdrawing import withdrawn
from kg.changes import Note
from kg.errors import ConstraintError, InputError
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.taken import Taken
from kg.withdrawal import Withdrawal

if TYPE_CHECKING:
    from kg.backends.counted import CountedTransaction
    from kg.backends.links import Link

__all__ = ["CHUNK", "TransactionWriter", "chunks"]

CHUNK = 1000
Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield lists of up to `size` items."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


class TransactionWriter:
    """The `Writer` of one transaction.

    Args:
        transaction: Runs its statements.
        link: The server.
    """

    def __init__(self, transaction: CountedTransaction, link: Link) -> None:
        self._transaction = transaction
        self._link = link

    def upsert_entities(self, rows: Iterable[Entity]) -> int:
        """Add or merge entities; see `kg.store.Writer`."""
        folded = fold_entities(rows)
        new: list[Entity] = []
        newer: list[tuple[Entity, Entity]] = []
        for keys in chunks(folded):
            present = self._entities(keys)
            for key in keys:
                old = present.get(key)
                merged = merge_entities(old, folded[key])
                if old is None:
                    new.append(merged)
                elif merged != old:
                    newer.append((old, merged))
        if new:
            self._link.ensure({row.label for row in new}, set())
        self._create_entities(new)
        self._replace_entities(newer)
        return sum(map(len, folded.values()))

    def _entities(self, keys: Iterable[str]) -> dict[EntityKey, Entity]:
        rows = self._transaction.rows(statements.FIND_ENTITIES, {"keys": list(keys)})
        return {found.key: found for found in (entity_from_row(*row) for row in rows)}

    def _properties(self, row: Entity) -> dict[str, Any]:
        properties = entity_properties(row)
        self._link.indexes.check(row.label, properties, key=row.key)
        return properties

    def _create_entities(self, rows: list[Entity]) -> None:
        by_label: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            by_label.setdefault(row.label, []).append(self._properties(row))
        for label, maps in by_label.items():
            for chunk in chunks(maps):
                names = sorted({name for row in chunk for name in row})
                text = statements.create_entities(self._link.labels_of(label), names)
                self._transaction.write(text, {"rows": chunk}, _note(chunk))

    def _replace_entities(self, pairs: list[tuple[Entity, Entity]]) -> None:
        """Write what differs; one statement for all rows in which the same properties do."""
        by_names: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for old, new in pairs:
            changed = difference(entity_properties(old), self._properties(new))
            rows = by_names.setdefault(tuple(sorted(changed)), [])
            rows.append({**changed, "key": new.key})
        for names, rows in by_names.items():
            for chunk in chunks(rows):
                text = statements.set_entities(names)
                self._transaction.write(text, {"rows": chunk}, _note(chunk))

    def upsert_edges(self, rows: Iterable[Edge]) -> int:
        """Add or merge edges; see `kg.store.Writer`."""
        folded = fold_edges(rows)
        groups = by_relation(folded)
        if not self._link.is_ready(set(), set(groups)):
            self._check_ends(folded)  # a call that is refused leaves no type
            self._link.ensure(set(), set(groups))
        present: dict[EdgeKey, Edge] = {}
        made: list[EdgeKey] = []
        with self._taking_back(made):
            for relation, keys in groups.items():
                for chunk in chunks(keys):
                    self._make({key: folded[key] for key in chunk}, relation, present, made)
        pairs = ((old, merge_edges(old, folded[key])) for key, old in present.items())
        self._replace_edges((old, merged) for old, merged in pairs if old != merged)
        return sum(map(len, folded.values()))

    @contextmanager
    def _taking_back(self, made: Sequence[EdgeKey]) -> Iterator[None]:
        """Unmake edges if the block fails: whoever has the transaction may go on and commit it."""
        changed = self._transaction.changed
        try:
            yield
        except (ConstraintError, InputError):
            self.delete_edges(made)
            self._transaction.changed = changed
            raise

    def _make(
        self,
        folded: Mapping[EdgeKey, Sequence[Edge]],
        relation: str,
        present: dict[EdgeKey, Edge],
        made: list[EdgeKey],
    ) -> None:
        """Make the edges of a relation that do not exist, and say so in `made`.

        Of the others, those that may have to change are put into `present`.
        """
        bare = [key for key, rows in folded.items() if not rows[0].provenance]
        there = self._edges(relation, bare) if bare else {}
        if len(there) < len(bare):  # no edge can be made without a record
            self._check_ends(folded)
            merge_edges(None, next(folded[key] for key in bare if key not in there))
        fresh = [merge_edges(None, rows) for key, rows in folded.items() if key not in there]
        present |= there
        if not fresh:
            return
        maps, names = made_maps(fresh, folded)
        text = statements.make_edges(relation, names)
        touched = Note(edges=frozenset(edge.key for edge in fresh))
        count, rows = self._transaction.rows(text, {"rows": maps}, touched)[0]
        self._transaction.changed |= count > 0
        found = by_key(relation, (row for row in rows if not isinstance(row, str)))
        present |= found
        kept = {fresh[int(row)].key for row in rows if isinstance(row, str)} | found.keys()
        made += (edge.key for edge in fresh if edge.key not in kept)
        if count + len(kept) < len(fresh):
            self._check_ends(folded)

    def _check_ends(self, folded: Iterable[EdgeKey]) -> None:
        needed = dict.fromkeys(end for head, _, tail in folded for end in (head, tail))
        present = {
            row[0]
            for keys in chunks(needed)
            for row in self._transaction.rows(statements.COUNT_ENDS, {"keys": keys})
        }
        for key in folded:
            for end in (key[0], key[2]):
                if end not in present:
                    raise missing_end(key, end)

    def _edges(self, relation: str, keys: Iterable[EdgeKey]) -> dict[EdgeKey, Edge]:
        if not is_name(relation):
            return {}
        wanted = {"rows": [ends(key) for key in keys]}
        rows = self._transaction.rows(statements.find_edges(relation), wanted)
        return by_key(relation, rows)

    def _replace_edges(self, pairs: Iterable[tuple[Edge, Edge]]) -> None:
        groups: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}
        for old, new in pairs:
            changed = difference(edge_properties(old), edge_properties(new))
            rows = groups.setdefault((new.relation, tuple(sorted(changed))), [])
            rows.append({**changed, **ends(new.key)})
        for (relation, names), rows in groups.items():
            for chunk in chunks(rows):
                text = statements.set_edges(relation, names)
                self._transaction.write(text, {"rows": chunk}, edge_note(relation, chunk))

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
        groups = by_relation(keys).items()
        parts = (self._edges(name, part) for name, group in groups for part in chunks(group))
        return {key: edge for part in parts for key, edge in part.items()}

    def delete_entities(self, keys: Iterable[EntityKey]) -> int:
        """Delete entities with their edges and return how many there were."""
        total = 0
        for chunk in chunks(dict.fromkeys(keys)):
            rows = self._transaction.rows(statements.COUNT_ENDS, {"keys": chunk})
            present = [row[0] for row in rows]
            total += len(present)
            if present:
                touched = Note(frozenset(present), frozenset(self._at(present)))
                self._transaction.write(statements.DELETE_ENTITIES, {"keys": present}, touched)
        return total

    def delete_edges(self, keys: Iterable[EdgeKey]) -> int:
        """Delete edges and return how many there were."""
        total = 0
        for relation, group in by_relation(dict.fromkeys(keys)).items():
            for chunk in chunks(group):
                present = [ends(key) for key in self._edges(relation, chunk)]
                total += len(present)
                if present:
                    text = statements.delete_edges(relation)
                    touched = edge_note(relation, present)
                    self._transaction.write(text, {"rows": present}, touched)
        return total

    def withdraw(self, what: Withdrawal) -> int:
        """Take away matching records; see `kg.store.Writer`."""
        found = self.withdrawn(what)
        self._replace_edges(found.edges_kept)
        self._replace_entities(list(found.entities_kept))
        self.delete_edges(edge.key for edge in found.edges_gone)
        self.delete_entities(row.key for row in found.entities_gone)
        return found.records

    def withdrawn(self, what: Withdrawal) -> Taken:
        """Say what `withdraw` would take away; see `kg.store.Writer`."""
        return withdrawn(what, self._recorded, self._edges_at)

    def _recorded(self, needles: list[str]) -> Iterator[Entity | Edge]:
        asked = {"needles": needles}
        yield from starmap(edge_from_row, self._transaction.rows(statements.EDGES_TOUCHED, asked))
        rows = self._transaction.rows(statements.ENTITIES_TOUCHED, asked)
        yield from starmap(entity_from_row, rows)

    def _edges_at(self, keys: Collection[EntityKey]) -> Iterator[Edge]:
        for chunk in chunks(keys):
            yield from self._all_edges(self._at(chunk)).values()

    def _at(self, keys: Sequence[str]) -> list[EdgeKey]:
        texts = (statements.EDGES_FROM, statements.EDGES_TO)
        rows = (row for text in texts for row in self._transaction.rows(text, {"keys": keys}))
        return [(head, relation, tail) for head, relation, tail in rows]


def _note(rows: Iterable[Mapping[str, Any]]) -> Note:
    return Note(entities=frozenset(row["key"] for row in rows))
