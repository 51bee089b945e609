"""Words of candidates' names that a mention lacks: by these entities are told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkers.boosted.entity_table import cleaned
from linkers.boosted.looks import Looks
from linkers.boosted.name_index import NameIndex
from linkers.boosted.pairs import Pairs
from linkers.boosted.words import STOP, word_set
from linkers.model import Mention

__all__ = ["Lacking", "lacking", "lacking_words"]

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Lacking:
    """Words of candidates' names that their mentions lack; a term is a mention and such a word.

    Attributes:
        pairs: ``(k,)`` which pair of a mention and a candidate, ascending.
        terms: ``(k,)`` which term stands there.
        rows: ``(terms,)`` the mention of each, ascending.
        words: ``(terms,)`` its word, as `WordIndex` numbers it.
    """

    pairs: Ids
    terms: Ids
    rows: Ids
    words: Ids


def lacking_words(index: NameIndex, looks: Looks, pairs: Pairs) -> Lacking:
    """Return what the names of a block's candidates have more than their mentions."""
    # what it needs takes half a second to come, and most commands link nothing
    from linkers.boosted.hint_loops import terms_of

    words, sizes = index.words.of(index.spelled.firsts(pairs.ids))
    where = np.repeat(np.arange(len(sizes)), sizes)
    rows = pairs.rows[where]
    own, _ = looks.held.of(rows, words)
    kept = np.flatnonzero(index.words.telling[words] & ~own)
    terms, firsts = terms_of(rows[kept], words[kept], len(index.words.weights))
    return Lacking(where[kept], terms, rows[kept][firsts], words[kept][firsts])


def lacking(mention: Mention, name: str) -> list[str]:
    """Return the words of a name that the mention lacks, in a fixed order."""
    return sorted(word_set(name) - word_set(cleaned(mention.surface)) - STOP)
