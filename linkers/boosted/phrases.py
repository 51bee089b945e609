"""What stands beside a mention, and where in a name its words stand: plain numbers for the ranker.

Texts explain what readers may not know ("crab-eating macaque (Macaca fascicularis)"): what stands
beside a pair of brackets often is a name of the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from linkers.boosted.entity_table import cleaned, initials
from linkers.boosted.name_index import NameIndex
from linkers.boosted.pairs import Pairs
from linkers.model import Mention
from linkers.names import latin, normalised

__all__ = ["PHRASE_FEATURES", "beside", "phrase_features"]

PHRASE_FEATURES = ("all initials", "name beside", "begins name", "ends name", "so ending names")

_AFTER = re.compile(r"[\"'”’]?\s*\(([^()]{2,80})\)")
_BEFORE = re.compile(r"([^()]{2,80})\([\"'“‘]?$")
_ENDING = re.compile(r"['’]s?$")

Floats = NDArray[np.float32]


def beside(mention: Mention) -> tuple[str, str]:
    """Return what brackets after a mention hold, and what stands before brackets around it.

    Example:
        >>> text = "the SETI (Search for Life) institute"
        >>> beside(Mention(id="1", surface="SETI", context=text, start=4, end=8))
        ('Search for Life', '')
        >>> beside(Mention(id="1", surface="Search for Life", context=text, start=10, end=25))
        ('', 'the SETI')
    """
    if mention.start is None or mention.end is None:
        return "", ""
    after = _AFTER.match(mention.context, mention.end)
    before = _BEFORE.search(mention.context[max(0, mention.start - 84) : mention.start])
    closed = mention.context[mention.end : mention.end + 2].lstrip("\"'”’").startswith(")")
    return (
        after.group(1).strip() if after else "",
        before.group(1).strip() if before and closed else "",
    )


def phrase_features(index: NameIndex, mentions: Sequence[Mention], pairs: Pairs) -> Floats:
    """Return ``(P, PHRASE_FEATURES)``.

    Args:
        index: Of the entities.
        mentions: A block of mentions.
        pairs: Their candidates.
    """
    names, starts = index.spelled.of(pairs.ids)
    ends = np.append(starts[1:], len(names)).tolist()
    surfaces = [latin(cleaned(m.surface)) for m in mentions]
    letters = [_ENDING.sub("", m.surface.strip()).replace(".", "") for m in mentions]
    phrases = [tuple(latin(normalised(text)) for text in beside(m)) for m in mentions]
    values = np.zeros((len(pairs.ids), len(PHRASE_FEATURES)), dtype=np.float32)
    values[:, 1] = np.nan
    spelled, compared = names.tolist(), index.compared
    for place, (row, first, end) in enumerate(
        zip(pairs.rows.tolist(), starts.tolist(), ends, strict=True)
    ):
        surface = surfaces[row]
        found = [compared[name] for name in spelled[first:end]]
        values[place, 2] = any(name.startswith(f"{surface} ") for name in found)
        values[place, 3] = any(name.endswith(f" {surface}") for name in found)
        if letters[row].isupper():
            own = index.table.names[pairs.ids[place]]
            values[place, 0] = any(letters[row] in initials(name) for name in own)
        if any(phrases[row]):
            values[place, 1] = max(_likeness(name, *phrases[row]) for name in found)
    values[:, 4] = np.add.reduceat(values[:, 3], pairs.starts)[pairs.rows]
    return values


def _likeness(name: str, after: str, before: str) -> float:
    """Return how like a name is to a text, or to the end of the other one; in [0, 1]."""
    whole = fuzz.ratio(name, after) if after else 0.0
    return max(whole, fuzz.ratio(name, before[-len(name) :]) if before else 0.0) / 100
