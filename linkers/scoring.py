"""From a mention to its case: candidates, and the signals of each, the network's among them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from linkers.candidates import candidates
from linkers.cases import Case
from linkers.distillation import Student
from linkers.evidence import SIGNALS, Evidence
from linkers.foreign_mining import vector_of_name, vectors_of_names
from linkers.foreign_words import ForeignWords
from linkers.losses import fused
from linkers.matching import UNITS, MatchingNetwork
from linkers.model import Mention
from linkers.names import is_code
from linkers.opinion_cases import OpinionColumns
from linkers.packed_entities import PackedEntities
from linkers.priors import Priors
from linkers.vectors import items_of

__all__ = ["ALL_SIGNALS", "OPINION_COLUMNS", "PICTURE_SIGNALS", "Scorer", "Sighting", "marks"]

_NETWORK = tuple(f"matched by {unit}" for unit in UNITS)
ALL_SIGNALS = (*SIGNALS, *_NETWORK, "matched")
"""Columns of a case's signals."""

OPINION_COLUMNS = OpinionColumns(
    units=tuple(map(ALL_SIGNALS.index, _NETWORK)), prior=ALL_SIGNALS.index("prior")
)
"""Those that evidence for a candidate rests on."""

PICTURE_SIGNALS = tuple(
    ALL_SIGNALS.index(name)
    for name in (
        "picture vector",
        "picture patches",
        "colours in place",
        "shades in place",
        "share of colours",
        *_NETWORK[1:],
    )
)
"""Columns that are 0 for a mention without a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A mention with its candidates.

    Attributes:
        ids: Candidates, positions in the base.
        case: Their signals, for the decision.
    """

    ids: list[int]
    case: Case


class Scorer:
    """Computes the signals of mentions on one base, one mention at a time.

    Args:
        evidence: Signals of the base.
        network: The matching network.
        limit: Most candidates.
        student: A search that names candidates too.
        foreign: Words that mentions are weighed against; one more mark of each.
    """

    def __init__(
        self,
        evidence: Evidence,
        network: MatchingNetwork,
        *,
        limit: int,
        student: Student | None = None,
        foreign: ForeignWords | None = None,
    ) -> None:
        self.evidence = evidence
        self._network = network.eval()
        self._limit = limit
        self._student = student
        self._foreign = foreign
        self._names = None if foreign is None else vectors_of_names(evidence)
        items = items_of(evidence.entity_vectors(), evidence.encoders)
        with torch.inference_mode():
            self._entities = PackedEntities.of(network.encode(items, "entity"))
            self._towers = None if student is None else student(items, "entity")

    def see(self, mention: Mention, priors: Priors, *, also: Collection[int] = ()) -> Sighting:
        """Return the candidates of a mention that the evidence was prepared for."""
        rows = self.evidence.rows(mention, priors, also=also)
        ids = candidates(rows, limit=self._limit, searched=self._searched(mention))
        signals = np.concatenate([rows[:, ids].T, self._matched(mention, ids)], axis=1)
        told = np.concatenate([marks(mention), self._weighed(mention, ids)])
        case = Case(signals=np.ascontiguousarray(signals, np.float32), marks=told)
        return Sighting(ids=ids, case=case)

    def _weighed(self, mention: Mention, ids: list[int]) -> NDArray[np.float32]:
        """Return ``(1,)`` how much rather words are like candidates than foreign, or ``(0,)``.

        Without words it is 0; the first of the marks tells so.
        """
        if self._foreign is None or self._names is None:
            return np.zeros(0, dtype=np.float32)
        if not ids or not mention.surface.strip():
            return np.zeros(1, dtype=np.float32)
        own = vector_of_name(self.evidence, mention)
        there = np.ones((1, len(ids)), dtype=np.bool_)
        found = self._foreign.scores(own[None], self._names[ids][None], there)
        return found.astype(np.float32)

    def _searched(self, mention: Mention) -> NDArray[np.float32] | None:
        if self._student is None or self._towers is None:
            return None
        vectors = self.evidence.mention_vectors(mention)
        with torch.inference_mode():
            own = self._student(items_of([vectors], self.evidence.encoders), "mention")
            found: NDArray[np.float32] = (self._towers @ own[0]).numpy()
        return found

    def _matched(self, mention: Mention, ids: list[int]) -> NDArray[np.float32]:
        """Return ``(C, units + 1)`` scores of the network, 0 where a unit is absent."""
        if not ids:
            return np.zeros((0, len(UNITS) + 1), dtype=np.float32)
        vectors = self.evidence.mention_vectors(mention)
        with torch.inference_mode():
            encoded = self._network.encode(items_of([vectors], self.evidence.encoders), "mention")
            chosen = self._entities.take(torch.as_tensor(ids))
            scores, present = self._network(encoded, chosen)
            whole = torch.nan_to_num(fused(scores, present), neginf=0.0)
        return torch.cat([scores[:, 0], whole], dim=0).T.numpy().astype(np.float32)


def marks(mention: Mention) -> NDArray[np.float32]:
    """Return what the words themselves tell: whether they look like a name, a code, a phrase."""
    surface = mention.surface.strip()
    words = surface.split()
    named = bool(surface) and (surface[0].isupper() or not surface[0].isascii())
    values = (
        bool(surface),
        named,
        is_code(surface),
        surface.isupper() and len(surface) > 1,
        surface.isascii(),
        min(len(words), 6) / 6,
        mention.image is not None,
        min(len(mention.context), 240) / 240,
        mention.start is None,
    )
    return np.array(values, dtype=np.float32)
