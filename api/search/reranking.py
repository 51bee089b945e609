"""The best of a search in a better order, learnt from queries whose answers are known.

A linear score of each entity near the top: its share of the fused score, of the score of one index
for all, its place and score in each list, and the places once more times each cue of the query
(`api.search.routing.cues`), so that what a place is worth depends on the query. The learnt order
and the order before are then fused by places, as lists are. Fitted on valid queries
(`bench.search`), which wrote ``reranker.json``; no language model is asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.search.fusion import C, fused
from api.search.routing import LISTS, STEADY, Ranked, cues
from kg.model import EntityKey

__all__ = ["TOP", "Reranker", "features"]

TOP = 50
"""Entities that may change places; what stands below them stays."""
_FILE = Path(__file__).with_name("reranker.json")

Scored = Sequence[tuple[EntityKey, float]]


def features(lists: Ranked, best: Scored, told: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what is known of each entity near the top.

    Args:
        lists: All lists of the query, with their scores.
        best: The entities by their fused scores, best first, at least one.
        told: Cues of the query, standardised, ``(cues,)``.

    Returns:
        ``(entities, 2 + 2 * lists + cues * (lists + 1))``.
    """
    keys = [key for key, _ in best]
    rows = {key: row for row, key in enumerate(keys)}
    places = np.zeros((len(keys), len(LISTS)))
    scores = np.zeros_like(places)
    for column, name in enumerate(LISTS):
        top = lists[name][0][1] or 1.0 if lists[name] else 1.0
        for rank, (key, score) in enumerate(lists[name]):
            if key in rows:
                places[rows[key], column] = C / (C + rank)
                scores[rows[key], column] = score / top
    for_all = dict(fused({name: [key for key, _ in lists[name]] for name in STEADY}, STEADY))
    most = max(for_all.values(), default=1.0)
    share = np.array([[for_all.get(key, 0.0) / most] for key in keys])
    lead = np.log([[score / best[0][1]] for _, score in best])
    worth = np.hstack([places, share])
    by_cue = (told[None, :, None] * worth[:, None, :]).reshape(len(keys), -1)
    return np.hstack([lead, share, places, scores, by_cue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranker:
    """What was learnt.

    Attributes:
        mean: Of each cue.
        spread: Of each cue.
        slopes: Of each feature.
    """

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    slopes: tuple[float, ...]

    def told(self, text: str, lists: Ranked) -> NDArray[np.float64]:
        """Return the cues of a query, standardised."""
        found: NDArray[np.float64] = (np.array(cues(text, lists)) - self.mean) / self.spread
        return found

    def rerank(self, text: str, lists: Ranked, ranked: Scored) -> list[tuple[EntityKey, float]]:
        """Return the entities in a new order; scores are of the two orders, fused by places.

        Args:
            text: The query.
            lists: All its lists.
            ranked: The fused list, best first.
        """
        best = [row for row in ranked[:TOP] if row[1] > 0]
        if not best:
            return [*ranked]
        learnt = features(lists, best, self.told(text, lists)) @ np.array(self.slopes)
        place = np.empty(len(best), np.int64)
        place[np.argsort(-learnt, kind="stable")] = np.arange(len(best))
        scores = [1 / (C + 1 + n) + 1 / (C + 1 + p) for n, p in enumerate(place.tolist())]
        order = np.argsort([-score for score in scores], kind="stable").tolist()
        rest = [(key, 2 / (C + 1 + n)) for n, (key, _) in enumerate(ranked) if n >= len(best)]
        return [*((best[n][0], scores[n]) for n in order), *rest]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"format": 1, **asdict(self)}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Reranker:
        """Read what `as_json` gave."""
        return cls(**{name: tuple(values[name]) for name in ("mean", "spread", "slopes")})

    @staticmethod
    @cache
    def packaged() -> Reranker:
        """Return the one that comes with Umbra."""
        return Reranker.of_json(json.loads(_FILE.read_text(encoding="utf-8")))
