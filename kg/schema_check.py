"""A whole graph, or an import before it, held to a schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from kg.formats.records import Reject
from kg.graph_formats.protocol import Graph
from kg.import_sources import ImportSource
from kg.mapped_rows import MappedRow
from kg.model import Edge, Entity, EntityKey
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

    Rows of one entity are taken together, as the graph takes them, and rows of one edge count once.
    Counts are of the import alone, and smallest numbers of edges are left to `check_graph`, since
    a later import may bring the edges that lack.

    Args:
        source: What is to be imported; its pictures are not read.
        schema: The schema.
        store: Where it is to be imported; asked for ends of edges that the import does not hold.
    """
    counts, lacking = _Counts(schema), _Lacking(schema)
    for table in source.entities:
        for row in table.rows(1):
            if row.entity is not None:
                counts.see(row.entity.key, row.entity.label)
                others = lacking.without(row, row.entity)
                yield from (_reject(row, broken) for broken in others)
    yield from lacking.left(store)
    counted: set[int] = set()

    def label(key: EntityKey) -> str | None:
        found = counts.label(key)
        if found is None and (entity := store.entity(key)) is not None:
            return entity.label
        return found

    for table in source.edges:
        for row in table.rows(1):
            if row.edge is not None:
                labels = label(row.edge.head), label(row.edge.tail)
                found = [*schema.edge(row.edge, *labels)]
                if row.edge.relation in schema.relations and hash(row.edge.key) not in counted:
                    counted.add(hash(row.edge.key))  # two rows may say the same
                    found += counts.add(row.edge)
                yield from (_reject(row, broken) for broken in found)


class _Lacking:
    """Attributes that rows lack, and that another row of the same entity may bring."""

    def __init__(self, schema: GraphSchema) -> None:
        self._schema = schema
        self._given: set[tuple[EntityKey, str]] = set()
        self._lacks: dict[tuple[EntityKey, str], Reject] = {}

    def without(self, row: MappedRow, entity: Entity) -> Iterator[Broken]:
        """Take note of what a row lacks, and yield what else is wrong with it."""
        for broken in self._schema.entity(entity):
            if broken.lacks is None:
                yield broken
            elif (entity.key, broken.lacks) not in self._given:
                self._lacks.setdefault((entity.key, broken.lacks), _reject(row, broken))
        for name in self._schema.required_of(entity.label) & entity.attributes.keys():
            self._given.add((entity.key, name))
            self._lacks.pop((entity.key, name), None)

    def left(self, store: Store) -> Iterator[Reject]:
        """Yield what no row has brought, and the store does not have."""
        for (key, name), reject in self._lacks.items():
            there = store.entity(key)
            if there is None or name not in there.attributes:
                yield reject


def _reject(row: MappedRow, broken: Broken) -> Reject:
    return Reject(
        file=row.file, line=row.line, column=broken.rule, reason=broken.reason, text=row.text
    )
