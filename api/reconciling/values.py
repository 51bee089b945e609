"""Which entities have a value of a property, as a row of a table states it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kg.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.engine import Engine
    from api.reconciling.schemas import PropertyIn
    from kg.model import EntityKey

__all__ = ["holders", "plain"]


def holders(engine: Engine, told: PropertyIn) -> set[EntityKey]:
    """Return the entities that have one of a property's values.

    Args:
        engine: Whose graph.
        told: The property, ``attribute/NAME``, ``relation/NAME`` or the bare name, and its values;
            texts are compared by their words, entities by key or name.
    """
    kind, _, rest = told.pid.partition("/")
    name = rest if kind in ("attribute", "relation") else told.pid
    wanted = {plain(value) for value in told.texts()}
    found: set[int] = set()
    if kind != "relation":
        found |= set(_with_attribute(engine, name, wanted))
    if kind != "attribute":
        found |= set(_with_relation(engine, name, wanted))
    keys = engine.snapshot.entities
    return {keys.name(entity) for entity in found}


def _with_attribute(engine: Engine, name: str, wanted: set[str]) -> Iterator[int]:
    for entity, value in engine.snapshot.attributes.get(name, {}).items():
        values = value if isinstance(value, tuple) else (value,)
        if any(plain(str(one)) in wanted for one in values):
            yield entity


def _with_relation(engine: Engine, name: str, wanted: set[str]) -> Iterator[int]:
    graph = engine.snapshot
    number = graph.relation_names.get(name)
    if number is None:
        return
    of_relation = graph.relations == number
    heads, tails = graph.heads[of_relation].tolist(), graph.tails[of_relation].tolist()
    said = {tail: {plain(graph.names[tail]), plain(graph.entities.name(tail))} for tail in tails}
    for head, tail in zip(heads, tails, strict=True):
        if said[tail] & wanted:
            yield head


def plain(text: str) -> str:
    """Return a text as its folded words.

    Example:
        >>> plain("Côte d'Ivoire")
        'cote d ivoire'
    """
    return " ".join(word.text for word in words(text))
