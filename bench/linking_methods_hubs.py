"""Searches by vectors, with hubs taken off in every way that `bench.linking_methods` tries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkers.hub_banks import HubBanks, HubConfig, HubMethod
from linkers.inverse_convolution import References, inverse_convolution

__all__ = ["METHODS", "MOVES", "RIVALS", "Scorer", "Search"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Scorer = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Search:
    """What a method is given.

    Attributes:
        index: ``(N, dim)`` vectors of the entities.
        bank: ``(B, dim)`` vectors of mentions whose entities are known.
        meant: ``(B,)`` rows of these.
    """

    index: Floats
    bank: Floats
    meant: Ids


def _cosine(search: Search) -> Scorer:
    return lambda queries: queries @ search.index.T


def _banks(method: HubMethod, mentions: float, entities: float = 0.5) -> Callable[..., Scorer]:
    config = HubConfig(method=method, mention_sharpness=mentions, entity_sharpness=entities)

    def prepare(search: Search) -> Scorer:
        chosen = np.unique(search.meant[search.meant >= 0])
        found = HubBanks.fit(
            search.index, search.bank, search.meant, entities=chosen, config=config
        )
        every = np.arange(len(search.index))

        def score(queries: Floats) -> Floats:
            ids = np.broadcast_to(every, (len(queries), len(every)))
            return found.apply(queries @ search.index.T, ids)

        return score

    return prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class _Push:
    """Rates of mentions and of entities, and the share of the nearest that push."""

    mentions: float = 0.0
    entities: float = 0.0
    share: float | None = None

    def __call__(self, search: Search) -> Floats:
        """Return ``(N, dim)`` the index, moved."""
        chosen = np.unique(search.meant[search.meant >= 0])
        sets = [
            References(vectors=vectors, owners=owners, rate=rate)
            for vectors, owners, rate in (
                (search.bank, search.meant, self.mentions),
                (search.index[chosen], chosen, self.entities),
            )
            if rate
        ]
        return inverse_convolution(search.index, sets, share=self.share)


_PUSHES = {
    "InvGC, r = 1": _Push(mentions=1.0),
    "InvGC, r = 4": _Push(mentions=4.0),
    "InvGC, mentions r = 4 and entities r = 1": _Push(mentions=4.0, entities=1.0),
    "LocalAdj, 1 %, r = 0.5": _Push(mentions=0.5, share=0.01),
    "LocalAdj, 10 %, r = 1": _Push(mentions=1.0, share=0.1),
}
MOVES: Mapping[str, Callable[[Search], Floats]] = {
    "as encoded": lambda search: search.index,
    **_PUSHES,
}
"""By name, what makes the index that is searched."""


def _pushed(push: _Push) -> Callable[[Search], Scorer]:
    def prepare(search: Search) -> Scorer:
        moved = push(search)
        return lambda queries: queries @ moved.T

    return prepare


def _pushed_then_banks(push: _Push, sharpness: float) -> Callable[[Search], Scorer]:
    def prepare(search: Search) -> Scorer:
        moved = Search(index=push(search), bank=search.bank, meant=search.meant)
        return _banks("is", sharpness)(moved)

    return prepare


METHODS: Mapping[str, Callable[[Search], Scorer]] = {
    "cosine": _cosine,
    "inverted softmax, b2 = 10": _banks("is", 10.0),
    "inverted softmax, b2 = 20": _banks("is", 20.0),
    "inverted softmax, b2 = 50": _banks("is", 50.0),
    "DBNorm, dynamic, b2 = 20": _banks("dis", 20.0),
    "DBNorm, two banks, b1 = 0.5, b2 = 20": _banks("dual_is", 20.0, 0.5),
    "DBNorm, two banks, b1 = 20, b2 = 20": _banks("dual_is", 20.0, 20.0),
    "DBNorm, two banks, dynamic, b1 = 0.5, b2 = 20": _banks("dual_dis", 20.0, 0.5),
    "DBNorm, public setting": _banks("dual_dis", 3.0, 1 / 1.99),
    **{name: _pushed(push) for name, push in _PUSHES.items()},
    "InvGC, r = 1, then inverted softmax, b2 = 20": _pushed_then_banks(
        _PUSHES["InvGC, r = 1"], 20.0
    ),
}
"""By name, what makes a scorer of a search."""
RIVALS = ("cosine", "inverted softmax, b2 = 20")
