"""Links pictures, with words or without, to entities that have pictures and names.

Each kind of vector of a picture gets its own learnt alignment (`alignment`), the aligned vectors
together a bridge to the names (`bridge`), and words their units (`words`). What each unit is worth
is learnt on pairs that its maps have not seen: by folds over the training entities, apart for
mentions with a picture, with words, and with both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from linkers.hubness import hubness
from linkers.model import Mention
from linkers.visual.fusion import Fusion
from linkers.visual.maps import Maps, VisualConfig, components_of, learn_maps, unlearnt_maps
from linkers.visual.sides import VisualBase, VisualMentions
from linkers.visual.words import WORD_UNITS

__all__ = ["PictureMatcher", "held_out_units"]

_ASKED = 2000
_ENTITIES = 4096
_BANK = 100  # mentions; fewer tell little of who is near to everybody
_BLOCK = 128  # mentions whose units over the whole base are one array

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureMatcher:
    """A trained matcher; it works on any base of pictures encoded the same way.

    Attributes:
        config: How it learnt.
        maps: What makes the units.
        fusions: Weights by mode; a mode that training could not show is missing.
        keys: Entities of the training base, in the order of `hubs`.
        hubs: By mode ``(N,)`` hubness of each; empty without the correction, and for a base of more
            than 4,096 entities or fewer than 100 mentions. An entity that came later has the mean.
    """

    config: VisualConfig
    maps: Maps
    fusions: Mapping[str, Fusion]
    keys: tuple[str, ...] = ()
    hubs: Mapping[str, Floats] = field(default_factory=dict)

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
        bases = components_of(base, config)
        held = held_out_units(base, train, gold, config=config, bases=bases, seed=seed)
        fusions = {
            mode: Fusion.fit(scores, columns, seed=seed) for mode, (scores, columns) in held.items()
        }
        corrected = config.hub_share > 0 and len(base.looks) <= _ENTITIES
        hubs = {
            mode: hubness(fusions[mode](scores), columns)
            for mode, (scores, columns) in (held.items() if corrected else ())
            if len(columns) >= _BANK
        }
        spoken = "words" in fusions and len(fusions["words"].weights) > len(WORD_UNITS)
        maps = learn_maps(base, train, gold, config, bases, spoken=spoken)
        if config.hub_banks == "mentions and entities":
            hubs = {
                mode: np.float32(0.5)
                * (hubs[mode] + _hubs_of_entities(maps, fusions[mode], mode, base))
                for mode in hubs
            }
        keys = tuple(str(key) for key in base.words.table.keys) if hubs else ()
        return cls(config=config, maps=maps, fusions=fusions, keys=keys, hubs=hubs)

    @classmethod
    def untrained(cls, base: VisualBase, *, config: VisualConfig | None = None) -> PictureMatcher:
        """Return a matcher that has seen no linked mention: likenesses added up.

        Each kind of vector of pictures and each unit of words counts the same, in deviations over
        the base's own pictures and names; the softmax of such scores is no probability.

        Args:
            base: The entities.
            config: Settings.
        """
        config = config or VisualConfig()
        maps = unlearnt_maps(base, config)
        rows = np.arange(min(len(base.looks), _BLOCK), dtype=np.int64)
        named = [Mention(id=str(row), surface=base.words.table.names[row][0]) for row in rows]
        own = VisualMentions(looks=base.looks.take(rows), mentions=tuple(named))
        scores, seen = maps.units("picture and words", base, own), len(maps.names["picture"])
        sides = {"picture": slice(0, seen), "words": slice(seen, None)}
        fusions = {mode: Fusion.even(scores[side], [slice(None)]) for mode, side in sides.items()}
        fusions["picture and words"] = Fusion.even(scores, list(sides.values()))
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
            parts = [self._weigh(m, base, mentions) for m in sides]
            if not parts:
                raise InputError(
                    f"the matcher has not learnt to link by {mode}",
                    hint="train it with such mentions",
                )
            summed: Floats = np.sum(parts, axis=0, dtype=np.float32)
            return summed
        scores = self.fusions[mode](self.maps.units(mode, base, mentions))
        if mode not in self.hubs:
            return scores
        return scores - np.float32(self.config.hub_share) * self._hubness(mode, base)

    def _hubness(self, mode: str, base: VisualBase) -> Floats:
        keys = tuple(str(key) for key in base.words.table.keys)
        if keys == self.keys:
            return self.hubs[mode]
        known = dict(zip(self.keys, self.hubs[mode].tolist(), strict=True))
        mean = float(self.hubs[mode].mean())
        return np.array([known.get(key, mean) for key in keys], dtype=np.float32)


def _hubs_of_entities(maps: Maps, fusion: Fusion, mode: str, base: VisualBase) -> Floats:
    """Return ``(N,)`` how near each entity is to the others, asked as mentions of themselves."""
    mentions = VisualMentions(
        looks=base.looks,
        mentions=tuple(
            Mention(id=str(key), surface=names[0])
            for key, names in zip(base.words.table.keys, base.words.table.names, strict=True)
        ),
    )
    every = np.arange(len(base.looks))
    scores = [
        fusion(maps.units(mode, base, mentions.take(every[start : start + _BLOCK])))
        for start in range(0, len(every), _BLOCK)
    ]
    return hubness(np.concatenate(scores), every)


def held_out_units(
    base: VisualBase,
    train: VisualMentions,
    gold: Ids,
    *,
    config: VisualConfig,
    bases: Mapping[str, Floats] | None = None,
    seed: int = 0,
) -> dict[str, tuple[Floats, Ids]]:
    """Return what each unit says of mentions whose entities it was not trained on.

    At most 2,000 mentions are asked, and of a large base 4,096 entities beside the right ones: that
    is enough for a few weights, and bounds memory.

    Args:
        base: The entities.
        train: Mentions.
        gold: ``(n,)`` rows of their entities.
        config: How maps are learnt, and how many folds.
        bases: `components_of` the base, where they are known already.
        seed: Of the folds and of what is drawn.

    Returns:
        By mode ``(units, m, K)`` scores and the column of each one's entity; a mode that fewer than
        two mentions can show is missing.

    Raises:
        InputError: No mention has a picture, and an entity that has one.
    """
    shown = train.looks.present & base.looks.present[gold]
    if not shown.any():
        raise InputError(
            "no training mention has a picture, and an entity that has one",
            hint="are pictures and rows of one set?",
        )
    bases = components_of(base, config) if bases is None else bases
    generator = np.random.default_rng(seed)
    folds = _folds(gold, config.folds, seed)
    asked = np.zeros(len(gold), dtype=np.bool_)
    asked[generator.permutation(len(gold))[:_ASKED]] = True
    drawn: Ids = generator.permutation(len(base.looks))[:_ENTITIES]
    entities = np.unique(np.concatenate([gold[asked], drawn]))
    spoken = all((train.worded & ~held).sum() >= 2 for held in folds)
    parts, order = [], []
    for held in folds:
        rest = np.flatnonzero(~held)
        maps = learn_maps(base, train.take(rest), gold[rest], config, bases, spoken=spoken)
        rows = np.flatnonzero(held & asked)
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            parts.append(maps.units("picture and words", base, train.take(block))[:, :, entities])
            order.append(block)
    scores, every = np.concatenate(parts, axis=1), np.concatenate(order)
    columns, seen = np.searchsorted(entities, gold[every]), len(maps.names["picture"])
    found: dict[str, tuple[Floats, Ids]] = {}
    for mode, has, units in (
        ("picture", shown, slice(0, seen)),
        ("words", train.worded, slice(seen, None)),
        ("picture and words", shown & train.worded, slice(None)),
    ):
        kept = has[every]
        if kept.sum() >= 2:
            found[mode] = (scores[units][:, kept], columns[kept])
    return found


def _folds(gold: Ids, count: int, seed: int) -> list[NDArray[np.bool_]]:
    """Return masks of mentions; mentions of one entity are in one fold."""
    entities = np.unique(gold)
    order = np.random.default_rng(seed).permutation(len(entities))
    part = np.empty(len(entities), dtype=np.int64)
    part[order] = np.arange(len(entities)) % count
    own = part[np.searchsorted(entities, gold)]
    return [own == number for number in range(min(count, len(entities)))]
