"""From a plain text to links: find the mentions, give each its context, link them together.

Mentions come from the names of the graph (`Gazetteer`) and, if asked, from a token classifier.
Where two overlap, the longer wins, then the gazetteer's, then the surer, then the earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kg.errors import InputError, LimitError
from kg.progress import Progress, silent
from linkers.gazetteer import Gazetteer, Spot
from linkers.model import Link, Mention
from linkers.protocols import MentionLinker

__all__ = [
    "MAX_MENTIONS",
    "MAX_TEXT",
    "SpotFinder",
    "TextLink",
    "check_text",
    "link_text",
    "without_overlaps",
]

MAX_TEXT = 200_000
"""Characters of one text; longer ones are split by the caller."""
MAX_MENTIONS = 5_000
"""Mentions of one text."""

_TOGETHER = 512  # mentions that support one another, as in `linkers.pipeline`
_AROUND = 400  # characters of its paragraph either side of a mention
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


class SpotFinder(Protocol):
    """Finds places of a text that may name something."""

    def find(self, text: str) -> list[Spot]:
        """Return places, in any order; they may overlap."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLink:
    """A mention that was found in a text, and its link.

    Attributes:
        spot: Where it stands in the text, and who found it.
        mention: What was linked; `start` and `end` count in its own context.
        link: The decision.
    """

    spot: Spot
    mention: Mention
    link: Link


def link_text(
    linker: MentionLinker,
    text: str,
    *,
    name: str = "text",
    finders: Sequence[SpotFinder] | None = None,
    progress: Progress = silent,
) -> list[TextLink]:
    """Find the mentions of a text and link them; they support one another.

    Args:
        linker: Links them; its base holds the names.
        text: Plain text.
        name: Of the text; ids of its mentions are ``name:start-end``.
        finders: Who finds mentions; the names of the linker's base if not given.
        progress: Told mentions done of all.

    Returns:
        Mentions in the order of the text, none overlapping another.

    Raises:
        LimitError: The text is too long, or holds too many mentions.
        InputError: It is no text that could be encoded.
    """
    check_text(text)
    used = [Gazetteer(linker.base)] if finders is None else finders
    spots = without_overlaps(spot for finder in used for spot in finder.find(text))
    if len(spots) > MAX_MENTIONS:
        raise LimitError(
            f"{len(spots):,} mentions in one text, at most {MAX_MENTIONS:,} are linked",
            where=name,
            hint="split the text",
        )
    mentions = [_mention(text, spot, name) for spot in spots]
    links: list[Link] = []
    for first in range(0, len(mentions), _TOGETHER):
        links += linker.link(mentions[first : first + _TOGETHER])
        linker.forget()
        progress(len(links), len(mentions))
    found = zip(spots, mentions, links, strict=True)
    return [TextLink(spot=spot, mention=mention, link=link) for spot, mention, link in found]


def check_text(text: str) -> None:
    """Refuse a text that is too long or that cannot be encoded.

    Raises:
        LimitError: It is longer than `MAX_TEXT`.
        InputError: It holds half of a surrogate pair.
    """
    if len(text) > MAX_TEXT:
        raise LimitError(
            f"a text of {len(text):,} characters, at most {MAX_TEXT:,} are linked at once",
            hint="split it, or make it a file of mentions for `umbra link run`",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "the text holds half of a surrogate pair",
            where=f"character {error.start}",
            hint="decode the file as UTF-8",
        ) from error


def without_overlaps(spots: Iterable[Spot]) -> list[Spot]:
    """Return spots in order of which none overlaps another (see the module for which wins).

    Example:
        >>> found = without_overlaps([Spot(start=0, end=4), Spot(start=2, end=9)])
        >>> [(spot.start, spot.end) for spot in found]
        [(2, 9)]
    """
    best_first = sorted(
        (spot for spot in spots if spot.end > spot.start),
        key=lambda s: (s.start - s.end, s.finder != "gazetteer", -s.score, s.start),
    )
    taken: set[int] = set()
    kept: list[Spot] = []
    for spot in best_first:
        # a kept spot is no shorter than this one, so it covers one of its ends if they overlap
        if spot.start in taken or spot.end - 1 in taken:
            continue
        taken.update(range(spot.start, spot.end))
        kept.append(spot)
    return sorted(kept, key=lambda spot: spot.start)


def _mention(text: str, spot: Spot, name: str) -> Mention:
    first, last = _context(text, spot)
    return Mention(
        id=f"{name}:{spot.start}-{spot.end}",
        surface=text[spot.start : spot.end],
        context=text[first:last],
        start=spot.start - first,
        end=spot.end - first,
        document=name,
    )


def _context(text: str, spot: Spot) -> tuple[int, int]:
    """Return where the part of the paragraph around a mention begins and ends, at whole words."""
    first, last = max(0, spot.start - _AROUND), min(len(text), spot.end + _AROUND)
    for blank in _BLANK_LINE.finditer(text, first, spot.start):
        first = blank.end()
    if blank_after := _BLANK_LINE.search(text, spot.end, last):
        last = blank_after.start()
    while 0 < first < spot.start and not text[first - 1].isspace():
        first += 1
    while spot.end < last < len(text) and not text[last].isspace():
        last -= 1
    return first, last
