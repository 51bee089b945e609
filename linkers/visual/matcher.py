"""Links pictures, with words or without, to entities that have pictures and names.

Each kind of vector of a picture gets its own learnt alignment (`alignment`), the aligned vectors
together a bridge to the names (`bridge`), and words their units (`words`). What each unit is worth
is learnt on pairs that its maps have not seen: by folds over the training entities, apart for
mentions with a picture, with words, and with both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from linkers.visual.fusion import Fusion
from linkers.visual.maps import Maps, VisualConfig, components_of, learn_maps
from linkers.visual.sides import VisualBase, VisualMentions

__all__ = ["PictureMatcher"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureMatcher:
    """A trained matcher; it works on any base of pictures encoded the same way.

    Attributes:
        config: How it learnt.
        maps: What makes the units.
        fusions: Weights by mode; a mode that training could not show is missing.
    """

    config: VisualConfig
    maps: Maps
    fusions: Mapping[str, Fusion]

    @classmethod
    def fit(
        cls,
        base: VisualBase,
        train: VisualMentions,
        gold: Ids,
        *,
        config: VisualConfig | None = None,
        seed: int = 0,
    ) -> PictureMatcher:
        """Learn from linked mentions.

        Args:
            base: The entities.
            train: Mentions; those without a picture teach the weights of words only.
            gold: ``(n,)`` row of each one's entity, -1 for none: such a mention teaches nothing.
            config: Settings.
            seed: Of the folds.

        Raises:
            InputError: Fewer than four pairs of pictures can be learnt from.
        """
        config = config or VisualConfig()
        train, gold = train.take(np.flatnonzero(gold >= 0)), gold[gold >= 0]
        worded = train.worded
        shown = train.looks.present & base.looks.present[gold]
        if not shown.any():
            raise InputError(
                "no training mention has a picture, and an entity that has one",
                hint="are pictures and rows of one set?",
            )
        bases = components_of(base, config)
        folds = _folds(gold, config.folds, seed)
        learnt = [
            learn_maps(base, train.take(np.flatnonzero(~held)), gold[~held], config, bases)
            for held in folds
        ]
        fusions = {}
        for mode, rows in (
            ("picture", shown),
            ("words", worded),
            ("picture and words", shown & worded),
        ):
            if rows.sum() < 2:
                continue
            parts = [np.flatnonzero(rows & held) for held in folds]
            scores = [
                maps.units(mode, base, train.take(part))
                for maps, part in zip(learnt, parts, strict=True)
            ]
            order = np.concatenate(parts)
            fusions[mode] = Fusion.fit(np.concatenate(scores, axis=1), gold[order], seed=seed)
        maps = learn_maps(base, train, gold, config, bases)
        return cls(config=config, maps=maps, fusions=fusions)

    def scores(self, base: VisualBase, mentions: VisualMentions) -> Floats:
        """Return ``(n, N)`` scores of every entity; a softmax over a row gives probabilities.

        A mention with nothing to go by has zeros.
        """
        found = np.zeros((len(mentions.mentions), len(base.looks)), dtype=np.float32)
        shown, worded = mentions.looks.present, mentions.worded
        for mode, rows in (
            ("picture", shown & ~worded),
            ("words", worded & ~shown),
            ("picture and words", shown & worded),
        ):
            if rows.any():
                chosen = np.flatnonzero(rows)
                found[chosen] = self._weigh(mode, base, mentions.take(chosen))
        return found

    def _weigh(self, mode: str, base: VisualBase, mentions: VisualMentions) -> Floats:
        if mode not in self.fusions:  # what training did not show: what it did show of either side
            sides = [m for m in ("picture", "words") if m in mode and m in self.fusions]
            parts = [self.fusions[m](self.maps.units(m, base, mentions)) for m in sides]
            if not parts:
                raise InputError(
                    f"the matcher has not learnt to link by {mode}",
                    hint="train it with such mentions",
                )
            summed: Floats = np.sum(parts, axis=0, dtype=np.float32)
            return summed
        return self.fusions[mode](self.maps.units(mode, base, mentions))


def _folds(gold: Ids, count: int, seed: int) -> list[NDArray[np.bool_]]:
    """Return masks of mentions; mentions of one entity are in one fold."""
    entities = np.unique(gold)
    order = np.random.default_rng(seed).permutation(len(entities))
    part = np.empty(len(entities), dtype=np.int64)
    part[order] = np.arange(len(entities)) % count
    own = part[np.searchsorted(entities, gold)]
    return [own == number for number in range(min(count, len(entities)))]
