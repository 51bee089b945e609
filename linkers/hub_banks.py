"""Hubs taken off by banks: DBNorm's dual inverted softmax, and its dynamic form.

Wang et al., "Balance Act: Mitigating Hubness in Cross-Modal Retrieval with Query and Gallery Banks"
(EMNLP 2023). With s(q, n) the similarity of a mention q and an entity n, Q a bank of mentions, G a
bank of entities:

    h_Q[n] = log mean_{q in Q} exp(b2 s(q, n)),   h_G[n] = log mean_{g in G} exp(b1 s(g, n))
    single (inverted softmax, "is"):  b2 s(q, n) - h_Q[n]
    dual ("dual_is"):                 (b1 s(q, n) - h_G[n]) + (b2 s(q, n) - h_Q[n])

The dynamic forms ("dis", "dual_dis") take a term off only where the mention's first entity is one
that comes first for some member of the bank, this one's own entity left out; elsewhere the term is
``b s - median(h)``, so that rows stay comparable. Where we differ from the public code: logarithms,
which do not overflow; a mention of the bank never counts against its own entity, nor an entity
against itself (a leak that is worth points to entities outside the bank); nothing is written into
the input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, SettingError
from linkers.hubness import hubness

__all__ = ["HUB_METHODS", "HubBanks", "HubConfig", "HubMethod"]

HubMethod = Literal["none", "is", "dis", "dual_is", "dual_dis"]
HUB_METHODS: tuple[HubMethod, ...] = ("none", "is", "dis", "dual_is", "dual_dis")
_BLOCK = 4_096  # entities whose similarities with a bank are held at a time

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """How hubs are taken off.

    Attributes:
        method: `none`, single (`is`), dual (`dual_is`), and the dynamic form of either.
        mention_sharpness: b2, of the bank of mentions, above 0.
        entity_sharpness: b1, of the bank of entities, above 0.
    """

    method: HubMethod = "is"
    mention_sharpness: float = 20.0
    entity_sharpness: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.method not in HUB_METHODS:
            raise SettingError(f"must be one of {', '.join(HUB_METHODS)}", where="method")
        for name in ("mention_sharpness", "entity_sharpness"):
            if not 0 < getattr(self, name) < float("inf"):
                raise SettingError("must be above 0", where=name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HubBanks:
    """What two banks say of every entity of an index.

    Attributes:
        config: How hubs are taken off.
        by_mentions: ``(N,)`` h_Q.
        by_entities: ``(N,)`` h_G; zeros where the method has no such bank.
        first_of_mention: ``(N,)`` whether an entity comes first for a mention of the bank.
        first_of_entity: ``(N,)`` the same for the bank of entities.
    """

    config: HubConfig
    by_mentions: Floats
    by_entities: Floats
    first_of_mention: NDArray[np.bool_]
    first_of_entity: NDArray[np.bool_]

    @classmethod
    def fit(
        cls,
        index: Floats,
        mentions: Floats,
        meant: Ids,
        *,
        entities: Ids | None = None,
        config: HubConfig | None = None,
    ) -> Self:
        """Look at the banks.

        Args:
            index: ``(N, dim)`` vectors of the entities that are searched.
            mentions: ``(Bq, dim)`` the bank of mentions.
            meant: ``(Bq,)`` rows of their entities, -1 for an entity outside the index.
            entities: ``(Bg,)`` rows of the bank of entities; all of them if None.
            config: How.

        Raises:
            InputError: The bank of mentions is empty, or shapes differ.

        Example:
            >>> index = np.eye(3, dtype=np.float32)
            >>> bank = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]], dtype=np.float32)
            >>> banks = HubBanks.fit(index, bank, np.array([0, 1]))
            >>> banks.by_mentions.tolist()  # the third is near to both
            [0.0, 0.0, 10.0]
        """
        config = config or HubConfig()
        if not len(mentions) or len(mentions) != len(meant):
            raise InputError(f"a bank of {len(mentions)} mentions with {len(meant)} entities")
        chosen = np.arange(len(index)) if entities is None else entities
        dual = config.method.startswith("dual")
        return cls(
            config=config,
            by_mentions=_hubs(index, mentions, meant, config.mention_sharpness),
            by_entities=_hubs(index, index[chosen], chosen, config.entity_sharpness)
            if dual
            else np.zeros(len(index), dtype=np.float32),
            first_of_mention=_firsts(index, mentions, meant),
            first_of_entity=_firsts(index, index[chosen], chosen)
            if dual
            else np.zeros(len(index), dtype=np.bool_),
        )

    def apply(self, similarities: Floats, ids: Ids) -> Floats:
        """Return ``(n, K)`` corrected scores, comparable within a row.

        Args:
            similarities: ``(n, K)`` of mentions and candidates, the best of all among them.
            ids: ``(n, K)`` rows of the candidates.
        """
        config = self.config
        if config.method == "none" or not similarities.size:
            return similarities
        first = np.take_along_axis(ids, similarities.argmax(axis=1)[:, None], axis=1)
        terms = [(config.mention_sharpness, self.by_mentions, self.first_of_mention)]
        if config.method.startswith("dual"):
            terms.append((config.entity_sharpness, self.by_entities, self.first_of_entity))
        found = np.zeros(similarities.shape, dtype=np.float32)
        for sharpness, hubs, firsts in terms:
            taken = hubs[ids]
            if config.method.endswith("dis"):
                taken = np.where(firsts[first], taken, np.median(hubs))
            found += np.float32(sharpness) * similarities - taken
        return found


def _hubs(index: Floats, bank: Floats, owners: Ids, sharpness: float) -> Floats:
    """Return ``(N,)`` the log mean of exp(sharpness s) over a bank, some entities at a time."""
    parts = []
    for start in range(0, len(index), _BLOCK):
        part = index[start : start + _BLOCK]
        own = owners - start
        own = np.where((own >= 0) & (own < len(part)), own, -1)
        parts.append(hubness(bank @ part.T, own, sharpness=sharpness) * np.float32(sharpness))
    return np.concatenate(parts)


def _firsts(index: Floats, bank: Floats, own: Ids) -> NDArray[np.bool_]:
    """Return ``(N,)`` which entities come first for a member of a bank, its own left out."""
    found = np.zeros(len(index), dtype=np.bool_)
    step = max(1, _BLOCK * _BLOCK // 4 // max(1, len(index)))
    for start in range(0, len(bank), step):
        scores = bank[start : start + step] @ index.T
        mine = own[start : start + step]
        known = np.flatnonzero(mine >= 0)
        scores[known, mine[known]] = -np.inf
        found[scores.argmax(axis=1)] = True
    return found
