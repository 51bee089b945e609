"""Entities of the graph that may be one, with reasons; nothing is merged here.

Pairs are looked at that share a spelling, a sound, a picture or an identifying value. Each sign
adds its weight, in powers of two of the odds, to a prior, as record linkage does (Fellegi and
Sunter). Weights that were set by hand order the pairs and are not calibrated; those learnt from
decisions are calibrated as far as these go (`linkers.review.duplicate_weights`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from rapidfuzz import fuzz

from kg.errors import LimitError
from kg.model import AttributeValue, Edge, Entity, EntityKey
from linkers.model import Candidate
from linkers.names import latin, normalised, sound
from linkers.review.duplicate_weights import Weights
from linkers.review.model import Case, pair_hash

__all__ = ["MAX_PAIRS", "Duplicate", "find_duplicates"]

MAX_PAIRS = 500_000
"""Pairs that one search looks at."""

_LARGEST_BLOCK = 50  # entities that share a spelling; more share a common word, not an identity
_IDENTIFYING = 0.9  # share of an attribute's values that belong to one entity only
_FEWEST = 3  # entities with an attribute from which on it can identify
_ALIKE = 0.9
_SHORTEST_SOUND = 4

Neighbour = tuple[str, str, str]
Sign = tuple[str, str]
"""Its kind (`linkers.review.duplicate_weights.HAND`), and what is told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Two entities that may be one.

    Attributes:
        stays: The one with more edges.
        goes: The other.
        probability: That they are one, as `Weights` say.
        reasons: Signs and their weights in log2 odds, strongest first.
        kinds: How often a sign of each kind is there; kept, so that a decision can teach weights.
    """

    stays: EntityKey
    goes: EntityKey
    probability: float
    reasons: tuple[tuple[str, float], ...]
    kinds: Mapping[str, float]

    @property
    def case(self) -> Case:
        """The pair as something to decide."""
        return Case(
            id=pair_hash(self.stays, self.goes),
            pair=(self.stays, self.goes),
            probability=self.probability,
            nil_probability=round(1 - self.probability, 6),
            reason=self.told,
            candidates=tuple(
                Candidate(entity=key, score=0.0, probability=self.probability, signals=self.kinds)
                for key in (self.stays, self.goes)
            ),
        )

    @property
    def told(self) -> str:
        """The reasons in a line."""
        return "; ".join(f"{sign} ({weight:+g})" for sign, weight in self.reasons)


def find_duplicates(
    entities: Iterable[Entity],
    edges: Iterable[Edge],
    *,
    least: float = 0.5,
    decided: Collection[str] = (),
    weights: Weights | None = None,
) -> list[Duplicate]:
    """Return pairs of entities that may be one, the likeliest first.

    Args:
        entities: All that may be meant; parts of images are left out. Only entities of one label
            are compared.
        edges: Edges among them and around.
        least: Least probability, in [0, 1].
        decided: Ids of pairs (`pair_hash`) that people have decided.
        weights: What signs weigh; those set by hand if not given.

    Raises:
        LimitError: Too many share a spelling.

    Example:
        >>> names = {"a": "South Korea", "b": "Korea, South", "c": "North Korea"}
        >>> rows = [Entity(key=EntityKey(k), label="Country", name=n) for k, n in names.items()]
        >>> [(d.stays, d.goes) for d in find_duplicates(rows, [], least=0.1)]
        [('a', 'b')]
    """
    rows = {entity.key: entity for entity in entities if entity.part is None}
    identifying = _identifying(rows.values())
    pairs = {pair for pair in _pairs(rows.values(), identifying) if pair_hash(*pair) not in decided}
    around = _around(edges, {key for pair in pairs for key in pair})
    weigh = weights or Weights()
    found = []
    for one, two in sorted(pairs):
        signs = _signs(rows[one], rows[two], around, identifying)
        kinds = {kind: float(n) for kind, n in Counter(kind for kind, _ in signs).items()}
        probability = weigh.probability(kinds)
        if probability >= least:
            stays, goes = sorted((one, two), key=lambda key: (-len(around[key]), key))
            told = [(text, weigh.signs[kind]) for kind, text in signs]
            found.append(
                Duplicate(
                    stays=stays,
                    goes=goes,
                    probability=probability,
                    reasons=tuple(sorted(told, key=lambda sign: (-abs(sign[1]), sign[0]))),
                    kinds=kinds,
                )
            )
    return sorted(found, key=lambda pair: (-pair.probability, pair.stays, pair.goes))


def _names(entity: Entity) -> set[str]:
    return {normalised(name) for name in (entity.name, *entity.aliases)} - {""}


def _sorted_words(entity: Entity) -> set[str]:
    return {" ".join(sorted(normalised(latin(name)).split())) for name in (entity.name,)} - {""}


def _pairs(
    entities: Iterable[Entity], identifying: Mapping[tuple[str, str], bool]
) -> Iterator[tuple[EntityKey, EntityKey]]:
    blocks: defaultdict[tuple[str, str, str], list[EntityKey]] = defaultdict(list)
    for entity in entities:
        for kind, value in _shared(entity, identifying):
            blocks[entity.label, kind, value].append(entity.key)
    seen = 0
    for block in blocks.values():
        if 1 < len(block) <= _LARGEST_BLOCK:
            seen += len(block) * (len(block) - 1) // 2
            if seen > MAX_PAIRS:
                raise LimitError(f"more than {MAX_PAIRS:,} pairs to look at", hint="name a label")
            yield from combinations(sorted(block), 2)


def _shared(entity: Entity, identifying: Mapping[tuple[str, str], bool]) -> set[tuple[str, str]]:
    """Return what puts an entity into a block with others."""
    found = {("name", name) for name in _names(entity)}
    found |= {("words", words) for words in _sorted_words(entity)}
    heard = sound(entity.name).replace(" ", "")
    if len(heard) >= _SHORTEST_SOUND:
        found.add(("sound", heard))
    found |= {("picture", image.sha256) for image in entity.images}
    for name, value in entity.attributes.items():
        if identifying.get((entity.label, name)):
            found.add((f"attribute {name}", str(value)))
    return found


def _identifying(entities: Iterable[Entity]) -> dict[tuple[str, str], bool]:
    """Return which attributes of a label tell entities apart: nearly each value stands once."""
    values: defaultdict[tuple[str, str], Counter[AttributeValue]] = defaultdict(Counter)
    for entity in entities:
        for name, value in entity.attributes.items():
            if not isinstance(value, bool | float):
                values[entity.label, name][value] += 1
    return {
        name: counts.total() >= _FEWEST
        and sum(n == 1 for n in counts.values()) >= _IDENTIFYING * len(counts)
        for name, counts in values.items()
    }


def _around(
    edges: Iterable[Edge], keys: Collection[EntityKey]
) -> defaultdict[EntityKey, set[Neighbour]]:
    found: defaultdict[EntityKey, set[Neighbour]] = defaultdict(set)
    for edge in edges:
        if edge.head in keys:
            found[edge.head].add(("out", edge.relation, edge.tail))
        if edge.tail in keys:
            found[edge.tail].add(("in", edge.relation, edge.head))
    return found


def _signs(
    one: Entity,
    two: Entity,
    around: Mapping[EntityKey, set[Neighbour]],
    identifying: Mapping[tuple[str, str], bool],
) -> list[Sign]:
    signs = _name_signs(one, two)
    if {image.sha256 for image in one.images} & {image.sha256 for image in two.images}:
        signs.append(("same picture", "the same picture"))
    mine, theirs = around.get(one.key, set()), around.get(two.key, set())
    if any(other == two.key for _, _, other in mine):
        signs.append(("edge between them", "an edge between them"))
    signs += _neighbour_signs(mine, theirs)
    return [*signs, *_attribute_signs(one, two, identifying)]


def _name_signs(one: Entity, two: Entity) -> list[Sign]:
    first, second = normalised(one.name), normalised(two.name)
    if first == second:
        return [("same name", f"the same name {one.name!r:.60}")]
    common = _names(one) & _names(two)
    if common & {first, second}:
        shared = min(common & {first, second})
        return [("called so too", f"one is called {shared!r:.60} too")]
    if common:
        return [("common alias", f"a common alias {min(common)!r:.60}")]
    if _sorted_words(one) & _sorted_words(two):
        return [("words in another order", "the same words in another order")]
    alike = fuzz.ratio(latin(one.name), latin(two.name)) / 100
    return [("spelling", f"spelling {alike:.2f}")] if alike >= _ALIKE else []


def _neighbour_signs(mine: set[Neighbour], theirs: set[Neighbour]) -> list[Sign]:
    if not mine or not theirs:
        return []
    share = len(mine & theirs) / len(mine | theirs)
    told = f"{len(mine & theirs)} of {len(mine | theirs)} neighbours in common"
    if share >= 0.5:
        return [("half the neighbours", told)]
    if share > 0:
        return [("some neighbours", told)]
    enough = min(len(mine), len(theirs)) > 2
    return [("no neighbour", "no neighbour in common")] if enough else []


def _attribute_signs(
    one: Entity, two: Entity, identifying: Mapping[tuple[str, str], bool]
) -> list[Sign]:
    signs = []
    for name in sorted(one.attributes.keys() & two.attributes.keys()):
        if not identifying.get((one.label, name)):
            continue
        if one.attributes[name] == two.attributes[name]:
            signs.append(("same value", f"the same {name}"))
        else:
            signs.append(("another value", f"another {name}"))
    return signs
