"""One order from all lists of a query: a sum of their scores, each as far as it can be trusted.

    score(e) = best(e) + prose * share(prose) * prose(e) + picture * share(picture) * picture(e)
             + neighbours * long * neighbours(e) * facts(e)
             + (meaning + by_length * length) * cosine(e)

BM25 scores count relative to the best by words in all fields together. `best` is that of the field
where most of the query stands: fields are not added, since then long lists of neighbours' names
drown what a text says. Prose and pictures count once more, as far as their best hit holds the words
of the query (`share` is its score): so a query that they know little of does not hear them.
Neighbours of what the query names count as far as names of their own neighbours are words of the
query, and the less the shorter it is (`long` is 0 at one word). Cosines count as they are: where
none stands out they hardly move anything. An entity that is not in the list of meaning has the
lowest cosine of that list.

Scores are added, not places: a list of places says of its first entity that it is the best, never
how good. After Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (ACM
TOIS 2023), where a sum of scores needs few examples and holds on data it was not fitted on. The
five numbers were fitted on valid queries of several graphs (`bench.search`), which wrote
``blend.json``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.search.schemas import FieldName, ListName
from kg.model import EntityKey

__all__ = ["BEHIND", "FIELD_LISTS", "LISTS", "TERMS", "Blend", "Lists", "terms"]

FIELD_LISTS: tuple[FieldName, ...] = ("names", "prose", "picture", "facts")
LISTS: tuple[ListName, ...] = (*FIELD_LISTS, "meaning", "neighbours", "words")
Lists = Mapping[ListName, Sequence[tuple[EntityKey, float]]]
"""Lists by name: entities with their scores, best first."""
TERMS = ("best", "prose", "picture", "neighbours", "meaning", "by_length")
"""What is added, in the order of `terms`; the first counts 1."""
BEHIND = 0.4
"""How far behind the best cosine an entity may be that is found by meaning alone.

A list of meaning is never short: behind what was meant it goes on with what is merely nearest."""
USUAL = 5
"""Words, and one, of a query at which `by_length` adds nothing."""
_FILE = Path(__file__).with_name("blend.json")


@dataclass(frozen=True, slots=True)
class _Query:
    """What the lists tell of a query."""

    scale: float
    prose: float
    picture: float
    long: float
    length: float

    @classmethod
    def of(cls, text: str, lists: Lists) -> _Query:
        said = max(1, len(text.split()))
        scale = _top(lists["words"]) or 1.0
        return cls(
            scale=scale,
            prose=min(1.0, _top(lists["prose"]) / scale),
            picture=min(1.0, _top(lists["picture"]) / scale),
            long=1 - 1 / said,
            length=log((1 + said) / USUAL),
        )


def terms(text: str, lists: Lists) -> tuple[list[EntityKey], NDArray[np.float64]]:
    """Return what each entity of the lists has of each term.

    Args:
        text: The query.
        lists: All its lists.

    Returns:
        Keys in order, and a row of `TERMS` for each.
    """
    keys = sorted({key for rows in lists.values() for key, _ in rows})
    at = {key: row for row, key in enumerate(keys)}
    query = _Query.of(text, lists)

    def scores(name: ListName, scale: float, lowest: float = 0.0) -> NDArray[np.float64]:
        found = np.full(len(keys), lowest)
        for key, score in lists[name]:
            found[at[key]] = score / scale
        return found

    cosines = scores("meaning", 1.0, lists["meaning"][-1][1] if lists["meaning"] else 0.0)
    fields = {name: scores(name, query.scale) for name in FIELD_LISTS}
    near = scores("neighbours", _top(lists["neighbours"]) or 1.0)
    columns = (
        np.max([*fields.values()], axis=0),
        fields["prose"] * query.prose,
        fields["picture"] * query.picture,
        near * fields["facts"] * query.long,
        cosines,
        cosines * query.length,
    )
    return keys, np.stack(columns, axis=1)


def _far(lists: Lists) -> set[EntityKey]:
    """Return what is found by meaning alone, more than `BEHIND` behind the nearest."""
    nearest = _top(lists["meaning"])
    far = {key for key, cosine in lists["meaning"] if cosine < nearest - BEHIND}
    return far - {key for name in LISTS if name != "meaning" for key, _ in lists[name]}


def _top(rows: Sequence[tuple[EntityKey, float]]) -> float:
    return rows[0][1] if rows else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """What each term counts beside the field that holds most of the query, which counts 1.

    Attributes:
        prose: Words in text attributes, once more.
        picture: Words in the names of parts of pictures, once more.
        neighbours: Being joined to what the query names.
        meaning: The cosine.
        by_length: Added to that of the cosine, times the logarithm of the query's length.
    """

    prose: float
    picture: float
    neighbours: float
    meaning: float
    by_length: float

    def ranked(self, text: str, lists: Lists) -> list[tuple[EntityKey, float]]:
        """Return the entities of the lists with their scores, best first; ties by key.

        Left out are those that are found by meaning alone and lie far behind the nearest.
        """
        keys, rows = terms(text, lists)
        if not keys:
            return []
        far = _far(lists)
        scores = rows @ np.array([1.0, *asdict(self).values()])
        order = np.argsort(-scores, kind="stable").tolist()
        return [(keys[row], float(scores[row])) for row in order if keys[row] not in far]

    def weights(self, text: str, lists: Lists) -> dict[ListName, float]:
        """Return what a full score in each list counts for a query; the largest is 1.

        Words in all fields together count nothing: they are the scale of the others.
        """
        query = _Query.of(text, lists)
        found: dict[ListName, float] = {
            "names": 1.0,
            "prose": 1 + self.prose * query.prose,
            "picture": 1 + self.picture * query.picture,
            "facts": 1.0,
            "meaning": max(0.0, self.meaning + self.by_length * query.length),
            "neighbours": self.neighbours * query.long,
            "words": 0.0,
        }
        most = max(found.values())
        return {name: weight / most for name, weight in found.items()}

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"format": 2, **asdict(self)}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Blend:
        """Read what `as_json` gave."""
        return cls(**{field.name: float(values[field.name]) for field in dataclasses.fields(cls)})

    @staticmethod
    @cache
    def packaged() -> Blend:
        """Return the one that comes with Umbra."""
        return Blend.of_json(json.loads(_FILE.read_text(encoding="utf-8")))
