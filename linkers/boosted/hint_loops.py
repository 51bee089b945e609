"""The loops of `linkers.boosted.lacking` and of `hint_ratios`, compiled when this is imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from kg.compiled import compiled

__all__ = ["cells_of_terms", "terms_of"]


def _terms_of(rows: Any, words: Any, vocabulary: int) -> Any:
    """Return which term each pair of a mention and a word is, and the first pair of each term.

    Args:
        rows: ``(k,)`` the mention of each pair, ascending.
        words: ``(k,)`` its word.
        vocabulary: How many words there are.
    """
    terms = np.empty(len(rows), np.int64)
    firsts = np.empty(len(rows), np.int64)
    last = np.full(vocabulary, -1, np.int64)  # the term that a word was last
    number = 0
    for pair in range(len(rows)):
        term = last[words[pair]]
        if term < 0 or rows[firsts[term]] != rows[pair]:
            term = last[words[pair]] = number
            firsts[number] = pair
            number += 1
        terms[pair] = term
    return terms, firsts[:number].copy()


def _cells_of_terms(
    rows: Any, columns: Any, words: Any, word_starts: Any, cells: Any, cell_starts: Any, width: int
) -> Any:
    """Return the cells of a table whose row a mention says and whose column is a term of it.

    Args:
        rows: ``(terms,)`` the mention of each, ascending.
        columns: ``(terms,)`` its column.
        words: Rows of the table that mentions say, one mention after the other.
        word_starts: ``(n + 1,)`` where those of each begin.
        cells: Columns of the table's cells, one row after the other.
        cell_starts: Where those of each row begin.
        width: How many columns there are.

    Returns:
        ``(3, found)``: places of cells, of `words`, and of terms.
    """
    term_of = np.full(width, -1, np.int64)
    found = np.empty((3, 1_024), np.int64)
    number = first = 0
    for mention in range(len(word_starts) - 1):
        end = first
        while end < len(rows) and rows[end] == mention:
            term_of[columns[end]] = end
            end += 1
        if end == first:
            continue
        for word in range(word_starts[mention], word_starts[mention + 1]):
            for cell in range(cell_starts[words[word]], cell_starts[words[word] + 1]):
                term = term_of[cells[cell]]
                if term < first:  # another mention's, or none's
                    continue
                if number == found.shape[1]:
                    more = np.empty((3, 2 * number), np.int64)
                    more[:, :number] = found
                    found = more
                found[0, number], found[1, number], found[2, number] = cell, word, term
                number += 1
        first = end
    return found[:, :number].copy()


terms_of = compiled(_terms_of, "Tuple((int64[::1], int64[::1]))(int64[::1], int64[::1], int64)")
"""``(rows, words, vocabulary)``."""
cells_of_terms = compiled(
    _cells_of_terms,
    "int64[:,::1](int64[::1], int64[::1], int64[::1], int64[::1], int32[::1], int32[::1], int64)",
)
"""``(rows, columns, words, word_starts, cells, cell_starts, width)``."""
