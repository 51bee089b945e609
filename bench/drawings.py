"""Emoji by three artists with the vectors of the packaged encoders, as the network takes them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad

from api.steps.encoders import image_encoder_named, text_encoder_named
from kg.files import atomic_write, sha256_of_file
from linkers.items import Items
from linkers.mention_sets import read_entity_table, read_mention_set
from linkers.training import Pairs
from linkers.vectors import Encoders, ItemVectors, VectorTable, items_of, pooled_patches
from linkers.visual.sources import entity_rows

__all__ = ["ARTISTS", "BASE", "MODES", "Drawings", "joined"]

ARTISTS = ("noto", "twemoji")
BASE = "openmoji"
MODES = ("picture", "picture and words")
_SIDE = 4  # patches are averaged to 4 x 4: drawings of 64 pixels have no more to tell

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawings:
    """The set with the encoders' vectors.

    Attributes:
        entities: Vectors of the base, in the order of its keys.
        mentions: By artist and mode the vectors of all rows.
        gold: ``(rows,)`` entity of each row.
        splits: Split of each row.
        inputs: Hashes of the files.
    """

    entities: Items
    mentions: Mapping[tuple[str, str], Items]
    gold: NDArray[np.int64]
    splits: NDArray[np.str_]
    inputs: Mapping[str, str]

    @classmethod
    def read(cls, given: argparse.Namespace, encoders: Encoders | None = None) -> Drawings:
        """Read and encode the set; pictures are encoded once and kept in WORK.

        Args:
            given: The command line.
            encoders: Those that it names if None.
        """
        rows, pictures = given.data / "emoji.jsonl.gz", given.data / "emoji_64.npz"
        table, whole = read_entity_table(rows), read_mention_set(rows)
        encoders = encoders or Encoders(
            text=text_encoder_named(given.text_encoder, given.work / "vectors"),
            image=image_encoder_named(given.image_encoder, None),
        )
        vectors = VectorTable(encoders)
        tags = [", ".join(names[1:]) for names in table.names]
        vectors.add_texts([*(names[0] for names in table.names), *tags])
        vectors.add_texts(mention.surface for mention in whole.mentions)
        drawn = {a: _encoded(given, encoders, pictures, a) for a in (BASE, *ARTISTS)}
        own = entity_rows(rows)
        order = [own[str(key)][0] for key in table.keys]
        entities = [
            ItemVectors(name=vectors.text(names[0]), text=vectors.text(tag), image=drawn[BASE][row])
            for names, tag, row in zip(table.names, tags, order, strict=True)
        ]
        mentions = {}
        for artist in ARTISTS:
            for mode in MODES:
                worded = mode != "picture"
                mentions[artist, mode] = items_of(
                    [
                        ItemVectors(
                            name=vectors.text(m.surface) if worded else None, text=None, image=image
                        )
                        for m, image in zip(whole.mentions, drawn[artist], strict=True)
                    ],
                    encoders,
                )
        return cls(
            entities=items_of(entities, encoders),
            mentions=mentions,
            gold=np.array([table.ids[str(key)] for key in whole.gold], dtype=np.int64),
            splits=np.array(whole.splits),
            inputs={"mentions": sha256_of_file(rows), "pictures": sha256_of_file(pictures)},
        )

    def seen(self, artist: str, mode: str, train: str) -> Items:
        """Return an artist's mentions, pictures about the mean of those of the training artist."""
        items = self.mentions[artist, mode]
        known = self.mentions[train, mode].image[torch.from_numpy(self.rows("train"))]
        return replace(items, image=items.image - known.mean(dim=0))

    def part(self, split: str, artist: str, modes: Sequence[str], train: str) -> Pairs:
        """Return an artist's mentions of a split, once in each mode.

        Args:
            split: Which rows.
            artist: Who drew them.
            modes: Of `MODES`.
            train: The artist of the training, about whose mean pictures are.
        """
        rows = self.rows(split)
        parts = [self.seen(artist, mode, train).take(torch.from_numpy(rows)) for mode in modes]
        return Pairs(mentions=joined(parts), gold=np.concatenate([self.gold[rows]] * len(modes)))

    @property
    def base(self) -> Items:
        """The entities, pictures about their mean."""
        image = self.entities.image
        return replace(self.entities, image=image - image.mean(dim=0))

    def rows(self, *splits: str) -> NDArray[np.int64]:
        """Return the rows of some splits."""
        return np.flatnonzero(np.isin(self.splits, splits))


def joined(parts: Sequence[Items]) -> Items:
    """Return items one after the other, texts padded to the longest."""
    length = max(items.text_tokens.shape[1] for items in parts)
    widened = [
        replace(
            items,
            text_tokens=pad(items.text_tokens, (0, 0, 0, length - items.text_tokens.shape[1])),
            text_mask=pad(items.text_mask, (0, length - items.text_mask.shape[1])),
        )
        for items in parts
    ]
    names = Items.__slots__
    return Items(**{name: torch.cat([getattr(part, name) for part in widened]) for name in names})


def _encoded(
    given: argparse.Namespace, encoders: Encoders, pictures: Path, artist: str
) -> list[tuple[Floats, NDArray[np.float16]]]:
    assert encoders.image is not None
    kept = given.work / f"patches-{artist}.npz"
    if not kept.exists():
        with np.load(pictures, allow_pickle=False) as arrays:
            images = list(arrays[artist])
        found = []
        for start in range(0, len(images), 64):
            part = encoders.image.encode(images[start : start + 64])
            found += [
                (whole, pooled_patches(patches, encoders.image.grid, _SIDE))
                for whole, patches in zip(part.pooled, part.tokens, strict=True)
            ]
            sys.stderr.write(f"{artist}: {start + len(part.pooled)} pictures\n")
        kept.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(kept) as file:
            np.savez(
                file,
                whole=np.stack([whole for whole, _ in found]),
                patches=np.stack([patches for _, patches in found]),
            )
    with np.load(kept, allow_pickle=False) as arrays:
        return list(zip(arrays["whole"], arrays["patches"], strict=True))
