"""What is fast says what is slow and plain: trees, nearest vectors, memory, added entities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from encoders import TinyTextEncoder
from kg.errors import InputError
from kg.model import EntityKey
from linkers.boosted import EntityTable, PooledTexts, Ranker, RankerConfig
from linkers.boosted.describing import Described, describe
from linkers.boosted.features import FEATURES
from linkers.boosted.kept import Kept
from linkers.boosted.memory import Memory
from linkers.boosted.name_index import NameIndex
from linkers.boosted.nearest import NearestVectors, products
from linkers.boosted.trees import Forest, TreeConfig, fit_forest
from linkers.model import Mention
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


@pytest.mark.parametrize("size", [5, 300, 20_000])
def test_the_nearest_are_those_of_a_comparison_with_all(size: int) -> None:
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
