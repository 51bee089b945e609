"""Columns of an Arrow table whose types are learnt row by row, so that no row need be held."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

__all__ = ["ArrowColumns"]

_Kind = tuple[int, type | None]
"""How deep lists are nested, and what lies in the innermost; None: nothing yet but null."""

_PLAIN = (bool, int, float, str)
_NULL: _Kind = (0, None)
_JSON: _Kind = (-1, None)
"""Of values that have no common plain type."""


class ArrowColumns:
    """The columns of a result: show them every row, then have batches made of the same rows.

    Numbers, texts, truth values and lists of them keep their types. A column of maps, or of values
    of several types, holds JSON texts, and its field's metadata says ``json``.

    Args:
        names: Of the columns.

    Example:
        >>> columns = ArrowColumns(("n", "mixed"))
        >>> for row in [(1, "a"), (None, 2)]:
        ...     columns.see(row)
        >>> columns.batch([(1, "a"), (None, 2)]).to_pydict()
        {'n': [1, None], 'mixed': ['"a"', '2']}
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._kinds = [_NULL] * len(self._names)

    def see(self, row: Sequence[Any]) -> None:
        """Learn from a row."""
        kinds = self._kinds
        for place, value in enumerate(row):
            if value is not None:
                kinds[place] = _joined(kinds[place], _kind_of(value))

    def schema(self, metadata: Mapping[str, str] | None = None) -> pa.Schema:
        """Return names and types as they are known now.

        Args:
            metadata: Of the whole.
        """
        import pyarrow as pa  # slow to import

        fields = [
            pa.field(name, _type_of(kind), metadata={"form": "json"} if kind == _JSON else None)
            for name, kind in zip(self._names, self._kinds, strict=True)
        ]
        return pa.schema(fields, metadata=metadata)

    def batch(self, rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
        """Return rows that have been seen as a batch."""
        import pyarrow as pa

        arrays = []
        for place, kind in enumerate(self._kinds):
            values = [row[place] for row in rows]
            if kind == _JSON:
                values = [None if v is None else json.dumps(v, ensure_ascii=False) for v in values]
            arrays.append(pa.array(values, _type_of(kind)))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema())


def _kind_of(value: Any) -> _Kind:
    if isinstance(value, list | tuple):
        inner = _NULL
        for item in value:
            if item is not None:
                inner = _joined(inner, _kind_of(item))
        return _JSON if inner == _JSON else (inner[0] + 1, inner[1])
    kind = next((kind for kind in _PLAIN if isinstance(value, kind)), None)
    return _JSON if kind is None else (0, kind)


def _joined(one: _Kind, other: _Kind) -> _Kind:
    """Return the kind of values of both kinds."""
    if one == other:
        return one
    if _JSON in (one, other) or (one[1] is not None and other[1] is not None):
        return _JSON
    deep, flat = (one, other) if one[0] >= other[0] else (other, one)
    if flat[1] is not None and deep[0] > flat[0]:
        return _JSON  # lists beside single values
    return deep if flat[1] is None else flat


def _type_of(kind: _Kind) -> pa.DataType:
    import pyarrow as pa

    depth, leaf = kind
    types = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    found = pa.string() if kind == _JSON else pa.null() if leaf is None else types[leaf]
    for _ in range(depth):
        found = pa.list_(found)
    return found
