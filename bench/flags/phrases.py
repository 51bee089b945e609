"""Phrases with the box that each means, on the flags of flag-icons (256 × 192 pixels).

Band phrases: a text that opens with "three equal horizontal bands of A, B, and C" fixes the boxes
by itself, band i of n being the i-th n-th of the picture. Figure phrases: `figure_phrases.tsv`,
checked by eye; its boxes were proposed by a model (regions of `scenes.regions`, given to the shapes
of the description by `scenes.assignment`), drawn on the flags, and looked at one by one: of 176
drafts 5 boxes were drawn anew and 4 phrases left out, since nobody could say where the thing ends.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kg.model import BoxXyxy

__all__ = ["PhraseBox", "band_phrases", "figure_phrases"]

_OPENING = re.compile(
    r"^(two|three|four|five) equal (horizontal|vertical) bands of ([^;]*)", re.IGNORECASE
)
_ASIDE = re.compile(r"\([^)]*\)|--.*?(?:--|$)")
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5}
_SHADE = re.compile(
    r"^(?:the )?(?:light|dark|bright|sky|cobalt|cerulean|ultramarine|prussian|royal|chrome|"
    r"vermilion)\s+",
    re.IGNORECASE,
)
_PLAIN = frozenset({"red", "white", "blue", "green", "yellow", "black", "orange", "gold"})
_WRONG = frozenset({("JO", "white"), ("UZ", "red")})
"""Where the middle pixel of the box has another colour: the text is not of this drawing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseBox:
    """One phrase and what it means.

    Attributes:
        flag: Code of the country.
        phrase: The words.
        box_xyxy: The box, in pixels.
    """

    flag: str
    phrase: str
    box_xyxy: BoxXyxy


def band_phrases(texts: Mapping[str, str], width: int, height: int) -> list[PhraseBox]:
    """Return the "COLOUR band" phrases whose boxes follow from the texts.

    A colour that stands twice on a flag says not which band is meant and is left out.

    Example:
        >>> found = band_phrases({"PL": "two equal horizontal bands of white (top) and red"}, 9, 6)
        >>> [(one.phrase, one.box_xyxy) for one in found]
        [('white band', (0.0, 0.0, 9.0, 3.0)), ('red band', (0.0, 3.0, 9.0, 6.0))]
    """
    found = []
    for flag, text in sorted(texts.items()):
        opening = _OPENING.match(text)
        if opening is None:
            continue
        count = _NUMBERS[opening.group(1).lower()]
        colours = _colours(opening.group(3), count)
        times = Counter(colours)
        for place, colour in enumerate(colours):
            if times[colour] > 1 or (flag, colour) in _WRONG:
                continue
            low, high = place / count, (place + 1) / count
            box = (
                (low * width, 0.0, high * width, float(height))
                if opening.group(2).lower() == "vertical"
                else (0.0, low * height, float(width), high * height)
            )
            found.append(PhraseBox(flag=flag, phrase=f"{colour} band", box_xyxy=box))
    return found


def _colours(listed: str, count: int) -> list[str]:
    """The colours of a list in order; empty unless there are as many as bands, all plain."""
    if "alternating" in listed:
        return []
    words = _ASIDE.sub("", listed)
    found: list[str] = []
    for part in re.split(r",| and ", words):
        name = part.strip().removeprefix("and ")
        if not name:
            continue
        colour = _SHADE.sub("", name).split(" ")[0].lower()  # "blue with white edges" is blue
        if colour not in _PLAIN:
            return [] if len(found) < count else found
        found.append(colour)
        if len(found) == count:
            return found
    return []


def figure_phrases(path: Path | None = None) -> list[PhraseBox]:
    """Read the phrases that were checked by eye."""
    path = path or Path(__file__).with_name("figure_phrases.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        return [
            PhraseBox(
                flag=row["flag"],
                phrase=row["phrase"],
                box_xyxy=(
                    float(row["left"]),
                    float(row["top"]),
                    float(row["right"]),
                    float(row["bottom"]),
                ),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]
