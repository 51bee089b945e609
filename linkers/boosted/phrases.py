"""What stands beside a mention, and where in a name its words stand: plain numbers for the ranker.

Texts explain what readers may not know ("crab-eating macaque (Macaca fascicularis)"): what stands
beside a pair of brackets often is a name of the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from linkers.boosted.name_index import NameIndex
from linkers.boosted.pairs import Pairs
from linkers.model import Mention
from linkers.names import latin_text, normalised

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
    said = mention.context[max(0, mention.start - 84) : mention.start]
    before = _BEFORE.search(said) if "(" in said[-3:] else None  # without it, searching is slow
    closed = mention.context[mention.end : mention.end + 2].lstrip("\"'”’").startswith(")")
    return (
        after.group(1).strip() if after else "",
        before.group(1).strip() if before and closed else "",
    )


def phrase_features(
    index: NameIndex, mentions: Sequence[Mention], pairs: Pairs, stands: Floats
) -> Floats:
    """Return ``(P, PHRASE_FEATURES)``.

    Args:
        index: Of the entities.
        mentions: A block of mentions.
        pairs: Their candidates.
        stands: ``(P, 2)`` whether a name begins or ends with the mention's words.
    """
    values = np.zeros((len(pairs.ids), len(PHRASE_FEATURES)), dtype=np.float32)
    ends = np.append(pairs.starts[1:], len(pairs.ids))
    phrases = [tuple(latin_text(normalised(text)) for text in beside(m)) for m in mentions]
    for row, mention in enumerate(mentions):
        letters = _ENDING.sub("", mention.surface.strip()).replace(".", "")
        if letters.isupper():
            part = slice(int(pairs.starts[row]), int(ends[row]))
            values[part, 0] = np.isin(pairs.ids[part], index.table.initialled(letters))
    values[:, 1] = _likeness(index, phrases, pairs)
    values[:, 2:4] = stands
    values[:, 4] = np.add.reduceat(values[:, 3], pairs.starts)[pairs.rows]
    return values


def _likeness(index: NameIndex, phrases: Sequence[tuple[str, ...]], pairs: Pairs) -> Floats:
    """Return ``(P,)`` how like a name is to a text after, or to the end of one before; or NaN."""
    values = np.full(len(pairs.ids), np.nan, dtype=np.float32)
    wanted = np.flatnonzero(np.array([any(texts) for texts in phrases])[pairs.rows])
    if not len(wanted):
        return values
    names, starts = index.spelled.of(pairs.ids[wanted])
    found = [index.compared.names[name] for name in names.tolist()]
    rows = np.repeat(pairs.rows[wanted], np.diff(np.append(starts, len(names)))).tolist()
    after = [phrases[row][0] for row in rows]
    before = [phrases[row][1][-len(name) :] for row, name in zip(rows, found, strict=True)]
    alike = [
        np.where([bool(text) for text in texts], _ratios(found, texts), 0.0)
        for texts in (after, before)
    ]
    values[wanted] = np.maximum.reduceat(np.maximum(*alike), starts)
    return values


def _ratios(names: Sequence[str], texts: Sequence[str]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = process.cpdist(names, texts, scorer=fuzz.ratio, dtype=np.float64)
    return found / 100
