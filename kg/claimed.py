"""Entities and edges with their claims: merged, taken from, replaced, and as plain JSON.

Claims are kept only where they say more than the row: a value without claims was written by all
records of its row alike. So what one source alone has written costs nothing, and what an earlier
version kept of several sources stays while one of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

from kg.claims import NOBODY, SILENT, Claim, Claims, above, beside, left_of, same, speakers
from kg.errors import InputError
from kg.model import Edge, Entity, ImagePart, ImageRef
from kg.provenance import Provenance

__all__ = [
    "alone",
    "claims_fields",
    "claims_from",
    "merged_values",
    "said",
    "settled",
    "spoken_by",
    "taken",
    "values_of",
    "without_records",
]

Row = TypeVar("Row", Entity, Edge)
NAME, ALIASES, IMAGES, PART = ".name", ".aliases", ".images", ".part"


def said(row: Entity | Edge) -> dict[str, Claims]:
    """Return the claims of every value of a row; an entity's own fields begin with a ``.``."""
    everyone = speakers(row.provenance)
    found: dict[str, Claims] = {name: (Claim(value, everyone),) for name, value in _values(row)}
    if isinstance(row, Entity) and row.aliases:
        found[ALIASES] = tuple(Claim(alias, everyone) for alias in row.aliases)
    return {**found, **row.claims}


def spoken_by(row: Entity | Edge, record: Provenance) -> Iterator[tuple[str, Any, bool]]:
    """Iterate the values that a record wrote: name, value, and whether the value holds now."""
    who = record.identity
    for name, claims in sorted(said(row).items()):
        own = [claim.value for claim in claims if who in claim.by]
        if own and name == ALIASES:
            yield name, tuple(own), True
        elif own:
            yield name, own[-1], who in claims[-1].by


def merged_values(old: Row, new: Row, records: tuple[Provenance, ...]) -> Row:
    """Return the older row with the values of the newer one written over its own.

    Args:
        old: What is there.
        new: What is written.
        records: Of both.
    """
    own = speakers(new.provenance) | {NOBODY}
    before, after = said(old), _told(new)
    found = dict(before)
    for name, claims in after.items():
        found[name] = (beside if name == ALIASES else above)(before.get(name, ()), claims, own)
    merged: Row = replace(old, provenance=records)
    return _built(merged, found)


def alone(row: Row) -> Row:
    """Return a row with its values and claims by its own records only."""
    return _built(row, _told(row))


def _told(row: Entity | Edge) -> dict[str, Claims]:
    """Return the claims of a row that is written.

    A value that they do not explain, or that none of its records speaks for, is what all of its
    records say.
    """
    everyone = speakers(row.provenance)
    heard = everyone | {NOBODY}
    found = said(replace(row, claims={}))
    for name, claims in row.claims.items():
        if name == ALIASES and isinstance(row, Entity):
            by = {claim.value: claim.by for claim in claims}
            rest = [Claim(alias, everyone) for alias in row.aliases if alias not in by]
            found[name] = (*(_heard(claim, row, everyone) for claim in claims), *rest)
            continue
        left = left_of(claims, heard)
        if (name == NAME and not claims) or (
            left and name in found and same(left[-1].value, found[name][0].value)
        ):
            found[name] = claims
    return found


def _heard(claim: Claim, row: Entity, everyone: frozenset[str]) -> Claim:
    own = claim.by & (everyone | {NOBODY})
    if claim.value in row.aliases:
        return claim if own else Claim(claim.value, claim.by | everyone)
    return Claim(claim.value, claim.by - own)


def without_records(row: Row, gone: Callable[[Provenance], bool]) -> Row:
    """Return a row without some of its records, and without the values that only they wrote.

    Where a value goes, the one that it was written over is there again. An entity whose name
    nobody has written is called by its key.
    """
    kept = tuple(record for record in row.provenance if not gone(record))
    if kept == row.provenance:
        return row
    left: Row = replace(row, provenance=kept)
    return _built(left, said(row))


def taken(row: Row, gone: Callable[[Provenance], bool]) -> Row:
    """Return what `without_records` takes: merging it again brings it back to its place."""
    records = tuple(record for record in row.provenance if gone(record))
    own = frozenset(record.identity for record in records)
    every = said(row)
    touched = {
        name: tuple(Claim(claim.value, _unsaid(claim.by)) for claim in claims)
        for name, claims in every.items()
        if any(claim.by & own for claim in claims)
    }
    bare: Row = replace(row, provenance=records, claims={})
    return replace(_built(bare, every, own), claims=touched)


def _unsaid(by: frozenset[str]) -> frozenset[str]:
    return (by - {NOBODY}) | {SILENT} if NOBODY in by else by


