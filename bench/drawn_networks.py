"""Matching networks trained on drawings by one artist, kept, and judged on valid concepts."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from api.steps.encoders import text_encoder_named
from bench.drawings import ARTISTS, BASE, MODES, Drawings
from bench.outline_encoder import OutlineEncoder
from linkers.items import Items
from linkers.m3el_paper import matching_network
from linkers.matching import MatchingConfig, MatchingNetwork
from linkers.mention_sets import read_entity_table, read_mention_set
from linkers.training import Pairs, fit_matching, reciprocal_ranks
from linkers.vectors import Encoders
from linkers.views import Record, views_of

__all__ = ["PLACES", "DrawnNetworks"]

PLACES = tuple((train, judged, mode) for train in ARTISTS for judged in ARTISTS for mode in MODES)
"""Artist of the training, artist of what is judged, what a mention shows."""
_SETTING: Mapping[str, Any] = {
    "parts": "global",
    "batch": 128,
    "learning_rate": 1e-3,
}
"""As `bench.linking_pictures_m3el`, but for the parts, which are as the linker has them."""

Floats = NDArray[np.float64]
Views = list[tuple[Items, Items]]


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnNetworks:
    """Drawings by outlines and colours, and the networks trained on them.

    Attributes:
        data: The set.
        encoders: Of its vectors.
        given: The command line.
    """

    data: Drawings
    encoders: Encoders
    given: argparse.Namespace

    @classmethod
    def read(cls, given: argparse.Namespace) -> Self:
        """Read and encode the set."""
        encoders = Encoders(
            text=text_encoder_named(given.encoder, given.work / "vectors"),
            image=OutlineEncoder.fitted(_pictures(given, BASE)),
        )
        own = argparse.Namespace(**{**vars(given), "work": given.work / "drawn"})
        return cls(data=Drawings.read(own, encoders), encoders=encoders, given=own)

    def views(self, artist: str) -> Views:
        """Return other views of the training mentions of `training`, and of their entities."""
        rows = self.given.data / "emoji.jsonl.gz"
        table, whole = read_entity_table(rows), read_mention_set(rows)
        chosen, gold = self.data.rows("train").tolist(), self.data.gold
        drawn = {name: _pictures(self.given, name) for name in (artist, BASE)}
        mentions = [
            Record(
                name=whole.mentions[row].surface if mode != MODES[0] else "",
                text="",
                picture=drawn[artist][row],
            )
            for mode in MODES
            for row in chosen
        ]
        entities = [
            Record(
                name=table.names[gold[row]][0],
                text=", ".join(table.names[gold[row]][1:]),
                picture=drawn[BASE][row],
            )
            for row in chosen
        ]
        twice = torch.arange(len(chosen)).repeat(len(MODES))
        sides = (views_of(mentions, self.encoders), views_of(entities, self.encoders))
        return [(own, theirs.take(twice)) for own, theirs in zip(*sides, strict=True)]

    def training(self, artist: str, views: Sequence[tuple[Items, Items]] = ()) -> Pairs:
        """Return an artist's training mentions, each with its keyword and without."""
        pairs = self.data.part("train", artist, MODES, artist)
        return Pairs(mentions=pairs.mentions, gold=pairs.gold, views=views)

    def trained(
        self, pairs: Pairs, artist: str, seed: int, setting: Mapping[str, Any] | None = None
    ) -> MatchingNetwork:
        """Return a network trained on an artist's mentions; kept in WORK.

        Args:
            pairs: From `training`.
            artist: Whose they are.
            seed: Of the training.
            setting: What differs from the bench's own.
        """
        config = MatchingConfig(
            text_dimension=self.encoders.text.dimension,
            image_dimension=self.encoders.image_dimension,
            **{**_SETTING, "epochs": self.given.epochs, **(setting or {})},
        )
        mark = f"{config} {self.encoders.fingerprint} {sorted(self.data.inputs.items())}"
        digest = hashlib.sha256(mark.encode()).hexdigest()[:12]
        kept = self.given.work / "networks" / f"{artist}-{seed}-{digest}.safetensors"
        if kept.exists():
            network = matching_network(config, generator=torch.Generator().manual_seed(seed))
            network.load_state_dict(load_file(kept))
            return network.eval()
        nothing = Pairs(mentions=pairs.mentions.take(torch.arange(0)), gold=pairs.gold[:0])
        network = fit_matching(self.data.base, pairs, nothing, config=config, seed=seed)
        kept.parent.mkdir(parents=True, exist_ok=True)
        save_file(network.state_dict(), kept)
        return network

    def found(self, network: MatchingNetwork, place: tuple[str, str, str]) -> Floats:
        """Return ``(n,)`` reciprocal ranks of valid mentions in one of `PLACES`."""
        train, judged, mode = place
        return reciprocal_ranks(
            network, self.data.base, self.data.part("valid", judged, (mode,), train)
        )


def _pictures(given: argparse.Namespace, artist: str) -> list[NDArray[np.uint8]]:
    with np.load(given.data / "emoji_64.npz", allow_pickle=False) as arrays:
        return list(arrays[artist])
