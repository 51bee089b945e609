"""What training mentions tell of an entity: its surface forms, its texts, how often it is meant.

A training mention must not see its own link, nor those of its document: they are left out when it
is described, as they will be missing for a new mention. Nothing else may be left to chance here: a
ranker that learns from memories holding the answer trusts memory too much, and entities that no
training mention names pay for it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from linkers.boosted.document import document_of
from linkers.boosted.entity_table import cleaned
from linkers.boosted.kept import Kept
from linkers.boosted.like_surfaces import LikeSurfaces
from linkers.boosted.members import members_of
from linkers.boosted.nearest import products
from linkers.boosted.other_forms import OtherForms
from linkers.model import Mention
from linkers.names import latin

if TYPE_CHECKING:
    from linkers.boosted.hints import Hints

__all__ = ["MEMORY_FEATURES", "Memory"]

MEMORY_FEATURES = (
    "prior",
    "links of surface to entity",
    "links of surface",
    "links of entity",
    "nearest other surface",
    "nearest text",
    "mean text",
)
_SMOOTHING = 1.0
_MOST = 64  # texts of an entity that are compared
_NEAR_ENTITIES = 8
_REMEMBERED = 16_384  # surfaces
_NOTHING: Mapping[tuple[str, int], int] = {}

Floats = NDArray[np.float32]


class Memory:
    """Links of training mentions.

    Args:
        mentions: Training mentions.
        gold: ``(n,)`` id of each one's entity, -1 for none.
        contexts: ``(n, dim)`` vectors of their texts.
        hints: What words of theirs say of words of names, if that was counted.
    """

    def __init__(
        self,
        mentions: Sequence[Mention],
        gold: Sequence[int],
        contexts: Floats,
        hints: Sequence[Hints] = (),
    ) -> None:
        self.contexts = contexts
        self.hints = tuple(hints)
        self.documents = np.array([document_of(m) for m in mentions], dtype=object)
        self.surfaces = [cleaned(m.surface) for m in mentions]
        self.gold = tuple(gold)
        self.by_surface: dict[str, Counter[int]] = defaultdict(Counter)
        self.links: Counter[int] = Counter()
        self._own: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
        rows: dict[int, list[int]] = defaultdict(list)
        for row, (surface, entity) in enumerate(zip(self.surfaces, gold, strict=True)):
            if entity < 0:
                continue
            self.by_surface[surface][entity] += 1
            self.links[entity] += 1
            self._own[str(self.documents[row])][surface, entity] += 1
            rows[entity].append(row)
        self._rows = {entity: np.array(found[:_MOST]) for entity, found in rows.items()}
        self._linked = np.array(sorted(rows), dtype=np.int64)
        self._counts = np.array([self.links[entity] for entity in sorted(rows)], dtype=np.int64)
        heard = [self._rows[entity] for entity in sorted(rows)]
        self._heard_flat = np.concatenate([np.zeros(0, dtype=np.int64), *heard])
        self._heard_starts = np.cumsum([0, *map(len, heard)])
        self._forms: dict[int, Counter[str]] = defaultdict(Counter)
        for surface, counts in self.by_surface.items():
            for entity, count in counts.items():
                self._forms[entity][surface] += count
        self._like = LikeSurfaces(sorted(self.by_surface))
        self._nearly: Kept[list[int]] = Kept(_REMEMBERED)
        forms = [list(self._forms[entity]) for entity in sorted(rows)]
        self._other_forms = OtherForms(forms, most=_REMEMBERED)

    def more(self, mentions: Sequence[Mention], gold: Sequence[int], contexts: Floats) -> Memory:
        """Return a memory that holds further links too, such as what people decided.

        Args:
            mentions: Further mentions.
            gold: ``(n,)`` id of each one's entity, -1 for none.
            contexts: ``(n, dim)`` vectors of their texts.
        """
        named = zip(self.surfaces, self.documents, strict=True)
        known = [Mention(id="", surface=word, document=str(document)) for word, document in named]
        texts = np.concatenate([self.contexts, contexts])
        return Memory([*known, *mentions], [*self.gold, *gold], texts, self.hints)

    def meant(self, mention: Mention, *, apart: bool, hidden: int = -1) -> dict[int, int]:
        """Return links of the mention's surface by entity.

        Args:
            mention: The mention.
            apart: Leave the links of its own document out.
            hidden: Entity whose links are left out wholly.
        """
        counts = self._links_of(cleaned(mention.surface), document_of(mention) if apart else None)
        counts.pop(hidden, None)
        return counts

    def _links_of(self, surface: str, apart_from: str | None) -> dict[int, int]:
        counts = dict(self.by_surface.get(surface, {}))
        if apart_from is not None:
            for (form, entity), count in self._own.get(apart_from, {}).items():
                if form == surface and entity in counts:
                    counts[entity] -= count
        return {entity: count for entity, count in counts.items() if count > 0}

    def nearly_meant(self, mentions: Sequence[Mention], *, apart: bool) -> list[list[int]]:
        """Return for each mention entities that surfaces spelled like its own have meant.

        Args:
            mentions: The mentions.
            apart: Leave the links of each one's own document out.
        """
        written = [cleaned(m.surface) for m in mentions]
        if not apart:
            return self._nearly.of(
                written,
                lambda fresh: [self._meant_by(s, None) for s in self._like.of(fresh)],
            )
        alike = self._like.of(written)
        return [self._meant_by(s, document_of(m)) for s, m in zip(alike, mentions, strict=True)]

    def _meant_by(self, surfaces: Sequence[str], apart_from: str | None) -> list[int]:
        ids: dict[int, None] = {}
        for surface in surfaces:
            counts = self._links_of(surface, apart_from)
            ids.update(dict.fromkeys(sorted(counts, key=lambda e, c=counts: (-c[e], e))))  # type: ignore[misc]
        return list(ids)[:_NEAR_ENTITIES]

    def describe(
        self,
        mentions: Sequence[Mention],
        contexts: Floats,
        candidates: Sequence[NDArray[np.int64]],
        *,
        apart: bool,
        hidden: Sequence[int] | None = None,
    ) -> Floats:
        """Return ``(pairs, MEMORY_FEATURES)`` for the candidates of mentions, one after the other.

        Args:
            mentions: The mentions.
            contexts: ``(n, dim)`` vectors of their texts.
            candidates: Ids of each one's candidates.
            apart: Leave out what each one's document linked.
            hidden: For each mention an entity whose links are left out, -1 for none.
        """
        sizes = [len(ids) for ids in candidates]
        if not apart and hidden is None and len(self._linked):
            return self._described(mentions, contexts, np.concatenate(candidates), sizes)
        starts = np.cumsum([0, *sizes])
        values = np.full((int(starts[-1]), len(MEMORY_FEATURES)), np.nan, dtype=np.float32)
        values[:, [0, 1, 3]] = 0.0
        heard: list[NDArray[np.int64]] = []  # training mentions of entities that are candidates
        places: list[int] = []
        for row, (mention, ids) in enumerate(zip(mentions, candidates, strict=True)):
            gone = -1 if hidden is None else hidden[row]
            part = values[starts[row] : starts[row + 1]]
            for place, rows in self._rows_of(mention, part, ids, apart=apart, hidden=gone):
                places.append(int(starts[row]) + place)
                heard.append(rows)
        if places:
            of_row = np.repeat(np.arange(len(sizes)), sizes)[places]
            counts = np.array([len(rows) for rows in heard])
            begins = np.cumsum(counts) - counts
            told = np.repeat(of_row, counts), self.contexts, np.concatenate(heard)
            (near,) = products((contexts,), *told)
            values[places, 5] = np.maximum.reduceat(near, begins)
            values[places, 6] = np.add.reduceat(near, begins) / counts
        return values

    def _described(
        self,
        mentions: Sequence[Mention],
        contexts: Floats,
        ids: NDArray[np.int64],
        sizes: list[int],
    ) -> Floats:
        """Return what `describe` does where nothing is left out: all mentions at a time."""
        values = np.zeros((len(ids), len(MEMORY_FEATURES)), dtype=np.float32)
        values[:, 4:] = np.nan
        place = np.minimum(np.searchsorted(self._linked, ids), len(self._linked) - 1)
        known = np.flatnonzero(self._linked[place] == ids)
        place = place[known]
        values[known, 3] = np.log1p(self._counts[place])
        starts = np.cumsum([0, *sizes])
        surfaces = [cleaned(mention.surface) for mention in mentions]
        for row, surface in enumerate(surfaces):
            if counts := self.by_surface.get(surface):
                total = counts.total()
                part = slice(int(starts[row]), int(starts[row + 1]))
                values[part, 2] = math.log1p(total)
                for entity, count in counts.items():
                    where = part.start + int(np.searchsorted(ids[part], entity))
                    if where < part.stop and ids[where] == entity:
                        values[where, 0] = count / (total + _SMOOTHING)
                        values[where, 1] = math.log1p(count)
        if len(known):
            mention_of = np.repeat(np.arange(len(sizes)), sizes)[known]
            values[known, 4] = self._other_forms.of(surfaces, mention_of, place)
            places, begins, number = members_of(self._heard_starts, place)
            told = np.repeat(mention_of, number), self.contexts, self._heard_flat[places]
            (near,) = products((contexts,), *told)
            values[known, 5] = np.maximum.reduceat(near, begins)
            values[known, 6] = np.add.reduceat(near, begins) / number
        return values

    def _rows_of(
        self, mention: Mention, values: Floats, ids: NDArray[np.int64], *, apart: bool, hidden: int
    ) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Fill in what links tell of a mention's candidates; yield whose texts are to be compared.

        Yields:
            The place of a candidate and the training mentions that mean it, one at least.
        """
        counts = self.meant(mention, apart=apart, hidden=hidden)
        total = sum(counts.values())
        values[:, 2] = math.log1p(total)
        document = document_of(mention)
        own = self._own.get(document, _NOTHING) if apart else _NOTHING
        mine: Counter[int] = Counter()
        for (_, entity), count in own.items():
            mine[entity] += count
        surface = cleaned(mention.surface)
        links_of = self.links
        known = [(p, e) for p, e in enumerate(ids.tolist()) if e in links_of and e != hidden]
        for place, entity in known:
            links = links_of[entity] - mine[entity] if mine else links_of[entity]
            if links <= 0:
                continue
            count = counts.get(entity, 0)
            if count:
                values[place, 0] = count / (total + _SMOOTHING)
                values[place, 1] = math.log1p(count)
            values[place, 3] = math.log1p(links)
            values[place, 4] = self._other_form(surface, entity, own)
            rows = self._rows[entity]
            if apart and mine[entity]:
                rows = rows[self.documents[rows] != document]
            if len(rows):
                yield place, rows

    def _other_form(self, surface: str, entity: int, own: Mapping[tuple[str, int], int]) -> float:
        """Return how alike another form of an entity is, those of an own document left out."""
        return max(
            (
                fuzz.ratio(latin(surface), latin(form)) / 100
                for form, number in self._forms[entity].items()
                if form != surface and number > own.get((form, entity), 0)
            ),
            default=0.0,
        )
