"""Matching networks trained on drawings by one artist, kept, and judged on valid concepts."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from api.steps.encoders import text_encoder_named
from bench.drawings import BASE, MODES, Drawings
from bench.outline_encoder import OutlineEncoder
from linkers.items import Items
from linkers.matching import MatchingConfig, MatchingNetwork
from linkers.networks import matching_network
from linkers.training import Pairs, fit_matching, reciprocal_ranks
from linkers.vectors import Encoders
from linkers.views import Record, views_of

__all__ = ["DrawnNetworks", "pictures_of", "share_of"]

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
        modes: What mentions show in the training, each once.
    """

    data: Drawings
    encoders: Encoders
    given: argparse.Namespace
    modes: tuple[str, ...] = MODES

    @classmethod
    def read(cls, given: argparse.Namespace) -> Self:
        """Read and encode the set."""
        own = argparse.Namespace(**{**vars(given), "work": given.work / "drawn"})
        encoders = Encoders(
            text=text_encoder_named(given.encoder, own.work / "vectors"),
            image=OutlineEncoder.kept(own.work / "axes.npz", lambda: pictures_of(given, BASE)),
        )
        return cls(data=Drawings.read(own, encoders), encoders=encoders, given=own)

    def of_pictures(self) -> DrawnNetworks:
        """Return the same without any word of mentions and entities: a tenth of the work."""
        mentions = {key: _wordless(items) for key, items in self.data.mentions.items()}
        data = replace(self.data, mentions=mentions, entities=_wordless(self.data.entities))
        return replace(self, data=data, modes=MODES[:1])

    def views(self, artist: str) -> Views:
        """Return other views of the pictures of `training`, and of those of their entities."""
        known = self.data.mentions[artist, MODES[0]].image[
            torch.from_numpy(self.data.rows("train"))
        ]
        own = self._views(artist, known.mean(dim=0))
        places = torch.arange(len(own[0].image)).repeat(len(self.modes))
        pairs = zip(own, self._entity_views, strict=True)
        return [(mine.take(places), theirs.take(places)) for mine, theirs in pairs]

    @cached_property
    def _entity_views(self) -> tuple[Items, ...]:
        return self._views(BASE, self.data.entities.image.mean(dim=0))

    def _views(self, artist: str, mean: Tensor) -> tuple[Items, ...]:
        """Return views of an artist's pictures of the train concepts, about a mean."""
        drawn = pictures_of(self.given, artist)
        rows = self.data.rows("train").tolist()
        records = [Record(name="", text="", picture=drawn[row]) for row in rows]
        found = views_of(records, self.encoders)
        return tuple(replace(items, image=items.image - mean) for items in found)

    def training(self, artist: str, views: Sequence[tuple[Items, Items]] = ()) -> Pairs:
        """Return an artist's training mentions, once in each mode."""
        pairs = self.data.part("train", artist, self.modes, artist)
        return Pairs(mentions=pairs.mentions, gold=pairs.gold, views=views)

    def config(self, setting: Mapping[str, Any] | None = None) -> MatchingConfig:
        """Return the settings of a network.

        Args:
            setting: What differs from the bench's own.
        """
        return MatchingConfig(
            text_dimension=self.encoders.text.dimension,
            image_dimension=self.encoders.image_dimension,
            **{**_SETTING, "epochs": self.given.epochs, **(setting or {})},
        )

    def trained(
        self,
        training: Callable[[], Pairs],
        artist: str,
        seed: int,
        setting: Mapping[str, Any] | None = None,
    ) -> MatchingNetwork:
        """Return a network trained on an artist's mentions; kept in WORK.

        Args:
            training: Makes the mentions, as `training` does; called where nothing is kept.
            artist: Whose they are.
            seed: Of the training.
            setting: What differs from the bench's own.
        """
        config = self.config(setting)
        mark = (
            f"{self.modes} {config} {self.encoders.fingerprint} {sorted(self.data.inputs.items())}"
        )
        digest = hashlib.sha256(mark.encode()).hexdigest()[:12]
        kept = self.given.work / "networks" / f"{artist}-{seed}-{digest}.safetensors"
        if kept.exists():
            network = matching_network(config, generator=torch.Generator().manual_seed(seed))
            network.load_state_dict(load_file(kept))
            return network.eval()
        pairs = training()
        nothing = Pairs(mentions=pairs.mentions.take(torch.arange(0)), gold=pairs.gold[:0])
        network = fit_matching(self.data.base, pairs, nothing, config=config, seed=seed)
        kept.parent.mkdir(parents=True, exist_ok=True)
        save_file(network.state_dict(), kept)
        return network

    def network(self, artist: str) -> MatchingNetwork:
        """Return the network trained on all of an artist's training mentions."""
        return self.trained(lambda: self.training(artist), artist, 0)

    def halves(self, artist: str) -> list[tuple[NDArray[np.bool_], MatchingNetwork]]:
        """Return both halves of an artist's training mentions, each with a network of the other."""
        train = self.training(artist)
        apart = np.array([share_of(f"fold {entity}") < 0.5 for entity in train.gold.tolist()])
        return [
            (held, self.trained(partial(self.rows, train, ~held), f"{artist}-half{part}", 1 + part))
            for part, held in enumerate((apart, ~apart))
        ]

    @staticmethod
    def rows(pairs: Pairs, kept: NDArray[np.bool_]) -> Pairs:
        """Return some of the mentions."""
        chosen = np.flatnonzero(kept)
        return Pairs(
            mentions=pairs.mentions.take(torch.from_numpy(chosen)), gold=pairs.gold[chosen]
        )

    def found(self, network: MatchingNetwork, place: tuple[str, str, str]) -> Floats:
        """Return ``(n,)`` reciprocal ranks of valid mentions.

        Args:
            network: From `trained`.
            place: Artist of the training, artist of what is judged, what a mention shows.
        """
        train, judged, mode = place
        return reciprocal_ranks(
            network, self.data.base, self.data.part("valid", judged, (mode,), train)
        )


def share_of(text: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def _wordless(items: Items) -> Items:
    return replace(
        items,
        text=torch.zeros_like(items.text),
        text_tokens=torch.zeros_like(items.text_tokens[:, :1]),
        text_mask=torch.zeros_like(items.text_mask[:, :1]),
    )


def pictures_of(given: argparse.Namespace, artist: str) -> list[NDArray[np.uint8]]:
    """Return an artist's pictures, in the order of the rows."""
    with np.load(given.data / "emoji_64.npz", allow_pickle=False) as arrays:
        return list(arrays[artist])
