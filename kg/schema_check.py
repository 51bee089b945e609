"""A whole graph, or an import before it, held to a schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from kg.formats.records import Reject
from kg.graph_formats.protocol import Graph
from kg.import_sources import ImportSource
from kg.model import Edge, EntityKey
from kg.schema import Broken, GraphSchema, RelationRule
from kg.store import Store

__all__ = ["Finding", "check_graph", "check_import"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a graph that breaks a rule.

    Attributes:
        where: Key of the entity, or head, relation and tail of the edge.
        rule: The rule that it breaks.
        reason: What is wrong.
    """

    where: str
    rule: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Return it as plain JSON."""
        return asdict(self)


class _Counts:
    """Edges of each entity by relation and direction, where a rule counts them."""

    def __init__(self, schema: GraphSchema) -> None:
        self._rules = schema.relations
        self._labels: dict[EntityKey, str] = {}
        self._counts: Counter[tuple[str, str, EntityKey]] = Counter()

    def label(self, key: EntityKey) -> str | None:
        """Return an entity's label, if it was seen."""
        return self._labels.get(key)

    def see(self, key: EntityKey, label: str) -> None:
        """Take note of an entity."""
        self._labels[key] = label

    def add(self, edge: Edge) -> Iterator[Broken]:
        """Count an edge; yield what it is too many for."""
        rule = self._rules.get(edge.relation)
        if rule is None:
            return
        for way, key, most, fewest in _ends(rule, edge):
            if most is None and fewest is None:
                continue
            self._counts[edge.relation, way, key] += 1
            if most is not None and self._counts[edge.relation, way, key] > most:
                place = f"relations.{edge.relation}.max_{way}"
                yield Broken(place, f"{key} has more than {most} edges {way}")

    def missing(self) -> Iterator[tuple[EntityKey, Broken]]:
        """Yield entities with too few edges, when all were counted."""
        for relation, rule in self._rules.items():
            for way, fewest, labels in (
                ("out", rule.min_out, rule.domain),
                ("in", rule.min_in, rule.range),
            ):
                if not fewest:
                    continue
                for key, label in self._labels.items():
                    count = self._counts[relation, way, key] if label in labels else fewest
                    if count < fewest:
                        place = f"relations.{relation}.min_{way}"
                        yield key, Broken(place, f"{count} edges {way}, fewer than {fewest}")


def _ends(
    rule: RelationRule, edge: Edge
) -> tuple[tuple[str, EntityKey, int | None, int | None], ...]:
    return (
        ("out", edge.head, rule.max_out, rule.min_out),
        ("in", edge.tail, rule.max_in, rule.min_in),
    )


def check_graph(graph: Graph, schema: GraphSchema) -> Iterator[Finding]:
    """Yield what in a graph breaks a schema. Keys and labels of all entities are held in memory.

    Args:
        graph: A store, or whatever else has entities and edges.
        schema: The schema.
    """
    counts = _Counts(schema)
    for entity in graph.entities():
        counts.see(entity.key, entity.label)
        yield from _findings(entity.key, schema.entity(entity))
    for edge in graph.edges():
        labels = counts.label(edge.head), counts.label(edge.tail)
        yield from _findings(" ".join(edge.key), schema.edge(edge, *labels))
        yield from _findings(" ".join(edge.key), counts.add(edge))
    for key, broken in counts.missing():
        yield from _findings(key, [broken])


def _findings(where: str, found: Iterable[Broken]) -> Iterator[Finding]:
    for broken in found:
        yield Finding(where=where, rule=broken.rule, reason=broken.reason)


def check_import(source: ImportSource, schema: GraphSchema, store: Store) -> Iterator[Reject]:
    """Yield the rows of an import that would break a schema; nothing is written.

    Counts are of the import alone, and smallest numbers of edges are left to `check_graph`, since
    a later import may bring the edges that lack.

    Args:
        source: What is to be imported; its pictures are not read.
        schema: The schema.
        store: Where it is to be imported; asked for ends of edges that the import does not hold.
    """
    counts = _Counts(schema)
    for table in source.entities:
        for row in table.rows(1):
            if row.entity is not None:
                counts.see(row.entity.key, row.entity.label)
                yield from _rejects(row.file, row.line, row.text, schema.entity(row.entity))

    def label(key: EntityKey) -> str | None:
        found = counts.label(key)
        if found is None and (entity := store.entity(key)) is not None:
            return entity.label
        return found

    for table in source.edges:
        for row in table.rows(1):
            if row.edge is not None:
                labels = label(row.edge.head), label(row.edge.tail)
                yield from _rejects(row.file, row.line, row.text, schema.edge(row.edge, *labels))
                yield from _rejects(row.file, row.line, row.text, counts.add(row.edge))


def _rejects(file: str, line: int, text: str, found: Iterable[Broken]) -> Iterator[Reject]:
    for broken in found:
        yield Reject(file=file, line=line, column=broken.rule, reason=broken.reason, text=text)
