"""Full text over a store: names, prose, pictures by the words of their parts, neighbours' names.

A derived index (tantivy, BM25): it carries the version of the store that it was made from, is made
anew when the store has moved on or its files are damaged, and can be deleted at any time. Words are
folded by `kg.words` before they go in, so that highlights and matches never disagree.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import Any

import tantivy

from kg.errors import EngineError, InputError
from kg.files import read_json, write_json
from kg.model import Entity, EntityKey
from kg.store import Store
from kg.words import words

__all__ = [
    "BOOSTS",
    "FIELDS",
    "FORMAT",
    "FUZZY_FROM",
    "FullTextIndex",
    "TextHit",
    "searched_texts",
    "version_on_disk",
]

FORMAT = 1
FIELDS = ("names", "prose", "picture", "facts")
"""Where words stand: names and aliases; text attributes; names of the parts of its pictures, and of
the pictures' files; names of its neighbours in the graph."""

BOOSTS: Mapping[str, float] = dict.fromkeys(FIELDS, 1.0)
"""What a word counts by field: all the same, as `bench.search` chose on its valid queries."""

MAX_TERMS = 64
"""Distinct words of a query that count."""
MAX_FACTS = 64
"""Neighbours of an entity whose names count, those with the fewest edges first."""
_HEAP = 64_000_000
FUZZY_FROM = 5
"""Characters from which a word that no entity holds may be misspelt by one."""


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

    Example:
        >>> from kg.backends.memory import MemoryStore
        >>> store, key = MemoryStore(), EntityKey("country:TR")
        >>> _ = store.upsert_entities([Entity(key=key, label="Country", name="Türkiye")])
        >>> [hit.key for hit in FullTextIndex(store).search("turkiye")]
        ['country:TR']
    """

    def __init__(self, store: Store, folder: Path | None = None, *, identity: str = "") -> None:
        self._store = store
        self._folder = folder
        self._identity = identity
        self._lock = Lock()
        self._index: Any = None
        self._version = -1

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
        query = _query(index.schema, searcher, text, fields, prefix=prefix)
        if query is None or not searcher.num_docs:
            return []
        if labels:
            query = _only(index.schema, query, labels)
        limit = min(4 * k + 100, searcher.num_docs)  # room to order what has equal scores
        found = searcher.search(query, limit).hits
        hits = [TextHit(EntityKey(searcher.doc(a)["key"][0]), round(s, 5)) for s, a in found]
        return sorted(hits, key=lambda hit: (-hit.score, hit.key))[:k]

    def _current(self) -> Any:
        with self._lock:
            version = self._store.version
            if self._index is None or version != self._version:
                self._index = self._opened(version) or self._made(version)
                self._version = version
            return self._index

    def _opened(self, version: int) -> Any:
        """Return the index on disk if it is whole and of this version."""
        if self._folder is None:
            return None
        pointer = self._folder / "current.json"
        with suppress(EngineError, OSError, ValueError, KeyError, TypeError):
            known = read_json(pointer, kind="full-text index", formats=(FORMAT,))
            if (known["version"], known["identity"]) == (version, self._identity):
                index = tantivy.Index.open(str(self._folder / known["name"]))
                if index.searcher().num_docs == known["entities"]:
                    return index
        return None

    def _made(self, version: int) -> Any:
        """Make the index; on disk in a folder of its own, which then becomes the current one."""
        if self._folder is None:
            index = tantivy.Index(_schema())
            _fill(index, self._store)
            return index
        self._folder.mkdir(parents=True, exist_ok=True)
        place = Path(mkdtemp(prefix="index-", dir=self._folder))
        index = tantivy.Index(_schema(), path=str(place))
        entities = _fill(index, self._store)
        write_json(
            self._folder / "current.json",
            {"format": FORMAT, "version": version, "identity": self._identity, "name": place.name,
             "entities": entities},
        )  # fmt: skip
        for old in self._folder.glob("index-*"):
            if old != place:  # whoever reads it still has its files open
                shutil.rmtree(old, ignore_errors=True)
        return index


def version_on_disk(folder: Path) -> int | None:
    """Return the version of the store that an index in a folder has reached, None without one."""
    with suppress(EngineError, OSError, KeyError, TypeError, ValueError):
        pointer = read_json(folder / "current.json", kind="full-text index", formats=(FORMAT,))
        return int(pointer["version"])
    return None


def searched_texts(entity: Entity) -> Iterator[tuple[str, str]]:
    """Iterate the field and text of what an entity itself says; neighbours are not among it."""
    for name in (entity.name, *entity.aliases):
        yield "names", name
    for _, value in sorted(entity.attributes.items()):
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str):
                yield "prose", text


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("label", tokenizer_name="raw", index_option="basic")
    for name in FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def _fill(index: Any, store: Store) -> int:
    """Write all entities and return how many there are."""
    names, parts = {}, dict[str, list[str]]()
    for entity in store.entities():
        names[entity.key] = entity.name
        if entity.part is not None:
            colour = (entity.part.colour or "",)
            parts.setdefault(entity.part.parent, []).extend((entity.name, *colour))
    facts = _facts(store, names)
    writer = index.writer(_HEAP, 1)  # one thread: equal stores give equal indexes
    for entity in store.entities():
        said: dict[str, list[str]] = {name: [] for name in FIELDS}
        for name, text in searched_texts(entity):
            said[name].append(text)
        said["picture"] = [*parts.get(entity.key, ()), *(i.source for i in entity.images)]
        said["facts"] = [names[key] for key in facts.get(entity.key, ())]
        document = tantivy.Document(key=entity.key, label=entity.label)
        for name, texts in said.items():
            document.add_text(name, _tokens(texts))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return int(index.searcher().num_docs)


def _facts(store: Store, names: Mapping[EntityKey, str]) -> dict[EntityKey, list[EntityKey]]:
    """Return the neighbours of each entity, those with the fewest edges first: they tell most."""
    around: dict[EntityKey, set[EntityKey]] = {}
    for edge in store.edges():
        if edge.head in names and edge.tail in names:
            around.setdefault(edge.head, set()).add(edge.tail)
            around.setdefault(edge.tail, set()).add(edge.head)
    degree = {key: len(near) for key, near in around.items()}
    return {
        key: sorted(near, key=lambda other: (degree[other], other))[:MAX_FACTS]
        for key, near in around.items()
    }


def _tokens(texts: Iterable[str]) -> str:
    return " ".join(word.text for text in texts for word in words(text))


def _query(
    schema: Any, searcher: Any, text: str, fields: Mapping[str, float], *, prefix: bool
) -> Any:
    """Return a query that any word fulfils, or None where there is no word."""
    terms = list(dict.fromkeys(word.text for word in words(text)))[:MAX_TERMS]
    parts = []
    for position, term in enumerate(terms):
        unfinished = prefix and position == len(terms) - 1
        for name, boost in fields.items():
            if boost <= 0:
                continue
            if unfinished:
                one = tantivy.Query.fuzzy_term_query(schema, name, term, distance=0, prefix=True)
            elif len(term) >= FUZZY_FROM and not _known(searcher, term):
                one = tantivy.Query.fuzzy_term_query(schema, name, term, distance=1)
            else:
                one = tantivy.Query.term_query(schema, name, term, index_option="freq")
            parts.append((tantivy.Occur.Should, tantivy.Query.boost_query(one, boost)))
    return tantivy.Query.boolean_query(parts) if parts else None


def _known(searcher: Any, term: str) -> bool:
    return any(searcher.doc_freq(name, term) for name in FIELDS)


def _only(schema: Any, query: Any, labels: Collection[str]) -> Any:
    """Return the query for entities of some labels; the labels add nothing to the score."""
    wanted = tantivy.Query.term_set_query(schema, "label", sorted(labels))
    return tantivy.Query.boolean_query(
        [
            (tantivy.Occur.Must, query),
            (tantivy.Occur.Must, tantivy.Query.const_score_query(wanted, 0.0)),
        ]
    )