def settled(old: Row, row: Row) -> Row:
    """Return the row that replaces an older one, its claims made to fit its values.

    A value that the row does not explain was written by the records that are new in it, or by all
    of its records if none is.
    """
    if not (old.claims or row.claims or speakers(old.provenance) != speakers(row.provenance)):
        return row
    everyone = speakers(row.provenance)
    who = (everyone - speakers(old.provenance)) or everyone
    known = {**said(old), **row.claims}
    found: dict[str, Claims] = {}
    for name, value in _values(row):
        claims = left_of(known.get(name, ()), everyone | {NOBODY})
        holds = claims[-1].value if claims else None
        unnamed = name == NAME and row.claims.get(NAME) == () and value == row.key
        fits = unnamed or (claims and same(holds, value))
        found[name] = claims if fits else above(claims, (Claim(value, who),), who)
    if isinstance(row, Entity) and row.aliases:
        by = {c.value: c.by & (everyone | {NOBODY}) for c in known.get(ALIASES, ())}
        found[ALIASES] = tuple(Claim(alias, by.get(alias) or who) for alias in row.aliases)
    return _built(row, found)


def values_of(row: Entity | Edge) -> dict[str, Any]:
    """Return the values of a row that hold; an entity's own fields begin with a ``.``."""
    found = dict(_values(row))
    if isinstance(row, Entity) and row.aliases:
        found[ALIASES] = row.aliases
    return found


def _values(row: Entity | Edge) -> Iterator[tuple[str, Any]]:
    yield from row.attributes.items()
    if isinstance(row, Entity):
        yield NAME, row.name
        if row.images:
            yield IMAGES, row.images
        if row.part is not None:
            yield PART, row.part


def _built(row: Row, every: Mapping[str, Claims], who: frozenset[str] | None = None) -> Row:
    """Return the row with the values that its records' claims give, and claims that say more.

    Args:
        row: The row.
        every: Claims of all its values, those of other records among them.
        who: Who speaks; its records and `NOBODY` if not given.
    """
    everyone = speakers(row.provenance)
    heard = everyone | {NOBODY} if who is None else who
    left = {name: left_of(claims, heard) for name, claims in every.items()}
    values = {name: claims[-1].value for name, claims in left.items() if claims and name != ALIASES}
    attributes = {name: value for name, value in values.items() if not name.startswith(".")}
    claims = {
        name: found
        for name, found in left.items()
        if (not found and name == NAME) or any(claim.by != everyone for claim in found)
    }
    if isinstance(row, Edge):
        return replace(row, attributes=attributes, claims=claims)
    return replace(
        row,
        name=values.get(NAME, row.key),
        aliases=tuple(claim.value for claim in left.get(ALIASES, ())),
        attributes=attributes,
        images=values.get(IMAGES, ()),
        part=values.get(PART),
        claims=claims,
    )


def claims_fields(row: Entity | Edge) -> dict[str, list[dict[str, Any]]]:
    """Return the claims of a row as plain JSON: speakers, and values that do not hold now."""
    now = dict(_values(row))
    return {
        name: [
            {"by": sorted(claim.by)}
            if name != ALIASES and name in now and repr(now[name]) == repr(claim.value)
            else {"by": sorted(claim.by), "value": _plain(claim.value)}
            for claim in claims
        ]
        for name, claims in sorted(row.claims.items())
    }


def claims_from(fields: Any, row: Entity | Edge) -> dict[str, Claims]:
    """Read what `claims_fields` wrote.

    Args:
        fields: The JSON.
        row: The row without its claims: a claim without a value has the value that holds. Where
            none does, since a format has lost it, there is nothing to claim.

    Raises:
        InputError: It has another form.
    """
    now = dict(_values(row))
    try:
        return {
            str(name): tuple(
                Claim(
                    _read(name, one["value"]) if "value" in one else now[name],
                    frozenset(map(_text, one["by"])),
                )
                for one in claims
            )
            for name, claims in fields.items()
            if name in now or all("value" in one for one in claims)
        }
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise InputError(f"not claims of a row: {type(error).__name__} {error}"[:200]) from error


def _plain(value: Any) -> Any:
    if isinstance(value, ImagePart):
        return asdict(value)
    if isinstance(value, tuple):
        return [asdict(item) if isinstance(item, ImageRef) else item for item in value]
    return value


def _read(name: str, value: Any) -> Any:
    if name == PART:
        return ImagePart(**{**value, "box_xyxy": tuple(value["box_xyxy"])})
    if name == IMAGES:
        return tuple(ImageRef(**image) for image in value)
    if name in (NAME, ALIASES):
        return _text(value)
    if name.startswith("."):
        raise ValueError(f"{name!r:.80} is no field")
    return tuple(value) if isinstance(value, list) else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.80} is no text")
    return value
