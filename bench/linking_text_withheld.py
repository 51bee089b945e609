"""Mentions in texts, described for the linker, after a fifth of the entities has left the base."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from api.steps.encoders import text_encoder_named
from bench.drawn_networks import share_of
from bench.linking_methods_opinions import LOST, Told
from linkers.boosted import Material, PooledTexts, gather
from linkers.boosted.describing import Described, describe
from linkers.boosted.document import document_of
from linkers.boosted.features import FEATURES
from linkers.cases import Case
from linkers.mention_sets import MentionSet, read_entity_table, read_mention_set
from linkers.model import Mention

__all__ = ["PARTS", "Draw", "Side", "parted", "strangers_kept"]

WITHHELD = 0.2
_HELD_OUT = 0.2  # of the training documents
PARTS = ("learn", "held", "asked")
"""Training mentions, those of them that calibrate, and the valid mentions that are judged."""

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """Mentions of one part.

    Attributes:
        mentions: The mentions.
        described: Their candidates.
        gold: ``(n,)`` ids, -1 where the entity is not in the base.
    """

    mentions: Sequence[Mention]
    described: Described
    gold: Ids

    @property
    def absent(self) -> NDArray[np.bool_]:
        """``(n,)`` whether the entity has left the base."""
        return self.gold < 0

    def first(self, scores: Floats) -> tuple[Ids, Floats, Floats]:
        """Return ``(n,)`` the candidate of the highest score, that score, and its lead."""
        pairs = self.described.pairs
        order = np.lexsort((-scores, pairs.rows))
        sizes = np.diff(np.append(pairs.starts, len(pairs.rows)))
        best = order[pairs.starts]
        second = order[pairs.starts + np.minimum(1, sizes - 1)]
        return pairs.ids[best], scores[best], scores[best] - scores[second]

    def column(self, name: str) -> Floats:
        """Return ``(P,)`` a feature of the pairs, 0 where it is absent."""
        values = self.described.values[:, FEATURES.index(name)]
        return np.nan_to_num(values.astype(np.float64))

    def cases(self, names: Sequence[str]) -> list[Case]:
        """Return the mentions as a decision sees them, by some features."""
        pairs = self.described.pairs
        signals = np.stack([self.column(name) for name in names], axis=1).astype(np.float32)
        ends = np.append(pairs.starts[1:], len(pairs.ids))
        found = []
        for gold, start, end in zip(self.gold.tolist(), pairs.starts, ends, strict=True):
            places = np.flatnonzero(pairs.ids[start:end] == gold)
            lost = -1 if gold < 0 else LOST
            found.append(
                Case(
                    signals=signals[start:end],
                    marks=np.ones(1, dtype=np.float32),  # it has words
                    gold=int(places[0]) if len(places) else lost,
                )
            )
        return found

    def told(self, first: Ids, best: Floats, nil: Floats) -> Told:
        """Return what is said of each mention: its first candidate, and two probabilities."""
        hit = (first == self.gold) & ~self.absent
        return Told(best=best, nil=nil, hit=hit, absent=self.absent)


@dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """A set without some entities.

    Attributes:
        material: What its rankers learn from.
        sides: By `PARTS`.
        texts: Encodes, and remembers.
    """

    material: Material
    sides: dict[str, Side]
    texts: PooledTexts

    @classmethod
    def read(cls, given: argparse.Namespace, name: str, number: int) -> Self:
        """Describe a set's mentions; draw 0 takes entities by the hash of their keys alone."""
        table = read_entity_table(given.data / "entities.jsonl.gz")
        mark = f"{number}:" if number else ""
        table = table.without([k for k in table.keys if share_of(f"{mark}{k}") < WITHHELD])
        whole = read_mention_set(given.data / f"{name}.jsonl.gz")
        parts = parted(whole, given.mentions)
        texts = PooledTexts(text_encoder_named(given.encoder, None), given.pooled)
        labelled = [(parts[part].mentions, parts[part].gold) for part in ("learn", "held")]
        material = gather(table, texts, *labelled)
        described = {
            "learn": material.train,
            "held": material.valid,
            "asked": Described.joined(
                list(describe(material.index, material.memory, parts["asked"].mentions))
            ),
        }
        sides = {}
        for part, found in described.items():
            own = parts[part]
            gold = np.array([table.ids.get(str(key), -1) for key in own.gold], dtype=np.int64)
            if found is not None:
                sides[part] = Side(mentions=own.mentions, described=found, gold=gold)
        told = ", ".join(f"{len(s.gold):,} ({s.absent.sum():,} absent)" for s in sides.values())
        sys.stderr.write(f"{name}, draw {number}: {told}\n")
        return cls(material=material, sides=sides, texts=texts)


def parted(whole: MentionSet, most: int | None) -> dict[str, MentionSet]:
    """Return by `PARTS` the mentions of a set, at most so many of them to learn from."""
    train = _drawn(whole.part("train"), most)
    apart = [share_of(document_of(mention)) < _HELD_OUT for mention in train.mentions]
    return {
        "learn": _chosen(train, [not held for held in apart]),
        "held": _chosen(train, apart),
        "asked": whole.part("valid"),
    }


def _drawn(mentions: MentionSet, most: int | None) -> MentionSet:
    """Return some mentions, drawn by chance, in their order; all where there are no more."""
    if most is None or len(mentions) <= most:
        return mentions
    kept = np.random.default_rng(0).permutation(len(mentions)) < most
    return _chosen(mentions, kept.tolist())


def _chosen(mentions: MentionSet, kept: Sequence[bool]) -> MentionSet:
    rows = [row for row, stays in enumerate(kept) if stays]
    return MentionSet(
        mentions=tuple(mentions.mentions[row] for row in rows),
        gold=tuple(mentions.gold[row] for row in rows),
        splits=tuple(mentions.splits[row] for row in rows),
    )


def strangers_kept(nil: Floats, absent: NDArray[np.bool_]) -> float:
    """Return the share of absent mentions that pass where 95 % of the others do."""
    bar = np.quantile(nil[~absent], 0.95)
    return float((nil[absent] <= bar).mean())
