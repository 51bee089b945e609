"""What a decision does to the graph: rows before and after, applied in one transaction.

A change is computed once, kept with its decision, and applied from there, so that applying it again
after a crash does nothing, and undoing it is the same change the other way round. Where others have
written to a row meanwhile, only what the change itself did is done to it (a three-way merge).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self, TypeVar

from kg.claimed import claims_fields, claims_from, without_records
from kg.errors import ConflictError
from kg.model import AttributeValue, Edge, EdgeKey, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance, merged
from kg.store import Store, Writer

__all__ = ["Change"]

EntityPair = tuple[Entity | None, Entity | None]
EdgePair = tuple[Edge | None, Edge | None]
Row = TypeVar("Row", Entity, Edge)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Rows as they were and as they shall be; None for a row that is not there.

    Attributes:
        entities: (before, after) of entities, each key once.
        edges: (before, after) of edges, each (head, relation, tail) once.

    Example:
        >>> from kg.backends import open_store
        >>> told = (Provenance(kind="accepted", source="me"),)
        >>> chad = Entity(key=EntityKey("c:TD"), label="Country", name="Chad", provenance=told)
        >>> with open_store("memory:") as store:
        ...     Change(entities=((None, chad),)).apply(store)
        ...     Change(entities=((None, chad),)).apply(store)
        ...     Change(entities=((None, chad),)).inverse.apply(store)
        ...     list(store.entities())
        True
        False
        True
        []
    """

    entities: tuple[EntityPair, ...] = ()
    edges: tuple[EdgePair, ...] = ()

    @property
    def inverse(self) -> Change:
        """The change that takes this one back."""
        return Change(
            entities=tuple((after, before) for before, after in self.entities),
            edges=tuple((after, before) for before, after in self.edges),
        )

    def apply(self, store: Store) -> bool:
        """Do it, all of it or nothing.

        Returns:
            False if it was done before.

        Raises:
            ConflictError: A row is gone that it changes, or has grown that it deletes.
        """
        version = store.version
        with store.transaction() as writer:  # reading within it: other writers wait meanwhile
            self._apply(store, writer)
        return store.version != version

    def _apply(self, store: Store, writer: Writer) -> None:
        edges = [(pair, _present_edge(store, pair)) for pair in self.edges]
        entities = [(pair, store.entity(_key(pair))) for pair in self.entities]
        left = [
            (edge, _left(edge, before))
            for (before, after), edge in edges
            if after is None and edge is not None
        ]
        gone_edges = {edge.key for edge, rest in left if not rest.provenance}
        gone = [row for (_, after), row in entities if after is None and row is not None]
        for (before, after), entity in entities:
            if after is None and entity is not None:
                _check_same(entity, before)
                _check_alone(store, entity.key, gone_edges)
        writer.upsert_entities(after for (before, after), _ in entities if after and not before)
        writer.replace_entities(
            _entity(before, after, entity)
            for (before, after), entity in entities
            if before is not None and after is not None
        )
        writer.upsert_edges(after for (before, after), _ in edges if after and not before)
        writer.replace_edges(
            _edge(before, after, edge)
            for (before, after), edge in edges
            if before is not None and after is not None
        )
        writer.replace_edges(rest for _, rest in left if rest.provenance)
        writer.delete_edges(gone_edges)
        writer.delete_entities(row.key for row in gone)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON that `from_json` reads."""
        return {
            "entities": [[_plain(row) for row in pair] for pair in self.entities],
            "edges": [[_plain(row) for row in pair] for pair in self.edges],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            entities=tuple((_read_entity(a), _read_entity(b)) for a, b in values["entities"]),
            edges=tuple((_read_edge(a), _read_edge(b)) for a, b in values["edges"]),
        )


def _key(pair: EntityPair) -> EntityKey:
    return next(row.key for row in pair if row is not None)


def _present_edge(store: Store, pair: EdgePair) -> Edge | None:
    head, relation, tail = next(row.key for row in pair if row is not None)
    return next(store.edges(head=head, relation=relation, tail=tail), None)


def _left(present: Edge, before: Edge | None) -> Edge:
    """Return a deleted edge with the records that came since; without one it goes."""
    known = () if before is None else before.provenance
    return without_records(present, lambda record: record in known)


def _check_same(present: Entity, before: Entity | None) -> None:
    if present != before:
        raise ConflictError(
            "what a decision would delete has changed since",
            where=present.key,
            hint="decide it anew",
        )


def _check_alone(store: Store, key: EntityKey, gone: set[EdgeKey]) -> None:
    for edge in (*store.edges(head=key), *store.edges(tail=key)):
        if edge.key not in gone:
            raise ConflictError(
                "an entity that a decision would delete has an edge that the decision knows not",
                where=" ".join(edge.key),
                hint="delete that edge, or merge the entity",
            )


def _entity(before: Entity, after: Entity, present: Entity | None) -> Entity:
    if present is None:
        raise ConflictError("an entity that a decision changes is gone", where=before.key)
    if present == before:
        return after
    return replace(
        present,
        name=after.name if after.name != before.name else present.name,
        aliases=_tuple(before.aliases, after.aliases, present.aliases),
        attributes=_attributes(before.attributes, after.attributes, present.attributes),
        images=_tuple(before.images, after.images, present.images),
        part=after.part if after.part != before.part else present.part,
        provenance=_records(before, after, present),
    )


def _edge(before: Edge, after: Edge, present: Edge | None) -> Edge:
    if present is None:
        raise ConflictError("an edge that a decision changes is gone", where=" ".join(before.key))
    if present == before:
        return after
    return replace(
        present,
        attributes=_attributes(before.attributes, after.attributes, present.attributes),
        provenance=_records(before, after, present),
    )


def _tuple(
    before: tuple[Item, ...], after: tuple[Item, ...], present: tuple[Item, ...]
) -> tuple[Item, ...]:
    kept = [item for item in present if item in after or item not in before]
    return (*kept, *(item for item in after if item not in before and item not in kept))


def _records(before: Row, after: Row, present: Row) -> tuple[Provenance, ...]:
    return merged((), _tuple(before.provenance, after.provenance, present.provenance))


def _attributes(
    before: Mapping[str, AttributeValue],
    after: Mapping[str, AttributeValue],
    present: Mapping[str, AttributeValue],
) -> dict[str, AttributeValue]:
    found = dict(present)
    for name in before.keys() | after.keys():
        if before.get(name) == after.get(name):
            continue
        if name in after:
            found[name] = after[name]
        else:
            found.pop(name, None)
    return {name: found[name] for name in sorted(found)}


def _plain(row: Entity | Edge | None) -> dict[str, Any] | None:
    if row is None:
        return None
    # `asdict` would copy the mapping of attributes, which a proxy does not allow
    values = asdict(replace(row, attributes=dict(row.attributes), claims={}))
    values["claims"] = claims_fields(row)
    return {name: value for name, value in values.items() if value not in (None, (), {})}


def _read_entity(values: Mapping[str, Any] | None) -> Entity | None:
    if values is None:
        return None
    part = values.get("part")
    entity = Entity(
        key=EntityKey(values["key"]),
        label=values["label"],
        name=values["name"],
        aliases=tuple(values.get("aliases", ())),
        attributes=_values(values),
        images=tuple(ImageRef(**image) for image in values.get("images", ())),
        part=None if part is None else ImagePart(**{**part, "box_xyxy": tuple(part["box_xyxy"])}),
        provenance=tuple(Provenance(**record) for record in values.get("provenance", ())),
    )
    return replace(entity, claims=claims_from(values.get("claims", {}), entity))


def _read_edge(values: Mapping[str, Any] | None) -> Edge | None:
    if values is None:
        return None
    edge = Edge(
        head=EntityKey(values["head"]),
        relation=values["relation"],
        tail=EntityKey(values["tail"]),
        attributes=_values(values),
        provenance=tuple(Provenance(**record) for record in values["provenance"]),
    )
    return replace(edge, claims=claims_from(values.get("claims", {}), edge))


def _values(values: Mapping[str, Any]) -> dict[str, AttributeValue]:
    read = values.get("attributes", {})
    return {name: tuple(v) if isinstance(v, list) else v for name, v in read.items()}
