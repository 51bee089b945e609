"""XMAI's attribute insertions on drawings with all keywords: how far does the linker fall?"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from api.steps.encoders import layered_encoder_named, text_encoder_named
from bench.drawings import ARTISTS, BASE
from bench.drawn_networks import pictures_of, share_of
from bench.outline_encoder import OutlineEncoder
from encoders.protocols import ImageEncoder
from evaluation import paired_bootstrap, ranks
from linkers.attribute_words import (
    Attribute,
    AttributeSource,
    FalseColours,
    PictureColours,
    plain_adjectives,
)
from linkers.boosted.texts import PooledTexts
from linkers.mention_sets import read_entity_table, read_mention_set
from linkers.model import Mention
from linkers.robustness import AttributeInsertion, Support
from linkers.visual import Looks, PictureMatcher, VisualBase, VisualMentions, WordIndex, look_at
from linkers.visual.sources import entity_rows

__all__ = ["INSERTIONS_NOTE", "KINDS", "insertions_table", "of_insertions"]

KINDS = ("colours, the most harmful", "colours, the largest", "false colours", "plain adjectives")
_PAGE = "white"  # what drawings stand on is no colour of theirs
_AUGMENTED = 0.3  # of the training mentions
_KEPT = 0.3  # points of H@1 that augmentation may lose
_PLAIN, _TAUGHT = "trained as ever", "colours in 30 % of training"

INSERTIONS_NOTE = """XMAI: `linkers.robustness`. A mention is a drawing and all its keywords ("face,
happy"), before which up to two words are put ("yellow orange face, happy"): colours that take a
tenth of the drawing, of three the one that is common there, large and harms the link most, or
simply the largest; as controls, colours that the drawing has not, and words of size and number.
The linker of drawings, trained on the train concepts of one artist with all their keywords; H@1
and MRR over all entities, of the valid mentions that take such words; in brackets the 95 %
interval of a paired bootstrap. *Colours in 30 % of training*: the largest colours stand before so
many training mentions, too; it pays if it halves the fall under the most harmful colours and loses
at most 0.3 of H@1 without them.
"""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Worded:
    """Drawings with all keywords.

    Attributes:
        base: The entities.
        mentions: By artist, all rows.
        gold: ``(rows,)`` entity of each.
        splits: Split of each.
        colours: What the drawings show.
    """

    base: VisualBase
    mentions: Mapping[str, VisualMentions]
    gold: NDArray[np.int64]
    splits: NDArray[np.str_]
    colours: PictureColours

    @classmethod
    def read(cls, given: argparse.Namespace) -> Self:
        """Read and encode the set."""
        rows = given.data / "emoji.jsonl.gz"
        table, whole = read_entity_table(rows), read_mention_set(rows)
        with gzip.open(rows, "rt", encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        words = [
            ", ".join(record.get("keywords") or [mention.surface])
            for record, mention in zip(records, whole.mentions, strict=True)
        ]
        drawn = {artist: pictures_of(given, artist) for artist in (BASE, *ARTISTS)}
        encoder = _encoder(given)
        looks = {
            artist: look_at(pictures, encoder, count=len(pictures), progress=_shown(artist))
            for artist, pictures in drawn.items()
        }
        own = entity_rows(rows)
        order = np.array([own[str(key)][0] for key in table.keys], dtype=np.int64)
        texts = PooledTexts(text_encoder_named(given.encoder, None), given.work)
        return cls(
            base=VisualBase(looks=looks[BASE].take(order), words=WordIndex(table, texts)),
            mentions={
                artist: _mentions(artist, whole.mentions, words, looks[artist])
                for artist in ARTISTS
            },
            gold=np.array([table.ids[str(key)] for key in whole.gold], dtype=np.int64),
            splits=np.array(whole.splits),
            colours=PictureColours(lambda name: drawn[name.split("/")[0]][int(name.split("/")[1])]),
        )

    def part(self, split: str, artist: str) -> tuple[VisualMentions, NDArray[np.int64]]:
        """Return an artist's mentions of a split, and their entities."""
        rows = np.flatnonzero(self.splits == split)
        return self.mentions[artist].take(rows), self.gold[rows]

    def sources(self) -> dict[str, AttributeSource]:
        """Return where the words of each kind come from."""

        def drawn(mention: Mention) -> Sequence[Attribute]:
            return [one for one in self.colours(mention) if one.word != _PAGE]

        false = FalseColours(self.colours)
        return dict(zip(KINDS, (drawn, drawn, false, plain_adjectives()), strict=True))


def _encoder(given: argparse.Namespace) -> ImageEncoder:
    if given.image_encoder != "outlines":
        return layered_encoder_named(given.image_encoder, given.work / "vectors")
    kept = given.work / "drawn" / "axes.npz"
    return OutlineEncoder.kept(kept, lambda: pictures_of(given, BASE))


def _shown(artist: str) -> Callable[[int, int], None]:
    return lambda done, total: print(f"{artist}: {done} of {total}", file=sys.stderr)


def _mentions(
    artist: str, mentions: Sequence[Mention], words: Sequence[str], looks: Looks
) -> VisualMentions:
    told = [
        replace(mention, surface=own, context="", start=None, end=None, image=f"{artist}/{row}")
        for row, (mention, own) in enumerate(zip(mentions, words, strict=True))
    ]
    return VisualMentions(looks=looks, mentions=tuple(told))


def of_insertions(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Judge the linker of drawings on valid concepts with words put in; trained on either."""
    worded = _Worded.read(given)
    found = {}
    for artist in ARTISTS:
        train, gold = worded.part("train", artist)
        taught = _taught(worded, train)
        for name, mentions in ((_PLAIN, train), (_TAUGHT, taught)):
            matcher = PictureMatcher.fit(worded.base, mentions, gold, seed=given.seeds[0])
            for judged in ARTISTS:
                rows = _judged(worded, matcher, judged)
                found[f"{artist} to {judged}, {name}"] = rows
                sys.stderr.write(f"{artist} to {judged}, {name}\n")
    return found


def _taught(worded: _Worded, train: VisualMentions) -> VisualMentions:
    """Return training mentions, some with the largest colours of their drawings before them."""
    source = worded.sources()["colours, the largest"]
    drawn = [
        one if share_of(f"augmented {one.id}") < _AUGMENTED else None for one in train.mentions
    ]
    changed = AttributeInsertion(source).perturb_all([one for one in drawn if one is not None])
    rest = iter(changed)
    told = [
        one if mine is None else next(rest).mention
        for one, mine in zip(train.mentions, drawn, strict=True)
    ]
    return VisualMentions(looks=train.looks, mentions=tuple(told))


def _judged(worded: _Worded, matcher: PictureMatcher, artist: str) -> dict[str, Any]:
    """Return figures of an artist's valid mentions: without words put in, and with each kind."""
    mentions, gold = worded.part("valid", artist)
    clean = matcher.scores(worded.base, mentions)
    before = _ranks(clean, gold)
    support = _support(worded, matcher, mentions, clean.argmax(axis=1))
    corpus = [one.surface for one in worded.part("train", artist)[0].mentions]
    kinds = {}
    for kind, source in worded.sources().items():
        insertion = AttributeInsertion(source, support if kind == KINDS[0] else None, corpus=corpus)
        changed = insertion.perturb_all(mentions.mentions)
        rows = np.flatnonzero([bool(one.words) for one in changed])
        if not len(rows):
            continue
        told = tuple(changed[row].mention for row in rows.tolist())
        asked = VisualMentions(looks=mentions.looks.take(rows), mentions=told)
        after = _ranks(matcher.scores(worded.base, asked), gold[rows])
        kinds[kind] = _figures(before[rows], after)
    return {
        "mentions": len(gold),
        "hits_at_1": float(100 * (before <= 1).mean()),
        "mrr": float((100 / before).mean()),
        "kinds": kinds,
    }


def _ranks(scores: NDArray[np.float32], gold: NDArray[np.int64]) -> Floats:
    return np.asarray(ranks(scores.astype(np.float64), gold).realistic, dtype=np.float64)


def _support(
    worded: _Worded, matcher: PictureMatcher, mentions: VisualMentions, said: NDArray[np.int64]
) -> Support:
    """Return how sure the matcher stays of what it said of each of these mentions."""

    def support(changed: Sequence[Mention]) -> Sequence[float]:
        asked = VisualMentions(looks=mentions.looks, mentions=tuple(changed))
        sure = special.softmax(matcher.scores(worded.base, asked), axis=1)
        found: list[float] = sure[np.arange(len(said)), said].tolist()
        return found

    return support


def _figures(before: Floats, after: Floats) -> dict[str, Any]:
    figures: dict[str, Any] = {"mentions": len(before)}
    sides = {"hits": lambda rank: 100.0 * (rank <= 1), "mrr": lambda rank: 100 / rank}
    for name, of in sides.items():
        change = paired_bootstrap(of(after), of(before))
        figures[name] = [float(of(before).mean()), float(of(after).mean())]
        figures[f"{name}_change"] = [change.mean, change.low, change.high]
    return figures


def insertions_table(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table, and whether augmentation pays."""
    heads = ("trained on, judged on", "words put in", "n", "H@1", "with words", "MRR", "with words")
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name in sorted(rows, key=lambda name: (name.endswith(_TAUGHT), name)):
        own = rows[name]["kinds"]
        for kind, found in ((kind, own[kind]) for kind in KINDS if kind in own):
            cells = [name, kind, str(found["mentions"])]
            for side in ("hits", "mrr"):
                change = "{:+.1f} [{:+.1f}, {:+.1f}]".format(*found[f"{side}_change"])
                cells += [f"{found[side][0]:.1f}", f"{found[side][1]:.1f} ({change})"]
            lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", _verdict(rows)]


def _verdict(rows: Mapping[str, Mapping[str, Any]]) -> str:
    falls, clean = {}, {}
    for name in (_PLAIN, _TAUGHT):
        own = [row for key, row in rows.items() if key.endswith(name)]
        harmed = [row["kinds"].get(KINDS[0]) for row in own]
        falls[name] = -np.mean([one["hits_change"][0] for one in harmed if one] or [0.0])
        clean[name] = np.mean([row["hits_at_1"] for row in own])
    lost = clean[_PLAIN] - clean[_TAUGHT]
    pays = falls[_PLAIN] > 0 and falls[_TAUGHT] <= falls[_PLAIN] / 2 and lost <= _KEPT
    return (
        f"Over all four, the most harmful colours cost {falls[_PLAIN]:.1f} of H@1, and "
        f"{falls[_TAUGHT]:.1f} with colours in training, which costs {lost:.1f} without any: by "
        f"its rule that {'pays' if pays else 'does not pay'}."
    )
