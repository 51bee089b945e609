"""All signals between one mention and every entity of a base, but for the network's.

A signal is a row over the entities; the candidates are picked from the rows, and the rows at the
candidates are what the decision sees. Each row depends on the mention alone, bit by bit, so a
result never depends on what else is linked in the same call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from kg.progress import Progress, silent
from linkers.aliases import SURFACE_SIGNALS, AliasIndex
from linkers.facts import CONTEXT_SIGNALS, FACT_SIGNALS, FactIndex
from linkers.knowledge_base import KnowledgeBase
from linkers.model import Mention
from linkers.names import is_phrase, normalised
from linkers.priors import Priors
from linkers.thumbnails import THUMBNAIL_SIGNALS, ThumbnailIndex
from linkers.vectors import Encoders, ItemVectors, VectorTable

__all__ = ["SIGNALS", "Evidence", "MentionImages", "surroundings", "window"]

Pixels = NDArray[np.uint8]
MentionImages = Callable[[str], Pixels | None]
"""Opens a mention's picture by its name; None where it cannot."""

_NAME_SIGNALS = ("name vector", "description by surface")
_TEXT_SIGNALS = ("description by context", "name by context")
_PICTURE_SIGNALS = ("picture vector", "picture patches")
_OTHER = ("prior", "links in the graph")
SIGNALS = (
    *SURFACE_SIGNALS,
    *FACT_SIGNALS,
    *_NAME_SIGNALS,
    *_TEXT_SIGNALS,
    *CONTEXT_SIGNALS,
    *_PICTURE_SIGNALS,
    *THUMBNAIL_SIGNALS,
    *_OTHER,
)
"""Rows of `Evidence.rows`, in order."""

_WINDOW = 240  # characters of context that are encoded
_PIECES = 4  # windows of a long text that are encoded where the words are no name
_SPELLED = 4  # names of an entity that are encoded
_Rows = NDArray[np.float32]


