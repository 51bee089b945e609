"""Values on their way through the Bolt driver: its types to Umbra's, and back as parameters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import neo4j.time
from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point

from kg.backends.names import BASE_LABEL
from kg.errors import InputError
from kg.query_values import (
    EdgeValue,
    NodeValue,
    PathValue,
    PointValue,
    TemporalKind,
    TemporalValue,
)

__all__ = ["cypher_text", "parameters_of", "plain"]

Temporal = neo4j.time.Date | neo4j.time.Time | neo4j.time.DateTime | neo4j.time.Duration
SMALLEST, LARGEST = -(2**63), 2**63 - 1


def plain(value: Any) -> Any:
    """Return a value without the driver's types: those of `kg.query_values` and of JSON.

    A node is a dict of its properties with ``_labels``, an edge one with ``_type``, a path a dict
    of ``nodes`` and ``edges``. Properties with a leading underscore are Umbra's own and are left
    out of whole nodes and edges; a query that names one gets it. Times are ISO 8601 texts, points
    dicts of ``srid`` and coordinates.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Node():
            labels = [label for label in sorted(value.labels) if label != BASE_LABEL]
            properties = _properties(value)
            shown = {"_labels": labels or [BASE_LABEL], **_shown(properties)}
            return NodeValue(shown, id=value.element_id, labels=value.labels, properties=properties)
        case Relationship():
            properties = _properties(value)
            shown = {"_type": value.type, **_shown(properties)}
            ends = tuple("" if node is None else node.element_id for node in value.nodes)
            return EdgeValue(
                shown,
                id=value.element_id,
                type=value.type,
                ends=(ends[0], ends[1]),
                properties=properties,
            )
        case Path():
            return PathValue(map(plain, value.nodes), map(plain, value.relationships))
        case neo4j.time.Date() | neo4j.time.Time() | neo4j.time.DateTime() | neo4j.time.Duration():
            return TemporalValue(cypher_text(value), kind=_kind(value), native=value)
        case Point():
            coordinates = dict(zip("xyz", value, strict=False))
            return PointValue({"srid": value.srid, **coordinates}, native=value)
        case bytes() | bytearray():
            return bytes(value).hex()
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
    return str(value)


def _properties(entity: Node | Relationship) -> dict[str, Any]:
    return {name: plain(item) for name, item in entity.items()}


def _shown(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in properties.items() if not name.startswith("_")}


def _kind(value: Temporal) -> TemporalKind:
    match value:
        case neo4j.time.Date():
            return "date"
        case neo4j.time.DateTime():
            return "local datetime" if value.tzinfo is None else "datetime"
        case neo4j.time.Time():
            return "local time" if value.tzinfo is None else "time"
    return "duration"


def cypher_text(value: Temporal) -> str:
    """Return a temporal value as Cypher's ``toString`` does.

    Seconds are left out where they are zero, a fraction ends at its last digit, and a zone that
    has a name is named.

    Example:
        >>> cypher_text(neo4j.time.Time(10, 0)), cypher_text(neo4j.time.Duration(hours=25))
        ('10:00', 'PT25H')
    """
    match value:
        case neo4j.time.Date():
            return value.iso_format()
        case neo4j.time.DateTime():
            return f"{value.date().iso_format()}T{_clock(value)}{_zone(value)}"
        case neo4j.time.Time():
            return f"{_clock(value)}{_zone(value)}"
        case neo4j.time.Duration():
            return _duration(value)


def _clock(value: neo4j.time.Time | neo4j.time.DateTime) -> str:
    text = f"{value.hour:02}:{value.minute:02}"
    if value.second or value.nanosecond:
        text += f":{value.second:02}"
    return f"{text}.{value.nanosecond:09}".rstrip("0") if value.nanosecond else text


def _zone(value: neo4j.time.Time | neo4j.time.DateTime) -> str:
    zone = value.tzinfo
    offset = None if zone is None else value.utc_offset()
    if offset is None:
        return ""
    seconds = round(offset.total_seconds())
    minutes, rest = divmod(abs(seconds), 60)
    text = f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    text = text + f":{rest:02}" if rest else "Z" if not seconds else text
    name = getattr(zone, "zone", None) or getattr(zone, "key", None)
    return text if name in (None, "UTC") else f"{text}[{name}]"


def _duration(value: neo4j.time.Duration) -> str:
    years, months = _toward_zero(value.months, 12)
    weekless = f"{_part(years, 'Y')}{_part(months, 'M')}{_part(value.days, 'D')}"
    total = value.seconds * 1_000_000_000 + value.nanoseconds
    hours, rest = _toward_zero(total, 3_600_000_000_000)
    minutes, rest = _toward_zero(rest, 60_000_000_000)
    clock = f"{_part(hours, 'H')}{_part(minutes, 'M')}"
    if rest:
        seconds, fraction = _toward_zero(rest, 1_000_000_000)
        digits = f".{abs(fraction):09}".rstrip("0") if fraction else ""
        clock += f"{'-' if rest < 0 else ''}{abs(seconds)}{digits}S"
    if not weekless and not clock:
        return "PT0S"
    return f"P{weekless}" + (f"T{clock}" if clock else "")


def _toward_zero(number: int, by: int) -> tuple[int, int]:
    whole = abs(number) // by * (-1 if number < 0 else 1)
    return whole, number - whole * by


def _part(number: int, unit: str) -> str:
    return f"{number}{unit}" if number else ""


def parameters_of(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return parameters as the driver sends them, values of earlier results as what they were.

    Raises:
        InputError: A value that no store has, such as a whole number of more than 64 bits.
    """
    return {str(name): _sent(value, str(name)) for name, value in (parameters or {}).items()}


def _sent(value: Any, where: str) -> Any:
    match value:
        case TemporalValue() | PointValue():
            return value.native
        case int() if not SMALLEST <= value <= LARGEST:
            raise InputError(
                f"the whole number {str(value)[:40]} has more than 64 bits",
                where=f"parameter {where}",
                hint="pass it as a text or as a float",
            )
        case Mapping():
            return {str(name): _sent(item, f"{where}.{name}") for name, item in value.items()}
        case Point() | neo4j.time.Duration():
            return value  # they are tuples, too
        case list() | tuple() | set() | frozenset():
            return [_sent(item, where) for item in value]
        case None | int() | float() | str() | bytes() | bytearray() | dt.date():
            return value
        case dt.time() | dt.timedelta() | neo4j.time.Date() | neo4j.time.Time():
            return value
        case neo4j.time.DateTime():
            return value
    raise InputError(
        f"a value of the type {type(value).__name__} cannot be sent to the store",
        where=f"parameter {where}",
        hint="pass numbers, texts, times, points, or lists and maps of them",
    )
