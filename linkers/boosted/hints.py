"""Which words of mentions and of texts speak for which words of names, learnt from links.

"Wales prepare for a scrum": of the names that hold Wales, the one with "rugby" is meant, though no
training mention names it; "parliament" may be an assembly. What is counted are words of mentions
or texts, and the words by which entities are told apart (those of a name that the mention lacks),
hence the counts serve entities never seen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kg.errors import InputError
from linkers.boosted.document import document_of
from linkers.boosted.entity_table import EntityTable, cleaned
from linkers.boosted.lacking import STOP, Lacking, lacking, lacking_words
from linkers.boosted.name_index import NameIndex
from linkers.boosted.pairs import Pairs
from linkers.boosted.words import WordIndex, word_set
from linkers.evidence import window
from linkers.model import Mention

__all__ = ["FEWEST", "OF_TEXT", "Hints", "Source"]

Source = Literal["text", "mention"]
"""Whose words speak: those around a mention, or its own."""

OF_TEXT = ("best hint", "mean hint", "all hints", "habit")
"""Columns of `Hints.describe`."""
FEWEST: Mapping[Source, int] = {"text": 3, "mention": 2}
"""Mentions that hold a word, below which it is not counted."""
_PRIOR = 5.0  # mentions' worth of belief that a word of a text says nothing
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class Hints:
    """Counts of words beside words of names.

    Args:
        source: Whose words.
        texts: Those words of it that are counted.
        names: Words of names that are.
        counts: ``(texts, names)`` how often one stood in the text where the other told apart.
        held: ``(texts,)`` mentions whose text holds each word.
        named: ``(names,)`` mentions whose entity each word told apart.
        total: Training mentions.

    Raises:
        InputError: Shapes do not fit.
    """

    def __init__(
        self,
        source: Source,
        texts: Sequence[str],
        names: Sequence[str],
        counts: sparse.csr_matrix,
        *,
        held: Floats,
        named: Floats,
        total: int,
    ) -> None:
        if counts.shape != (len(texts), len(names)):
            raise InputError(f"counts of shape {counts.shape} for {len(texts)}, {len(names)} words")
        if held.shape != (len(texts),) or named.shape != (len(names),):
            raise InputError("counts of words that do not fit")
        self.source: Source = source
        self.texts = {word: row for row, word in enumerate(texts)}
        self.names = {word: row for row, word in enumerate(names)}
        self.counts, self.held, self.named, self.total = counts, held, named, total
        self.documents: Mapping[str, Sequence[tuple[Ids, Ids]]] = {}
        """What each training document said, where that is known."""

    @classmethod
    def learn(
        cls,
        table: EntityTable,
        mentions: Sequence[Mention],
        gold: Sequence[int],
        *,
        source: Source = "text",
    ) -> Self:
        """Count training mentions.

        Args:
            table: The entities.
            mentions: Training mentions.
            gold: ``(n,)`` id of each one's entity, -1 for none.
            source: Whose words are counted.
        """
        known = [(m, id_) for m, id_ in zip(mentions, gold, strict=True) if id_ >= 0]
        said = [_said(mention, source) for mention, _ in known]
        apart = [lacking(mention, table.names[id_][0]) for mention, id_ in known]
        spread = Counter(word for words in said for word in words)
        hints = cls.nothing(
            sorted(word for word, count in spread.items() if count >= FEWEST[source]),
            sorted({word for words in apart for word in words}),
            source=source,
            total=len(known),
        )
        lefts = [_ids(hints.texts, words) for words in said]
        rights = [_ids(hints.names, words) for words in apart]
        rows: list[int] = []
        columns: list[int] = []
        documents: dict[str, list[tuple[Ids, Ids]]] = defaultdict(list)
        for (mention, _), left, right in zip(known, lefts, rights, strict=True):
            hints.held[left] += 1
            hints.named[right] += 1
            rows += np.repeat(left, len(right)).tolist()
            columns += np.tile(right, len(left)).tolist()
            documents[document_of(mention)].append((left, right))
        ones = np.ones(len(rows), dtype=np.float32)
        hints.counts = sparse.csr_matrix((ones, (rows, columns)), shape=hints.counts.shape)
        hints.documents = documents
        return hints

    @classmethod
    def nothing(
        cls,
        texts: Sequence[str] = (),
        names: Sequence[str] = (),
        *,
        source: Source = "text",
        total: int = 0,
    ) -> Self:
        """Return hints before anything was counted."""
        return cls(
            source,
            texts,
            names,
            sparse.csr_matrix((len(texts), len(names)), dtype=np.float32),
            held=np.zeros(len(texts), dtype=np.float32),
            named=np.zeros(len(names), dtype=np.float32),
            total=total,
        )

    def describe(
        self, index: NameIndex, mentions: Sequence[Mention], pairs: Pairs, *, apart: bool
    ) -> Floats:
        """Return ``(P, 4)``; NaN where a name has no word that the mention lacks.

        Best hint, mean hint: the largest log ratio of any word of the text, best and mean over the
        words of the name. All hints: the mean ratio over words of the text, summed over those of
        the name. Habit: how often the words of the name told entities apart, rare words more.

        Args:
            index: Of the entities.
            mentions: A block of mentions.
            pairs: Their candidates.
            apart: Leave out what each one's document said.
        """
        values = np.full((len(pairs.ids), len(OF_TEXT)), np.nan, dtype=np.float32)
        for part, mention, more in lacking_words(index, mentions, pairs):
            if more.words:
                values[part] = self.rows(mention, more, index.words, apart=apart)
        return values

    def rows(
        self, mention: Mention, more: Lacking, rareness: WordIndex, *, apart: bool
    ) -> NDArray[np.float64]:
        """Return what `describe` does for one mention, whose candidates' names lack some word."""
        own = self.documents.get(document_of(mention), ()) if apart else ()
        where, which, size = more.where, more.which, more.size
        columns = np.array([self.names.get(word, -1) for word in more.words], dtype=np.int64)
        named = np.append(self.named, 0.0)[columns]
        for _, theirs in own:
            named -= np.isin(columns, theirs)
        values = np.full((size, len(OF_TEXT)), np.nan)
        if self.source == "text":  # it is the same for both
            weights = np.array([rareness.weight(word) for word in more.words])
            values[:, 3] = _means(where, (np.log(named + 0.5) + weights)[which], size)
        # a word that never told anything apart is no hint for or against
        known = named > 0
        if not known.any():
            return values
        said = _ids(self.texts, _said(mention, self.source))
        best, mean = np.zeros(len(known)), np.zeros(len(known))
        best[known], mean[known] = self._ratios(said, columns[known], named[known], own)
        where, which = where[known[which]], which[known[which]]
        top = np.full(size, -np.inf)
        np.maximum.at(top, where, best[which])
        values[:, 0] = np.where(np.isfinite(top), top, np.nan)
        values[:, 1] = _means(where, best[which], size)
        sums = np.bincount(where, mean[which], minlength=size)
        values[:, 2] = np.where(np.isfinite(top), sums, np.nan)
        return values

    def _ratios(
        self,
        said: Ids,
        columns: Ids,
        named: NDArray[np.float64],
        own: Sequence[tuple[Ids, Ids]],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return for words of names the best and the mean log ratio over words of a text."""
        if not len(said):
            return np.zeros(len(columns)), np.zeros(len(columns))
        place = np.full(len(self.names), -1, dtype=np.int64)
        place[columns] = np.arange(len(columns))
        firsts = self.counts.indptr[said].astype(np.int64)
        sizes = self.counts.indptr[said + 1] - firsts
        lines = np.repeat(np.arange(len(said)), sizes)
        cells = np.arange(len(lines)) + np.repeat(firsts - (np.cumsum(sizes) - sizes), sizes)
        spots = place[self.counts.indices[cells]]
        there = spots >= 0
        together = np.zeros((len(said), len(columns)))
        together[lines[there], spots[there]] = self.counts.data[cells[there]]
        held = self.held[said].astype(np.float64)
        for mine, theirs in own:
            inside = np.isin(said, mine)
            held -= inside
            together -= np.outer(inside, np.isin(columns, theirs))
        share = (named + 0.1) / max(self.total - len(own), 1)
        ratios = np.log((together + _PRIOR * share) / (held[:, None] + _PRIOR) / share)
        return ratios.max(axis=0), ratios.mean(axis=0)

    def to_json(self) -> dict[str, Any]:
        """Return what is no array."""
        words = {"texts": list(self.texts), "names": list(self.names)}
        return {"source": self.source, "total": self.total, **words}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays, for safetensors."""
        kept = self.counts.tocoo()
        return {
            "rows": kept.row.astype(np.int32),
            "columns": kept.col.astype(np.int32),
            "counts": kept.data.astype(np.float32),
            "held": self.held,
            "named": self.named,
        }

    @classmethod
    def of(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Read what `to_json` and `arrays` gave; what each document said is not among it.

        Raises:
            InputError: It is not that.
        """
        source, texts, names = values["source"], values["texts"], values["names"]
        if source not in FEWEST:
            raise InputError(f"no hints are of {source!r}")
        try:
            counts = sparse.csr_matrix(
                (arrays["counts"], (arrays["rows"], arrays["columns"])),
                shape=(len(texts), len(names)),
            )
        except (KeyError, ValueError) as error:
            raise InputError(f"not counts of words ({error})") from error
        return cls(
            source,
            texts,
            names,
            counts,
            held=arrays["held"],
            named=arrays["named"],
            total=int(values["total"]),
        )


def _means(where: Ids, values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return ``(size,)`` means of the values of each row; NaN where it has none."""
    number = np.bincount(where, minlength=size)
    sums = np.bincount(where, values, minlength=size)
    return np.where(number > 0, sums / np.maximum(number, 1), np.nan)


def _ids(rows: Mapping[str, int], words: Iterable[str]) -> Ids:
    return np.array([rows[word] for word in words if word in rows], dtype=np.int64)


def _said(mention: Mention, source: Source) -> list[str]:
    """Return the words of a mention, or those around it that are not its own, in a fixed order."""
    own = word_set(cleaned(mention.surface))
    if source == "mention":
        return sorted(own - STOP)
    return sorted(word_set(window(mention)) - own - STOP)