def window(mention: Mention) -> str:
    """Return the text around a mention that is encoded, at most 240 characters of it."""
    text = mention.context
    if len(text) <= _WINDOW:
        return text
    middle = 0 if mention.start is None else mention.start
    first = max(0, min(middle - _WINDOW // 2, len(text) - _WINDOW))
    return text[first : first + _WINDOW]


def pieces(mention: Mention) -> list[str]:
    """Return the windows of a mention whose mean stands for its text, at most 4.

    Where the words are a name, the text around them is enough; where they are a phrase ("the
    country"), everything said about it counts.
    """
    named = bool(mention.surface.strip()) and not is_phrase(mention.surface)
    if named or len(mention.context) <= _WINDOW:
        return [window(mention)]
    found, piece = [], ""
    for word in mention.context[: (_PIECES + 1) * _WINDOW].split():
        if piece and len(piece) + len(word) >= _WINDOW:
            found.append(piece)
            piece = ""
        piece = f"{piece} {word}".strip()
    return [*found, piece][:_PIECES]


def surroundings(mention: Mention) -> str:
    """Return the context without the mention's own words."""
    if mention.start is None or mention.end is None:
        return mention.context
    return f"{mention.context[: mention.start]} ; {mention.context[mention.end :]}"


class Evidence:
    """The signals of one base.

    Args:
        base: The knowledge base.
        encoders: Frozen encoders.
        progress: Told how many of the base's texts and pictures are encoded.
    """

    def __init__(
        self, base: KnowledgeBase, encoders: Encoders, *, progress: Progress = silent
    ) -> None:
        self.base = base
        self.encoders = encoders
        self._own = VectorTable(encoders)
        self._seen = VectorTable(encoders)
        self._aliases = AliasIndex(base)
        self._facts = FactIndex(base)
        spelled = [_spelled(names) for names in base.names]
        texts = [*(n for names in spelled for n in names), *base.descriptions]
        self._own.add_texts(texts, progress=progress)
        owners = [owner for owner, names in enumerate(spelled) for _ in names]
        self._name_owners = np.array(owners, dtype=np.int64)
        self._names = self._matrix([n for names in spelled for n in names])
        self._descriptions = self._matrix(list(base.descriptions))
        images = [base.picture(row) for row in range(len(base))]
        named = {str(row): image for row, image in enumerate(images)}
        self._own.add_pictures(
            [name for name, image in named.items() if image is not None],
            named.get,
            progress=progress,
        )
        self._thumbnails = ThumbnailIndex(images)
        self._pictures, self._patches = self._picture_vectors()
        degree = (
            np.asarray(base.peers.sum(axis=1)).ravel() + np.asarray(base.facts.sum(axis=1)).ravel()
        )
        self._degree = np.log1p(degree).astype(np.float32) / 5
        self._surfaces: dict[str, _Rows] = {}
        self._shown: dict[str, _Rows] = {}

    def entity_vectors(self) -> list[ItemVectors]:
        """Return the vectors of every entity for the matching network."""
        return [
            ItemVectors(
                name=self._own.text(names[0]),
                text=self._own.text(self.base.descriptions[row]),
                image=self._own.picture(str(row)),
            )
            for row, names in enumerate(self.base.names)
        ]

    def mention_vectors(self, mention: Mention) -> ItemVectors:
        """Return the vectors of a mention that `prepare` has seen."""
        return ItemVectors(
            name=self._seen.text(mention.surface),
            text=self._seen.text(window(mention)),
            image=self._seen.picture(mention.image),
        )

    def prepare(
        self,
        mentions: Sequence[Mention],
        pixels: MentionImages | None = None,
        *,
        progress: Progress = silent,
    ) -> None:
        """Encode what mentions need and the table lacks."""
        self._seen.add_texts([m.surface for m in mentions])
        texts = {text for m in mentions for text in (window(m), *pieces(m))}
        self._seen.add_texts(texts, progress=progress)
        if pixels is None:
            return
        names = sorted({m.image for m in mentions if m.image is not None})
        self._seen.add_pictures(names, pixels, progress=progress)
        for name in names:
            if name not in self._shown:
                self._shown[name] = self._picture_rows(name, pixels(name))

    def rows(
        self, mention: Mention, priors: Priors, *, also: Collection[int] = ()
    ) -> NDArray[np.float32]:
        """Return ``(signals, N)`` for a mention that `prepare` has seen.

        Args:
            mention: The mention.
            priors: What its surface meant before.
            also: Ids of entities that other mentions of its document were linked to.
        """
        by_surface = self._surfaces.get(mention.surface)
        if by_surface is None:
            by_surface = self._surfaces[mention.surface] = self._surface_rows(mention.surface)
        by_text = self._text_rows(mention)
        context = self._facts.context_rows(surroundings(mention), also=also)
        shown = self._shown.get(mention.image or "")
        if shown is None:
            count = len(_PICTURE_SIGNALS) + len(THUMBNAIL_SIGNALS)
            shown = np.zeros((count, len(self.base)), dtype=np.float32)
        prior = np.zeros((1, len(self.base)), dtype=np.float32)
        for key, value in priors.of(mention.surface).items():
            if key in self.base.ids:
                prior[0, self.base.ids[key]] = value
        parts = [by_surface, by_text, context, shown, prior, self._degree[None]]
        return np.concatenate(parts)

    def forget(self) -> None:
        """Drop what was kept of mentions, so that a long job's memory stays bounded."""
        self._surfaces.clear()
        self._shown.clear()
        self._seen = VectorTable(self.encoders)

    def _surface_rows(self, surface: str) -> _Rows:
        if is_phrase(surface) and normalised(surface) not in self.base.spellings:
            # letters of "the country" are like some names by chance; its text must tell
            count = len(SURFACE_SIGNALS) + len(FACT_SIGNALS) + len(_NAME_SIGNALS)
            return np.zeros((count, len(self.base)), dtype=np.float32)
        vector = self._seen.text(surface)
        by_name = np.zeros(len(self.base), dtype=np.float32)
        np.maximum.at(by_name, self._name_owners, self._cosines(vector, self._names))
        by_description = self._cosines(vector, self._descriptions)
        return np.concatenate(
            [
                self._aliases.rows(surface),
                self._facts.surface_rows(surface),
                by_name[None],
                by_description[None],
            ]
        )

    def _text_rows(self, mention: Mention) -> _Rows:
        found = [row[0] for row in map(self._seen.text, pieces(mention)) if row is not None]
        if not found:
            return np.zeros((len(_TEXT_SIGNALS), len(self.base)), dtype=np.float32)
        text = _unit(np.mean(found, axis=0))
        by_name = np.zeros(len(self.base), dtype=np.float32)
        np.maximum.at(by_name, self._name_owners, self._names @ text)
        return np.stack([self._descriptions @ text, by_name])

    def _picture_rows(self, name: str, image: Pixels | None) -> _Rows:
        rows = np.zeros((len(_PICTURE_SIGNALS), len(self.base)), dtype=np.float32)
        vectors = self._seen.picture(name)
        if vectors is not None:
            pooled, patches = vectors
            rows[0] = self._pictures @ pooled
            mine = _unit(patches.astype(np.float32))
            # late interaction: each patch of the mention finds its best patch of the entity
            alike = (self._patches @ mine.T).reshape(len(self.base), -1, len(mine))
            rows[1] = alike.max(axis=1).mean(axis=1)
        return np.concatenate([rows, self._thumbnails.rows(image)])

    def _picture_vectors(self) -> tuple[_Rows, _Rows]:
        """Return ``(N, dim)`` pooled and ``(N x P, dim)`` patch vectors, zero where absent."""
        size = self.encoders.image_dimension
        found = [self._own.picture(str(row)) for row in range(len(self.base))]
        patches = max((len(vectors[1]) for vectors in found if vectors), default=1)
        pooled = np.zeros((len(found), size), dtype=np.float32)
        cells = np.zeros((len(found), patches, size), dtype=np.float32)
        for row, vectors in enumerate(found):
            if vectors is not None:
                pooled[row] = vectors[0]
                cells[row] = _unit(vectors[1].astype(np.float32))
        return pooled, cells.reshape(-1, size)

    def _matrix(self, texts: list[str]) -> _Rows:
        zero = np.zeros(self.encoders.text.dimension, dtype=np.float32)
        found = [self._own.text(text) for text in texts]
        return np.stack([zero if row is None else row[0] for row in found])

    @staticmethod
    def _cosines(vector: tuple[_Rows, NDArray[np.float16]] | None, matrix: _Rows) -> _Rows:
        if vector is None:
            return np.zeros(len(matrix), dtype=np.float32)
        result: _Rows = matrix @ vector[0]  # one vector a product: see the module's promise
        return result


def _spelled(names: tuple[str, ...]) -> list[str]:
    """Return the names that an English text encoder can read."""
    readable = [name for name in names if name.isascii()]
    return list(dict.fromkeys([names[0], *readable]))[:_SPELLED]


def _unit(values: _Rows) -> _Rows:
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    result: _Rows = values / np.maximum(length, 1e-6)
    return result
