"""A saved linker links as before; anything else in its place is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from encoders import TinyTextEncoder
from kg.errors import ForeignFileError, FormatVersionError, InputError, MissingPartError
from kg.files import sha256_of_file
from linkers.boosted import (
    BoostedLinker,
    PooledTexts,
    RankerConfig,
    TreeConfig,
    load_linker,
    save_linker,
)
from linkers.mention_sets import MentionSet, read_entity_table, read_mention_set
from tests.linkers.boosted.made_world import entities, mentions, write

CONFIG = RankerConfig(trees=TreeConfig(trees=15, smallest_leaf=5), wrong=6)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[BoostedLinker, MentionSet]:
    folder = tmp_path_factory.mktemp("set")
    table = read_entity_table(write(folder / "entities.jsonl", entities()))
    every = read_mention_set(write(folder / "mentions.jsonl", mentions(200)))
    train = every.part("train")
    linker = BoostedLinker.train(
        table, PooledTexts(TinyTextEncoder()), (train.mentions, train.gold), config=CONFIG
    )
    return linker, every.part("test")


def test_a_saved_linker_links_as_before(
    trained: tuple[BoostedLinker, MentionSet], tmp_path: Path
) -> None:
    linker, test = trained
    save_linker(linker, tmp_path)
    again = load_linker(tmp_path, linker.index.table, PooledTexts(TinyTextEncoder()))
    assert again.link(test.mentions) == linker.link(test.mentions)
    fewer = linker.index.table.without(["Q100", "Q101"])
    smaller = load_linker(tmp_path, fewer, PooledTexts(TinyTextEncoder()))
    assert {link.entity for link in smaller.link(test.mentions)} <= {None, *fewer.keys}


def test_a_linker_without_training_is_saved_too(
    trained: tuple[BoostedLinker, MentionSet], tmp_path: Path
) -> None:
    linker, test = trained
    plain = BoostedLinker.train(linker.index.table, PooledTexts(TinyTextEncoder()), ((), ()))
    save_linker(plain, tmp_path)
    again = load_linker(tmp_path, linker.index.table, PooledTexts(TinyTextEncoder()))
    assert again.link(test.mentions) == plain.link(test.mentions)


def test_what_is_no_saved_linker_is_refused(
    trained: tuple[BoostedLinker, MentionSet], tmp_path: Path
) -> None:
    linker, _ = trained
    table = linker.index.table

    def opened(dimension: int = 64) -> BoostedLinker:
        return load_linker(tmp_path, table, PooledTexts(TinyTextEncoder(dimension=dimension)))

    with pytest.raises(MissingPartError):
        opened()
    save_linker(linker, tmp_path)
    with pytest.raises(InputError, match="encoder"):
        opened(dimension=32)
    description, arrays = tmp_path / "boosted.json", tmp_path / "boosted.safetensors"
    good, weights = json.loads(description.read_text()), arrays.read_bytes()

    def described(**changes: object) -> None:
        description.write_text(json.dumps({**good, **changes}))

    described(format=99)
    with pytest.raises(FormatVersionError):
        opened()
    for changes in (
        {"features": []},
        {"links": [["a", "b"]]},
        {"config": {"trees": {}, "colour": 1}},
        {"verdict": {"right": {}}},
        {"links": good["links"][:-1]},
    ):
        described(**changes)
        with pytest.raises(ForeignFileError):
            opened()
    values = load(weights)
    values["ranker.children"] = np.zeros_like(values["ranker.children"])
    arrays.write_bytes(save(values))
    described()
    with pytest.raises(ForeignFileError, match="another training"):
        opened()
    described(arrays_sha256=sha256_of_file(arrays))
    with pytest.raises(ForeignFileError, match="outside its tree"):
        opened()
