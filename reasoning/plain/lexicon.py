"""What the words of a question mean in one graph: entities, labels, relations, attributes.

Names are found by their folded words, the longest first. A relation is chosen for the words that
stand between two things: which share of its own words is among them, how near its name lies to them
in the space of a text encoder (if one is given), and how common it is between the two labels. Only
relations that join these labels are looked at, which also tells the direction.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.model import EntityKey
from kg.snapshot import Snapshot
from kg.words import words
from reasoning.plain.function_words import EMPTY_WORDS, PREPOSITIONS

__all__ = ["Encode", "Lexicon", "Meant", "content", "stem"]

Encode = Callable[[list[str]], NDArray[np.float32]]
"""Texts to vectors, ``(texts, dimension)``."""


ADJECTIVES = ("n", "an", "ian", "ean", "ese", "ish", "i", "ic")
"""Endings that make an adjective of a name."""
MAX_NAME = 10
"""Words of the longest name that is looked for."""
NAMED, LIKE, COMMON = 1.0, 0.8, 0.15
"""What a word of the relation's own name, a near vector and a common relation count."""


_VOWELS = frozenset("aeiouy")


def stem(word: str) -> str:
    """Return a folded English word without its most common endings.

    Example:
        >>> [stem(word) for word in ("countries", "bordering", "uses", "spoken")]
        ['country', 'border', 'us', 'spoken']
    """
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if 2 <= len(root) < len(word) and not _VOWELS.isdisjoint(root):
            word = root
    return word[:-1] if len(word) > 2 and word.endswith("e") else word


@dataclass(frozen=True, slots=True)
class Meant:
    """A relation chosen for some words.

    Attributes:
        relation: Its name.
        inverse: Whether the thing asked for is the edge's tail.
        score: Higher is surer; below 0.3 it is a guess.
        how: ``name``, ``likeness`` (vectors) or ``labels`` (no other joins them so often).
    """

    relation: str
    inverse: bool
    score: float
    how: str


