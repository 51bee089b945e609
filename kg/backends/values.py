"""Values that the Bolt driver returns, as plain values that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neo4j.graph import Node, Path, Relationship

from kg.backends.names import BASE_LABEL

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """Return a value without the driver's types.

    A node is a dict of its properties with ``_labels``, an edge one with ``_type``, a path a dict
    of ``nodes`` and ``edges``. Properties with a leading underscore are Umbra's own and are left
    out of whole nodes and edges; a query that names one gets it. Times are ISO 8601 texts.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Node):
        labels = [label for label in sorted(value.labels) if label != BASE_LABEL] or [BASE_LABEL]
        return {"_labels": labels, **_own(value)}
    if isinstance(value, Relationship):
        return {"_type": value.type, **_own(value)}
    if isinstance(value, Path):
        return {"nodes": [plain(n) for n in value.nodes], "edges": [plain(r) for r in value]}
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and not hasattr(value, "srid"):
        return [plain(item) for item in value]
    if hasattr(value, "iso_format"):
        return value.iso_format()
    return str(value)


def _own(entity: Node | Relationship) -> dict[str, Any]:
    return {name: plain(item) for name, item in entity.items() if not name.startswith("_")}
