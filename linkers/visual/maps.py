"""What linking by pictures learns of pairs: an alignment a kind of vector, and bridges to words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, SettingError
from linkers.visual.alignment import Alignment, AlignmentConfig, components
from linkers.visual.bridge import Bridge
from linkers.visual.looks import Looks
from linkers.visual.sides import VisualBase, VisualMentions
from linkers.visual.words import WORD_UNITS

__all__ = [
    "BRIDGED",
    "SPOKEN",
    "Maps",
    "VisualConfig",
    "components_of",
    "learn_maps",
    "unlearnt_maps",
]

BRIDGED = "picture to words"
SPOKEN = "aligned meaning"
"""Units beside the kinds of vectors and `WORD_UNITS`."""

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualConfig:
    """How a matcher learns.

    Attributes:
        alignment: Of every kind of vector.
        bridge_penalty: Of the ridge from pictures to words; None for no bridge.
        folds: Parts of the training entities; weights rest on each part's scores by maps of the
            others. At least 2.
        hub_share: Share of an entity's hubness (`linkers.hubness`, a bank of held-out training
            mentions) that is taken off its score, in [0, 1]; 0 takes nothing.
        hub_banks: Whom an entity's hubness is of: the bank of `mentions`; or the mean with that of
            the other entities, each asked as a mention of its own picture and first name, which
            is DBNorm's dual inverted softmax (`linkers.hub_banks`) at one sharpness of both.
    """

    alignment: AlignmentConfig = field(default_factory=AlignmentConfig)
    bridge_penalty: float | None = 1.0
    folds: int = 5
    hub_share: float = 0.5
    hub_banks: Literal["mentions", "mentions and entities"] = "mentions"

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.folds < 2:
            raise SettingError(f"folds must be at least 2, got {self.folds}")
        if not 0 <= self.hub_share <= 1:
            raise SettingError(f"hub_share must lie in [0, 1], got {self.hub_share}")
        if self.hub_banks not in ("mentions", "mentions and entities"):
            raise SettingError(
                f"hub_banks must be mentions, or mentions and entities, not {self.hub_banks!r}"
            )
        if self.bridge_penalty is not None and not self.bridge_penalty > 0:
            raise SettingError(f"bridge_penalty must be above 0, got {self.bridge_penalty}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maps:
    """What is learnt of pairs, before the weights.

    Attributes:
        alignments: Map of each kind of vector of a picture.
        bridge: From aligned pictures to names; None without one.
        spoken: Map from words of mentions to names; None where no training mention has words.
    """

    alignments: Mapping[str, Alignment]
    bridge: Bridge | None
    spoken: Alignment | None

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Units by mode, in the order of their weights."""
        seen = (*self.alignments, *((BRIDGED,) if self.bridge is not None else ()))
        read = (*WORD_UNITS, *((SPOKEN,) if self.spoken is not None else ()))
        return {"picture": seen, "words": read, "picture and words": (*seen, *read)}

    def units(self, mode: str, base: VisualBase, mentions: VisualMentions) -> Floats:
        """Return ``(units, n, N)`` scores, see `names`."""
        parts: list[Floats] = []
        if mode != "words":
            parts.append(_seen(self, base, mentions.looks))
        if mode != "picture":
            parts.append(base.words.units(mentions.mentions))
            if self.spoken is not None:
                said = self.spoken.mentions(base.words.said(mentions.mentions))
                parts.append((said @ self.spoken.entities(base.words.meanings()).T)[None])
        return np.concatenate(parts)


def components_of(base: VisualBase, config: VisualConfig) -> Mapping[str, Floats]:
    """Return the principal components of each kind of vector of a base.

    Raises:
        InputError: No entity has a picture.
    """
    there = base.looks.present
    if not there.any():
        raise InputError(
            "no entity has a picture", hint="are pictures and rows of entities of one set?"
        )
    return {
        kind: components(rows[there], config.alignment.components)
        for kind, rows in base.looks.kinds.items()
    }


