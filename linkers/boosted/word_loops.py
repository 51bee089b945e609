"""The loops of `linkers.boosted.words.WordIndex.sharing`, compiled when this is imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from kg.compiled import compiled

__all__ = ["sharing"]


def _sharing(
    own: Any,
    own_starts: Any,
    every: Any,
    every_starts: Any,
    masses: Any,
    names: Any,
    name_starts: Any,
    weights: Any,
    name_masses: Any,
    count: int,
) -> Any:
    """Return ``(n, count)`` names, best first, -1 where there are fewer; ties by the lower name.

    Args:
        own: Words of mentions, one mention after the other.
        own_starts: ``(n + 1,)`` where those of each begin.
        every: The same for words of mentions and their texts.
        every_starts: The same.
        masses: ``(n,)`` weight of each mention's words.
        names: Names that hold a word, one word after the other.
        name_starts: ``(V + 1,)`` where those of each begin.
        weights: ``(V,)`` of words.
        name_masses: ``(F,)`` weight of each name's words.
        count: How many are wanted.
    """
    found = np.full((len(masses), count), -1, np.int64)
    shared = np.zeros(len(name_masses), np.float32)
    shared_own = np.zeros(len(name_masses), np.float32)
    met = np.empty(len(name_masses), np.int64)
    scores = np.empty(count, np.float32)
    for row in range(len(masses)):
        number = 0
        for word in every[every_starts[row] : every_starts[row + 1]]:
            for name in names[name_starts[word] : name_starts[word + 1]]:
                if shared[name] == 0.0:  # no word weighs nothing
                    met[number] = name
                    number += 1
                shared[name] += weights[word]
        for word in own[own_starts[row] : own_starts[row + 1]]:
            for name in names[name_starts[word] : name_starts[word + 1]]:
                shared_own[name] += weights[word]
        mass = max(masses[row], np.float32(1e-6))
        best = found[row]
        filled = 0
        for name in met[:number]:
            score = shared[name] / name_masses[name] + shared_own[name] / mass
            shared[name] = shared_own[name] = 0.0
            if filled == count and (
                score < scores[-1] or (score == scores[-1] and name > best[-1])
            ):
                continue
            place = min(filled, count - 1)
            while place and (
                scores[place - 1] < score or (scores[place - 1] == score and best[place - 1] > name)
            ):
                scores[place], best[place] = scores[place - 1], best[place - 1]
                place -= 1
            scores[place], best[place] = score, name
            filled = min(filled + 1, count)
    return found


sharing = compiled(
    _sharing,
    "int64[:,::1](int32[::1], int32[::1], int32[::1], int32[::1], float32[::1], int32[::1], "
    "int32[::1], float32[::1], float32[::1], int64)",
)
"""See `_sharing`."""
