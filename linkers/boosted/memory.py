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

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from linkers.boosted.entity_table import cleaned
from linkers.boosted.kept import Kept
from linkers.boosted.nearest import products
from linkers.model import Mention
from linkers.names import latin

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
_NEAR = 0.4  # cosine of letters from which a surface is like another
_NEAR_SURFACES = 6
_NEAR_ENTITIES = 8
_REMEMBERED = 32_768  # surfaces
_NOTHING: Mapping[tuple[str, int], int] = {}

Floats = NDArray[np.float32]


class Memory:
    """Links of training mentions.

    Args:
        mentions: Training mentions.
        gold: ``(n,)`` id of each one's entity, -1 for none.
        contexts: ``(n, dim)`` vectors of their texts.
    """

    def __init__(self, mentions: Sequence[Mention], gold: Sequence[int], contexts: Floats) -> None:
        self.contexts = contexts
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
        self._forms: dict[int, Counter[str]] = defaultdict(Counter)
        for surface, counts in self.by_surface.items():
            for entity, count in counts.items():
                self._forms[entity][surface] += count
        self._near = _near_index(sorted(self.by_surface))
        self._alike: Kept[list[str]] = Kept(_REMEMBERED)
        self._others: Kept[dict[int, float]] = Kept(_REMEMBERED)

    def more(self, mentions: Sequence[Mention], gold: Sequence[int], contexts: Floats) -> Memory:
        """Return a memory that holds further links too, such as what people decided.

        Args:
            mentions: Further mentions.
            gold: ``(n,)`` id of each one's entity, -1 for none.
            contexts: ``(n, dim)`` vectors of their texts.
        """
        known = [
            Mention(id="", surface=surface, document=str(document))
            for surface, document in zip(self.surfaces, self.documents, strict=True)
        ]
        return Memory(
            [*known, *mentions], [*self.gold, *gold], np.concatenate([self.contexts, contexts])
        )

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
        found = []
        alike = self._alike.of([cleaned(m.surface) for m in mentions], self._spelled_alike)
        for mention, surfaces in zip(mentions, alike, strict=True):
            document = document_of(mention) if apart else None
            ids: dict[int, None] = {}
            for surface in surfaces:
                counts = self._links_of(surface, document)
                ids.update(dict.fromkeys(sorted(counts, key=lambda e, c=counts: (-c[e], e))))  # type: ignore[misc]
            found.append(list(ids)[:_NEAR_ENTITIES])
        return found

    def _spelled_alike(self, wanted: Sequence[str]) -> list[list[str]]:
        """Return for each surface those of training that are spelled like it, the nearest first."""
        if self._near is None:
            return [[] for _ in wanted]
        vectorizer, surfaces, matrix = self._near
        alike = vectorizer.transform([latin(surface) for surface in wanted]) @ matrix
        found = []
        for row in range(len(wanted)):
            part = slice(*alike.indptr[row : row + 2])
            places, values = alike.indices[part], alike.data[part]
            kept = np.flatnonzero(values >= _NEAR)
            order = kept[np.lexsort((places[kept], -values[kept]))[:_NEAR_SURFACES]]
            found.append([surfaces[place] for place in places[order].tolist()])
        return found

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
            near = products(
                contexts, np.repeat(of_row, counts), self.contexts, np.concatenate(heard)
            )
            values[places, 5] = np.maximum.reduceat(near, begins)
            values[places, 6] = np.add.reduceat(near, begins) / counts
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
        (others,) = self._others.of([surface], lambda texts: [{} for _ in texts])
        for place, entity in known:
            links = links_of[entity] - mine[entity] if mine else links_of[entity]
            if links <= 0:
                continue
            count = counts.get(entity, 0)
            if count:
                values[place, 0] = count / (total + _SMOOTHING)
                values[place, 1] = math.log1p(count)
            values[place, 3] = math.log1p(links)
            if own:
                values[place, 4] = self._other_form(surface, entity, own)
            else:
                if entity not in others:
                    others[entity] = self._other_form(surface, entity, own)
                values[place, 4] = others[entity]
            rows = self._rows[entity]
            if apart and mine[entity]:
                rows = rows[self.documents[rows] != document]
            if len(rows):
                yield place, rows

    def _other_form(self, surface: str, entity: int, own: Mapping[tuple[str, int], int]) -> float:
        """Return how alike another form of an entity is, those of an own document left out."""
        spelled = latin(surface)
        return max(
            (
                fuzz.ratio(spelled, latin(form)) / 100
                for form, number in self._forms[entity].items()
                if form != surface and number > own.get((form, entity), 0)
            ),
            default=0.0,
        )


def _near_index(surfaces: list[str]) -> tuple[TfidfVectorizer, list[str], sparse.csr_matrix] | None:
    spelled = [latin(surface) for surface in surfaces]
    if not any(text.strip() for text in spelled):
        return None
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), lowercase=False, dtype=np.float32
    )
    return vectorizer, surfaces, vectorizer.fit_transform(spelled).T.tocsr()


def document_of(mention: Mention) -> str:
    """Return what a mention's document is called; its text where it has none."""
    return mention.document if mention.document is not None else mention.context
