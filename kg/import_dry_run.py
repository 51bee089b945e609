"""What an import would write, and what it would reject: every row is read, nothing is written."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from kg.attribute_types import AttributeTypes
from kg.formats.records import Reject
from kg.import_shards import RowTable
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.model import Edge, Entity
from kg.progress import Progress, silent
from kg.schema import GraphSchema
from kg.schema_check import check_import
from kg.store import Store

__all__ = ["DryRun", "dry_run"]

Known = dict[int, str] | None
"""Label by the hash of a key; None once there are too many."""
SHOWN = 20
"""Rejects that are kept."""
MOST_KEYS = 5_000_000
"""Keys that are held, some 100 bytes each; beyond, neither ends of edges nor keys of two labels are
looked for."""


@dataclass(slots=True, kw_only=True)
class DryRun:
    """What an import would do.

    Attributes:
        entities: Rows by label; rows of one key become one entity.
        keys: Distinct keys of them; None if there are more than `MOST_KEYS`.
        edges: Rows by relation.
        rejected: How many rows would be rejected, in whole or in part.
        rejects: The first of them.
        attributes: With the types of their values.
    """

    entities: Counter[str] = field(default_factory=Counter)
    keys: int | None = 0
    edges: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    attributes: AttributeTypes = field(default_factory=AttributeTypes)

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
    known: Known = {}
    rows = _told((*source.entities, *source.edges), progress)
    for row in rows:
        found.reject(row.rejects)
        if row.entity is not None:
            known = _with_entity(found, known, row, row.entity)
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


def _with_entity(found: DryRun, known: Known, row: MappedRow, entity: Entity) -> Known:
    label = entity.label
    first = label if known is None else known.setdefault(hash(entity.key), sys.intern(label))
    if first == label:
        found.entities[label] += 1
        found.attributes.see(label, entity.attributes)
    else:
        found.reject([_refused(row, f"{entity.key!r} is a {first} and cannot become a {label}")])
    return known if known is not None and len(known) <= MOST_KEYS else None


def _with_edge(
    found: DryRun,
    known: Known,
    row: MappedRow,
    edge: Edge,
    store: Store,
) -> None:
    ends = (edge.head, edge.tail) if known is not None else ()
    news = (end for end in ends if hash(end) not in (known or ()))
    lost = next((end for end in news if store.entity(end) is None), None)
    if lost is not None:
        found.reject([_refused(row, f"there is no entity {lost!r:.200}")])
    elif edge.relation in found.entities:
        found.reject([_refused(row, f"{edge.relation!r} is a label and a relation")])
    else:
        found.edges[edge.relation] += 1
        found.attributes.see(edge.relation, edge.attributes)


def _refused(row: MappedRow, reason: str) -> Reject:
    return Reject(file=row.file, line=row.line, column=None, reason=reason, text=row.text)
