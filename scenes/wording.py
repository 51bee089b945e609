"""From the prose of a flag description to what should be seen: shapes, colours, counts, relations.

Weak labels only: a fixed reading of a fixed kind of English, with no claim beyond it. What stands
inside a coat of arms is read but marked, since a picture of 256 pixels does not show it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from scenes.lexicon import COLOURS, INNER, LABELS, NOUNS, tokens
from scenes.nearby_words import MANY, colour_after, colour_list, words_before
from scenes.phrasing import relations_of, rim_colour

__all__ = ["Described", "Mention", "read_description"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A shape that a description names.

    Attributes:
        label: One of `scenes.lexicon.LABELS`.
        colours: Plain names; empty if the text gives none.
        count: How many of them there are, at most.
        vague: True if the text does not say how many.
        at: Position of the noun among the words of the description, for relations.
    """

    label: str
    colours: tuple[str, ...] = ()
    count: int = 1
    vague: bool = False
    at: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a description says.

    Attributes:
        mentions: Shapes to be seen, in the order of the text.
        unclear: Labels of which the text does not say whether they are to be seen (inside a coat
            of arms, on another flag that is a part of this one).
        relations: Subject mention, predicate, object mention.
        usable: False if the text only points to another flag, or names no shape.
    """

    mentions: tuple[Mention, ...] = ()
    unclear: frozenset[str] = frozenset()
    relations: tuple[tuple[int, str, int], ...] = ()
    usable: bool = True

    @property
    def labels(self) -> frozenset[str]:
        """Labels that are to be seen."""
        return frozenset(mention.label for mention in self.mentions)


_ELSEWHERE = re.compile(r"^\s*(?:the flag of .* is used|the country has two official flags)")
_UNION = re.compile(r"\b(?:uk flag|flag of (?:france|the uk|the united))", re.IGNORECASE)
_MOST_MENTIONS = 64
_UNION_LABELS = frozenset({"cross", "triangle", "band", "edge", "rectangle"})


@dataclass
class _Reading:
    mentions: list[Mention] = field(default_factory=list)
    unclear: set[str] = field(default_factory=set)
    relations: list[tuple[int, str, int]] = field(default_factory=list)

    def add(self, mention: Mention) -> int:
        self.mentions.append(mention)
        return len(self.mentions) - 1

    @property
    def ground(self) -> int | None:
        """The field if the text names one, else the first band."""
        grounds = [
            next((i for i, m in enumerate(self.mentions) if m.label == label), None)
            for label in ("field", "band")
        ]
        return grounds[1] if grounds[0] is None else grounds[0]


def read_description(text: str) -> Described:
    """Read a flag description.

    Args:
        text: At most 20,000 characters and 64 shapes of it are read.

    Example:
        >>> said = read_description("red with a white disk in the center that has a red crescent")
        >>> [(m.label, m.colours) for m in said.mentions]
        [('field', ('red',)), ('disc', ('white',)), ('crescent', ('red',))]
        >>> said.relations
        ((1, 'charged_with', 2), (1, 'centred_on', 0))
    """
    text = text[:20_000]
    if _ELSEWHERE.match(text.lower()):
        return Described(usable=False, unclear=frozenset(LABELS))
    reading = _Reading()
    for number, clause in enumerate(text.lower().split(";")):
        clause = clause.replace("coats of arms", "coat of arms")
        inner = INNER.search(clause) if number else _after_emblem(clause)
        outside = clause
        if inner is not None:
            told = any(mention.label == "emblem" for mention in reading.mentions)
            outside = clause[: inner.end()] if inner.start() or not told else ""
            rest = tokens(clause[len(outside) :])
            reading.unclear |= {NOUNS[word] for word in rest if word in NOUNS}
        _read_clause(tokens(outside), reading, first=number == 0)
        if len(reading.mentions) >= _MOST_MENTIONS:
            break
    if _UNION.search(text):
        reading.unclear |= _UNION_LABELS
    return Described(
        mentions=tuple(reading.mentions),
        unclear=frozenset(reading.unclear - {m.label for m in reading.mentions}),
        relations=tuple(dict.fromkeys(reading.relations)),
        usable=bool(reading.mentions),
    )


def _after_emblem(clause: str) -> re.Match[str] | None:
    found = INNER.search(clause)
    return found if found is not None and found.start() > 0 else None


def _read_clause(words: list[str], reading: _Reading, *, first: bool) -> None:
    at: dict[int, int] = {}
    if first:
        _read_ground(words, reading)
    index = 0
    while index < len(words) and len(reading.mentions) < _MOST_MENTIONS:
        label = NOUNS.get(words[index])
        if label is None:
            index += 1
            continue
        place = index
        mention, index = _read_phrase(words, index, reading, label, at)
        if mention is not None:
            at[place] = mention
    reading.relations += relations_of(words, at, reading.mentions, reading.ground)


def _read_ground(words: list[str], reading: _Reading) -> None:
    """A flag that begins "red with …" or "light blue, …" has a red or blue field."""
    rest = [w for w in words[:6] if w not in ("a", "the", "territorial", "flag", "is", "solid")]
    if len(rest) > 1 and rest[0] in COLOURS and rest[1] in ("with", ",", "(", "square"):
        reading.add(Mention(label="field", colours=(COLOURS[rest[0]],), count=MANY, vague=True))


def _read_phrase(
    words: list[str], index: int, reading: _Reading, label: str, at: dict[int, int]
) -> tuple[int | None, int]:
    """Read one noun with the words around it; return its mention and the next word."""
    colours, count, rim = words_before(words, index)
    after = index + 1
    plural = words[index].endswith("s") and words[index] not in ("arms", "cross")
    if after < len(words) and words[after] == "of" and label in ("band", "triangle"):
        listed, after = colour_list(words, after + 1)
        if listed:
            _bands(words, index, listed, reading, label)
            return None, after
    colours = colours or colour_after(words, after)
    rim = rim or rim_colour(words, index)
    conjoined = index > 1 and words[index - 1] == "and" and words[index - 2] in NOUNS
    if conjoined and index - 2 in at:
        colours = colours or list(reading.mentions[at[index - 2]].colours)
    if label in ("field", "emblem") and _same_again(label, words, index, reading):
        return _same(label, reading), after
    vague = plural and count is None
    number = MANY if vague or label == "field" else count or 1
    repeated = _named_before(label, colours, words, index, reading)
    if repeated is not None:
        return repeated, after
    mine = reading.add(
        Mention(label=label, colours=tuple(colours), count=number, vague=vague, at=index)
    )
    if rim:
        edge = reading.add(Mention(label="edge", colours=(rim,), count=number, vague=True))
        reading.relations.append((mine, "edged_by", edge))
    return mine, after


def _same(label: str, reading: _Reading) -> int:
    return next(i for i, m in enumerate(reading.mentions) if m.label == label)


def _same_again(label: str, words: list[str], index: int, reading: _Reading) -> bool:
    """A second "the field" or "the coat of arms" is the first one."""
    return (
        index > 0
        and any(m.label == label for m in reading.mentions)
        and "the" in words[max(index - 3, 0) : index]
    )


def _named_before(
    label: str, colours: list[str], words: list[str], index: int, reading: _Reading
) -> int | None:
    """Find what "the white band" means: after a list of bands, the one listed."""
    if not {"the", "each"} & set(words[max(index - 4, 0) : index]):
        return None
    for number, mention in enumerate(reading.mentions):
        if mention.label == label and (not colours or set(colours) <= set(mention.colours)):
            return number
    return None


def _bands(words: list[str], index: int, listed: list[str], reading: _Reading, label: str) -> None:
    """Add one mention a listed colour, in order, with the order as relations."""
    before = words[max(index - 6, 0) : index]
    alternating = "alternating" in words[index : index + 14]
    predicate = "left_of" if "vertical" in before else "above"
    count = MANY if alternating else 1
    places = [
        reading.add(
            Mention(label=label, colours=(colour,), count=count, vague=alternating, at=index)
        )
        for colour in listed
    ]
    if label == "band" and not alternating and "diagonal" not in before:
        reading.relations += [(one, predicate, other) for one, other in itertools.pairwise(places)]
