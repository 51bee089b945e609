"""Mention files in, links and figures out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoders import TinyTextEncoder
from kg.errors import InputError, RecordError
from linkers.boosted import BoostedLinker, PooledTexts, RankerConfig, TreeConfig
from linkers.boosted.describing import Described, describe
from linkers.boosted.features import Pairs
from linkers.boosted.figures import figures_of, link_ranks
from linkers.boosted.linker import Ranked
from linkers.mention_sets import MentionSet, read_entity_table, read_mention_set
from tests.linkers.boosted.made_world import entities, mentions, write

CONFIG = RankerConfig(trees=TreeConfig(trees=30, smallest_leaf=5), wrong=10)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    write(folder / "entities.jsonl.gz", entities())
    write(folder / "mentions.jsonl.gz", mentions())
    return folder


@pytest.fixture(scope="module")
def linker(files: Path) -> tuple[BoostedLinker, MentionSet]:
    table = read_entity_table(files / "entities.jsonl.gz")
    every = read_mention_set(files / "mentions.jsonl.gz")
    train, valid = every.part("train"), every.part("valid")
    trained = BoostedLinker.train(
        table,
        PooledTexts(TinyTextEncoder()),
        (train.mentions, train.gold),
        valid=(valid.mentions, valid.gold),
        config=CONFIG,
    )
    return trained, every.part("test")


def test_a_trained_linker_beats_the_same_without_training(
    linker: tuple[BoostedLinker, MentionSet],
) -> None:
    trained, test = linker
    plain = BoostedLinker.train(
        trained.index.table, PooledTexts(TinyTextEncoder()), ((), ()), config=CONFIG
    )

    def share(links: Any) -> float:
        return float(np.mean([a.entity == b for a, b in zip(links, test.gold, strict=True)]))

    ours, theirs = trained.link(test.mentions), plain.link(test.mentions)
    assert share(ours) > max(0.7, share(theirs))
    assert all(link.state in ("linked", "review", "nil") for link in ours)
    assert all(0 <= c.probability <= 1 for link in ours for c in link.candidates)
    assert all(link.candidates[0].entity == link.entity for link in ours if link.state != "nil")
    assert all(link.state == "review" and link.probability == 0 for link in theirs)


def test_a_mention_is_ranked_alike_alone_and_among_others(
    linker: tuple[BoostedLinker, MentionSet],
) -> None:
    trained, test = linker
    together = Described.joined(list(describe(trained.index, trained.memory, test.mentions)))
    alone = [
        part
        for mention in test.mentions[:20]
        for part in describe(trained.index, trained.memory, [mention])
    ]
    first = Described.joined(alone)
    size = len(first.pairs.ids)
    np.testing.assert_array_equal(first.pairs.ids, together.pairs.ids[:size])
    np.testing.assert_allclose(first.values, together.values[:size], atol=1e-5)


def test_ranks_are_over_the_whole_base_with_realistic_ties() -> None:
    generator = np.random.default_rng(0)
    size, count = 30, 200
    candidates = [np.sort(generator.choice(size, 8, replace=False)) for _ in range(count)]
    scores = generator.integers(0, 4, size=8 * count).astype(float)
    gold = generator.integers(-1, size, size=count)
    pairs = Pairs.of(candidates)
    values = np.zeros((len(pairs.ids), 1), np.float32)
    described = Described(pairs=pairs, values=values)
    ranked = Ranked(described=described, scores=scores, first=None, nil=None)
    found = link_ranks(ranked, gold, size)
    for row in range(count):
        own = dict(zip(candidates[row].tolist(), scores[8 * row : 8 * row + 8], strict=True))
        line = np.array([own.get(entity, -1.0) for entity in range(size)])
        if gold[row] < 0:
            assert np.isnan(found[row])
            continue
        true = line[gold[row]]
        assert found[row] == ((line > true).sum() + 1 + (line >= true).sum()) / 2
    constant = Ranked(described=described, scores=scores * 0, first=None, nil=None)
    inside = np.flatnonzero(described.places(gold.tolist()) >= 0)
    assert set(link_ranks(constant, gold, size)[inside]) == {4.5}
    masks = {"first": np.arange(count) < 50}
    figures = figures_of(ranked, gold, size=size, groups=masks)
    assert figures.by["group"]["first"]["n"] == (gold[:50] >= 0).sum()
    assert figures.metrics["recall_at_64"] < 1
    with pytest.raises(InputError, match="every mention is NIL"):
        figures_of(ranked, gold * 0 - 1, size=size, groups={})


def test_joined_parts_are_the_whole() -> None:
    ids = [np.array([3, 5]), np.array([1]), np.array([0, 2, 4])]
    values = np.arange(6, dtype=np.float32)[:, None]
    whole = Described(pairs=Pairs.of(ids), values=values)
    kept = np.array([True, False, True])
    parts = Described.joined([whole.only(~kept), whole.only(kept)])
    assert parts.pairs.ids.tolist() == [1, 3, 5, 0, 2, 4]
    assert parts.values.ravel().tolist() == [2, 0, 1, 3, 4, 5]
    assert parts.pairs.starts.tolist() == [0, 1, 3]
    assert parts.places([1, 5, 9]).tolist() == [0, 2, -1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"mention": 3.5}, r"m\.jsonl:2 \(mention\)"),
        ({"mention": "", "context": ""}, "neither words nor a text"),
        ({"mention": "x" * 501}, "longer than 500"),
        ("{", r"m\.jsonl:2"),
    ],
)
def test_a_bad_mention_is_named_by_line_and_column(tmp_path: Path, row: Any, message: str) -> None:
    path = write(tmp_path / "m.jsonl", [{"mention": "Peru"}])
    with path.open("a") as file:
        file.write((row if isinstance(row, str) else __import__("json").dumps(row)) + "\n")
    with pytest.raises(RecordError, match=message):
        read_mention_set(path)


def test_rows_of_one_entity_give_it_all_their_names(tmp_path: Path) -> None:
    rows = [
        {"entity_id": "Q1", "name": "Peru", "aliases": ["Perú", ""], "description": "a country"},
        {"entity_id": "Q1", "name": "Republic of Peru", "tags": "andes"},
        {"entity_id": "Q0", "name": "Chile"},
    ]
    table = read_entity_table(write(tmp_path / "e.jsonl", rows))
    assert table.keys == ("Q0", "Q1")
    assert table.names[1] == ("Peru", "Perú", "Republic of Peru", "andes")
    assert table.notes == ("", "a country")
    mention = {"entity_id": "Q1", "mention": "Peru"}
    for bad in (mention, {"name": "Peru"}, {"entity_id": "Q1", "name": ["Peru"]}):
        with pytest.raises(RecordError):
            read_entity_table(write(tmp_path / "bad.jsonl", [bad]))
    with pytest.raises(InputError, match="no mention"):
        read_mention_set(write(tmp_path / "none.jsonl", []))


def test_a_set_without_splits_is_whole() -> None:
    from linkers.model import Mention

    whole = MentionSet(mentions=(Mention(id="1", surface="a"),), gold=(None,), splits=("",))
    assert whole.part("test") is whole


def test_a_split_that_is_judged_holds_mentions(files: Path) -> None:
    path = files / "mentions.jsonl.gz"
    every = read_mention_set(path)
    assert every.judged("test", where=path) == every.part("test")
    with pytest.raises(InputError, match=r"of the split 'exam'.*its splits are .*valid"):
        every.judged("exam", where=path)
