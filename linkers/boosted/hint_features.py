"""Hints of both sources as the columns that the ranker sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkers.boosted.entity_table import EntityTable
from linkers.boosted.hints import FEWEST, OF_TEXT, Hints
from linkers.boosted.lacking import lacking_words
from linkers.boosted.name_index import NameIndex
from linkers.boosted.pairs import Pairs
from linkers.model import Mention

__all__ = ["HINT_FEATURES", "hint_features", "learn_hints"]

_OF_MENTION = tuple(f"{name} of mention" for name in OF_TEXT[:3])  # habit is the same
HINT_FEATURES = (*OF_TEXT, *_OF_MENTION)

Floats = NDArray[np.float32]


def learn_hints(
    table: EntityTable, mentions: Sequence[Mention], gold: Sequence[int]
) -> tuple[Hints, ...]:
    """Count training mentions, once for each source; see `Hints.learn`."""
    return tuple(Hints.learn(table, mentions, gold, source=source) for source in FEWEST)


def hint_features(
    hints: Sequence[Hints],
    index: NameIndex,
    mentions: Sequence[Mention],
    pairs: Pairs,
    *,
    apart: bool,
) -> Floats:
    """Return ``(P, HINT_FEATURES)`` by `Hints.describe`; NaN for a source that is not there."""
    values = np.full((len(pairs.ids), len(HINT_FEATURES)), np.nan, dtype=np.float32)
    for part, mention, lacking in lacking_words(index, mentions, pairs) if hints else ():
        if not lacking.words:
            continue
        for one in hints:
            found = one.rows(mention, lacking, index.words, apart=apart)
            if one.source == "text":
                values[part, : len(OF_TEXT)] = found
            else:
                values[part, len(OF_TEXT) :] = found[:, : len(_OF_MENTION)]
    return values
