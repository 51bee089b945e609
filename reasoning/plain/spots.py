"""A question as tokens, some of them taken together: the spots that name something of the graph."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from kg.errors import QuerySyntaxError
from kg.model import EntityKey
from kg.words import words
from reasoning.plain.function_words import EMPTY_WORDS
from reasoning.plain.lexicon import MAX_NAME, Lexicon, stem

__all__ = ["MAX_QUESTION", "Kind", "Spot", "number_at", "spots_of"]

MAX_QUESTION = 1_000
"""Characters of a question."""

Kind = Literal["entity", "label", "attribute", "number", "word"]
_NUMBER = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_TIMES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_AMOUNTS = {"a": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "five": 5.0, "ten": 10.0, "half": 0.5}


@dataclass(frozen=True, slots=True)
class Spot:
    """One or more words of a question.

    Attributes:
        kind: What they are.
        text: The folded words.
        start: First character in the question, from 0.
        end: One past the last.
        keys: Of an entity: all that have the name.
        name: Of a label or attribute.
        value: Of a number.
        comma: A comma stands before it.
    """

    kind: Kind
    text: str = ""
    start: int = 0
    end: int = 0
    keys: tuple[EntityKey, ...] = ()
    name: str = ""
    value: float = 0.0
    comma: bool = False


def spots_of(question: str, lexicon: Lexicon) -> list[Spot]:
    """Return a question's words, those that name something taken together, the longest first.

    Raises:
        QuerySyntaxError: It is too long.
    """
    if len(question) > MAX_QUESTION:
        raise QuerySyntaxError(f"a question has at most {MAX_QUESTION} characters")
    tokens = [(word.text, word.start, word.end) for word in words(question)]
    found: list[Spot] = []
    at = 0
    while at < len(tokens):
        count, bare = _longest(question, tokens, at, lexicon)
        start, end = tokens[at][1], tokens[at + count - 1][2]
        before = question[tokens[at - 1][2] : start] if at else ""
        text = " ".join(token[0] for token in tokens[at : at + count])
        comma = "," in before or ";" in before
        found.append(replace(bare, text=text, start=start, end=end, comma=comma))
        at += count
    return found


def _longest(
    question: str, tokens: list[tuple[str, int, int]], at: int, lexicon: Lexicon
) -> tuple[int, Spot]:
    """Return how many tokens name something here, and what; its place is filled in later."""
    value, count = number_at(question, tokens, at)
    if count:
        return count, Spot("number", value=value)
    for count in range(min(MAX_NAME, len(tokens) - at), 0, -1):
        spelt = tuple(token[0] for token in tokens[at : at + count])
        stems = tuple(map(stem, spelt))
        if stems in lexicon.labels:
            return count, Spot("label", name=lexicon.labels[stems])
        if stems in lexicon.attributes:
            return count, Spot("attribute", name=lexicon.attributes[stems])
        said = question[tokens[at][1] : tokens[at + count - 1][2]]
        if spelt in lexicon.entities and _is_name(said, spelt):
            return count, Spot("entity", keys=tuple(lexicon.entities[spelt]))
    return 1, Spot("word")


def _is_name(said: str, spelt: tuple[str, ...]) -> bool:
    """Tell a name from a word that happens to be spelt like one ("in", "no", "border")."""
    if any(word not in EMPTY_WORDS for word in spelt) and (len(spelt) > 1 or len(spelt[0]) > 3):
        return True
    return said[:1].isupper() and (said.isupper() if spelt[0] in EMPTY_WORDS else True)


def number_at(question: str, tokens: list[tuple[str, int, int]], at: int) -> tuple[float, int]:
    """Return the number that begins at a token, and how many tokens it takes (0: none).

    Example:
        >>> text = "over 1,500 million people"
        >>> number_at(text, [(w.text, w.start, w.end) for w in words(text)], 1)
        (1500000000.0, 3)
    """
    found = _NUMBER.match(question, tokens[at][1])
    if found is not None and not question[found.end() : found.end() + 1].isalpha():
        value, end = float(found[0].replace(",", "")), found.end()
        count = sum(1 for token in tokens[at:] if token[1] < end)
    elif tokens[at][0] in _AMOUNTS and at + 1 < len(tokens) and tokens[at + 1][0] in _TIMES:
        value, count = _AMOUNTS[tokens[at][0]], 1
    else:
        return 0.0, 0
    if at + count < len(tokens) and tokens[at + count][0] in _TIMES:
        return value * _TIMES[tokens[at + count][0]], count + 1
    return value, count
