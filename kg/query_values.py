"""Values of a query's rows that JSON can hold, yet that still know what they are.

A node, an edge, a path and a point are dicts, a time is its ISO 8601 text: they print, compare and
are written as JSON like plain values. Beside that each keeps its type, so that a result can be
drawn as a graph, and a time or a point can go back into a query as a parameter and be itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

__all__ = ["EdgeValue", "NodeValue", "PathValue", "PointValue", "TemporalKind", "TemporalValue"]

TemporalKind = Literal["date", "time", "local time", "datetime", "local datetime", "duration"]


class NodeValue(dict[str, Any]):
    """A node: its properties with ``_labels``; Umbra's own properties are left out.

    Attributes:
        id: The store's id of the node, valid while it is not deleted.
        labels: Its labels as the store has them.
        properties: All its properties, Umbra's own too.
    """

    __slots__ = ("id", "labels", "properties")

    def __init__(
        self,
        shown: Mapping[str, Any],
        *,
        id: str,  # noqa: A002 - the graph's own word
        labels: Iterable[str],
        properties: Mapping[str, Any],
    ) -> None:
        super().__init__(shown)
        self.id = id
        self.labels = frozenset(labels)
        self.properties = dict(properties)


class EdgeValue(dict[str, Any]):
    """An edge: its properties with ``_type``; Umbra's own properties are left out.

    Attributes:
        id: The store's id of the edge, valid while it is not deleted.
        type: Its relation.
        head_id: Id of the node that it leaves.
        tail_id: Id of the node that it reaches.
        properties: All its properties, Umbra's own too.
    """

    __slots__ = ("head_id", "id", "properties", "tail_id", "type")

    def __init__(
        self,
        shown: Mapping[str, Any],
        *,
        id: str,  # noqa: A002 - the graph's own word
        type: str,  # noqa: A002
        ends: tuple[str, str],
        properties: Mapping[str, Any],
    ) -> None:
        super().__init__(shown)
        self.id = id
        self.type = type
        self.head_id, self.tail_id = ends
        self.properties = dict(properties)


class PathValue(dict[str, Any]):
    """A path: a dict of ``nodes`` and ``edges``; an edge may be passed against its direction."""

    __slots__ = ()

    def __init__(self, nodes: Iterable[NodeValue], edges: Iterable[EdgeValue]) -> None:
        super().__init__(nodes=list(nodes), edges=list(edges))

    @property
    def nodes(self) -> list[NodeValue]:
        """The nodes, in the order of the path; one more than there are edges."""
        return list(self["nodes"])

    @property
    def edges(self) -> list[EdgeValue]:
        """The edges between them."""
        return list(self["edges"])


class TemporalValue(str):
    """A date, a time or a duration: its ISO 8601 text, as Cypher's ``toString`` gives it.

    Attributes:
        kind: Which of Cypher's temporal types it has.
        native: The store driver's object, to nanoseconds and with its zone.
    """

    __slots__ = ("kind", "native")

    kind: TemporalKind
    native: Any

    def __new__(cls, text: str, *, kind: TemporalKind, native: Any) -> TemporalValue:
        """Make one; see the attributes."""
        made = super().__new__(cls, text)
        made.kind = kind
        made.native = native
        return made


class PointValue(dict[str, Any]):
    """A point: a dict of ``srid`` and ``x``, ``y`` and perhaps ``z`` (degrees if it is on Earth).

    Attributes:
        native: The store driver's object.
    """

    __slots__ = ("native",)

    def __init__(self, shown: Mapping[str, Any], *, native: Any) -> None:
        super().__init__(shown)
        self.native = native
