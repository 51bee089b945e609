"""Full text with languages: inflections are found where languages are set, and only there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.backends.memory import MemoryStore
from kg.errors import InputError
from kg.full_text import FIELDS, FullTextIndex
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.stemming import LANGUAGES, Stems

TOLD = (Provenance(kind="asserted", source="test"),)
INFLECTED = {
    "de": [("Häuser", "Haus"), ("Wäldern", "WALDES"), ("Straßen", "strasse"), ("Bücher", "Buch")],
    "en": [("islands", "Island"), ("countries", "country"), ("sailing", "sails")],
    "fr": [
        ("chevaux", "cheval"),
        ("parlées", "parler"),
        ("îles", "ile"),
        ("nationales", "national"),
    ],
    "ru": [("книгами", "книга")],
}


def entity(key: str, name: str, **attributes: str) -> Entity:
    return Entity(key=EntityKey(key), label="Thing", name=name, attributes=attributes)


def found(index: FullTextIndex, text: str, **options: object) -> list[str]:
    return [hit.key for hit in index.search(text, **options)]  # type: ignore[arg-type]


def of(entities: Sequence[Entity]) -> MemoryStore:
    store = MemoryStore()
    store.upsert_entities(entities)
    return store


@pytest.mark.parametrize("language", sorted(INFLECTED))
def test_an_inflection_finds_and_is_found_where_its_language_is_set(language: str) -> None:
    pairs = INFLECTED[language]
    store = of([entity(f"e{n}", stands) for n, (stands, _) in enumerate(pairs)])
    told, others = (FullTextIndex(store, languages=of) for of in ([language], ["fi"]))
    for n, (stands, asked) in enumerate(pairs):
        assert found(told, asked)[0] == f"e{n}"
        assert found(told, stands)[0] == f"e{n}"
    far = [asked for n, (_, asked) in enumerate(pairs) if f"e{n}" not in found(others, asked)]
    assert far, "without the language a word that ends otherwise is not found"


def test_without_languages_a_search_is_as_plain_as_ever() -> None:
    store = of([entity("one", "Haus am See"), entity("many", "Häuser am Meer")])
    plain = FullTextIndex(store)
    assert found(plain, "haus") == ["one"]
    assert found(plain, "häuser") == ["many"]
    german = FullTextIndex(store, languages=["de"])
    assert found(german, "haus") == ["one", "many"]  # the very word before its inflection
    assert found(german, "häuser") == ["many", "one"]
    scores = {hit.key: hit.score for hit in plain.search("see")}
    assert {hit.key: hit.score for hit in german.search("see")} == scores


def test_several_languages_hold_at_once_and_none_finds_by_anothers_stem() -> None:
    store = of([entity("de", "Häuser"), entity("en", "running"), entity("fr", "chevaux")])
    index = FullTextIndex(store, languages=["fr", "de", "en"])
    assert [found(index, text) for text in ("haus", "runs", "cheval")] == [["de"], ["en"], ["fr"]]


def test_a_value_with_a_language_has_the_stems_of_that_one_alone() -> None:
    store = of(
        [
            entity("tagged", "a", about_de="Häuser", about_fr="chevaux"),
            entity("region", "b", about_de_CH="Strassen"),
            entity("wrong", "c", about_en="Häuser"),
            entity("untold", "d", about="Häuser", house_of="Häuser"),
        ]
    )
    index = FullTextIndex(store, languages=["de", "en"])
    assert set(found(index, "hauses", fields={"prose": 1.0})) == {"tagged", "untold"}
    assert found(index, "strasse", fields={"prose": 1.0}) == ["region"]
    assert found(index, "cheval") == []  # French is not set
    assert found(index, "chevaux") == ["tagged"]


def test_another_setting_makes_the_index_on_disk_anew(tmp_path: Path) -> None:
    store = of([entity("one", "Häuser")])
    assert found(FullTextIndex(store, tmp_path), "haus") == []
    (plain,) = tmp_path.glob("index-*")
    german = FullTextIndex(store, tmp_path, languages=["de"])
    assert found(german, "haus") == ["one"]
    (made,) = tmp_path.glob("index-*")
    assert made != plain
    assert json.loads((tmp_path / "current.json").read_text())["languages"] == ["de"]
    assert found(FullTextIndex(store, tmp_path, languages=["de", "de"]), "hauses") == ["one"]
    assert list(tmp_path.glob("index-*")) == [made]
    assert found(FullTextIndex(store, tmp_path), "haus") == []
    assert list(tmp_path.glob("index-*")) != [made]


def test_a_followed_index_has_the_stems_of_what_changed() -> None:
    store = of([entity("one", "Haus"), entity("two", "Meer")])
    index = FullTextIndex(store, languages=["de"])
    assert found(index, "bücher") == []
    with patch("kg.full_text.fill", side_effect=AssertionError("made anew")):
        store.upsert_entities([entity("one", "Buch")])
        edge = Edge(head=EntityKey("two"), relation="r", tail=EntityKey("one"), provenance=TOLD)
        store.upsert_edges([edge])
        assert found(index, "bücher", fields={"names": 1.0}) == ["one"]
        assert found(index, "bücher", fields={"facts": 1.0}) == ["two"]
        assert found(index, "häuser") == []


@given(st.text(max_size=30), st.sampled_from(sorted(LANGUAGES)))
@settings(max_examples=60, deadline=None)
def test_a_stem_is_the_same_however_a_word_is_written(word: str, language: str) -> None:
    stems = Stems([language])
    assert stems.roots(word) == {(language, stem) for stem in stems.of(word, language)}
    if word.isascii():
        assert stems.of(word, language) == stems.of(word.upper(), language)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_any_text_is_found_in_every_language(language: str) -> None:
    texts = ("Türkiye 1960", "Ελλάδα", "книга", "東京都", "كتاب", "தமிழ்")
    index = FullTextIndex(
        of([entity(f"e{n}", text) for n, text in enumerate(texts)]), languages=[language]
    )
    assert [found(index, text, fields={FIELDS[0]: 1.0}) for text in texts] == [
        [f"e{n}"] for n in range(len(texts))
    ]


def test_a_language_without_a_stemmer_is_refused() -> None:
    with pytest.raises(InputError, match="'xx'"):
        FullTextIndex(MemoryStore(), languages=["xx"])
