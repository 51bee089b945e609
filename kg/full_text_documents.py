"""What an index of words holds of each entity, and how it is made for a whole store.

Beside each field stands one with the stems of its words for each language of the graph. What is
known to be in one language, an attribute whose name ends in its code (as of RDF's literals with a
language: ``about_de``), has stems in that language alone; other texts have them in all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tantivy

from kg.model import Entity, EntityKey
from kg.stemming import LANGUAGES, Stems
from kg.store import Store
from kg.words import words

__all__ = [
    "FIELDS",
    "MAX_FACTS",
    "Around",
    "document",
    "fill",
    "language_of",
    "picture_texts",
    "prose_of",
    "schema",
    "searched_texts",
    "stem_field",
]

FIELDS = ("names", "prose", "picture", "facts")
"""Where words stand: names and aliases; text attributes; names of the parts of its pictures, and of
the pictures' files; names of its neighbours in the graph."""
MAX_FACTS = 64
"""Neighbours of an entity whose names count, those with the fewest edges first."""
_HEAP = 64_000_000
_TAGGED = re.compile(r"_([a-z]{2})(?:_[A-Z]{2})?\Z")
"""The end of an attribute's name that tells the language of its texts."""


@dataclass(frozen=True, slots=True)
class Around:
    """What an entity's document takes from others.

    Attributes:
        parts: Texts of the parts of its pictures.
        facts: Names of neighbours.
        degree: How many neighbours it has.
    """

    parts: Collection[str] = ()
    facts: Collection[str] = ()
    degree: int = 0


def stem_field(name: str, language: str) -> str:
    """Return the field that holds the stems of another in a language."""
    return f"{name}_{language}"


def schema(stems: Stems) -> Any:
    """Return the fields; those that are stored let the index follow its store."""
    builder = tantivy.SchemaBuilder()
    for name in ("key", "parent", "name"):
        builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("degree", stored=True)
    builder.add_text_field("label", tokenizer_name="raw", index_option="basic")
    for name in FIELDS:
        for field in (name, *(stem_field(name, code) for code in stems.languages)):
            builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def searched_texts(entity: Entity) -> Iterator[tuple[str, str]]:
    """Iterate the field and text of what an entity itself says; neighbours are not among it."""
    for name in (entity.name, *entity.aliases):
        yield "names", name
    for _, text in prose_of(entity):
        yield "prose", text


def prose_of(entity: Entity) -> Iterator[tuple[str, str]]:
    """Iterate the attribute and text of what is said of an entity, in the order of attributes."""
    for name, value in sorted(entity.attributes.items()):
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str):
                yield name, text


def picture_texts(part: Entity) -> tuple[str, ...]:
    """Return what a part of a picture says of it."""
    colour = None if part.part is None else part.part.colour
    return (part.name,) if colour is None else (part.name, colour)


def document(entity: Entity, around: Around, stems: Stems) -> Any:
    """Return an entity as the index holds it."""
    prose = list(prose_of(entity))
    said: dict[str, list[str]] = {
        "names": [entity.name, *entity.aliases],
        "prose": [text for _, text in prose],
        "picture": [*around.parts, *(image.source for image in entity.images)],
        "facts": list(around.facts),
    }
    made = tantivy.Document(
        key=entity.key, label=entity.label, name=entity.name, degree=around.degree
    )
    if entity.part is not None:
        made.add_text("parent", entity.part.parent)
    for name, texts in said.items():
        made.add_text(name, _tokens(texts))
    for code in stems.languages:
        told = [text for attribute, text in prose if language_of(attribute) in (None, code)]
        for name, texts in (said | {"prose": told}).items():
            made.add_text(stem_field(name, code), _stemmed(texts, stems, code))
    return made


def fill(index: Any, store: Store, stems: Stems) -> int:
    """Write all entities and return how many there are."""
    names, parts = {}, dict[str, list[str]]()
    for entity in store.entities():
        names[entity.key] = entity.name
        if entity.part is not None:
            parts.setdefault(entity.part.parent, []).extend(picture_texts(entity))
    near = _neighbours(store, names)
    degree = {key: len(keys) for key, keys in near.items()}
    writer = index.writer(_HEAP, 1)  # one thread: equal stores give equal indexes
    for entity in store.entities():
        keys = near.get(entity.key, ())
        facts = sorted(keys, key=lambda other: (degree[other], other))[:MAX_FACTS]
        around = Around(parts.get(entity.key, ()), [names[key] for key in facts], len(keys))
        writer.add_document(document(entity, around, stems))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return int(index.searcher().num_docs)


def _neighbours(store: Store, names: Mapping[EntityKey, str]) -> dict[EntityKey, set[EntityKey]]:
    near: dict[EntityKey, set[EntityKey]] = {}
    for edge in store.edges():
        if edge.head in names and edge.tail in names:
            near.setdefault(edge.head, set()).add(edge.tail)
            near.setdefault(edge.tail, set()).add(edge.head)
    return near


def _tokens(texts: Iterable[str]) -> str:
    return " ".join(word.text for text in texts for word in words(text))


def _stemmed(texts: Iterable[str], stems: Stems, language: str) -> str:
    return " ".join(
        stem
        for text in texts
        for word in words(text)
        for stem in stems.of(text[word.start : word.end], language)
    )


def language_of(attribute: str) -> str | None:
    """Return the language that an attribute's name tells, if it tells one."""
    found = _TAGGED.search(attribute)
    return found[1] if found is not None and found[1] in LANGUAGES else None
