"""Colours, numbers and rims among the words around a noun of a flag description."""

from __future__ import annotations

from scenes.lexicon import BORDERS, COLOURS, MODIFIER_STOPS, NOUNS, NUMBERS

__all__ = ["MANY", "colour_after", "colour_list", "words_before"]

MANY = 60
"""Stands for a number that the text leaves open."""


def words_before(words: list[str], index: int) -> tuple[list[str], int | None, str | None]:
    """Colours, number and rim colour among the words right before a noun."""
    colours: list[str] = []
    count: int | None = None
    rim = None
    place = index - 1
    while place >= 0 and index - place <= 9:
        word = words[place]
        joins = word == "and" and place > 0 and words[place - 1] in COLOURS and colours
        if word in NUMBERS or word.isdigit():
            count = int(word) if word.isdigit() else NUMBERS[word]
            break
        if word in COLOURS:
            colours.insert(0, COLOURS[word])
        elif "-" in word and word.split("-")[-1] in BORDERS:
            rim = COLOURS.get(word.split("-")[0], rim)
        elif "-and-" in word:
            colours = [COLOURS[w] for w in word.split("-") if w in COLOURS] + colours
        elif not joins and (word in MODIFIER_STOPS or word in NOUNS or word in ",;():"):
            break
        place -= 1
    return colours, count if count is None else min(count, MANY), rim


_LIST_WORDS = frozenset(
    [
        ",",
        "and",
        "(",
        ")",
        "top",
        "bottom",
        "center",
        "middle",
        "left",
        "right",
        "side",
        "double-width",
        "half-width",
        "triple-width",
        "quadruple-width",
        "alternating",
        "with",
        "on",
        "the",
        "two-fifths",
        "three-fifths",
    ]
)


def colour_list(words: list[str], start: int) -> tuple[list[str], int]:
    """Colours of "bands of red (top), white, and blue", and the word after the list."""
    colours: list[str] = []
    place = start
    end = start
    while place < len(words) and (words[place] in COLOURS or words[place] in _LIST_WORDS):
        if words[place] in COLOURS:
            if place + 1 < len(words) and words[place + 1] in NOUNS:
                break
            colours.append(COLOURS[words[place]])
            end = place + 1
        elif words[place] == "with" and words[place - 1] != "alternating":
            break
        place += 1
    return colours, end


def colour_after(words: list[str], after: int) -> list[str]:
    """The colour of "star in white" and of "triangle (left side) is green"."""
    while after < len(words) and words[after] == "(":
        closing = words.index(")", after) if ")" in words[after:] else len(words)
        after = closing + 1
    if after + 1 < len(words) and words[after] in ("in", "is", "are"):
        return [COLOURS[words[after + 1]]] if words[after + 1] in COLOURS else []
    return []
