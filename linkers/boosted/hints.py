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
from linkers.boosted.lacking import lacking
from linkers.boosted.looks import Looks
from linkers.boosted.words import STOP, WordIndex, text_words, word_set
from linkers.evidence import window
from linkers.model import Mention

__all__ = ["FEWEST", "Hints", "Source"]

Source = Literal["text", "mention"]
"""Whose words speak: those around a mention, or its own."""

FEWEST: Mapping[Source, int] = {"text": 3, "mention": 2}
"""Mentions that hold a word, below which it is not counted."""
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
        self._columns: tuple[Floats, Ids] | None = None  # of the words of an index

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
        owns = [word_set(cleaned(mention.surface)) for mention, _ in known]
        said = [
            _of_mention(own) if source == "mention" else _of_text(own, text_words(window(mention)))
            for own, (mention, _) in zip(owns, known, strict=True)
        ]
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

    def said(self, looks: Looks) -> list[Ids]:
        """Return which counted words each of a block of mentions says."""
        if self.source == "mention":
            return [_ids(self.texts, _of_mention(own)) for own in looks.own]
        both = zip(looks.own, looks.around, strict=True)
        return [_ids(self.texts, _of_text(own, around)) for own, around in both]

    def columns_of(self, words: WordIndex) -> Ids:
        """Return the column of each word of an index of names, -1 for one that is not counted."""
        if self._columns is None or self._columns[0] is not words.weights:
            columns = [self.names.get(word, -1) for word in words.words]
            self._columns = words.weights, np.array(columns, dtype=np.int64)
        return self._columns[1]

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


def _ids(rows: Mapping[str, int], words: Iterable[str]) -> Ids:
    return np.array([rows[word] for word in words if word in rows], dtype=np.int64)


def _of_mention(own: frozenset[str]) -> list[str]:
    """Return words of a mention that count, in a fixed order."""
    return sorted(own - STOP)


def _of_text(own: frozenset[str], around: frozenset[str]) -> list[str]:
    """Return words around a mention that count and are not its own, in a fixed order."""
    return sorted(around - own - STOP)
