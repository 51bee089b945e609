"""How a link stands words that add nothing: attributes are put before the mention (XMAI).

After Ramshetty, Verma and Kumar (ACL 2023): "chair" becomes "wooden chair", with a word that is
true of the picture, and the link should stay. Of a few words the one is taken that is common before
that noun, true of much of the picture, and most harmful to the linker's own score:
``(l1 mm(fluency) + l2 mm(share) + l3 mm(harm)) / (l1 + l2 + l3)``, mm = min-max over the words.
Here the words come from sources (`linkers.attribute_words`) and no masked language model, fluency
is a count of word pairs in the texts at hand, and mm of equal values is 0 and not 1.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kg.errors import SettingError
from linkers.attribute_words import Attribute, AttributeSource
from linkers.model import Mention

__all__ = ["AttributeInsertion", "Insertion", "Support", "inserted"]

Support = Callable[[Sequence[Mention]], Sequence[float]]
"""How sure a linker is of what it said of each mention before any word was put in, in [0, 1]."""

_TRIED = 3  # words tried at each place, as in the paper
_BEFORE = 3  # words before the mention among which a word is not put again
_WORD = re.compile(r"\w+")
_MOST_WORDS = 1_000_000  # of the texts that are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Insertion:
    """A mention with words put in.

    Attributes:
        mention: As it is now; the same object as before where no word could be put in.
        words: What was put in, in the order in which it was.
    """

    mention: Mention
    words: tuple[str, ...] = ()


def inserted(mention: Mention, word: str) -> Mention | None:
    """Return a mention with a word before it; None where there is no text to put it into.

    The words of the mention stay as they are and its place moves; only where it has no text around
    it are its own words all the text there is.

    Example:
        >>> peru = Mention(id="1", surface="Peru", context="In Peru.", start=3, end=7)
        >>> changed = inserted(peru, "red")
        >>> changed.context, changed.surface, changed.start
        ('In red Peru.', 'Peru', 7)
    """
    context, surface, more = mention.context, mention.surface, len(word) + 1
    if not context.strip():
        return replace(mention, surface=f"{word} {surface}") if surface.strip() else None
    if mention.start is not None and mention.end is not None:
        text = f"{context[: mention.start]}{word} {context[mention.start :]}"
        return replace(mention, context=text, start=mention.start + more, end=mention.end + more)
    place = max(0, context.find(surface)) if surface else 0
    return replace(mention, context=f"{context[:place]}{word} {context[place:]}")


class AttributeInsertion:
    """Puts words of a source before mentions.

    Args:
        attributes: Gives the words.
        support: Says how sure the linker stays; without it the source's first words are taken.
        budget: Most words put before a mention.
        weights: Of fluency, share and harm.
        corpus: Texts in which pairs of words are counted for fluency.

    Raises:
        SettingError: The budget or the weights are out of range.

    Example:
        >>> source = lambda mention: [Attribute(word="red"), Attribute(word="white")]
        >>> peru = Mention(id="1", surface="Peru", context="Peru grew.", start=0, end=4)
        >>> AttributeInsertion(source, budget=1).perturb(peru).context
        'red Peru grew.'
    """

    def __init__(
        self,
        attributes: AttributeSource,
        support: Support | None = None,
        *,
        budget: int = 2,
        weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
        corpus: Iterable[str] = (),
    ) -> None:
        if budget < 1:
            raise SettingError(f"at least 1 word is put in, got {budget}", where="budget")
        if min(weights) < 0 or not sum(weights) > 0 or not math.isfinite(sum(weights)):
            raise SettingError(f"{weights} cannot weigh anything", where="weights")
        self._attributes, self._support = attributes, support
        self._budget, self._weights = budget, weights
        self._pairs = _pairs(corpus)

    def perturb(self, mention: Mention) -> Mention:
        """Return one mention with words put in; the same where there is nothing to put in."""
        return self.perturb_all([mention])[0].mention

    def perturb_all(self, mentions: Sequence[Mention]) -> list[Insertion]:
        """Return mentions with words put in, in order.

        Mentions of one document are changed together, as a linker sees them together.
        """
        found = [Insertion(mention=mention) for mention in mentions]
        left = [list(self._attributes(mention)) for mention in mentions]
        for _ in range(self._budget):
            tried = [self._tried(one, words) for one, words in zip(found, left, strict=True)]
            harm = self._harm(found, tried)
            if not any(tried):
                break
            for row, words in enumerate(tried):
                if not words:
                    continue
                taken = words[self._best(found[row].mention, words, harm[row])]
                changed = inserted(found[row].mention, taken.word)
                if changed is not None:
                    found[row] = Insertion(mention=changed, words=(*found[row].words, taken.word))
                left[row] = [word for word in left[row] if word.word != taken.word]
        return found

    def _tried(self, one: Insertion, words: Sequence[Attribute]) -> list[Attribute]:
        """Return up to three words that may stand before a mention."""
        mention = one.mention
        if not words or inserted(mention, words[0].word) is None:
            return []
        start = mention.start
        if start is None:
            start = max(0, mention.context.find(mention.surface))
        near = _words(mention.context[:start])[-_BEFORE:]
        taken = {*near, *_words(mention.surface)}
        return [word for word in words if taken.isdisjoint(_words(word.word))][:_TRIED]

    def _harm(
        self, found: Sequence[Insertion], tried: Sequence[Sequence[Attribute]]
    ) -> list[list[float]]:
        """Return by how little the linker stays with what it said, for each word tried."""
        harm: list[list[float]] = [[0.0] * len(words) for words in tried]
        if self._support is None:
            return harm
        for place in range(max(map(len, tried), default=0)):
            changed = [
                (inserted(one.mention, words[place].word) if place < len(words) else None)
                or one.mention
                for one, words in zip(found, tried, strict=True)
            ]
            for row, support in enumerate(self._support(changed)):
                if place < len(tried[row]):
                    harm[row][place] = 1.0 - support
        return harm

    def _best(self, mention: Mention, words: Sequence[Attribute], harm: Sequence[float]) -> int:
        if self._support is None:
            return 0
        following = (_words(mention.surface) or _words(mention.context) or [""])[0]
        fluency = [
            math.log1p(self._pairs[(_words(word.word) or [""])[-1], following]) for word in words
        ]
        columns = [fluency, [word.share for word in words], list(harm)]
        total = sum(w * _min_max(c) for w, c in zip(self._weights, columns, strict=True))
        return int(np.argmax(total))


def _min_max(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    spread = array.max() - array.min()
    return (array - array.min()) / spread if spread > 0 else np.zeros_like(array)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _pairs(corpus: Iterable[str]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    seen = 0
    for text in corpus:
        words = _words(text)
        found.update(pairwise(words))
        seen += len(words)
        if seen > _MOST_WORDS:
            break
    return found
