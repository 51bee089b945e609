"""What an import would write, and what it would reject: every row is read, nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kg.formats.records import Reject
from kg.import_shards import RowTable
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.model import AttributeValue, Edge, Entity
from kg.progress import Progress, silent
from kg.schema import GraphSchema
from kg.schema_check import check_import
from kg.store import Store

__all__ = ["DryRun", "SeenAttribute", "dry_run"]

SHOWN = 20
"""Rejects that are kept."""
MOST_KEYS = 5_000_000
"""Keys that are held, 60 bytes each; beyond, ends of edges are not looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAttribute:
    """An attribute as its values are.

    Attributes:
        of: Label of the entities, or relation of the edges.
        name: Its name.
        types: How many values are of each type.
    """

    of: str
    name: str
    types: Mapping[str, int]


@dataclass(slots=True, kw_only=True)
class DryRun:
    """What an import would do.

    Attributes:
        entities: Rows by label; rows of one key become one entity.
        keys: Distinct keys of them; None if there are more than `MOST_KEYS`.
        edges: Rows by relation.
        rejected: How many rows would be rejected, in whole or in part.
        rejects: The first of them.
    """

    entities: Counter[str] = field(default_factory=Counter)
    keys: int | None = 0
    edges: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    _types: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    @property
    def attributes(self) -> tuple[SeenAttribute, ...]:
        """The attributes, in the order of what has them and of their names."""
        return tuple(
            SeenAttribute(of=of, name=name, types=dict(types))
            for (of, name), types in sorted(self._types.items())
        )

    def see(self, of: str, attributes: Mapping[str, AttributeValue]) -> None:
        """Count the types of some values."""
        for name, value in attributes.items():
            self._types.setdefault((of, name), Counter())[_type(value)] += 1

    def reject(self, rejects: list[Reject]) -> None:
        """Count a row that is not taken whole."""
        if rejects:
            self.rejected += 1
            self.rejects += rejects[: SHOWN - len(self.rejects)]


def dry_run(
    source: ImportSource,
    store: Store,
    *,
    schema: GraphSchema | None = None,
    progress: Progress = silent,
) -> DryRun:
    """Read all rows of an import and say what they would become.

    Args:
        source: What would be imported.
        store: Where it would be imported; asked for ends of edges that the import does not hold.
        schema: What does not fit it is among the rejects.
        progress: Told rows done of all.

    Raises:
        RecordError: A file is damaged, or not of its format at all.
    """
    found = DryRun()
    known: set[int] | None = set()
    rows = _told((*source.entities, *source.edges), progress)
    for row in rows:
        found.reject(row.rejects)
        if row.entity is not None:
            known = _with_entity(found, known, row.entity)
        if row.edge is not None:
            _with_edge(found, known, row, row.edge, store)
    for reject in () if schema is None else check_import(source, schema, store):
        found.reject([reject])
    found.keys = None if known is None else len(known)
    return found


def _told(tables: tuple[RowTable, ...], progress: Progress) -> Iterator[MappedRow]:
    done, total = 0, sum(table.positions for table in tables)
    for table in tables:
        for row in table.rows(1):
            yield row
            progress(min(total, done + row.position), total)
        done += table.positions


def _with_entity(found: DryRun, known: set[int] | None, entity: Entity) -> set[int] | None:
    found.entities[entity.label] += 1
    found.see(entity.label, entity.attributes)
    if known is not None:
        known.add(hash(entity.key))
    return known if known is not None and len(known) <= MOST_KEYS else None


def _with_edge(
    found: DryRun,
    known: set[int] | None,
    row: MappedRow,
    edge: Edge,
    store: Store,
) -> None:
    ends = (edge.head, edge.tail) if known is not None else ()
    news = (end for end in ends if hash(end) not in (known or ()))
    lost = next((end for end in news if store.entity(end) is None), None)
    if lost is None:
        found.edges[edge.relation] += 1
        found.see(edge.relation, edge.attributes)
        return
    reason = f"there is no entity {lost!r:.200}"
    found.reject([Reject(file=row.file, line=row.line, column=None, reason=reason, text=row.text)])


def _type(value: AttributeValue) -> str:
    if isinstance(value, tuple):
        return f"{_type(value[0])}[]" if value else "list"
    return type(value).__name__
