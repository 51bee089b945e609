"""JSON as a notation of queries: it expresses every tree.

One kind of object for each node::

    {"anchor": "country:AL"}
    {"candidates": {"country:AL": 0.7, "country:GR": 0.2}}   a soft anchor
    {"label": "Country"}
    {"attribute": "population", "comparison": ">", "value": 1000000}
    {"attribute": "founded", "comparison": "<", "value": {"date": "1960-08-11"}}
    {"relation": "borders", "of": {…}, "inverse": true}      "inverse" may be left out: false
    {"all": [{…}, {…}]}
    {"any": [{…}, {…}]}
    {"not": {…}}

An unknown field, a wrong type, a field twice is refused with its path (``/all/1/of``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, assert_never, cast, get_args

from kg.errors import LimitError, QuerySyntaxError
from kg.model import EntityKey
from reasoning.query import (
    Anchor,
    Compare,
    Comparison,
    Date,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Scalar,
    SoftAnchor,
    Union,
    is_day,
)
from reasoning.safety import MAX_DEPTH, MAX_NODES

__all__ = ["json_values", "read_json", "write_json"]

MAX_CHARS = 1_000_000
_MAX_TEXT = 10_000

_FIELDS: dict[str, tuple[str, ...]] = {
    "anchor": (),
    "candidates": (),
    "label": (),
    "attribute": ("comparison", "value"),
    "relation": ("of", "inverse"),
    "all": (),
    "any": (),
    "not": (),
}


def json_values(text: str) -> object:
    """Return the plain values of a JSON text.

    Raises:
        QuerySyntaxError: It is not JSON (with line and column), or has a field twice.
        LimitError: It is too long or too deep.
    """
    if len(text) > MAX_CHARS:
        raise LimitError(f"a query in JSON has more than {MAX_CHARS} characters")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise QuerySyntaxError(
            f"not JSON: {error.msg}", position=error.pos, line=error.lineno, column=error.colno
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    except QuerySyntaxError:
        raise
    except ValueError as error:  # a whole number of thousands of digits
        raise QuerySyntaxError("not JSON that is read: a number is too large") from error


def read_json(value: object) -> Query:
    """Read a query from plain values.

    Raises:
        QuerySyntaxError: It is not a query; the path says where.
        LimitError: It is too deep or has too many nodes.

    Example:
        >>> read_json({"relation": "speaks", "of": {"anchor": "language:ara"}, "inverse": True})
        Projection(relation='speaks', child=Anchor(entity='language:ara'), inverse=True)
    """
    return _Reader().node(value, "", 1)


class _Reader:
    """Reads nodes and counts them."""

    def __init__(self) -> None:
        self._nodes = 0

    def node(self, value: object, path: str, depth: int) -> Query:
        """Read the node at a path."""
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        if self._nodes > MAX_NODES:
            raise _too_many()
        kind, fields = _kind(value, path)
        match kind:
            case "anchor":
                return Anchor(EntityKey(_text(fields["anchor"], f"{path}/anchor")))
            case "candidates":
                return self._candidates(fields["candidates"], f"{path}/candidates")
            case "label":
                return Labelled(_text(fields["label"], f"{path}/label"))
            case "attribute":
                return _compare(fields, path)
            case "relation":
                relation = _text(fields["relation"], f"{path}/relation")
                child = self.node(_field(fields, "of", path), f"{path}/of", depth + 1)
                return Projection(relation, child, _inverse(fields, path))
            case "not":
                return Negation(self.node(fields["not"], f"{path}/not", depth + 1))
            case _:
                return self._branches(kind, fields[kind], f"{path}/{kind}", depth)

    def _candidates(self, value: object, path: str) -> Query:
        if not isinstance(value, Mapping) or not value:
            raise _wrong(path, "an object of keys with their memberships was expected")
        self._nodes += len(value) - 1
        if self._nodes > MAX_NODES:
            raise _too_many()
        pairs = [(EntityKey(_text(k, path)), _membership(v, path)) for k, v in value.items()]
        return SoftAnchor(tuple(pairs))

    def _branches(self, kind: str, value: object, path: str, depth: int) -> Query:
        if not isinstance(value, list | tuple) or len(value) < 2:
            raise _wrong(path, "a list of at least two queries was expected")
        nodes = tuple(
            self.node(item, f"{path}/{place}", depth + 1) for place, item in enumerate(value)
        )
        return Intersection(nodes) if kind == "all" else Union(nodes)


def _kind(value: object, path: str) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        raise _wrong(path, f"an object was expected, not {type(value).__name__}")
    kinds = [name for name in _FIELDS if name in value]
    if len(kinds) != 1:
        names = ", ".join(repr(name) for name in _FIELDS)
        raise _wrong(path, f"an object with exactly one of {names} was expected")
    unknown = [name for name in value if name != kinds[0] and name not in _FIELDS[kinds[0]]]
    if unknown:
        raise _wrong(path, f"the field {unknown[0]!r:.60} does not belong to {kinds[0]!r}")
    return kinds[0], value


def _field(fields: Mapping[str, Any], name: str, path: str) -> object:
    if name not in fields:
        raise _wrong(path, f"the field {name!r} is missing")
    return fields[name]


def _inverse(fields: Mapping[str, Any], path: str) -> bool:
    value = fields.get("inverse", False)
    if not isinstance(value, bool):
        raise _wrong(f"{path}/inverse", "true or false was expected")
    return value


def _compare(fields: Mapping[str, Any], path: str) -> Compare:
    comparison = _field(fields, "comparison", path)
    if comparison not in get_args(Comparison):
        known = ", ".join(get_args(Comparison))
        raise _wrong(f"{path}/comparison", f"one of {known} was expected")
    value = _field(fields, "value", path)
    place = f"{path}/value"
    if isinstance(value, list | tuple):
        if comparison not in ("in", "=", "<>"):
            raise _wrong(place, "a list is compared only by in, = or <>")
        values: Scalar | tuple[Scalar, ...] = tuple(
            _scalar(item, f"{place}/{number}") for number, item in enumerate(value)
        )
    elif comparison == "in":
        raise _wrong(place, "a list was expected")
    else:
        values = _scalar(value, place)
    attribute = _text(fields["attribute"], f"{path}/attribute")
    return Compare(attribute, cast("Comparison", comparison), values)


def _membership(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value <= 1.0:
        raise _wrong(path, "a membership above 0 and at most 1 was expected")
    return float(value)


def _scalar(value: object, path: str) -> Scalar:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path, empty=True)
    if isinstance(value, int):
        if abs(value) >= 2**63:
            raise _wrong(path, "a whole number does not fit 64 bits")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _wrong(path, "a finite number was expected")
        return value
    if isinstance(value, Mapping) and list(value) == ["date"]:
        text = _text(value["date"], f"{path}/date")
        if not is_day(text):
            raise _wrong(f"{path}/date", "a day (YYYY-MM-DD) was expected")
        return Date(text)
    raise _wrong(path, "a text, a number, a truth value or a date was expected")


def _text(value: object, path: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise _wrong(path, "a text was expected")
    if len(value) > _MAX_TEXT:
        raise _wrong(path, f"a text is longer than {_MAX_TEXT} characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _wrong(path, "a text holds half a character (a lone surrogate)") from error
    return value


def _wrong(path: str, what: str) -> QuerySyntaxError:
    return QuerySyntaxError(f"at {path or '/'}: {what}")


def _too_many() -> LimitError:
    return LimitError(f"a query has more than {MAX_NODES} nodes", hint="ask it in parts")


def _too_deep() -> LimitError:
    return LimitError(f"a query is nested deeper than {MAX_DEPTH}", hint="ask it in parts")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise QuerySyntaxError(f"the field {twice!r:.60} stands twice in one object")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise QuerySyntaxError(f"{name} is no value of JSON")


def _plain(value: Scalar) -> str | int | float | dict[str, str]:
    return {"date": value.text} if isinstance(value, Date) else value


def write_json(tree: Query) -> dict[str, Any]:
    """Return a query as plain values; `read_json` gives an equal tree back.

    Example:
        >>> write_json(Negation(Labelled("Country")))
        {'not': {'label': 'Country'}}
    """
    match tree:
        case Anchor(entity=key):
            return {"anchor": key}
        case SoftAnchor(candidates=candidates):
            return {"candidates": dict(candidates)}
        case Labelled(label=label):
            return {"label": label}
        case Compare(attribute=attribute, comparison=comparison, value=value):
            plain = [_plain(v) for v in value] if isinstance(value, tuple) else _plain(value)
            return {"attribute": attribute, "comparison": comparison, "value": plain}
        case Projection(relation=relation, child=child, inverse=inverse):
            return {"relation": relation, "of": write_json(child), "inverse": inverse}
        case Intersection(children=branches):
            return {"all": [write_json(branch) for branch in branches]}
        case Union(children=branches):
            return {"any": [write_json(branch) for branch in branches]}
        case Negation(child=child):
            return {"not": write_json(child)}
        case _:
            assert_never(tree)