def learn_maps(
    base: VisualBase,
    train: VisualMentions,
    gold: Ids,
    config: VisualConfig,
    bases: Mapping[str, Floats],
    *,
    spoken: bool = True,
) -> Maps:
    """Learn alignments and bridges of linked mentions (every `gold` is an entity).

    Args:
        base: The entities.
        train: Mentions.
        gold: ``(n,)`` rows of their entities.
        config: How.
        bases: `components_of` the base.
        spoken: Whether words are aligned, too.

    Raises:
        InputError: Fewer than two pairs of pictures can be learnt from.
    """
    pairs = np.flatnonzero(train.looks.present & base.looks.present[gold])
    if len(pairs) < 2:
        raise InputError(
            "too few training mentions have a picture, and an entity that has one",
            hint="at least four are needed, of several entities",
        )
    whole, owners = np.flatnonzero(base.looks.present), gold[pairs]
    alignments = {
        kind: Alignment.fit(
            train.looks.kinds[kind][pairs],
            rows[owners],
            rows[whole],
            config.alignment,
            basis=bases[kind],
        )
        for kind, rows in base.looks.kinds.items()
    }
    meanings, heard = base.words.meanings(), None
    worded = np.flatnonzero(train.worded)
    if spoken and len(worded) >= 2:
        said = base.words.said(train.take(worded).mentions)
        heard = Alignment.fit(said, meanings[gold[worded]], meanings, config.alignment)
    if config.bridge_penalty is None:
        return Maps(alignments=alignments, bridge=None, spoken=heard)
    drawn = _joined(alignments, train.looks.take(pairs), mentions=True)
    pictures = np.concatenate([drawn, _joined(alignments, base.looks.take(whole), mentions=False)])
    told = np.concatenate([meanings[owners], meanings[whole]])
    bridge = Bridge.fit(pictures, told, penalty=config.bridge_penalty)
    return Maps(alignments=alignments, bridge=bridge, spoken=heard)


def unlearnt_maps(base: VisualBase, config: VisualConfig) -> Maps:
    """Return maps that compare vectors as they are, for want of pairs."""
    there, bases = base.looks.present, components_of(base, config)
    alignments = {
        kind: Alignment.unlearnt(rows[there], bases[kind])
        for kind, rows in base.looks.kinds.items()
    }
    return Maps(alignments=alignments, bridge=None, spoken=None)


def _joined(alignments: Mapping[str, Alignment], looks: Looks, *, mentions: bool) -> Floats:
    parts = [
        (learnt.mentions if mentions else learnt.entities)(looks.kinds[kind])
        for kind, learnt in alignments.items()
    ]
    return np.concatenate(parts, axis=1)


def _seen(maps: Maps, base: VisualBase, looks: Looks) -> Floats:
    """Return ``(units, n, N)``; an entity without a picture gets its row's mean, a mention 0."""
    missing = sorted(set(maps.alignments) - (set(looks.kinds) & set(base.looks.kinds)))
    if missing:
        raise InputError(
            f"the pictures have no vectors of the kind {missing[0]!r}",
            hint="encode them with the encoder of the training",
        )
    found = [
        learnt.mentions(looks.kinds[kind]) @ learnt.entities(base.looks.kinds[kind]).T
        for kind, learnt in maps.alignments.items()
    ]
    there = base.looks.present
    if not there.all():
        for scores in found:
            scores[:, ~there] = scores[:, there].mean(axis=1, keepdims=True) if there.any() else 0
    if maps.bridge is not None:  # names need no picture
        read = maps.bridge.read(_joined(maps.alignments, looks, mentions=True))
        found.append(read @ maps.bridge.texts(base.words.meanings()).T)
    stacked = np.stack(found).astype(np.float32)
    stacked[:, ~looks.present] = 0.0
    return stacked
