"""Which lists a query needs: a weight for each, from cues that its lists themselves give.

Kinds of query: an answer stands in names, in prose, on pictures, or in facts about neighbours. A
softmax regression on the cues gives each kind a probability; each kind has weights of lists that
suited it; their mean is one half of a list's weight. The other half goes, whatever the query, to
one index for all: words in all fields at once, and meaning. So a kind of query that the router has
never seen is searched almost as without one. Both were fitted on valid queries (`bench.search`),
which wrote ``router.json``.

After UniversalRAG (arXiv 2504.20734): weights scale the fusion, no list is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from api.search.schemas import FieldName, ListName
from kg.model import EntityKey

__all__ = ["FIELD_LISTS", "KIND_LISTS", "LISTS", "Ranked", "Route", "Router", "cues"]

FIELD_LISTS: tuple[FieldName, ...] = ("names", "prose", "picture", "facts")
KIND_LISTS: tuple[ListName, ...] = (*FIELD_LISTS, "meaning", "neighbours")
"""Lists that kinds of query weigh."""
LISTS: tuple[ListName, ...] = (*KIND_LISTS, "words")
Ranked = Mapping[ListName, Sequence[tuple[EntityKey, float]]]
"""Lists by name: entities with their scores, best first."""

HALF = 0.5
"""Share of a weight that does not depend on the query; chosen on valid."""
STEADY: Mapping[ListName, float] = {"words": 1.0, "meaning": 1.0}
"""Weights of that share."""
_FILE = Path(__file__).with_name("router.json")


@dataclass(frozen=True, slots=True)
class Route:
    """What a query needs.

    Attributes:
        weights: Of each list, in [0, 1].
        kinds: Probability of each kind of query.
    """

    weights: Mapping[ListName, float]
    kinds: Mapping[str, float]


def cues(text: str, lists: Ranked) -> list[float]:
    """Return what the lists tell of a query, nine numbers.

    Its length; each field's share of the best BM25 scores; the best cosine, and its lead over the
    tenth; how many neighbours were reached; the best score by names, a word.
    """
    said = len(text.split())
    top = [lists[name][0][1] if lists[name] else 0.0 for name in FIELD_LISTS]
    near = [score for _, score in lists["meaning"][:10]] or [0.0]
    shares = [score / (sum(top) or 1.0) for score in top]
    reached = min(1.0, len(lists["neighbours"]) / 100)
    return [log(1 + said), *shares, near[0], 10 * (near[0] - near[-1]), reached,
            top[0] / max(1, said) / 5]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """The regression and what each kind of query weighs.

    Attributes:
        kinds: Names of the kinds, in order.
        mean: Of each cue.
        spread: Of each cue.
        slopes: ``(kinds, cues)``.
        offsets: ``(kinds,)``.
        weights: Of the lists, by kind; the largest is 1.
    """

    kinds: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    slopes: tuple[tuple[float, ...], ...]
    offsets: tuple[float, ...]
    weights: Mapping[str, Mapping[str, float]]

    def route(self, text: str, lists: Ranked, *, half: float = HALF) -> Route:
        """Weigh the lists of a query; `half` of a weight does not depend on it."""
        given = (np.array(cues(text, lists)) - self.mean) / self.spread
        scores = np.array(self.slopes) @ given + self.offsets
        odds = np.exp(scores - scores.max())
        kinds = dict(zip(self.kinds, (odds / odds.sum()).tolist(), strict=True))
        suited = {
            name: sum(p * self.weights[kind].get(name, 0.0) for kind, p in kinds.items())
            for name in LISTS
        }
        weights = {
            name: half * STEADY.get(name, 0.0) + (1 - half) * weight
            for name, weight in suited.items()
        }
        return Route(weights=weights, kinds=kinds)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"format": 1, **asdict(self)}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Router:
        """Read what `as_json` gave."""
        return cls(
            kinds=tuple(values["kinds"]),
            mean=tuple(values["mean"]),
            spread=tuple(values["spread"]),
            slopes=tuple(map(tuple, values["slopes"])),
            offsets=tuple(values["offsets"]),
            weights=values["weights"],
        )

    @staticmethod
    @cache
    def packaged() -> Router:
        """Return the router that comes with Umbra."""
        return Router.of_json(json.loads(_FILE.read_text(encoding="utf-8")))
