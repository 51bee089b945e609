"""Full text over a store: names, prose, pictures by the words of their parts, neighbours' names.

A derived index (tantivy, BM25): it carries the version of the store that it has reached and follows
the store's change feed before a search. It is made anew where the feed does not tell, when a fifth
of it has been replaced (the engine's counts of words still hold what was), or when its files are
damaged, and can be deleted at any time. Words are folded by `kg.words` before they go in, so that
highlights and matches never disagree. Told the languages of the texts, it also finds inflections:
a word of a query counts by itself or by its stem in one of them, whichever counts most.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import Any

import tantivy

from kg.errors import EngineError, InputError
from kg.file_lock import file_lock
from kg.files import read_json, write_json
from kg.full_text_documents import FIELDS, fill, schema, searched_texts
from kg.full_text_following import follow
from kg.full_text_queries import FUZZY_FROM, only, query_of, terms
from kg.model import EntityKey
from kg.stemming import Stems
from kg.store import Store

__all__ = [
    "BOOSTS",
    "FIELDS",
    "FORMAT",
    "FUZZY_FROM",
    "FullTextIndex",
    "TextHit",
    "folder_on_disk",
    "searched_texts",
    "version_on_disk",
]

FORMAT = 3
_NO_STEP = (EngineError, OSError, ValueError, KeyError, TypeError)
"""What may go wrong with what lies on the disk."""

BOOSTS: Mapping[str, float] = dict.fromkeys(FIELDS, 1.0)
"""What a word counts by field: all the same, as `bench.search` chose on its valid queries."""

MAKING_S = 3600.0
"""How long a process waits for another one that makes the index."""
FEW_REPLACED = 100
"""Documents that may be replaced before an index is made anew, however small it is."""


@dataclass(frozen=True, slots=True)
class TextHit:
    """An entity that holds words of a query.

    Attributes:
        key: The entity.
        score: BM25 over all fields; comparable within one query only.
    """

    key: EntityKey
    score: float


class FullTextIndex:
    """Finds entities by their words, always as the store is now.

    Args:
        store: What is searched.
        folder: Where the index lies; None keeps it in memory.
        identity: Tells this store from another that has the same version.
        languages: Languages of the texts, by `kg.stemming.LANGUAGES`; an index on disk of others
            is made anew.

    Raises:
        InputError: There is no stemmer for a language.

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> from kg.model import Entity
        >>> store, key = MemoryStore(), EntityKey("country:TR")
        >>> _ = store.upsert_entities([Entity(key=key, label="Country", name="Türkiye")])
        >>> [hit.key for hit in FullTextIndex(store).search("turkiye")]
        ['country:TR']
    """

    def __init__(
        self,
        store: Store,
        folder: Path | None = None,
        *,
        identity: str = "",
        languages: Collection[str] = (),
    ) -> None:
        self._store = store
        self._folder = folder
        self._identity = identity
        self._stems = Stems(languages)
        self._lock = Lock()
        self._index: Any = None
        self._version = -1
        self._replaced = 0

    @property
    def version(self) -> int:
        """The version of the store that the index has reached; -1 before the first search."""
        return self._version

    def search(
        self,
        text: str,
        *,
        k: int = 10,
        labels: Collection[str] = (),
        fields: Mapping[str, float] = BOOSTS,
        prefix: bool = False,
    ) -> list[TextHit]:
        """Return the best entities, best first; equal scores in the order of their keys.

        Args:
            text: Any text. A word that no entity holds also matches words a letter away.
            k: Most hits.
            labels: Only entities of these; empty for all.
            fields: Which fields count, and how much.
            prefix: The last word may be unfinished.

        Raises:
            InputError: k is below 1, or there is no such field.
        """
        if k < 1 or not set(fields) <= set(FIELDS):
            raise InputError(f"k is at least 1 and fields are {', '.join(FIELDS)}")
        index = self._current()
        searcher = index.searcher()
        query = query_of(index.schema, searcher, terms(text, self._stems), fields, prefix=prefix)
        if query is None or not searcher.num_docs:
            return []
        if labels:
            query = only(index.schema, query, labels)
        limit = min(4 * k + 100, searcher.num_docs)  # room to order what has equal scores
        found = searcher.search(query, limit).hits
        hits = [TextHit(EntityKey(searcher.doc(a)["key"][0]), round(s, 5)) for s, a in found]
        return sorted(hits, key=lambda hit: (-hit.score, hit.key))[:k]

    def _current(self) -> Any:
        with self._lock:
            version = self._store.version
            if self._index is None or version != self._version:
                self._index = self._opened(version) or self._caught_up(version)
            return self._index

    def _caught_up(self, version: int) -> Any:
        """Return the index brought to a version, by one process at a time: others open it then.

        Side by side, one would throw away what another is still making.
        """
        if self._folder is None:
            return self._followed() or self._made(version)
        self._folder.mkdir(parents=True, exist_ok=True)
        with file_lock(self._folder / "making.lock", timeout_s=MAKING_S):
            return self._opened(version) or self._followed() or self._made(version)

    def _opened(self, version: int) -> Any:
        """Return the index on disk if it is whole and of this version."""
        with suppress(*_NO_STEP):
            if self._folder is not None:
                index, known = self._on_disk(self._folder)
                if known["version"] == version:
                    self._version, self._replaced = version, known["replaced"]
                    return index
        return None

    def _on_disk(self, folder: Path) -> tuple[Any, dict[str, Any]]:
        """Return the index in a folder and what is known of it.

        Raises:
            ValueError: It is another store's, of other languages, or not whole.
        """
        known = read_json(folder / "current.json", kind="full-text index", formats=(FORMAT,))
        if (known["identity"], known["languages"]) != (self._identity, [*self._stems.languages]):
            raise ValueError("not an index of this store in these languages")
        index = tantivy.Index.open(str(folder / known["name"]))
        if index.searcher().num_docs != known["entities"]:
            raise ValueError("not whole")
        return index, known

    def _followed(self) -> Any:
        """Return the index brought to the store's version by its change feed, if that tells all."""
        with suppress(*_NO_STEP):
            index, since, replaced, name = self._index, self._version, self._replaced, ""
            if self._folder is not None:
                index, known = self._on_disk(self._folder)
                since, replaced, name = known["version"], known["replaced"], known["name"]
            changes = None if index is None else self._store.changes(since)
            if changes is None:
                return None
            most = max(FEW_REPLACED, index.searcher().num_docs // 5)
            done = follow(index, self._store, changes, self._stems) if replaced <= most else None
            if done is None:
                return None
            self._version, self._replaced = changes.version, replaced + done
            if self._folder is not None:
                self._say(self._folder, index, name)
            return index
        return None

    def _say(self, folder: Path, index: Any, name: str) -> None:
        """Write which index in the folder is the current one, and how far it has come."""
        write_json(
            folder / "current.json",
            {"format": FORMAT, "version": self._version, "identity": self._identity, "name": name,
             "languages": self._stems.languages, "entities": index.searcher().num_docs,
             "replaced": self._replaced},
        )  # fmt: skip

    def _made(self, version: int) -> Any:
        """Make the index; on disk in a folder of its own, which then becomes the current one."""
        self._version, self._replaced = version, 0
        if self._folder is None:
            index = tantivy.Index(schema(self._stems))
            fill(index, self._store, self._stems)
            return index
        place = Path(mkdtemp(prefix="index-", dir=self._folder))
        index = tantivy.Index(schema(self._stems), path=str(place))
        fill(index, self._store, self._stems)
        self._say(self._folder, index, place.name)
        for old in self._folder.glob("index-*"):
            if old != place:  # whoever reads it still has its files open
                shutil.rmtree(old, ignore_errors=True)
        return index


def folder_on_disk(folder: Path) -> Path | None:
    """Return where the current index in a folder lies, None without one."""
    with suppress(EngineError, OSError, KeyError, TypeError, ValueError):
        pointer = read_json(folder / "current.json", kind="full-text index", formats=(FORMAT,))
        return folder / str(pointer["name"])
    return None


def version_on_disk(folder: Path) -> int | None:
    """Return the version of the store that an index in a folder has reached, None without one."""
    with suppress(EngineError, OSError, KeyError, TypeError, ValueError):
        pointer = read_json(folder / "current.json", kind="full-text index", formats=(FORMAT,))
        return int(pointer["version"])
    return None
