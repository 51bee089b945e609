"""What the ranker sees of a mention and one of its candidates: plain numbers, each with a name.

Margins compare a candidate with the best of the others of its mention, so that trees, which see one
candidate at a time, see the contest. Absent values are NaN.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkers.boosted.hint_features import HINT_FEATURES
from linkers.boosted.looks import Looks
from linkers.boosted.memory import MEMORY_FEATURES
from linkers.boosted.name_index import NameIndex
from linkers.boosted.pairs import Pairs
from linkers.boosted.part_ratios import part_ratios
from linkers.boosted.phrases import PHRASE_FEATURES, phrase_features
from linkers.boosted.spelling import SPELLING
from linkers.evidence import window
from linkers.model import Mention
from linkers.names import latin_text, normalised

__all__ = ["FEATURES", "Pairs", "group_best_other", "is_memory", "plain_features", "with_margins"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

_LETTERS = SPELLING.index("letters")
"""After it stand what `linkers.boosted.phrases` tells."""
_WORDS = ("mention's words held", "words held by mention", "words held by text", "told words")
_PLAIN = (
    "same whole name",
    "same bare name",
    "initials",
    "adjective",
    *SPELLING[:_LETTERS],
    "part ratio with text",
    *_WORDS,
    SPELLING[_LETTERS],
    "name vector",
    "text vector",
    "qualifier in text",
    "same numbers",
    "words of mention",
    "words of name",
    "has qualifier",
    "letters of mention",
    "capitals of mention",
    "length of text",
    "place in text",
    "number of entity",
    "named by another mention",
    "vector of other mentions",
    "candidates of that name",
    *PHRASE_FEATURES,
)
_CONTESTED = (
    "ratio",
    "set ratio",
    "part ratio with text",
    "mention's words held",
    "words held by text",
    "told words",
    "letters",
    "name vector",
    "text vector",
    "number of entity",
    "prior",
    "links of entity",
    "nearest other surface",
    "nearest text",
    *HINT_FEATURES,
)
_LEARNT = (*MEMORY_FEATURES, *HINT_FEATURES)
_JUDGED = (*_PLAIN, *_LEARNT)
_CONTESTED_COLUMNS = [_JUDGED.index(name) for name in _CONTESTED]
FEATURES = (*_JUDGED, *(f"{name}, margin" for name in _CONTESTED))
"""Columns of what the ranker sees."""


def is_memory(name: str) -> bool:
    """Tell whether a feature rests on training mentions.

    Example:
        >>> is_memory("prior, margin"), is_memory("letters")
        (True, False)
    """
    return name.removesuffix(", margin") in _LEARNT


_DIGITS = re.compile(r"\d+")
_TEXT = 200  # characters of a text that letters are compared with


def plain_features(
    index: NameIndex,
    mentions: Sequence[Mention],
    others: Sequence[Sequence[str]],
    looks: Looks,
    pairs: Pairs,
) -> Floats:
    """Return ``(P, features)`` of all that needs no memory.

    Args:
        index: Of the entities.
        mentions: A block of mentions.
        others: Surfaces of the other mentions of each one's document.
        looks: Their similarities.
        pairs: Their candidates.
    """
    table, rows, ids = index.table, pairs.rows, pairs.ids
    names, starts = index.spelled.of(ids)
    where = np.repeat(rows, np.diff(np.append(starts, len(names))))
    spelled = index.spelling.of([m.surface for m in mentions], looks, names, where)
    alike = np.maximum.reduceat(spelled, starts, axis=0)
    texts = [latin_text(m.context[:_TEXT]) for m in mentions]
    near = [
        text if window(m) == m.context else latin_text(window(m)[:_TEXT])
        for m, text in zip(mentions, texts, strict=True)
    ]
    told = np.maximum.reduceat(_with_text(index, near, names, where), starts)
    flags = _flags(index, mentions, pairs)
    named = _of_names(index, mentions, texts, pairs).T
    of_mention = np.array([_of_mention(m) for m in mentions], dtype=np.float32)[rows].T
    values = [
        *flags.T,
        *alike[:, :_LETTERS].T,
        told,
        *index.word_shares(looks, rows, ids).T,
        alike[:, _LETTERS],
        *index.of_vectors(looks.surfaces, looks.said, rows, ids),
        *named[:2],
        of_mention[0],
        *named[2:],
        *of_mention[1:],
        table.numbers[ids],
        *_of_others(index, others, pairs).T,
        np.add.reduceat(flags[:, 1], pairs.starts)[rows],
        *phrase_features(index, mentions, pairs, alike[:, _LETTERS + 1 :]).T,
    ]
    return np.array(values, dtype=np.float32).T


def _with_text(index: NameIndex, texts: Sequence[str], names: Ids, where: Ids) -> Floats:
    """Return ``(names,)`` how like each is to a part of the text, in [0, 1]."""
    told = part_ratios(index.compared, names, texts, where)
    told /= 100
    return told


def _flags(index: NameIndex, mentions: Sequence[Mention], pairs: Pairs) -> Floats:
    """Return ``(P, 4)``: same whole name, same bare name, initials, adjective."""
    table, size = index.table, len(index.table)
    flags = np.zeros((len(pairs.ids), 4), dtype=np.float32)
    keys = pairs.rows * size + pairs.ids  # ascending
    named = index.named_alike([mention.surface for mention in mentions])
    for column in range(1, 4):
        wanted = [row * size + id_ for row, found in enumerate(named) for id_ in found[column - 1]]
        places = np.searchsorted(keys, wanted)
        flags[places[np.append(keys, -1)[places] == wanted], column] = 1.0
    spellings = [normalised(mention.surface) for mention in mentions]
    for place in np.flatnonzero(flags[:, 1]).tolist():
        spelling, names = spellings[pairs.rows[place]], table.names[pairs.ids[place]]
        flags[place, 0] = any(normalised(name) == spelling for name in names)
    return flags


def _of_names(
    index: NameIndex, mentions: Sequence[Mention], texts: Sequence[str], pairs: Pairs
) -> Floats:
    """Return ``(P, 4)``: qualifier in text, same numbers, words of the name, has a qualifier."""
    numbers = [frozenset(_DIGITS.findall(m.surface)) for m in mentions]
    values = np.full((len(pairs.ids), 4), np.nan, dtype=np.float32)
    marks, rows, ids = index.marks, pairs.rows, pairs.ids
    values[:, 2:] = index.mark_counts[ids]
    qualified = np.flatnonzero(values[:, 3])
    if len(qualified):
        told = part_ratios(index.qualifiers, ids[qualified], texts, rows[qualified])
        values[qualified, 0] = told / 100
    numbered = np.array([bool(found) for found in numbers])[rows] | index.numbered[ids]
    for place in np.flatnonzero(numbered).tolist():
        digits, own = marks[ids[place]][1], numbers[rows[place]]
        values[place, 1] = len(digits & own) / len(digits | own)
    return values


def _of_mention(mention: Mention) -> tuple[float, ...]:
    surface = mention.surface.strip()
    letters = max(1, len(surface))
    start = mention.start if mention.start is not None else mention.context.find(surface)
    return (
        len(surface.split()),
        letters,
        sum(map(str.isupper, surface)) / letters,
        len(mention.context.split()),
        np.nan if start < 0 else start / max(1, len(mention.context)),
    )


def _of_others(index: NameIndex, others: Sequence[Sequence[str]], pairs: Pairs) -> Floats:
    """Return ``(P, 2)``: whether another mention bears the name; how near their vectors are."""
    table = index.table
    values = np.full((len(pairs.ids), 2), np.nan, dtype=np.float32)
    ends = np.append(pairs.starts[1:], len(pairs.ids))
    for row, surfaces in enumerate(others):
        if not surfaces:
            continue
        part = slice(int(pairs.starts[row]), int(ends[row]))
        own = pairs.ids[part]
        named = {i for s in surfaces for i in table.by_name.get(normalised(s), ())}
        values[part, 0] = [i in named for i in own.tolist()]
        said = index.surface_vectors(surfaces)
        values[part, 1] = (index.first_vectors(own) @ said.T).mean(axis=1)
    return values


def with_margins(parts: Sequence[Floats], starts: Ids) -> Floats:
    """Return ``(P, FEATURES)``: all features, with the margins of some of them.

    Args:
        parts: ``(P, features)`` each: plain ones, those of memory, those of hints.
        starts: ``(n,)`` where the candidates of each mention begin.
    """
    # one feature after the other: all that follows, trees too, reads and writes whole features
    columns = np.empty((len(FEATURES), len(parts[0])), dtype=np.float32)
    np.concatenate([part.T for part in parts], out=columns[: len(_JUDGED)])
    contested = columns[_CONTESTED_COLUMNS]
    others = group_best_other(contested.T, starts)
    np.subtract(contested, others.T, out=columns[len(_JUDGED) :])
    return columns.T


def group_best_other(values: Floats, starts: Ids) -> Floats:
    """Return ``(P, m)``: the best value among the other candidates of the same mention.

    NaN counts as nothing; where no other has a value it is 0.

    Example:
        >>> group_best_other(np.array([[3.0], [1.0], [2.0]]), np.array([0, 2])).ravel().tolist()
        [1.0, 3.0, 0.0]
    """
    # what it needs takes half a second to come, and most commands link nothing
    from linkers.boosted.margin_loops import best_other

    columns = np.ascontiguousarray(values.T, dtype=np.float32)
    found: Floats = best_other(columns, np.append(starts, len(values)))
    return found.T
