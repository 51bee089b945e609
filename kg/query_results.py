"""A query's result in other forms: the graph in it, and an Arrow table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from kg.arrow_columns import ArrowColumns
from kg.query_values import EdgeValue, NodeValue

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

__all__ = ["Rows", "arrow_of", "graph_of"]


class Rows(Protocol):
    """Columns and rows, as `kg.store.Table` has them."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of the columns."""
        ...

    @property
    def rows(self) -> Sequence[Sequence[Any]]:
        """One sequence of values a row."""
        ...


def graph_of(result: Rows) -> dict[str, list[dict[str, Any]]]:
    """Return the nodes and edges that stand anywhere in a result, each once.

    Edges that stand in it without their ends name them by their ids all the same.

    Returns:
        ``nodes`` with ``id``, ``labels`` and ``properties``, ``edges`` with ``id``, ``type``,
        ``head``, ``tail`` and ``properties``, in the order in which they come.
    """
    nodes: dict[str, dict[str, Any]] = {}
    edges: dict[str, dict[str, Any]] = {}
    for value in _parts(result.rows):
        properties = {name: item for name, item in value.items() if not name.startswith("_")}
        if isinstance(value, NodeValue):
            shown = {"id": value.id, "labels": value["_labels"], "properties": properties}
            nodes.setdefault(value.id, shown)
        else:
            ends = {"head": value.head_id, "tail": value.tail_id}
            shown = {"id": value.id, "type": value.type, **ends, "properties": properties}
            edges.setdefault(value.id, shown)
    return {"nodes": list(nodes.values()), "edges": list(edges.values())}


def _parts(value: Any) -> Iterator[NodeValue | EdgeValue]:
    if isinstance(value, NodeValue | EdgeValue):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _parts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)


def arrow_of(result: Rows) -> pa.Table:
    """Return a result as an Arrow table.

    Numbers, texts, truth values and lists of them keep their types; times are texts. A column of
    nodes, edges, paths or maps, or of values of several types, holds JSON texts, and its field's
    metadata says ``json``.
    """
    import pyarrow as pa  # slow to import

    columns = ArrowColumns(result.columns)
    for row in result.rows:
        columns.see(row)
    return pa.Table.from_batches([columns.batch(result.rows)], schema=columns.schema())
