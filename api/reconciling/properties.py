"""Types and properties of a graph for people to choose from, their values, and previews."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Literal

from api.reconciling.schemas import (
    ExtendIn,
    ExtendOut,
    MetaOut,
    NamedOut,
    PropertyAskedIn,
    SuggestionOut,
    SuggestionsOut,
)
from kg.errors import InputError, UnknownEntityError
from kg.full_text import searched_texts
from kg.model import EntityKey
from kg.words import folded

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.model import Entity

__all__ = ["extended", "preview", "properties_of", "suggested"]

SHOWN = 20
_VALUES = 100
Kind = Literal["entity", "property", "type"]


def properties_of(engine: Engine, label: str | None = None) -> Iterator[NamedOut]:
    """Iterate attributes, then relations; of the entities of one label if it is given."""
    graph = engine.snapshot
    labels = graph.label_ids
    of_label = None if label is None else graph.labels.get(label)
    for name, values in sorted(graph.attributes.items()):
        if label is None or any(labels[entity] == of_label for entity in values):
            yield NamedOut(id=f"attribute/{name}", name=name.replace("_", " "))
    for number, name in enumerate(graph.relation_names):
        heads = graph.heads[graph.relations == number]
        if label is None or bool((labels[heads] == of_label).any()):
            yield NamedOut(id=f"relation/{name}", name=name.replace("_", " "))


def suggested(engine: Engine, kind: Kind, prefix: str, cursor: int = 0) -> SuggestionsOut:
    """Return what a beginning may become.

    Args:
        engine: Whose graph.
        kind: What is looked for.
        prefix: What was typed so far.
        cursor: How many were shown already.
    """
    found: list[SuggestionOut]
    if kind == "entity":
        hits = engine.search.words.search(
            prefix, k=cursor + SHOWN, fields={"names": 1.0}, prefix=True
        )
        entities = engine.store.entities_of([hit.key for hit in hits])
        found = [_suggestion(entity) for entity in entities]
    else:
        named = (
            properties_of(engine)
            if kind == "property"
            else (NamedOut(id=name, name=name) for name in engine.snapshot.labels)
        )
        wanted = folded(prefix)
        found = [
            SuggestionOut(id=one.id, name=one.name) for one in named if wanted in folded(one.name)
        ]
    return SuggestionsOut(result=tuple(found[cursor : cursor + SHOWN]))


def _suggestion(entity: Entity) -> SuggestionOut:
    return SuggestionOut(
        id=entity.key,
        name=entity.name,
        description=", ".join(entity.aliases[:3]) or None,
        notable=(NamedOut(id=entity.label, name=entity.label),),
    )


def extended(engine: Engine, asked: ExtendIn) -> ExtendOut:
    """Return values of properties; an entity that is not there has none.

    Raises:
        InputError: A property is neither an attribute nor a relation.
    """
    named = {one.id: one for one in properties_of(engine)}
    for wanted in asked.properties:
        if wanted.id not in named:
            raise InputError(f"no property {wanted.id[:80]!r}", where="extend")
    return ExtendOut(
        meta=tuple(_meta(engine, named[wanted.id]) for wanted in asked.properties),
        rows={
            key: {wanted.id: tuple(_values(engine, key, wanted)) for wanted in asked.properties}
            for key in asked.ids
        },
    )


def _meta(engine: Engine, wanted: NamedOut) -> MetaOut:
    """Return a property; one that leads to entities of a single label says which."""
    kind, _, name = wanted.id.partition("/")
    graph, label = engine.snapshot, None
    if kind == "relation":
        tails = graph.tails[graph.relations == graph.relation_names[name]]
        labels = {graph.label_of(int(tail)) for tail in set(tails.tolist())}
        if len(labels) == 1:
            (label,) = labels
    return MetaOut(
        id=wanted.id,
        name=wanted.name,
        type=None if label is None else NamedOut(id=label, name=label),
    )


def _values(
    engine: Engine, key: str, wanted: PropertyAskedIn
) -> Iterator[dict[str, str | int | float]]:
    kind, _, name = wanted.id.partition("/")
    entity = engine.store.entity(EntityKey(key))
    if entity is None:
        return
    if kind == "relation":
        edges = engine.store.neighbours(entity.key, relation=name, limit=_VALUES)
        for tail in engine.store.entities_of([edge.tail for edge in edges]):
            yield {"id": tail.key, "name": tail.name}
        return
    value = entity.attributes.get(name, ())
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(one, bool):
            yield {"str": str(one).lower()}
        elif isinstance(one, int):
            yield {"int": one}
        elif isinstance(one, float):
            yield {"float": one}
        else:
            yield {"str": one}


def preview(engine: Engine, key: str) -> str:
    """Return a small page about an entity.

    Raises:
        UnknownEntityError: There is none.
    """
    entity = engine.store.entity(EntityKey(key))
    if entity is None:
        raise UnknownEntityError(key)
    image = ""
    if entity.images:
        image = f'<img src="../images/{entity.images[0].sha256}" alt="" height="60">'
    said = [text for field, text in searched_texts(entity) if field == "prose"][:3]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(entity.name)}</title>{image}"
        f"<p><strong>{escape(entity.name)}</strong> ({escape(entity.label)})</p>"
        f"<p>{escape(', '.join(entity.aliases[:5]))}</p>"
        + "".join(f"<p>{escape(text[:300])}</p>" for text in said)
        + f"<p><small>{escape(entity.key)}</small></p></html>"
    )
