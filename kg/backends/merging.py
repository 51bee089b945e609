"""What it means to merge a newer row into an older one; every store merges by these functions.

Both are idempotent: merging the same row again changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from kg.backends.names import check_attribute, check_label, check_relation
from kg.claimed import alone, merged_values, settled
from kg.claims import speakers
from kg.errors import ConstraintError, InputError
from kg.model import AttributeValue, Edge, EdgeKey, Entity, EntityKey
from kg.provenance import Provenance
from kg.provenance import merged as merged_records

__all__ = [
    "check_limit",
    "checked_edge",
    "checked_entity",
    "exact_edges",
    "exact_entities",
    "fold_edges",
    "fold_entities",
    "merge_edge",
    "merge_edges",
    "merge_entities",
    "merge_entity",
    "missing_end",
]

_LARGEST = 2**63 - 1
Row = TypeVar("Row", Entity, Edge)


def _checked_value(value: AttributeValue, where: str) -> AttributeValue:
    if isinstance(value, list | tuple):
        return tuple(_checked_scalar(item, where) for item in value)
    return _checked_scalar(value, where)


def _checked_scalar(value: object, where: str) -> str | int | float | bool:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int) and -_LARGEST - 1 <= value <= _LARGEST:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise InputError(
        f"{value!r:.80} cannot be an attribute's value",
        where=where,
        hint="values are texts, booleans, 64-bit integers, finite numbers, and lists of these",
    )


def checked_entity(row: Entity) -> Entity:
    """Return the row if every store can hold it.

    Raises:
        InputError: Its label, an attribute's name or a value cannot be stored.
    """
    check_label(row.label, where=row.key)
    for name, value in row.attributes.items():
        check_attribute(name, where=row.key)
        _checked_value(value, f"{row.key} ({name})")
    if row.claims:
        _check_claims(row, row.key)
    return row


def checked_edge(row: Edge) -> Edge:
    """Return the row if every store can hold it.

    Raises:
        InputError: Its relation, an attribute's name or a value cannot be stored.
    """
    where = " ".join(row.key)
    check_relation(row.relation, where=where)
    for name, value in row.attributes.items():
        check_attribute(name, where=where, edge=True)
        _checked_value(value, f"{where} ({name})")
    if row.claims:
        _check_claims(row, where)
    return row


def _check_claims(row: Entity | Edge, where: str) -> None:
    for name, claims in row.claims.items():
        if not name.startswith("."):
            check_attribute(name, where=where, edge=isinstance(row, Edge))
            for claim in claims:
                _checked_value(claim.value, f"{where} ({name})")


def merge_entity(old: Entity | None, new: Entity) -> Entity:
    """Return the older row with the fields that the newer one sets.

    Raises:
        ConstraintError: The two rows of one key have different labels.
    """
    if old is None:
        if len(new.aliases) < 2 and len(new.provenance) < 2 and not new.claims:  # most rows
            return new
        row = replace(
            new,
            aliases=tuple(dict.fromkeys(new.aliases)),
            provenance=merged_records((), new.provenance),
        )
        return alone(row) if row.claims else row
    if old.label != new.label:
        raise ConstraintError(
            f"{old.key!r} is a {old.label} and cannot become a {new.label}",
            where=old.key,
            hint="delete the entity first, or give the other thing a key of its own",
        )
    merged = replace(
        old,
        name=new.name,
        aliases=tuple(dict.fromkeys((*old.aliases, *new.aliases))),
        attributes={**old.attributes, **new.attributes},
        images=new.images or old.images,
        part=new.part or old.part,
    )
    return _spoken(old, new, merged)


def merge_edge(old: Edge | None, new: Edge) -> Edge:
    """Return the older edge with the attributes and records of the newer one.

    Raises:
        InputError: The merged edge would have no record of where it comes from.
    """
    if not new.provenance and (old is None or not old.provenance):
        raise InputError(
            "an edge needs a record of where it comes from",
            where=" ".join(new.key),
            hint="give it a Provenance",
        )
    if old is None:
        if len(new.provenance) == 1 and not new.claims:  # nothing to merge: most rows
            return new
        row = replace(new, provenance=merged_records((), new.provenance))
        return alone(row) if row.claims else row
    merged = replace(old, attributes={**old.attributes, **new.attributes})
    return _spoken(old, new, merged)


def _spoken(old: Row, new: Row, merged: Row) -> Row:
    """Return a merged row with the records of both, and with claims where they say more.

    Args:
        old: What is there.
        new: What is written.
        merged: The older one with the values of the newer one, if that has no claims.
    """
    if merged == old and new.provenance:
        news = _news(old.provenance, new.provenance)
        if not news:
            return old
        new = replace(new, provenance=news)
    records = merged_records(old.provenance, new.provenance)
    bare = not (old.claims or new.claims)
    valueless = isinstance(merged, Edge) and not merged.attributes
    alike = old.provenance == new.provenance or (
        speakers(old.provenance) == speakers(new.provenance)
    )
    if bare and (valueless or alike):
        same: Row = replace(merged, provenance=records)
        return same
    return merged_values(old, new, records)


def _news(old: tuple[Provenance, ...], new: tuple[Provenance, ...]) -> tuple[Provenance, ...]:
    """Return the records of a row that changes no value, without those that only repeat.

    What a job reads where another has read the same is the earlier one's: else each import of a
    file that has grown would write every row of it again.
    """
    if all(record.job is None or record.locator is None for record in new):
        return new
    jobs: dict[tuple[str, str, str | None, str | None], set[str | None]] = {}
    for record in old:
        jobs.setdefault(_place(record), set()).add(record.job)

    def repeats(record: Provenance) -> bool:
        if record.kind != "asserted" or record.job is None or record.locator is None:
            return False
        others = jobs.get(_place(record), set()) - {None}
        return bool(others) and record.job not in others

    return tuple(record for record in new if not repeats(record))


def _place(record: Provenance) -> tuple[str, str, str | None, str | None]:
    return record.kind, record.source, record.locator, record.model


def merge_entities(old: Entity | None, rows: Sequence[Entity]) -> Entity:
    """Return the older entity with all rows of its key, at least one, merged in their order."""
    merged = merge_entity(old, rows[0])
    for row in rows[1:]:
        merged = merge_entity(merged, row)
    return merged


def merge_edges(old: Edge | None, rows: Sequence[Edge]) -> Edge:
    """Return the older edge with all rows of its key, at least one, merged in their order."""
    merged = merge_edge(old, rows[0])
    for row in rows[1:]:
        merged = merge_edge(merged, row)
    return merged


def fold_entities(rows: Iterable[Entity]) -> dict[EntityKey, list[Entity]]:
    """Return checked rows by key, rows of one key in their order."""
    folded: dict[EntityKey, list[Entity]] = {}
    for row in rows:
        folded.setdefault(row.key, []).append(checked_entity(row))
    return folded


def fold_edges(rows: Iterable[Edge]) -> dict[EdgeKey, list[Edge]]:
    """Return checked rows by (head, relation, tail), rows of one edge in their order."""
    folded: dict[EdgeKey, list[Edge]] = {}
    for row in rows:
        folded.setdefault(row.key, []).append(checked_edge(row))
    return folded


def exact_entities(
    rows: Iterable[Entity], present: Callable[[list[EntityKey]], Mapping[EntityKey, Entity]]
) -> list[tuple[Entity, Entity]]:
    """Return (old, new) for the entities that a replacement changes; the last row of a key counts.

    Raises:
        ConstraintError: There is no such entity, or it has another label.
    """
    newest = {row.key: checked_entity(row) for row in rows}
    old = present(list(newest))
    pairs: list[tuple[Entity, Entity]] = []
    for key, row in newest.items():
        if key not in old or old[key].label != row.label:
            raise ConstraintError(
                f"there is no {row.label} {key!r} to replace", where=key, hint="upsert adds one"
            )
        pairs.append((old[key], merge_entity(None, row)))
    settling = ((one, settled(one, other)) for one, other in pairs)
    return [(one, other) for one, other in settling if one != other]


def exact_edges(
    rows: Iterable[Edge], present: Callable[[list[EdgeKey]], Mapping[EdgeKey, Edge]]
) -> list[tuple[Edge, Edge]]:
    """Return (old, new) for the edges that a replacement changes; the last row of a key counts.

    Raises:
        ConstraintError: There is no such edge.
        InputError: It would have no record of where it comes from.
    """
    newest = {row.key: merge_edge(None, checked_edge(row)) for row in rows}
    old = present(list(newest))
    for key in newest:
        if key not in old:
            raise ConstraintError(
                "there is no such edge to replace", where=" ".join(key), hint="upsert adds one"
            )
    pairs = ((old[key], settled(old[key], row)) for key, row in newest.items())
    return [(one, other) for one, other in pairs if one != other]


def missing_end(edge: EdgeKey, end: str) -> ConstraintError:
    """Return the error for an edge one of whose ends is not in the store."""
    return ConstraintError(
        f"an edge needs both its ends, and there is no entity {end!r}",
        where=" ".join(edge),
        hint="add the entity first",
    )


def check_limit(limit: int) -> int:
    """Return a limit on rows, or raise `InputError` for a negative one."""
    if limit < 0:
        raise InputError(f"a limit of {limit} rows is not possible")
    return limit
