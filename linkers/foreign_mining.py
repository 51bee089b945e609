"""The words that a linker weighs its mentions against: mined from the texts that it learns from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from encoders.padding import unit
from kg.errors import SettingError
from kg.model import EntityKey
from linkers.boosted.texts import PooledTexts
from linkers.evidence import Evidence
from linkers.foreign_words import ForeignWords
from linkers.model import Mention

__all__ = ["mined_words", "vector_of_name", "vectors_of_names", "words_in_no_name"]

_WORD = re.compile(r"[^\W\d_]{3,}")
_LONGEST_LIST = 20_000  # words that are encoded, the most frequent: a minute's work
_BLOCK = 256  # mentions whose likenesses to all entities are held

Floats = NDArray[np.float32]


def mined_words(
    evidence: Evidence,
    mentions: Sequence[Mention],
    gold: Sequence[EntityKey | None],
    *,
    keep: int,
    candidates: int,
    seed: int,
) -> ForeignWords:
    """Return the words of the mentions' texts that are least like the names of the base.

    The temperature is the one that best tells which mentions are NIL; half of those that are not
    lose their entity for it, by chance.

    Args:
        evidence: Prepared for the mentions.
        mentions: To learn from.
        gold: Key of each one's entity; None for NIL.
        keep: Words that are wanted.
        candidates: Entities that a mention is weighed for, the likest.
        seed: Of the groups, and of who loses its entity.

    Raises:
        SettingError: The texts have too few words.
    """
    names = vectors_of_names(evidence)
    every_name = (name for group in evidence.base.names for name in group)
    words = words_in_no_name(every_name, {mention.context for mention in mentions})
    if len(words) < keep:
        raise SettingError(
            f"foreign_words wants {keep} words, and the texts of the mentions to learn from have "
            f"{len(words)} that are in no name",
            hint="give the mentions more context, or leave foreign_words at 0",
        )
    vectors = unit(PooledTexts(evidence.encoders.text).matrix(words))
    found = ForeignWords.fit(names, vectors, keep=keep, seed=seed)
    worded = [(m, k) for m, k in zip(mentions, gold, strict=True) if m.surface.strip()]
    if not worded:
        return found
    own = np.stack([vector_of_name(evidence, mention) for mention, _ in worded])
    ids = np.array([-1 if k is None else evidence.base.ids.get(k, -1) for _, k in worded])
    lost = np.random.default_rng(seed).random(len(ids)) < 0.5
    near, there = _nearest(own, names, np.where(lost, ids, -1), candidates)
    absent = (ids < 0) | lost
    if absent.all() or not absent.any():
        return found
    return found.tuned(own, names[near], there, absent)


def vectors_of_names(evidence: Evidence) -> Floats:
    """Return ``(N, d)`` unit vectors of the entities' names."""
    zero = np.zeros(evidence.encoders.text.dimension, dtype=np.float32)
    rows = [zero if item.name is None else item.name[0] for item in evidence.entity_vectors()]
    return unit(np.stack(rows))


def vector_of_name(evidence: Evidence, mention: Mention) -> Floats:
    """Return ``(d,)`` the unit vector of what a mention says; zeros without words."""
    found = evidence.mention_vectors(mention).name
    if found is None:
        return np.zeros(evidence.encoders.text.dimension, dtype=np.float32)
    return unit(found[0])


def words_in_no_name(names: Iterable[str], texts: Iterable[str]) -> list[str]:
    """Return words of texts that stand in no name, the most frequent first; 20,000 at most.

    Args:
        names: Of the entities.
        texts: Each once.

    Example:
        >>> words_in_no_name(["Lake Titicaca"], ["a tour of the lake", "the tour"])
        ['the', 'tour']
    """
    named = {word for name in names for word in _WORD.findall(name.lower())}
    counts = Counter(word for text in texts for word in set(_WORD.findall(text.lower())) - named)
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return ordered[:_LONGEST_LIST]


def _nearest(
    mentions: Floats, names: Floats, without: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return ``(B, K)`` the likest entities of each mention, and which are not the one it lost."""
    kept = min(count, len(names))
    near = np.concatenate(
        [
            np.argpartition(-(mentions[start : start + _BLOCK] @ names.T), kept - 1, axis=1)[
                :, :kept
            ]
            for start in range(0, len(mentions), _BLOCK)
        ]
    )
    return near, near != without[:, None]
