"""What counts of words say of mentions and their candidates: a block at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkers.boosted.document import document_of
from linkers.boosted.hints import Hints
from linkers.boosted.lacking import Lacking
from linkers.boosted.looks import Looks
from linkers.boosted.words import WordIndex
from linkers.model import Mention

__all__ = ["OF_TEXT", "describe_hints"]

OF_TEXT = ("best hint", "mean hint", "all hints", "habit")
"""Columns of `describe_hints`."""
_PRIOR = 5.0  # mentions' worth of belief that a word of a text says nothing

Ids = NDArray[np.int64]


def describe_hints(
    hints: Hints,
    rareness: WordIndex,
    mentions: Sequence[Mention],
    looks: Looks,
    lacking: Lacking,
    size: int,
    *,
    apart: bool,
) -> NDArray[np.float64]:
    """Return ``(size, 4)``; NaN where a name has no word that the mention lacks.

    Best hint, mean hint: the largest log ratio of any word of the text, best and mean over the
    words of the name. All hints: the mean ratio over words of the text, summed over those of
    the name. Habit: how often the words of the name told entities apart, rare words more; the
    same for both sources, said for texts alone.

    Args:
        hints: Of one source.
        rareness: Words of names.
        mentions: A block of mentions.
        looks: What they say.
        lacking: What their candidates' names have more.
        size: Pairs of a mention and a candidate.
        apart: Leave out what each one's document said.
    """
    own = [hints.documents.get(document_of(m), ()) if apart else () for m in mentions]
    columns = hints.columns_of(rareness)[lacking.words]
    named = np.append(hints.named, 0.0)[columns]
    named -= _times(
        _keys([[right for _, right in said] for said in own], len(hints.names)),
        np.where(columns < 0, -1, lacking.rows * len(hints.names) + columns),
    )
    values = np.full((size, len(OF_TEXT)), np.nan)
    if hints.source == "text":
        habits = np.log(named + 0.5) + rareness.weights[lacking.words].astype(np.float64)
        values[:, 3] = _means(lacking.pairs, habits[lacking.terms], size)
    # a word that never told anything apart is no hint for or against
    known = np.flatnonzero(named > 0)
    best, mean = np.full(len(named), -np.inf), np.zeros(len(named))
    best[known], mean[known] = _ratios(
        hints,
        own,
        hints.said(looks),
        lacking.rows[known],
        columns[known],
        named[known],
    )
    there = np.isfinite(best)[lacking.terms]
    pairs, terms = lacking.pairs[there], lacking.terms[there]
    top = np.full(size, -np.inf)
    np.maximum.at(top, pairs, best[terms])
    values[:, 0] = np.where(np.isfinite(top), top, np.nan)
    values[:, 1] = _means(pairs, best[terms], size)
    sums = np.bincount(pairs, mean[terms], minlength=size)
    values[:, 2] = np.where(np.isfinite(top), sums, np.nan)
    return values


def _ratios(
    hints: Hints,
    own: Sequence[Sequence[tuple[Ids, Ids]]],
    said: Sequence[Ids],
    rows: Ids,
    columns: Ids,
    named: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for terms the best and the mean log ratio over the words that their mention said.

    Args:
        hints: Of one source.
        own: What each mention's own document said, to be left out.
        said: What each mention says.
        rows: Mentions of the terms, ascending.
        columns: Words of names of the terms.
        named: How many mentions these told apart.
    """
    # what it needs takes half a second to come, and most commands link nothing
    from linkers.boosted.hint_loops import cells_of_terms

    count = len(said)
    mention_of = np.repeat(np.arange(count), [len(words) for words in said])
    words = np.concatenate([np.zeros(0, dtype=np.int64), *said])
    held = hints.held[words].astype(np.float64)
    lefts = _keys([[left for left, _ in told] for told in own], len(hints.texts))
    held -= _times(lefts, mention_of * len(hints.texts) + words)
    # what a word says for each term that it never stood beside
    nothing = np.log(_PRIOR / (held + _PRIOR))
    number = np.bincount(mention_of, minlength=count)
    highest = np.where(number > 0, -np.inf, 0.0)
    np.maximum.at(highest, mention_of, nothing)
    best, total = highest[rows], np.bincount(mention_of, nothing, minlength=count)[rows]
    width = len(hints.names)
    starts = np.append(0, np.cumsum(number))
    table = (hints.counts.indices, hints.counts.indptr)
    places, spoken, term = cells_of_terms(rows, columns, words, starts, *table, width)
    together = hints.counts.data[places].astype(np.float64)
    both = [[_crossed(left, right, width) for left, right in told] for told in own]
    cells = len(hints.texts) * width
    together -= _times(
        _keys(both, cells),
        mention_of[spoken] * cells + words[spoken] * width + columns[term],
    )
    others = np.array([hints.total - len(told) for told in own], dtype=np.int64)
    share = ((named + 0.1) / np.maximum(others[rows], 1))[term]
    ratios = np.log((together + _PRIOR * share) / (held[spoken] + _PRIOR) / share)
    np.maximum.at(best, term, ratios)
    total += np.bincount(term, ratios - nothing[spoken], minlength=len(rows))
    return best, total / np.maximum(number[rows], 1)


def _means(where: Ids, values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return ``(size,)`` means of the values of each row; NaN where it has none."""
    number = np.bincount(where, minlength=size)
    sums = np.bincount(where, values, minlength=size)
    return np.where(number > 0, sums / np.maximum(number, 1), np.nan)


def _keys(groups: Sequence[Sequence[Ids]], width: int) -> Ids:
    """Return the numbers of all mentions, each mention's `width` apart."""
    found = [ids + row * width for row, parts in enumerate(groups) for ids in parts]
    return np.concatenate([np.zeros(0, dtype=np.int64), *found])


def _times(keys: Ids, wanted: Ids) -> Ids:
    """Return ``(wanted,)`` how often each stands among keys."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    ordered = np.sort(keys)
    return np.searchsorted(ordered, wanted, side="right") - np.searchsorted(ordered, wanted)


def _crossed(left: Ids, right: Ids, width: int) -> Ids:
    return (left[:, None] * width + right).ravel()
