"""Hints of both sources as the columns that the ranker sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkers.boosted.entity_table import EntityTable
from linkers.boosted.hint_ratios import OF_TEXT, describe_hints
from linkers.boosted.hints import FEWEST, Hints
from linkers.boosted.lacking import lacking_words
from linkers.boosted.looks import Looks
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
    looks: Looks,
    pairs: Pairs,
    *,
    apart: bool,
) -> Floats:
    """Return ``(P, HINT_FEATURES)`` by `describe_hints`; NaN for a source that is not there."""
    size = len(pairs.ids)
    values = np.full((size, len(HINT_FEATURES)), np.nan, dtype=np.float32)
    if not hints:
        return values
    lacking = lacking_words(index, looks, pairs)
    for one in hints:
        found = describe_hints(one, index.words, mentions, looks, lacking, size, apart=apart)
        if one.source == "text":
            values[:, : len(OF_TEXT)] = found
        else:
            values[:, len(OF_TEXT) :] = found[:, : len(_OF_MENTION)]
    return values
