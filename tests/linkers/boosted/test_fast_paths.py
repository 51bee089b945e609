"""What is fast says what is slow and plain: trees, nearest vectors, memory, added entities."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from rapidfuzz import fuzz

from encoders import TinyTextEncoder
from kg.errors import InputError
from kg.model import EntityKey
from linkers.boosted import EntityTable, PooledTexts, Ranker, RankerConfig
from linkers.boosted.describing import Described, describe
from linkers.boosted.entity_table import cleaned, initials
from linkers.boosted.features import FEATURES
from linkers.boosted.hint_features import learn_hints
from linkers.boosted.hint_ratios import OF_TEXT
from linkers.boosted.hints import Hints
from linkers.boosted.kept import Kept
from linkers.boosted.memory import Memory
from linkers.boosted.name_index import NameIndex
from linkers.boosted.nearest import NearestVectors, products
from linkers.boosted.trees import Forest, TreeConfig, fit_forest
from linkers.boosted.words import STOP, WordIndex, text_words, word_set
from linkers.model import Mention
from linkers.names import latin, normalised
from tests.linkers.boosted.made_world import entities, mentions


def table(rows: list[dict[str, str]]) -> EntityTable:
    rows = sorted(rows, key=lambda row: row["entity_id"])
    return EntityTable(
        keys=tuple(EntityKey(row["entity_id"]) for row in rows),
        names=tuple((row["name"],) for row in rows),
    )


def asked(count: int, *, seed: int = 1) -> tuple[list[Mention], list[str]]:
    rows = mentions(count, seed=seed)
    found = [
        Mention(id=r["id"], surface=r["mention"], context=r["context"], document=str(number % 40))
        for number, r in enumerate(rows)
    ]
    return found, [row["entity_id"] for row in rows]


def memory_of(base: EntityTable, count: int = 120) -> Memory:
    known, gold = asked(count)
    texts = PooledTexts(TinyTextEncoder())
    ids = [base.ids[key] for key in gold]
    return Memory(known, ids, texts.matrix([mention.context for mention in known]))


def test_parts_of_a_forest_add_up_and_a_short_list_keeps_the_first() -> None:
    generator = np.random.default_rng(0)
    base = table(entities())
    known, gold = asked(200)
    index, memory = NameIndex(base, PooledTexts(TinyTextEncoder())), memory_of(base)
    described = Described.joined(list(describe(index, memory, known)))
    places = described.places([base.ids[key] for key in gold])
    right = np.zeros(len(described.values), dtype=np.bool_)
    right[places[places >= 0]] = True
    forest = fit_forest(
        described.values, right, np.ones(len(right), np.float32), config=TreeConfig(trees=45)
    )
    early, late = forest.parted(15)
    assert (len(early.roots), len(late.roots)) == (15, 30)
    whole = forest.scores(described.values)
    total = early.scores(described.values) + late.scores(described.values)
    np.testing.assert_allclose(total, whole, atol=1e-5)
    found = Ranker(config=RankerConfig(), forest=forest).scores(described)
    rows, starts = described.pairs.rows, described.pairs.starts
    best = np.maximum.reduceat(whole, starts)
    np.testing.assert_allclose(np.maximum.reduceat(found, starts), best, atol=1e-5)
    np.testing.assert_allclose(found[whole == best[rows]], best[rows][whole == best[rows]], 1e-4)
    # a list of a mention does not depend on the others
    some = generator.random(len(described)) < 0.5
    alone = Ranker(config=RankerConfig(), forest=forest).scores(described.only(some))
    np.testing.assert_array_equal(alone, found[some[rows]])


def test_trees_that_share_a_node_are_refused() -> None:
    leaf = {"absent_left": np.zeros(4, np.bool_), "threshold": np.zeros(4), "answer": np.zeros(4)}
    column = np.array([0, -1, -1, -1], np.int32)
    roots = np.array([0], np.int32)
    for children in ([[1, 1], [0, 0], [0, 0], [0, 0]], [[1, 2], [0, 0], [0, 0], [0, 0]]):
        with pytest.raises(InputError, match="outside its tree"):
            Forest(
                **leaf, column=column, roots=roots, start=0.0, columns=1,
                children=np.array(children, np.int32),
            )  # fmt: skip


@pytest.mark.parametrize(("size", "native"), [(5, True), (300, False), (20_000, True)])
def test_the_nearest_are_those_of_a_comparison_with_all(
    size: int, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not native:  # a processor without products of short numbers
        monkeypatch.setattr("torch.cpu.get_capabilities", dict)
    generator = np.random.default_rng(size)
    vectors = generator.normal(size=(size, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = generator.normal(size=(6, 16)).astype(np.float32)
    index = NearestVectors(vectors[: size // 2])
    index.add(vectors[size // 2 :])
    assert len(index) == size
    likely = index.likely(queries, 4)
    wanted = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :4]
    for row in range(len(queries)):
        assert set(wanted[row]) <= set(likely[row])
        one = index.likely(queries[row : row + 1], 4)[0]
        assert set(wanted[row]) <= set(one)
    rows, columns = np.repeat(np.arange(6), 3), np.arange(18) % size
    expected = (queries[rows] * vectors[columns]).sum(axis=1)
    for found in products((queries, queries), rows, vectors, columns):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_memory_of_a_block_is_that_of_its_mentions_one_by_one() -> None:
    base = table(entities())
    memory, texts = memory_of(base), PooledTexts(TinyTextEncoder())
    fresh, _ = asked(50, seed=9)
    contexts = texts.matrix([mention.context for mention in fresh])
    candidates = [np.arange(0, len(base), 1 + row % 3) for row in range(len(fresh))]
    block = memory.describe(fresh, contexts, candidates, apart=False)
    # hiding nobody takes the way of training, which looks at one candidate after the other
    plain = memory.describe(fresh, contexts, candidates, apart=False, hidden=[-1] * len(fresh))
    np.testing.assert_allclose(block, plain, atol=1e-6)


def hinted(hints: Hints, rareness: WordIndex, mention: Mention, name: str) -> list[float]:
    """Say `best hint`, `mean hint`, `all hints` and `habit` of one name, word by word."""
    own = word_set(cleaned(mention.surface))
    more = sorted(word_set(name) - own - STOP)
    around = own if hints.source == "mention" else text_words(mention.context) - own
    said = [hints.texts[word] for word in sorted(around - STOP) if word in hints.texts]
    best, mean, habits = [], [], []
    for word in more:
        column = hints.names.get(word)
        named = 0.0 if column is None else float(hints.named[column])
        habits.append(math.log(named + 0.5) + rareness.weight(word))
        if column is None or named == 0:
            continue
        share = (named + 0.1) / hints.total
        ratios = [
            math.log((hints.counts[row, column] + 5 * share) / (hints.held[row] + 5) / share)
            for row in said
        ]
        best.append(max(ratios, default=0.0))
        mean.append(sum(ratios) / max(1, len(ratios)))
    found = [max(best), sum(best) / len(best), sum(mean)] if best else [math.nan] * 3
    return [*found, sum(habits) / len(habits) if habits else math.nan]


def test_what_a_block_is_told_is_what_each_pair_would_be_told() -> None:
    base = table(entities())
    known, gold = asked(120)
    ids, texts = [base.ids[key] for key in gold], PooledTexts(TinyTextEncoder())
    hints = learn_hints(base, known, ids)
    memory = Memory(known, ids, texts.matrix([m.context for m in known]), hints)
    index = NameIndex(base, texts)
    fresh = [*asked(20, seed=6)[0], Mention(id="x", surface="AS", context="AS (Ada Stone) won")]
    fresh[-1] = fresh[-1].placed()
    found = Described.joined(list(describe(index, memory, fresh)))
    column = {name: found.values[:, number] for number, name in enumerate(FEATURES)}
    of_text = [column[name] for name in OF_TEXT]
    of_mention = [column[f"{name} of mention"] for name in OF_TEXT[:3]]
    for place, (row, id_) in enumerate(zip(found.pairs.rows, found.pairs.ids, strict=True)):
        mention, names = fresh[row], base.spelled[id_]
        told = [hinted(one, index.words, mention, base.names[id_][0]) for one in hints]
        np.testing.assert_allclose([values[place] for values in of_text], told[0], atol=1e-5)
        np.testing.assert_allclose([v[place] for v in of_mention], told[1][:3], atol=1e-5)
        surface = latin(cleaned(mention.surface))
        spelled = [latin(normalised(name)) for name in names]
        begins = any(name.startswith(f"{surface} ") for name in spelled)
        ends = any(name.endswith(f" {surface}") for name in spelled)
        assert (column["begins name"][place], column["ends name"][place]) == (begins, ends)
        letters = any("AS" in initials(name) for name in base.names[id_])
        assert column["all initials"][place] == (mention.surface == "AS" and letters)
        if mention.surface == "AS":
            near = max(fuzz.ratio(name, "ada stone") for name in spelled) / 100
            assert column["name beside"][place] == pytest.approx(near)
        else:
            assert np.isnan(column["name beside"][place])


def test_a_mention_is_described_alike_in_any_block_and_from_memory() -> None:
    base = table(entities())
    memory = memory_of(base)
    fresh = [dataclasses.replace(m, document=m.id) for m in asked(30, seed=4)[0]]
    index = NameIndex(base, PooledTexts(TinyTextEncoder()))
    whole = Described.joined(list(describe(index, memory, fresh)))
    again = Described.joined(list(describe(index, memory, fresh)))
    single = Described.joined([d for m in fresh for d in describe(index, memory, [m])])
    for other in (again, single):
        np.testing.assert_array_equal(other.pairs.ids, whole.pairs.ids)
        np.testing.assert_array_equal(other.values, whole.values)


def test_entities_that_are_added_are_described_as_if_they_had_been_there() -> None:
    rows = sorted(entities(), key=lambda row: row["entity_id"])
    first, later = table(rows[:-5]), table(rows[-5:])
    texts = PooledTexts(TinyTextEncoder())
    index = NameIndex(first, texts)
    fresh, gold = asked(60, seed=2)
    index.look(fresh)
    index.add(later)
    whole = table(rows)
    assert index.table.keys == whole.keys
    for name in ("by_name", "spellings", "ids", "spelled"):
        assert getattr(index.table, name) == getattr(whole, name)
    np.testing.assert_array_equal(index.table.numbers, whole.numbers)
    memory = memory_of(whole)
    grown = Described.joined(list(describe(index, memory, fresh)))
    new = Described.joined(list(describe(NameIndex(whole, texts), memory, fresh)))
    ids = [whole.ids[key] for key in gold]
    assert (grown.places(ids) >= 0).all()
    np.testing.assert_array_equal(grown.pairs.ids, new.pairs.ids)
    # how rare n-grams and words are is as it was before; all else is the same
    same = [n for n, f in enumerate(FEATURES) if "letters" not in f and "words" not in f]
    np.testing.assert_allclose(grown.values[:, same], new.values[:, same], atol=1e-6)
    with pytest.raises(InputError, match="stands twice"):
        index.add(later)


def test_the_oldest_texts_are_forgotten() -> None:
    made: list[str] = []

    def make(texts: list[str]) -> list[int]:
        made.extend(texts)
        return [len(text) for text in texts]

    kept: Kept[int] = Kept(2)
    assert kept.of(["a", "bb", "ccc"], make) == [1, 2, 3]
    assert kept.of(["ccc", "a"], make) == [3, 1]
    assert made == ["a", "bb", "ccc", "a"]
