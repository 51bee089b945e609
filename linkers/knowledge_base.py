"""What mentions are linked to: entities with names, a description from facts, pictures, neighbours.

The base is apart from the trained network: a linker works on any base, so entities that were added
after training are linked like all others. Only asserted and accepted edges are read, so what
linking itself wrote never supports a link.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import InputError
from kg.model import Edge, Entity, EntityKey, ImageRef
from linkers.names import normalised

__all__ = ["ImageSource", "KnowledgeBase", "Pixels"]

Pixels = NDArray[np.uint8]
"""One picture: ``(height, width, 3)`` uint8, RGB."""

ImageSource = Callable[[ImageRef], Pixels | None]
"""Opens a picture of an entity; None where it cannot."""

_TRUSTED = ("asserted", "accepted")
_LISTED = 16  # neighbours named in a description, for each relation


@dataclass(frozen=True, kw_only=True, eq=False)
class KnowledgeBase:
    """Entities that a mention may mean; positions in the tuples are their ids here.

    Attributes:
        entities: The linkable entities, in ascending order of keys.
        context: Entities that are facts about them (languages, cities …), in order of keys.
        edges: Trusted edges among both.
        pixels: Opens pictures.
    """

    entities: tuple[Entity, ...]
    context: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    pixels: ImageSource = field(default=lambda _ref: None, repr=False)

    @classmethod
    def build(
        cls,
        entities: Iterable[Entity],
        edges: Iterable[Edge] = (),
        *,
        labels: Collection[str] | None = None,
        pixels: ImageSource | None = None,
    ) -> KnowledgeBase:
        """Gather a base from a store's entities and edges.

        Args:
            entities: All entities; parts of images are left out.
            edges: All edges.
            labels: Classes of entities that a mention may mean; all if not given.
            pixels: Opens pictures.

        Raises:
            InputError: No entity may be meant, or a key stands twice.

        Example:
            >>> from kg.provenance import Provenance
            >>> told = (Provenance(kind="asserted", source="me"),)
            >>> entities = [Entity(key=EntityKey(k), label="Country", name=n)
            ...             for k, n in (("c:PE", "Peru"), ("c:CL", "Chile"))]
            >>> edge = Edge(head=EntityKey("c:CL"), relation="borders", tail=EntityKey("c:PE"),
            ...             provenance=told)
            >>> KnowledgeBase.build(entities, [edge]).descriptions
            ('Country. borders: Peru.', 'Country. borders: Chile.')
        """
        whole = sorted((e for e in entities if e.part is None), key=lambda entity: entity.key)
        keys = [entity.key for entity in whole]
        if len(set(keys)) != len(keys):
            twice = next(a for a, b in pairwise(keys) if a == b)
            raise InputError("an entity stands twice", where=twice)
        linkable = [e for e in whole if labels is None or e.label in labels]
        if not linkable:
            asked = f"is one of the label {', '.join(sorted(labels))}?" if labels else ""
            raise InputError("no entity may be meant", hint=asked or "is the graph empty?")
        others = [] if labels is None else [e for e in whole if e.label not in labels]
        known = set(keys)
        kept = sorted(
            (e for e in edges if e.head in known and e.tail in known and _trusted(e)),
            key=lambda edge: edge.key,
        )
        nothing: ImageSource = lambda _ref: None  # noqa: E731 - a default of two words
        return cls(
            entities=tuple(linkable),
            context=tuple(others),
            edges=tuple(kept),
            pixels=pixels or nothing,
        )

    def without(self, keys: Collection[str]) -> KnowledgeBase:
        """Return the base as if some entities had never been in the graph."""
        gone = set(keys)
        return KnowledgeBase(
            entities=tuple(e for e in self.entities if e.key not in gone),
            context=tuple(e for e in self.context if e.key not in gone),
            edges=tuple(e for e in self.edges if e.head not in gone and e.tail not in gone),
            pixels=self.pixels,
        )

    def __len__(self) -> int:
        """Return the number of entities that a mention may mean."""
        return len(self.entities)

    def picture(self, row: int) -> Pixels | None:
        """Return the first picture of an entity that can be opened."""
        for reference in self.entities[row].images:
            image = self.pixels(reference)
            if image is not None:
                return image
        return None

    @cached_property
    def keys(self) -> tuple[EntityKey, ...]:
        """Key of each linkable entity."""
        return tuple(entity.key for entity in self.entities)

    @cached_property
    def ids(self) -> Mapping[EntityKey, int]:
        """Position of each linkable entity."""
        return {entity.key: position for position, entity in enumerate(self.entities)}

    @cached_property
    def _context_ids(self) -> Mapping[EntityKey, int]:
        return {entity.key: position for position, entity in enumerate(self.context)}

    @cached_property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """Name and aliases of each entity, the name first, each once."""
        return tuple(
            tuple(dict.fromkeys(n.strip() for n in (e.name, *e.aliases) if n.strip()))
            for e in self.entities
        )

    @cached_property
    def peers(self) -> sparse.csr_matrix:
        """``(N, N)`` 0/1: which linkable entities stand in an edge with one another."""
        pairs = [
            (self.ids[e.head], self.ids[e.tail])
            for e in self.edges
            if e.head in self.ids and e.tail in self.ids and e.head != e.tail
        ]
        both = pairs + [(tail, head) for head, tail in pairs]
        return _binary(both, (len(self), len(self)))

    @cached_property
    def facts(self) -> sparse.csr_matrix:
        """``(N, M)`` 0/1: which context entities an entity stands in an edge with."""
        pairs = []
        for edge in self.edges:
            for one, other in ((edge.head, edge.tail), (edge.tail, edge.head)):
                if one in self.ids and other in self._context_ids:
                    pairs.append((self.ids[one], self._context_ids[other]))
        return _binary(pairs, (len(self), len(self.context)))

    @cached_property
    def positions(self) -> NDArray[np.float32]:
        """``(N, 3)`` points on the unit sphere, from attributes latitude and longitude; else 0."""
        found = np.zeros((len(self), 3), dtype=np.float32)
        for row, entity in enumerate(self.entities):
            values = [entity.attributes.get(name) for name in ("latitude", "longitude")]
            if all(isinstance(v, int | float) and np.isfinite(v) for v in values):
                north, east = (np.radians(float(cast("float", v))) for v in values)
                flat = np.cos(north)
                found[row] = (flat * np.cos(east), flat * np.sin(east), np.sin(north))
        return found

    @cached_property
    def descriptions(self) -> tuple[str, ...]:
        """A text for each entity, made of its class, its true marks and its trusted edges.

        Nothing else of its attributes: codes are no text, and prose of a source is never used,
        since mentions may stand in it. The own name is not in it.
        """
        names = {e.key: e.name for e in (*self.entities, *self.context)}
        around: list[dict[str, dict[str, None]]] = [{} for _ in self.entities]
        inside = self.ids
        for edge in self.edges:
            if edge.head in inside:
                said = around[inside[edge.head]].setdefault(edge.relation, {})
                said[names[edge.tail]] = None
            if edge.tail in inside:
                name = edge.relation if edge.head in inside else f"{edge.relation} of"
                around[inside[edge.tail]].setdefault(name, {})[names[edge.head]] = None
        return tuple(map(_description, self.entities, around))

    @cached_property
    def spellings(self) -> Mapping[str, tuple[int, ...]]:
        """Ids by normalised name."""
        return _by_name((n, names) for n, names in enumerate(self.names))

    @cached_property
    def context_spellings(self) -> Mapping[str, tuple[int, ...]]:
        """Ids of context entities by normalised name."""
        return _by_name((n, (e.name, *e.aliases)) for n, e in enumerate(self.context))


def _trusted(edge: Edge) -> bool:
    return any(record.kind in _TRUSTED for record in edge.provenance)


def _binary(pairs: list[tuple[int, int]], shape: tuple[int, int]) -> sparse.csr_matrix:
    rows = np.array([row for row, _ in pairs], dtype=np.int64)
    columns = np.array([column for _, column in pairs], dtype=np.int64)
    matrix = sparse.csr_matrix((np.ones(len(pairs), dtype=np.float32), (rows, columns)), shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _by_name(rows: Iterable[tuple[int, Iterable[str]]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, dict[int, None]] = {}
    for position, names in rows:
        for name in names:
            if key := normalised(name):
                found.setdefault(key, {})[position] = None
    return {key: tuple(positions) for key, positions in found.items()}


def _description(entity: Entity, around: Mapping[str, Mapping[str, None]]) -> str:
    marks = [name for name, value in sorted(entity.attributes.items()) if value is True]
    parts = [", ".join([entity.label, *marks])]
    for relation in sorted(around):
        others = ", ".join(list(around[relation])[:_LISTED])
        parts.append(f"{relation}: {others}")
    return ". ".join(parts).replace("_", " ") + "."
