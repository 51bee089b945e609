"""How sure lists are, learnt from training mentions that rankers of other documents ranked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from encoders import TinyTextEncoder
from evaluation import auroc
from kg.errors import InputError
from linkers.boosted import PooledTexts, RankerConfig, TreeConfig, gather, train_ranker
from linkers.boosted import training as module
from linkers.boosted.training import Material
from linkers.boosted.verdict import Verdict, fit_verdict, summaries, taught_by
from linkers.mention_sets import read_entity_table, read_mention_set
from tests.linkers.boosted.made_world import entities, mentions, write

CONFIG = RankerConfig(trees=TreeConfig(trees=12, smallest_leaf=5), wrong=6)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    folder = tmp_path_factory.mktemp("set")
    table = read_entity_table(write(folder / "entities.jsonl", entities()))
    every = read_mention_set(write(folder / "mentions.jsonl", mentions(500)))
    smaller = table.without(table.keys[::4])
    train, valid = every.part("train"), every.part("valid")
    texts = PooledTexts(TinyTextEncoder())
    return gather(smaller, texts, (train.mentions, train.gold), (valid.mentions, valid.gold))


def test_many_training_mentions_teach_and_the_others_calibrate(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert material.valid is not None
    ranker, few = train_ranker(material, config=CONFIG)
    monkeypatch.setattr(module, "_ENOUGH", 50)
    again, many = train_ranker(material, config=CONFIG)
    assert few is not None
    assert many is not None
    scores = ranker.scores(material.valid)
    np.testing.assert_array_equal(again.scores(material.valid), scores)
    first, nil = many.apply(material.valid, scores)
    assert np.isfinite(first).all()
    assert ((first >= 0) & (nil >= 0) & (first + nil <= 1 + 1e-9)).all()
    assert not np.array_equal(nil, few.apply(material.valid, scores)[1])
    absent = material.valid_gold < 0
    assert nil[absent].mean() > nil[~absent].mean() + 0.2
    # Platt's two numbers make the mean probability that of the mentions they were chosen on
    assert nil.mean() == pytest.approx(absent.mean(), abs=0.02)


def test_lists_of_training_mentions_take_the_place_of_those_for_calibration(
    material: Material,
) -> None:
    assert material.train is not None
    assert material.valid is not None
    generator = np.random.default_rng(0)
    scores = generator.normal(size=len(material.train.pairs.ids))
    taught = taught_by(material.train, scores, material.train_gold)
    np.testing.assert_array_equal(taught.marks, summaries(material.train, scores))
    assert taught.inside.tolist() == (material.train_gold >= 0).tolist()
    assert not (taught.right & ~taught.inside).any()
    valid = (material.valid, generator.normal(size=len(material.valid.pairs.ids)))
    groups = material.valid_documents
    with_ = fit_verdict(*valid, material.valid_gold, groups=groups, taught=taught)
    without = fit_verdict(*valid, material.valid_gold, groups=groups)
    assert with_.nil.forest is not None
    assert without.nil.forest is not None
    assert len(with_.nil.forest.roots) > len(without.nil.forest.roots)


def test_few_mentions_still_tell_right_from_wrong_and_never_promise_all(tmp_path: Path) -> None:
    table = read_entity_table(write(tmp_path / "entities.jsonl", entities()))
    every = read_mention_set(write(tmp_path / "mentions.jsonl", mentions(500)))
    smaller, texts = table.without(table.keys[::4]), PooledTexts(TinyTextEncoder())
    few, test = every.part("train").only(range(60)), every.part("test")
    held = gather(smaller, texts, (few.mentions, few.gold), ((), ()))
    ranker, verdict = train_ranker(held, config=CONFIG)
    assert verdict is not None
    assert verdict.rough
    assert verdict.knows_nil
    asked = gather(smaller, texts, (few.mentions, few.gold), (test.mentions, test.gold))
    assert asked.valid is not None
    scores = ranker.scores(asked.valid)
    first, nil = verdict.apply(asked.valid, scores)
    told = taught_by(asked.valid, scores, asked.valid_gold)
    assert auroc(nil, ~told.inside) > 0.6
    assert auroc(first, told.right) > 0.7
    assert max(first.max(), nil.max()) < 0.99
    again = Verdict.of(verdict.to_json(), verdict.arrays())
    np.testing.assert_array_equal(again.apply(asked.valid, scores), (first, nil))
    with pytest.raises(InputError, match="no mark"):
        Verdict.of(verdict.to_json(), {"nil.mark": np.array([99])})
    inside = [n for n, key in enumerate(few.gold) if key in smaller.ids]
    known = few.only(inside)
    _, never = train_ranker(gather(smaller, texts, (known.mentions, known.gold)), config=CONFIG)
    assert never is not None
    assert not never.knows_nil
    assert (never.apply(asked.valid, scores)[1] == 0).all()


def test_documents_stand_beside_their_mentions(tmp_path: Path) -> None:
    table = read_entity_table(write(tmp_path / "entities.jsonl", entities()))
    every = read_mention_set(write(tmp_path / "mentions.jsonl", mentions(300)))
    train = every.part("train")
    held = gather(table, PooledTexts(TinyTextEncoder()), (train.mentions, train.gold))
    assert held.train is not None
    assert len(held.train_documents) == len(held.train) == len(held.train_gold)
    assert not set(held.train_documents) & set(held.valid_documents)
