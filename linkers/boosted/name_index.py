"""How alike mentions are to entities, from several sides: what is nearest, and pair by pair.

Letters (TF-IDF of n-grams), words (weighted by rareness; of the mention, and of the whole text),
and vectors of an encoder (of the mention, and of the text). What rests on the surface alone is
remembered for the last surfaces. Each row depends on its mention alone, bit by bit: the value of a
pair is computed for that pair, whatever block it comes in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kg.progress import Progress, silent
from linkers.boosted.aliases import named_alike
from linkers.boosted.entity_table import EntityTable, cleaned, marks_of
from linkers.boosted.kept import Kept
from linkers.boosted.letters import LetterIndex, Weighted
from linkers.boosted.looks import Looks
from linkers.boosted.name_list import NameList
from linkers.boosted.nearest import NearestVectors, products
from linkers.boosted.part_ratios import SpelledNames
from linkers.boosted.spelling import SpellingLikeness
from linkers.boosted.texts import PooledTexts
from linkers.boosted.words import HeldWords, WordIndex, text_words, word_set
from linkers.evidence import window
from linkers.model import Mention
from linkers.names import latin, normalised

__all__ = ["NAMED", "NEAR", "TOLD", "WORDED", "NameIndex"]

NEAR = 64
"""Entities that letters name."""
NAMED = 10
"""Entities that the vector of the surface names."""
TOLD = 8
"""Entities that the vector of the text names."""
WORDED = 16
"""Entities that words name, those of the text included."""
_ENCODED = 4  # names of an entity that are encoded
_SURFACES = 16_384  # that are remembered: five kilobytes each, vector included

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class NameIndex:
    """Indexes of the names of a table.

    Args:
        table: The entities.
        texts: Encodes names; and surfaces and texts, unless `mention_texts` does.
        mention_texts: Encodes surfaces and texts, where their vectors are kept elsewhere.
        progress: Told names encoded.
    """

    def __init__(
        self,
        table: EntityTable,
        texts: PooledTexts,
        *,
        mention_texts: PooledTexts | None = None,
        progress: Progress = silent,
    ) -> None:
        self.table = table
        self.texts = mention_texts or texts
        self._name_texts = texts
        self.spelled = NameList(table.spelled)
        self.words = WordIndex(self.spelled.flat)
        self.letters = LetterIndex(self.spelled, [latin(name) for name in self.spelled.flat])
        self.compared = SpelledNames([latin(normalised(name)) for name in self.spelled.flat])
        """What letters of a mention are compared with, for each of `spelled`."""
        self.marks: list[tuple[str, frozenset[str], int]] = []
        self.qualifiers = SpelledNames(())
        """What tells each entity's name from namesakes, "" for most."""
        self.mark_counts = np.zeros((0, 2), dtype=np.float32)
        """``(N, 2)``: words of the name, whether it has a qualifier."""
        self.numbered = np.zeros(0, dtype=np.bool_)
        """``(N,)`` whether a number stands in the name."""
        self._mark(table)
        self._read = NameList([names[:_ENCODED] for names in table.names])
        self.vectors = NearestVectors(texts.matrix(self._read.flat, progress=progress))
        self._notes: NearestVectors | None = None
        if any(table.notes):
            self._notes = NearestVectors(texts.matrix(list(table.notes)))
        texts.forget()  # they stand in the matrices
        self.spelling = SpellingLikeness(self.compared.names, self.letters, most=_SURFACES)
        self._alike: Kept[tuple[tuple[int, ...], ...]] = Kept(_SURFACES)
        self._spelled: Kept[Weighted] = Kept(_SURFACES)
        self._near: Kept[Ids] = Kept(_SURFACES)
        self._named: Kept[Ids] = Kept(_SURFACES)
        self._surfaces: Kept[Floats] = Kept(_SURFACES)

    def add(self, more: EntityTable, *, progress: Progress = silent) -> None:
        """Append entities: theirs are encoded and indexed, nothing else is done again.

        How rare words and n-grams are is as it was when the index was made.

        Args:
            more: Entities of keys that are not there yet.
            progress: Told names encoded.

        Raises:
            InputError: A key is there already.
        """
        self.table = self.table.more(more)
        before = len(self.spelled.flat)
        self.spelled.add(more.spelled)
        fresh = self.spelled.flat[before:]
        self.words.add(fresh)
        self.letters.add([latin(name) for name in fresh])
        self.compared.add([latin(normalised(name)) for name in fresh])
        self._mark(more)
        read = len(self._read.flat)
        self._read.add([names[:_ENCODED] for names in more.names])
        self.vectors.add(self._name_texts.matrix(self._read.flat[read:], progress=progress))
        if self._notes is not None or any(more.notes):
            dimension = self.texts.encoder.dimension
            known = len(self.table) - len(more)
            self._notes = self._notes or NearestVectors(np.zeros((known, dimension), np.float32))
            self._notes.add(self._name_texts.matrix(list(more.notes)))
        self._name_texts.forget()
        self.forget_surfaces()

    def forget_surfaces(self) -> None:
        """Forget what was worked out for surfaces, but for their vectors."""
        self._alike.clear()
        self._near.clear()
        self._named.clear()

    def named_alike(self, surfaces: Sequence[str]) -> list[tuple[tuple[int, ...], ...]]:
        """Return ids of each surface by each of `linkers.boosted.aliases.SOURCES`."""
        return self._alike.of(
            surfaces, lambda missing: [named_alike(self.table, text) for text in missing]
        )

    def _mark(self, table: EntityTable) -> None:
        fresh = [marks_of(names[0]) for names in table.names]
        self.marks += fresh
        self.qualifiers.add([qualifier for qualifier, _, _ in fresh])
        counts = np.array([(words, bool(q)) for q, _, words in fresh], dtype=np.float32)
        self.mark_counts = np.concatenate([self.mark_counts, counts])
        self.numbered = np.concatenate([self.numbered, [bool(found) for _, found, _ in fresh]])

    def prepare(self, mentions: Sequence[Mention], *, progress: Progress = silent) -> None:
        """Encode what mentions need."""
        self.surface_vectors([mention.surface for mention in mentions])
        self.texts.add([window(mention) for mention in mentions], progress=progress)

    def surface_vectors(self, surfaces: Sequence[str]) -> Floats:
        """Return ``(n, dim)`` vectors of words."""
        found = self._surfaces.of(surfaces, self.texts.matrix)
        return np.stack(found) if found else np.zeros((0, self.texts.encoder.dimension), np.float32)

    def contexts(self, mentions: Sequence[Mention]) -> Floats:
        """Return ``(n, dim)`` vectors of the texts around mentions."""
        return self.texts.matrix([window(m) for m in mentions])

    def look(self, mentions: Sequence[Mention]) -> Looks:
        """Return what is alike to each of a block of mentions."""
        written = [m.surface for m in mentions]
        surfaces, said = self.surface_vectors(written), self.contexts(mentions)
        own = [word_set(cleaned(surface)) for surface in written]
        read = [text_words(m.context) for m in mentions]
        every = self.words.rows([o | r for o, r in zip(own, read, strict=True)])
        mine = self.words.rows(own)
        mass = np.array([self.words.mass_of(words) for words in own], dtype=np.float32)
        return Looks(
            near=self._near.of(written, self._nearest_by_letters),
            named=self._named.of(
                written, lambda missing: self._nearest(self.surface_vectors(missing), NAMED)
            ),
            told=self._told(surfaces, said),
            spelled=self.letters.together(self._spelled.of(written, self._pieces)),
            surfaces=surfaces,
            said=said,
            worded=[
                self.spelled.owners[names]
                for names in self.words.sharing(mine, every, mass, WORDED)
            ],
            own=own,
            around=[
                words if window(m) == m.context else text_words(window(m))
                for words, m in zip(read, mentions, strict=True)
            ],
            held=HeldWords(mine, every),
            mass=mass,
        )

    def _pieces(self, surfaces: Sequence[str]) -> list[Weighted]:
        return self.letters.apart(self.letters.encode([latin(surface) for surface in surfaces]))

    def _nearest_by_letters(self, surfaces: Sequence[str]) -> list[Ids]:
        encoded = self.letters.encode([latin(surface) for surface in surfaces])
        return self.letters.nearest(encoded, NEAR)

    def _nearest(self, queries: Floats, count: int) -> list[Ids]:
        """Return ids of entities by their names' vectors, best first."""
        picked = self.vectors.likely(queries, count)
        rows = np.repeat(np.arange(len(picked)), picked.shape[1])
        (flat,) = products((queries,), rows, self.vectors.vectors, picked.ravel())
        values = flat.reshape(picked.shape)
        if self._read.single:  # a name's place is its entity's id, and the picked ascend
            order = np.argsort(-values, axis=1, kind="stable")[:, :count]
            return list(np.take_along_axis(picked, order, axis=1))
        owners = self._read.owners[picked]
        return [_best(*row, count) for row in zip(owners, values, strict=True)]

    def _told(self, surfaces: Floats, said: Floats) -> list[Ids]:
        """Return ids by the text, and half by the words."""
        both = said + surfaces * np.float32(0.5)
        if self._read.single and self._notes is None:
            return self._nearest(both, TOLD)
        picked = [self._read.owners[names] for names in self.vectors.likely(both, TOLD)]
        if self._notes is not None:
            notes = self._notes.likely(said, TOLD)
            picked = [np.concatenate(pair) for pair in zip(picked, notes, strict=True)]
        found = []
        for row, ids in enumerate(picked):
            owners = np.unique(ids)
            where = np.full(len(owners), row)
            named, told = self.of_vectors(surfaces, said, where, owners)
            found.append(_best(owners, told + named * np.float32(0.5), TOLD))
        return found

    def of_vectors(
        self, surfaces: Floats, said: Floats, rows: Ids, ids: Ids
    ) -> tuple[Floats, Floats]:
        """Return ``(pairs,)`` cosines of words and names, and of texts and names or notes.

        The best name of each entity counts.
        """
        names, starts = self._read.of(ids)
        vectors = self.vectors.vectors
        if self._read.single:
            where = rows
        else:
            where = np.repeat(rows, np.diff(np.append(starts, len(names))))
        named, told = (
            np.maximum.reduceat(found, starts)
            for found in products((surfaces, said), where, vectors, names)
        )
        if self._notes is not None:
            (noted,) = products((said,), rows, self._notes.vectors, ids)
            told = np.maximum(told, noted)
        return named, told

    def first_vectors(self, ids: Ids) -> Floats:
        """Return ``(n, dim)`` vectors of the names of entities."""
        return self.vectors.vectors[ids if self._read.single else self._read.firsts(ids)]

    def word_shares(self, looks: Looks, rows: Ids, ids: Ids) -> Floats:
        """Return ``(pairs, 4)`` of pairs of a mention and an entity, best name each.

        Share of the mention's words that the name holds; share of the name's that the mention
        holds; share that mention and text hold; weight of what of the name the text holds alone.
        """
        names, starts = self.spelled.of(ids)
        where = np.repeat(rows, np.diff(np.append(starts, len(names))))
        words, sizes = self.words.of(names)
        mine, either = looks.held.of(np.repeat(where, sizes), words)
        own, every = (self.words.weigh(words, sizes, held) for held in (mine, either))
        mass = np.maximum(self.words.mass[names], 1e-6)
        values = np.stack(
            [own / np.maximum(looks.mass[where], 1e-6), own / mass, every / mass, every - own], 1
        )
        return np.asarray(np.maximum.reduceat(values, starts, axis=0), dtype=np.float32)


def _best(ids: Ids, values: Floats, count: int) -> Ids:
    """Return distinct ids by their best value, best first; ties by the lower id."""
    order = np.lexsort((ids, -values))
    found = list(dict.fromkeys(ids[order].tolist()))[:count]
    return np.array(found, dtype=np.int64)
