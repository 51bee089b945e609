"""Full text: BM25 as its formula says, always as the store is now, whatever lies on the disk."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kg.full_text
from kg.backends.memory import MemoryStore
from kg.changes import MOST_TOUCHED
from kg.errors import InputError
from kg.full_text import FIELDS, FullTextIndex, version_on_disk
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from tests.conformance.store_rules import fact
from tests.kg.random_writes import Write, batches, start

TOLD = (Provenance(kind="asserted", source="test"),)


def entity(key: str, name: str, *, label: str = "Country", **more: object) -> Entity:
    return Entity(key=EntityKey(key), label=label, name=name, **more)  # type: ignore[arg-type]


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.upsert_entities(
        [
            entity("tr", "Türkiye", aliases=("Turkey",), attributes={"about": "on two continents"}),
            entity("gr", "Greece", attributes={"about": ("many islands", "olives"), "area": 3}),
            entity("tc", "Turkey City", label="City"),
        ]
    )
    head, tail = EntityKey("gr"), EntityKey("tr")
    store.upsert_edges([Edge(head=head, relation="borders", tail=tail, provenance=TOLD)])
    return store


def keys(index: FullTextIndex, text: str, **options: object) -> list[str]:
    return [hit.key for hit in index.search(text, **options)]  # type: ignore[arg-type]


def test_names_prose_and_neighbours_are_found(store: MemoryStore) -> None:
    index = FullTextIndex(store)
    assert keys(index, "TURKIYE")[0] == "tr"
    assert set(keys(index, "turkey")) == {"tr", "tc"}
    assert keys(index, "islands olives") == ["gr"]
    assert keys(index, "turkiye", fields={"facts": 1.0}) == ["gr"]


def test_an_unknown_word_may_be_a_letter_off_and_a_known_one_may_not(store: MemoryStore) -> None:
    index = FullTextIndex(store)
    assert keys(index, "Greeece")[0] == "gr"
    assert keys(index, "Grèce")[0] == "gr"
    assert keys(index, "xx") == []
    store.upsert_entities([entity("gz", "Greeze")])
    assert keys(index, "greeze") == ["gz"]


def test_the_last_word_may_be_unfinished(store: MemoryStore) -> None:
    index = FullTextIndex(store)
    assert set(keys(index, "tur", prefix=True)) >= {"tr", "tc"}
    assert keys(index, "tur") == []


def test_labels_filter_before_the_hits_are_counted(store: MemoryStore) -> None:
    assert keys(FullTextIndex(store), "turkey", labels=["City"], k=1) == ["tc"]
    assert keys(FullTextIndex(store), "turkey", labels=["Nothing"]) == []


def test_what_means_nothing_finds_nothing_or_is_refused(store: MemoryStore) -> None:
    index = FullTextIndex(store)
    for text in ("", "  ", "()[]*:^~", "\ud800", "AND OR NOT", "x" * 100_000):
        assert keys(index, text) == []
    assert FullTextIndex(MemoryStore()).search("x") == []
    for options in ({"k": 0}, {"fields": {"secret": 1.0}}):
        with pytest.raises(InputError):
            keys(index, "x", **options)


def test_a_change_of_the_store_is_found_at_once(store: MemoryStore, tmp_path: Path) -> None:
    index = FullTextIndex(store, tmp_path)
    assert keys(index, "tanzania") == []
    store.upsert_entities([entity("tz", "Tanzania")])
    assert keys(index, "tanzania") == ["tz"]
    store.delete_entities([EntityKey("tz")])
    assert keys(index, "tanzania") == []
    assert index.version == store.version
    assert len(list(tmp_path.glob("index-*"))) == 1


def test_what_is_on_the_disk_is_opened_again(store: MemoryStore, tmp_path: Path) -> None:
    assert version_on_disk(tmp_path) is None
    keys(FullTextIndex(store, tmp_path), "turkey")
    assert version_on_disk(tmp_path) == store.version
    (made,) = tmp_path.glob("index-*")
    assert set(keys(FullTextIndex(store, tmp_path), "turkey")) == {"tr", "tc"}
    assert list(tmp_path.glob("index-*")) == [made]
    keys(FullTextIndex(store, tmp_path, identity="another store"), "turkey")
    assert list(tmp_path.glob("index-*")) != [made]


@pytest.mark.parametrize("what", ["index", "pointer", "format", "gone"])
def test_a_damaged_index_is_made_anew(store: MemoryStore, tmp_path: Path, what: str) -> None:
    keys(FullTextIndex(store, tmp_path), "turkey")
    pointer = tmp_path / "current.json"
    match what:
        case "index":
            for file in tmp_path.glob("index-*/*"):
                file.write_bytes(b"damaged")
        case "pointer":
            pointer.write_text('{"format": 1}')
        case "format":
            pointer.write_text(json.dumps(json.loads(pointer.read_text()) | {"format": 99}))
        case _:
            pointer.unlink()
    assert set(keys(FullTextIndex(store, tmp_path), "turkey")) == {"tr", "tc"}


def made_in(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("index-*")]


@given(batches)
@settings(max_examples=25, deadline=None)
def test_a_followed_index_finds_what_one_made_anew_finds(drawn: list[list[Write]]) -> None:
    store = MemoryStore()
    for write in start:
        write(store)
    index = FullTextIndex(store)
    keys(index, "oro")
    with patch("kg.full_text.fill", side_effect=AssertionError("made anew")):
        for writes in drawn:
            with store.transaction() as writer:
                for write in writes:
                    write(writer)
            keys(index, "oro")
            assert index.version == store.version
    anew = FullTextIndex(store)
    for word in ("oro", "bem", "zil", "ada", "zi1zz"):
        for field in FIELDS:
            options = {"fields": {field: 1.0}, "k": 100}
            assert set(keys(index, word, **options)) == set(keys(anew, word, **options))


def test_an_index_on_the_disk_follows_and_heals_at_open(store: MemoryStore, tmp_path: Path) -> None:
    keys(FullTextIndex(store, tmp_path), "turkey")
    made = made_in(tmp_path)
    pointer = (tmp_path / "current.json").read_bytes()
    store.upsert_entities([entity("gr", "Hellas", aliases=("Greece",))])
    assert keys(FullTextIndex(store, tmp_path), "hellas", fields={"names": 1.0}) == ["gr"]
    assert keys(FullTextIndex(store, tmp_path), "hellas", fields={"facts": 1.0}) == ["tr"]
    assert version_on_disk(tmp_path) == store.version
    (tmp_path / "current.json").write_bytes(pointer)  # killed before it said how far it came
    assert keys(FullTextIndex(store, tmp_path), "hellas", fields={"names": 1.0}) == ["gr"]
    assert (made_in(tmp_path), version_on_disk(tmp_path)) == (made, store.version)


def test_what_a_change_touches_is_read_together(store: MemoryStore) -> None:
    index = FullTextIndex(store)
    keys(index, "turkey")
    rows = [entity(f"e{n}", f"name{n}") for n in range(40)]
    with store.transaction() as writer:
        writer.upsert_entities(rows)
        writer.upsert_edges(fact(row.key, "borders", "tr") for row in rows)
    there = {row.key: row for row in store.entities()}
    with (
        patch.object(store, "entity", side_effect=AssertionError("read alone")),
        patch.object(store, "entities_of") as together,
    ):
        together.side_effect = lambda asked: [there[key] for key in asked if key in there]
        assert keys(index, "name7", fields={"names": 1.0}) == ["e7"]
    assert together.call_count <= 2
    assert "tr" in keys(index, "name7", fields={"facts": 1.0})


def test_an_index_is_made_anew_where_the_feed_is_cut_or_much_was_replaced(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = FullTextIndex(store, tmp_path)
    keys(index, "turkey")
    made = made_in(tmp_path)
    store.upsert_entities(entity(f"e{n}", f"name{n}") for n in range(MOST_TOUCHED + 1))
    assert keys(index, "name7") == ["e7"]
    assert (second := made_in(tmp_path)) != made
    monkeypatch.setattr(kg.full_text, "FEW_REPLACED", 0)
    store.upsert_entities(entity(f"e{n}", f"title{n}") for n in range(300))
    assert keys(index, "title7") == ["e7"]
    assert made_in(tmp_path) == second
    store.upsert_entities([entity("e7", "word")])
    assert keys(index, "word") == ["e7"]
    assert made_in(tmp_path) != second


WORDS = ("alpha", "beta", "gamma", "delta")


@given(texts=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), max_size=8))
@settings(max_examples=25)
def test_scores_are_those_of_the_formula(texts: list[list[str]]) -> None:
    store = MemoryStore()
    named = {f"e{n}": text for n, text in enumerate(texts)}
    store.upsert_entities([entity(key, " ".join(text)) for key, text in named.items()])
    expected = bm25(named, ["alpha", "beta"])
    found = FullTextIndex(store).search("alpha beta", fields={"names": 1.0})
    assert {hit.key: pytest.approx(hit.score, abs=1e-3) for hit in found} == expected
    assert [h.key for h in found] == sorted(
        (h.key for h in found), key=lambda k: (-next(h.score for h in found if h.key == k), k)
    )


def bm25(texts: Mapping[str, list[str]], query: list[str]) -> dict[str, float]:
    """BM25 with k1 = 1.2 and b = 0.75, written for clearness."""
    mean = sum(map(len, texts.values())) / max(1, len(texts))
    scores: Counter[str] = Counter()
    for word in query:
        holders = [key for key, text in texts.items() if word in text]
        idf = math.log(1 + (len(texts) - len(holders) + 0.5) / (len(holders) + 0.5))
        for key in holders:
            count, length = texts[key].count(word), len(texts[key])
            scores[key] += idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean))
    return dict(scores)


def test_two_processes_that_begin_at_once_make_it_once(store: MemoryStore, tmp_path: Path) -> None:
    first, second = FullTextIndex(store, tmp_path), FullTextIndex(store, tmp_path)
    found: list[list[str]] = []
    other = Thread(target=lambda: found.append(keys(second, "turkiye")))
    fill = kg.full_text.fill

    def disturbed(*args: object) -> None:
        if other.ident is None:
            other.start()
            other.join(timeout=0.5)  # it may end only after this has ended
        fill(*args)  # type: ignore[arg-type]

    with patch.object(kg.full_text, "fill", disturbed):
        assert keys(first, "turkiye")[0] == "tr"
        other.join()
    assert found == [keys(first, "turkiye")]
    assert len(list(tmp_path.glob("index-*"))) == 1
