"""Words that may be put before a mention: true of its picture or its entity, or controls.

Each source gives a mention's words, the truest first. A masked language model of your own plugs in
as one more source: a function from a mention to words.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kg.model import Entity, EntityKey
from linkers.colours import BASIC_COLOURS, colour_shares
from linkers.evidence import MentionImages
from linkers.model import Mention

__all__ = [
    "ADJECTIVES",
    "Attribute",
    "AttributeSource",
    "FalseColours",
    "PictureColours",
    "entity_attributes",
    "of_entities",
    "plain_adjectives",
]

ADJECTIVES = ("big", "small", "large", "little", "single", "double", "several", "whole", "other")
"""Words of size and number, which are true of nearly anything."""

_LEAST = 0.1  # share of a picture from which on a colour is one of its colours
_ABSENT = 0.01  # share up to which it is not
_LONGEST = 20  # characters of a value that is a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A word that may be put in.

    Attributes:
        word: The word.
        share: How much of the picture or of the entity's marks it stands for, in [0, 1].
    """

    word: str
    share: float = 1.0


AttributeSource = Callable[[Mention], Sequence[Attribute]]
"""Gives the words of a mention, the truest first; none where it knows none."""


class PictureColours:
    """The colours that a mention's picture has.

    Args:
        pixels: Opens pictures of mentions by name.
    """

    def __init__(self, pixels: MentionImages) -> None:
        self._pixels = pixels
        self._kept: dict[str, dict[str, float]] = {}

    def shares(self, mention: Mention) -> dict[str, float]:
        """Return the share of each basic colour; none without a picture."""
        name = mention.image
        if name is None:
            return {}
        if name not in self._kept:
            image = self._pixels(name)
            self._kept[name] = {} if image is None else colour_shares(image)
        return self._kept[name]

    def __call__(self, mention: Mention) -> list[Attribute]:
        """Return the colours that take at least a tenth of the picture."""
        found = self.shares(mention).items()
        return [Attribute(word=word, share=share) for word, share in found if share >= _LEAST]


class FalseColours:
    """Colours that a mention's picture has not: a control.

    Args:
        colours: Those that it has.
        seed: Of their order.
    """

    def __init__(self, colours: PictureColours, *, seed: int = 0) -> None:
        self._colours = colours
        self._seed = seed

    def __call__(self, mention: Mention) -> list[Attribute]:
        """Return colours of less than a hundredth of the picture; none without a picture."""
        shares = self._colours.shares(mention)
        absent = [word for word in BASIC_COLOURS if shares.get(word, 0.0) < _ABSENT]
        return _shuffled(absent if shares else [], mention, self._seed)


def plain_adjectives(seed: int = 0) -> AttributeSource:
    """Return a source of words of size and number: a control that needs no picture.

    Example:
        >>> words = plain_adjectives()(Mention(id="1", surface="Peru"))
        >>> sorted(a.word for a in words) == sorted(ADJECTIVES)
        True
    """
    return lambda mention: _shuffled(ADJECTIVES, mention, seed)


def entity_attributes(entities: Iterable[Entity]) -> dict[EntityKey, tuple[Attribute, ...]]:
    """Return words that the graph says of its entities, by key.

    Marks that are true ("landlocked"), values that are one word in lower case, and the colours of
    the parts that were seen in their pictures, by the share of the picture that they take.

    Example:
        >>> told = {"landlocked": True, "area": 3, "climate": "dry"}
        >>> chad = Entity(key=EntityKey("TD"), label="Country", name="Chad", attributes=told)
        >>> [attribute.word for attribute in entity_attributes([chad])["TD"]]
        ['dry', 'landlocked']
    """
    found: defaultdict[EntityKey, dict[str, float]] = defaultdict(dict)
    for entity in entities:
        if entity.part is not None:
            words = found[entity.part.parent]
            colour = entity.part.colour
            if colour:
                share = words.get(colour, 0.0) + (entity.part.area_share or 0.0)
                words[colour] = min(1.0, share)
            continue
        for name, value in entity.attributes.items():
            if value is True:
                found[entity.key][name.replace("_", " ")] = 1.0
            elif isinstance(value, str) and _is_word(value):
                found[entity.key][value] = 1.0
    return {
        key: tuple(
            Attribute(word=word, share=share)
            for word, share in sorted(words.items(), key=lambda item: (-item[1], item[0]))
        )
        for key, words in found.items()
        if words
    }


def _is_word(value: str) -> bool:
    return len(value) <= _LONGEST and value.isalpha() and value.islower()


def of_entities(
    known: Mapping[EntityKey, Sequence[Attribute]], meant: Mapping[str, EntityKey | None]
) -> AttributeSource:
    """Return a source of what the graph says of the entity that each mention means.

    Args:
        known: Words by entity (`entity_attributes`).
        meant: What mentions mean, by their id.
    """

    def words(mention: Mention) -> Sequence[Attribute]:
        key = meant.get(mention.id)
        return () if key is None else known.get(key, ())

    return words


def _shuffled(words: Sequence[str], mention: Mention, seed: int) -> list[Attribute]:
    """Return words in an order that depends on the mention and the seed alone."""

    def place(word: str) -> str:
        return hashlib.sha256(f"{seed} {mention.id} {word}".encode()).hexdigest()

    return [Attribute(word=word) for word in sorted(words, key=place)]