@dataclass
class Lexicon:
    """The vocabulary of a graph.

    Args:
        snapshot: The graph.
        names: Further names of entities, beside those of the snapshot.
        encode: Encodes texts; without it relations are found by their names alone.
    """

    snapshot: Snapshot
    names: Mapping[EntityKey, Sequence[str]] = field(default_factory=dict)
    encode: Encode | None = None

    @cached_property
    def entities(self) -> dict[tuple[str, ...], list[EntityKey]]:
        """Entities by the folded words of their names; parts of pictures come last."""
        graph = self.snapshot
        found: dict[tuple[str, ...], list[EntityKey]] = {}
        for number, name in enumerate(graph.names):
            key = graph.entities.name(number)
            for one in (name, *self.names.get(key, ())):
                spelt = tuple(word.text for word in words(one))
                known = found.setdefault(spelt, [])
                if spelt and len(spelt) <= MAX_NAME and key not in known:
                    known.append(key)
        found.pop((), None)
        return {spelt: keys for spelt, keys in found.items() if keys}

    @cached_property
    def labels(self) -> dict[tuple[str, ...], str]:
        """Labels by the stems of their words."""
        return {_stems(label): label for label in self.snapshot.labels}

    @cached_property
    def attributes(self) -> dict[tuple[str, ...], str]:
        """Attributes by the stems of their words, whole and without their last (a unit, mostly)."""
        whole = {_stems(name): name for name in self.snapshot.attributes}
        first = {spelt[:-1]: name for spelt, name in whole.items() if len(spelt) > 1}
        return {**first, **whole}

    @cached_property
    def signatures(self) -> dict[str, Counter[tuple[str, str]]]:
        """Labels of head and tail of each relation, with how many edges join them so."""
        graph = self.snapshot
        names = list(graph.labels)
        found: dict[str, Counter[tuple[str, str]]] = {}
        for number, relation in enumerate(graph.relation_names):
            edges = graph.relations == number
            pairs = np.stack(
                [graph.label_ids[graph.heads[edges]], graph.label_ids[graph.tails[edges]]], axis=1
            )
            kinds, counts = np.unique(pairs, axis=0, return_counts=True)
            found[relation] = Counter(
                {
                    (names[h], names[t]): int(n)
                    for (h, t), n in zip(kinds.tolist(), counts.tolist(), strict=True)
                }
            )
        return found

    @cached_property
    def _vectors(self) -> dict[str, NDArray[np.float32]]:
        return dict(
            zip(self.signatures, self.encoded([*map(_plain, self.signatures)]), strict=True)
        )

    def encoded(self, texts: list[str]) -> NDArray[np.float32]:
        """Return vectors of length 1, ``(texts, dimension)``; zeros without an encoder."""
        if self.encode is None or not texts:
            return np.zeros((len(texts), 1), np.float32)
        found = np.asarray(self.encode(texts), np.float32)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(lengths, 1e-9), np.float32)

    def adjective(self, word: str) -> tuple[EntityKey, ...]:
        """Return the entities that an adjective is made from: "african" from "Africa"."""
        for ending in ADJECTIVES:
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                root = word[: -len(ending)]
                for tail in ("", "a", "e", "y", "o"):
                    if found := self.entities.get((root + tail,)):
                        return tuple(found)
        return ()

    def label_of(self, key: EntityKey) -> str:
        """Return the label of an entity."""
        return self.snapshot.label_of(self.snapshot.entities[key])

    def relation(
        self, said: Sequence[str], subject: str | None, other: str | None, *, passive: bool = False
    ) -> Meant | None:
        """Choose the relation that words mean between what is asked for and another thing.

        Args:
            said: The folded words between the two.
            subject: Label of what is asked for; None if nothing says.
            other: Label of the other thing; None likewise.
            passive: The other thing acts: where the labels leave both directions open, the edge
                starts there.

        Returns:
            The best one, or None if no relation joins such labels, or several do and none is like
            the words.
        """
        told = [word for word in said if word not in EMPTY_WORDS]
        stems = {stem(word) for word in told}
        vector = self.encoded([" ".join(told)])[0] if told else None
        ranked = []
        for relation, pairs in self.signatures.items():
            ways = _ways(pairs, subject, other)
            if not any(ways.values()):
                continue
            both = all(ways.values())
            inverse = passive if both else bool(ways[True])
            own = [s for s in _stems(relation) if s not in EMPTY_WORDS]
            named = sum(s in stems for s in own) / max(1, len(own))
            like = 0.0 if vector is None else max(0.0, float(vector @ self._vectors[relation]))
            close = sum(w in PREPOSITIONS and w in relation.split("_") for w in said)
            score = NAMED * named + LIKE * like + 0.1 * bool(close)
            ranked.append((score, sum(ways.values()), relation, inverse, named, like))
        if not ranked:
            return None
        most = max(count for _, count, *_ in ranked)
        score, count, relation, inverse, named, like = max(
            ranked, key=lambda row: (row[0] + COMMON * row[1] / most, row[2])
        )
        how = "name" if named else "likeness" if like > LEAST_LIKE else "labels"
        if how == "labels" and told and count < ALONE * sum(row[1] for row in ranked):
            return None  # several relations join these, and the words favour none
        return Meant(relation, inverse, score, how)


ALONE = 0.95
"""Share of the edges between two labels from which a relation is meant without being named."""
LEAST_LIKE = 0.25
"""Cosine from which words are taken to mean a relation."""


def _ways(
    pairs: Counter[tuple[str, str]], subject: str | None, other: str | None
) -> dict[bool, int]:
    """Count a relation's edges from subject to other (False) and back (True)."""

    def fits(label: str, wanted: str | None) -> bool:
        return wanted is None or label == wanted

    return {
        False: sum(n for (h, t), n in pairs.items() if fits(h, subject) and fits(t, other)),
        True: sum(n for (h, t), n in pairs.items() if fits(t, subject) and fits(h, other)),
    }


def _plain(name: str) -> str:
    """Return the words of an identifier, camel case and underscores taken apart."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_\W]+", " ", name).lower().strip()


def _stems(name: str) -> tuple[str, ...]:
    return tuple(stem(word.text) for word in words(_plain(name)))


def content(said: Iterable[str]) -> list[str]:
    """Return the words that say something about a relation."""
    return [word for word in said if word not in EMPTY_WORDS]
