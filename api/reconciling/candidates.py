"""Rows matched to entities: by the server's linker, or by names where none was trained.

A row without a name is matched by the values of its properties.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from api.reconciling.schemas import CandidateOut, FeatureOut, NamedOut, QueryIn, ResultOut
from api.reconciling.values import holders, plain
from kg.errors import MissingPartError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.engine import Engine
    from api.held_linker import HeldLinker
    from kg.model import Entity
    from linkers.model import Link

__all__ = ["reconciled"]

CONTEXT = 2_000
"""Characters of a row that the linker reads."""


def reconciled(
    engine: Engine, held: HeldLinker, queries: Mapping[str, QueryIn]
) -> dict[str, ResultOut]:
    """Return the candidates of each query, best first.

    Args:
        engine: Whose entities.
        held: The server's linker.
        queries: By the client's ids.
    """
    named = {name: query for name, query in queries.items() if query.query.strip()}
    found = {name: _by_values(engine, query) for name, query in queries.items()}
    try:
        links = _links(held, named)
    except MissingPartError:
        found |= {name: _by_names(engine, query) for name, query in named.items()}
    else:
        found |= {name: _by_link(engine, links[name]) for name in named}
    return {name: _cut(found[name], query) for name, query in queries.items()}


def _links(held: HeldLinker, queries: Mapping[str, QueryIn]) -> dict[str, Link]:
    from linkers import Mention

    mentions = []
    for name, query in queries.items():
        told = "; ".join(f"{p.pid}: {', '.join(p.texts())}" for p in query.properties)
        context = f"{query.query}. {told}"[:CONTEXT] if told else query.query
        mentions.append(Mention(id=name, surface=query.query, context=context).placed())
    with held.lent() as linker:
        return {link.mention: link for link in linker.link(mentions)}


def _by_link(engine: Engine, link: Link) -> Iterator[CandidateOut]:
    keys = [candidate.entity for candidate in link.candidates]
    there = {entity.key: entity for entity in engine.store.entities_of(keys)}
    for candidate in link.candidates:
        entity = there.get(candidate.entity)
        if entity is None:  # gone since the linker read the graph
            continue
        sure = link.state == "linked" and link.entity == candidate.entity
        signals = {"nil_probability": link.nil_probability, **candidate.signals}
        yield _shown(entity, 100 * candidate.probability, match=sure, signals=signals)


def _by_names(engine: Engine, query: QueryIn) -> Iterator[CandidateOut]:
    """Iterate entities whose names hold words of the query, the likest first."""
    hits = engine.search.words.search(query.query, k=50, fields={"names": 1.0})
    entities = engine.store.entities_of([hit.key for hit in hits])
    wanted = plain(query.query)
    likeness = {
        entity.key: max(fuzz.ratio(wanted, plain(name)) for name in (entity.name, *entity.aliases))
        for entity in entities
    }
    same = [key for key, alike in likeness.items() if alike == 100]
    for entity in sorted(entities, key=lambda e: (-likeness[e.key], e.key)):
        yield _shown(entity, likeness[entity.key], match=same == [entity.key], signals={})


def _by_values(engine: Engine, query: QueryIn) -> Iterator[CandidateOut]:
    """Iterate entities of a row without a name, by the share of its properties that they have."""
    agreed = Counter(key for told in query.properties for key in holders(engine, told))
    whole = [key for key, count in agreed.items() if count == len(query.properties)]
    for key, count in sorted(agreed.items(), key=lambda row: (-row[1], row[0])):
        entity = engine.store.entity(key)
        if entity is not None:
            score = 100 * count / len(query.properties)
            yield _shown(entity, score, match=whole == [key], signals={})


def _shown(
    entity: Entity, score: float, *, match: bool, signals: Mapping[str, float]
) -> CandidateOut:
    return CandidateOut(
        id=entity.key,
        name=entity.name,
        description=", ".join(entity.aliases[:3]) or None,
        score=round(score, 4),
        match=match,
        type=(NamedOut(id=entity.label, name=entity.label),),
        features=tuple(FeatureOut(id=name, value=value) for name, value in signals.items()),
    )


def _cut(found: Iterator[CandidateOut], query: QueryIn) -> ResultOut:
    """Keep what fits the types; an entity has one, so that it never has all of several."""
    types = query.types if query.type_strict != "should" else frozenset()
    if query.type_strict == "all" and len(types) > 1:
        return ResultOut(result=())
    fitting = [one for one in found if not types or one.type[0].id in types]
    if query.type_strict == "should":
        fitting.sort(key=lambda one: one.type[0].id not in query.types)
    ranked = sorted(fitting, key=lambda one: -one.score) if types else fitting
    return ResultOut(result=tuple(ranked[: int(query.limit)]))
