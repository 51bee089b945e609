"""The loops of `linkers.boosted.part_ratios`, compiled when this module is imported."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from kg.compiled import compiled

__all__ = ["ratios"]

_LETTERS = 256


def _zeros_of(bits: Any) -> Any:
    """Return how many of 64 bits are 0."""
    ones = np.uint64(bits)
    ones -= (ones >> np.uint64(1)) & np.uint64(0x5555555555555555)
    pairs = np.uint64(0x3333333333333333)
    ones = (ones & pairs) + ((ones >> np.uint64(2)) & pairs)
    ones = (ones + (ones >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return 64 - np.int64((ones * np.uint64(0x0101010101010101)) >> np.uint64(56))


_zeros = numba.njit(_zeros_of)


def _best_part_of(name: Any, text: Any, places: Any, spread: Any, states: Any) -> Any:
    """Return the ratio of the best part of a text, which is longer than the name.

    Args:
        name: ``(m,)`` letters, at most as many as a number of the other arrays has bits.
        text: ``(n,)`` letters.
        places: ``(256,)`` room for the places in the name of each letter.
        spread: ``(n,)`` room for those of the text's letters.
        states: ``(n,)`` room for a state for each window.
    """
    size, length = len(name), len(text)
    windows = length - size + 1
    spare = np.uint64(0xFFFFFFFFFFFFFFFF) << np.uint64(size - 1) << np.uint64(1)
    nothing = ~np.uint64(0)
    best = 0.0
    # first from the left: all windows, and the beginnings; then the ends, read from the right
    for reverse in range(2):
        places[:] = 0
        bit = np.uint64(1)
        for place in range(size):
            places[name[size - 1 - place if reverse else place]] |= bit
            bit <<= np.uint64(1)
        for place in range(size - 1 if reverse else length):
            spread[place] = places[text[length - 1 - place if reverse else place]]
        states[0] = nothing
        for place in range(size - 1):
            both = states[0] & spread[place]
            states[0] = (states[0] + both) | (states[0] - both)
            shared = _zeros(np.uint64(states[0]) | spare)
            total = size + place + 1
            best = max(best, 1.0 - (total - 2 * shared) / total)
        if reverse:
            break
        states[:windows] = nothing
        for place in range(size):
            for window in range(windows):
                both = states[window] & spread[window + place]
                states[window] = (states[window] + both) | (states[window] - both)
        most = 0
        for window in range(windows):
            most = max(most, _zeros(np.uint64(states[window]) | spare))
        best = max(best, 1.0 - (2 * size - 2 * most) / (2 * size))
    return best * 100.0


_best_part = numba.njit(_best_part_of, error_model="numpy")


def _ratios(letters: Any, starts: Any, which: Any, texts: Any, text_starts: Any, where: Any) -> Any:
    """Return ``(pairs,)`` ratios; shorter names have narrower numbers, of which more go at once."""
    longest = 0
    for text in range(len(text_starts) - 1):
        longest = max(longest, text_starts[text + 1] - text_starts[text])
    places16, places32, places64 = (
        np.empty(_LETTERS, np.uint16),
        np.empty(_LETTERS, np.uint32),
        np.empty(_LETTERS, np.uint64),
    )
    room16 = np.empty((2, longest), np.uint16)
    room32 = np.empty((2, longest), np.uint32)
    room64 = np.empty((2, longest), np.uint64)
    found = np.empty(len(which), np.float32)
    for pair in range(len(which)):
        name = letters[starts[which[pair]] : starts[which[pair] + 1]]
        text = texts[text_starts[where[pair]] : text_starts[where[pair] + 1]]
        if len(name) <= 16:
            found[pair] = _best_part(name, text, places16, room16[0], room16[1])
        elif len(name) <= 32:
            found[pair] = _best_part(name, text, places32, room32[0], room32[1])
        else:
            found[pair] = _best_part(name, text, places64, room64[0], room64[1])
    return found


ratios = compiled(
    _ratios,
    "float32[::1](Array(uint8, 1, 'C', readonly=True), int64[::1], int64[::1], "
    "Array(uint8, 1, 'C', readonly=True), int64[::1], int64[::1])",
)
"""``(letters, starts, which, texts, text_starts, where)``: as `part_ratios` holds them."""
