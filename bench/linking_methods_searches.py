"""The searches by vectors alone of `bench.linking_methods`: drawings by folds, and texts."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.steps.encoders import text_encoder_named
from bench.drawings import BASE
from bench.linking_methods_hubs import Scorer, Search
from encoders import packaged_text_encoder
from encoders.padding import unit
from evaluation import ranks
from linkers.boosted import EntityTable, PooledTexts
from linkers.mention_sets import MentionSet, read_entity_table, read_mention_set
from linkers.visual.descriptors import describe

__all__ = ["Fold", "drawn_folds", "judged", "known_of", "text_search", "texts_of"]

_FOLDS = 5
_BLOCK = 128  # mentions whose scores of all entities are held
_TOP = 10  # places that are counted: how often an entity stands there
_BANK = 2_000  # mentions at most

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """A search, and what it is asked.

    Attributes:
        search: Index and banks.
        asked: ``(n, dim)`` vectors of the mentions that are judged.
        gold: ``(n,)`` rows of their entities.
    """

    search: Search
    asked: Floats
    gold: Ids


def drawn_folds(given: argparse.Namespace, artist: str) -> Iterator[Fold]:
    """Yield the search for each fold of an artist's train and valid concepts."""
    rows = given.data / "emoji.jsonl.gz"
    table, whole = read_entity_table(rows), read_mention_set(rows)
    with np.load(given.data / "emoji_64.npz") as pictures:
        sides = [_drawn(pictures[name]) for name in (artist, BASE)]
    gold = np.array([table.ids[key] for key in whole.gold if key is not None])
    kept = np.flatnonzero([split != "test" for split in whole.splits])
    index = unit(sides[1] - sides[1].mean(axis=0))[np.argsort(gold)]  # file rows to table ids
    fold = np.random.default_rng(0).permutation(len(kept)) % _FOLDS
    for number in range(_FOLDS):
        bank, asked = kept[fold != number], kept[fold == number]
        mentions = unit(sides[0] - sides[0][bank].mean(axis=0))
        search = Search(index=index, bank=mentions[bank], meant=gold[bank])
        yield Fold(search=search, asked=mentions[asked], gold=gold[asked])


def _drawn(pictures: NDArray[np.uint8]) -> Floats:
    looks = describe(list(pictures))
    return np.concatenate([unit(looks["outlines"]), unit(looks["colours"])], axis=1)


def texts_of(
    given: argparse.Namespace, name: str = "wikidiverse"
) -> tuple[PooledTexts, EntityTable, MentionSet]:
    """Return what encodes texts, the base, and a set."""
    encoder = (
        packaged_text_encoder(given.work, remembers=False)
        if given.encoder == "packaged"
        else text_encoder_named(given.encoder, None)
    )
    table = read_entity_table(given.data / "entities.jsonl.gz")
    whole = read_mention_set(given.data / f"{name}.jsonl.gz")
    return PooledTexts(encoder, given.work), table, whole


def text_search(given: argparse.Namespace, name: str) -> Fold:
    """Return the search among names, asked the surfaces of a set's valid mentions."""
    texts, table, whole = texts_of(given, name)
    index = texts.matrix([names[0] for names in table.names])
    train, valid = whole.part("train"), whole.part("valid")
    drawn = np.random.default_rng(0).permutation(len(train.mentions))[:_BANK]
    asked, gold = known_of(table.ids, valid)
    bank, meant = known_of(table.ids, train, drawn)
    search = Search(index=index, bank=texts.matrix(bank), meant=meant)
    return Fold(search=search, asked=texts.matrix(asked), gold=gold)


def judged(
    prepare: Callable[[Search], Scorer], fold: Fold
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return ``(n,)`` realistic ranks, and ``(N,)`` how often each is among the first ten."""
    score = prepare(fold.search)
    places, often = [], np.zeros(len(fold.search.index), dtype=np.int64)
    for start in range(0, len(fold.asked), _BLOCK):
        found = score(fold.asked[start : start + _BLOCK])
        places.append(ranks(found, fold.gold[start : start + _BLOCK]).realistic)
        first = np.argpartition(-found, _TOP, axis=1)[:, :_TOP]
        often += np.bincount(first.ravel(), minlength=len(often))
    return np.concatenate(places), often


def known_of(
    ids: Mapping[Any, int], part: MentionSet, rows: Ids | None = None
) -> tuple[list[str], Ids]:
    """Return surfaces of mentions whose entity the base has, and its rows."""
    chosen = range(len(part.mentions)) if rows is None else rows.tolist()
    pairs = [(part.mentions[n].surface, ids[part.gold[n]]) for n in chosen if part.gold[n] in ids]
    return [surface for surface, _ in pairs], np.array([id_ for _, id_ in pairs], dtype=np.int64)
