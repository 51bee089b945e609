"""What a linker has to beat: simple rules that each give scores over a base for a mention.

A score of 0 or less means "no candidate". They read what a linker may read, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kg.model import EntityKey
from linkers.evidence import MentionImages, surroundings
from linkers.facts import spot
from linkers.knowledge_base import KnowledgeBase
from linkers.model import Mention
from linkers.names import latin, normalised, plain
from linkers.priors import Priors
from linkers.thumbnails import thumbnail

__all__ = ["Baseline", "baselines", "expected_hit"]

Baseline = Callable[[Mention], NDArray[np.float32]]
"""A mention to ``(N,)`` scores."""

_REGION = 0.05


def baselines(
    base: KnowledgeBase,
    *,
    training: tuple[Sequence[Mention], Sequence[EntityKey | None]],
    pixels: MentionImages | None = None,
) -> Mapping[str, Baseline]:
    """Return all baselines by name.

    Args:
        base: The knowledge base.
        training: Mentions and gold that the memory remembers.
        pixels: Opens pictures of mentions.
    """
    return {
        "exact alias": _exact(base),
        "normalised alias": _normalised(base),
        "character TF-IDF": _tfidf(base, plain),
        "transliterated TF-IDF": _tfidf(base, latin),
        "memory": _memory(base, Priors.learn(*training)),
        "neighbour overlap": _overlap(base),
        "pixels": _pixels(base, pixels),
    }


def expected_hit(scores: NDArray[np.float32], right: Sequence[int]) -> float:
    """Return the expected H@1: ties share the first place, no candidate is no hit.

    Args:
        scores: ``(N,)``.
        right: Ids that count as right.

    Example:
        >>> expected_hit(np.array([0.5, 0.5, 0.1], np.float32), [1])
        0.5
    """
    best = scores.max()
    if best <= 0:
        return 0.0
    first = np.flatnonzero(scores == best)
    return float(np.isin(first, right).mean())


def _exact(base: KnowledgeBase) -> Baseline:
    owners: dict[str, set[int]] = {}
    for number, names in enumerate(base.names):
        for name in names:
            owners.setdefault(name, set()).add(number)
    return lambda mention: _marked(len(base), owners.get(mention.surface, ()))


def _normalised(base: KnowledgeBase) -> Baseline:
    found = base.spellings
    return lambda mention: _marked(len(base), found.get(normalised(mention.surface), ()))


def _tfidf(base: KnowledgeBase, spelling: Callable[[str], str]) -> Baseline:
    from sklearn.feature_extraction.text import TfidfVectorizer  # a second to load

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(2, 4), lowercase=False)
    names = [spelling(name) for group in base.names for name in group]
    owners = np.repeat(np.arange(len(base)), [len(group) for group in base.names])
    matrix = vectorizer.fit_transform(names).T.tocsr()
    known: dict[str, NDArray[np.float32]] = {}

    def scores(mention: Mention) -> NDArray[np.float32]:
        if mention.surface not in known:
            product = vectorizer.transform([spelling(mention.surface)]) @ matrix
            best = np.zeros(len(base), dtype=np.float32)
            np.maximum.at(best, owners, product.toarray()[0].astype(np.float32))
            known[mention.surface] = best
        return known[mention.surface]

    return scores


def _memory(base: KnowledgeBase, priors: Priors) -> Baseline:
    def scores(mention: Mention) -> NDArray[np.float32]:
        result = np.zeros(len(base), dtype=np.float32)
        for key, value in priors.of(mention.surface).items():
            if key in base.ids:
                result[base.ids[key]] = value
        return result

    return scores


def _overlap(base: KnowledgeBase) -> Baseline:
    """2 x named and bordering / (named + bordering), plus 0.05 for a named fact in common."""
    degree = np.asarray(base.peers.sum(axis=1)).ravel().astype(np.float32)

    def scores(mention: Mention) -> NDArray[np.float32]:
        text = surroundings(mention)
        named, facts = spot(text, base.spellings, base.context_spellings)
        common = base.peers @ _marked(len(base), named)
        result: NDArray[np.float32] = 2 * common / np.maximum(degree + len(named), 1)
        if facts:
            result = result + _REGION * (base.facts @ _marked(len(base.context), facts) > 0)
        return result.astype(np.float32)

    return scores


def _pixels(base: KnowledgeBase, pixels: MentionImages | None) -> Baseline:
    """Nearest by the mean difference of 24 x 18 thumbnails."""
    images = [next(filter(_is_picture, map(base.pixels, e.images)), None) for e in base.entities]
    known = np.array([image is not None for image in images])
    shape = (len(base), 18, 24, 3)
    small = np.zeros(shape, dtype=np.float32)
    for row, image in enumerate(images):
        if image is not None:
            small[row] = thumbnail(image)

    def scores(mention: Mention) -> NDArray[np.float32]:
        image = None if pixels is None or mention.image is None else pixels(mention.image)
        if image is None:
            return np.zeros(len(base), dtype=np.float32)
        distance = np.abs(small - thumbnail(image)).mean(axis=(1, 2, 3))
        return np.where(known, 1.0 - distance, 0.0).astype(np.float32)

    return scores


def _is_picture(image: NDArray[np.uint8] | None) -> bool:
    return image is not None


def _marked(count: int, ids: set[int] | tuple[int, ...]) -> NDArray[np.float32]:
    result = np.zeros(count, dtype=np.float32)
    result[list(ids)] = 1.0
    return result
