"""Five folds of the flags of two artists: learnt from one, judged on the held-out of the other.

A fold is one of countries; flags drawn alike share it, and labels are spread evenly. What regions
look like is told by models that were not trained on their flag.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bench.flags.gold import LABELS, POINTS_ELSEWHERE, labels_of
from bench.flags.pictures import Artist, descriptions, tied
from scenes.label_training import Example, LabelConfig, train_labels
from scenes.lexicon import LABELS as REGION_LABELS
from scenes.network import NetworkConfig
from scenes.splits import stratified_folds
from scenes.tagging.evidence import TAGS, colour_evidence, tag_evidence
from scenes.tagging.round_figures import round_evidence
from scenes.wording import read_description

__all__ = ["FlagFold", "FlagTexts", "TwoArtists"]

_FOLDS = 5
_TRAINING = LabelConfig(network=NetworkConfig(members=2), folds=2)

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Evidence = Mapping[str, Floats]
"""``(flags, numbers)`` of each label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagTexts:
    """Descriptions of flags, and the fold of each.

    Attributes:
        texts: By code of the country; those that only point to another flag are left out.
        fold_of: ``(flags,)`` in their order.
    """

    texts: Mapping[str, str]
    fold_of: NDArray[np.int64]

    @classmethod
    def read(cls, data: Path, *, most: int | None, seed: int) -> Self:
        """Read descriptions and spread them over folds.

        Args:
            data: Folder of the demo's data.
            most: Flags to take, for a first look.
            seed: Of the folds.
        """
        said = descriptions(data)
        keys = [key for key in sorted(said) if not POINTS_ELSEWHERE.match(said[key].lower())]
        texts = {key: said[key] for key in keys[:most]}
        names = np.array(list(LABELS))
        labels = {
            key: frozenset(names[labels_of(text, careful=False) == 1].tolist())
            for key, text in texts.items()
        }
        folds = stratified_folds(labels, _FOLDS, tied=tied(data), seed=seed)
        return cls(texts=texts, fold_of=np.array([folds[key] for key in texts]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlagFold:
    """One fold.

    Attributes:
        out: ``(flags,)`` which are held out.
        mine: Evidence of the artist that is learnt from.
        heard: Evidence of the other's held-out flags, by each of two models.
        opinions: ``(regions, labels)`` of each of those flags, by each model.
    """

    out: Booleans
    mine: Evidence
    heard: Sequence[Evidence]
    opinions: Sequence[Sequence[Floats]]


class TwoArtists:
    """The flags of an artist that is learnt from, and of one that is judged on.

    Args:
        flags: Texts and folds.
        learnt: The one artist.
        seen: The other.
        seed: Of the models.
    """

    def __init__(self, flags: FlagTexts, learnt: Artist, seen: Artist, *, seed: int) -> None:
        self._texts, self._fold_of, self._seed = flags.texts, flags.fold_of, seed
        self._artists = (learnt, seen)
        keys = list(flags.texts)
        self.vectors = [np.array([one.vectors[key] for key in keys]) for one in self._artists]
        """``(flags, dimension)`` of each artist."""
        self._shapes = [
            [round_evidence(one.prepared[key].regions) for key in keys] for one in self._artists
        ]

    def shades(self, colours: Sequence[str]) -> dict[str, list[Floats]]:
        """Return by colour the evidence ``(flags, numbers)`` of each artist."""
        found = [
            [colour_evidence(one.images[key], one.prepared[key].regions) for key in self._texts]
            for one in self._artists
        ]
        return {name: [np.array([one[name] for one in of]) for of in found] for name in colours}

    def folds(self) -> Iterator[FlagFold]:
        """Iterate the folds, models trained for each."""
        for fold in range(_FOLDS):
            out = self._fold_of == fold
            ours, theirs = self._opinions(out)
            yield FlagFold(
                out=out,
                mine=self._evidence(ours, 0),
                heard=[self._evidence(opinions, 1) for opinions in theirs],
                opinions=theirs,
            )
            print(f"fold {fold + 1} of {_FOLDS}", file=sys.stderr)

    def _opinions(self, out: Booleans) -> tuple[list[Floats], list[list[Floats]]]:
        """What each region looks like, by models that were not trained on its flag.

        Two models, each of half of the training flags: each tells the other half, and both tell
        the held-out flags of the other artist, each for itself: their mean would be less sure of
        itself than what decisions are learnt from.
        """
        examples = [self._examples(artist) for artist in self._artists]
        inside = np.flatnonzero(~out)
        halves = (inside[0::2], inside[1::2])
        ours: list[Floats] = [np.empty((0, len(REGION_LABELS)))] * len(self._texts)
        theirs = []
        for half, rest in (halves, halves[::-1]):
            train = [examples[0][n] for n in half if examples[0][n].described.usable]
            model, _ = train_labels(train, [], _TRAINING, seed=self._seed)
            told = [np.empty((0, len(REGION_LABELS)))] * len(self._texts)
            for n in np.flatnonzero(out):
                told[n] = model.opinion(examples[1][n].descriptors, examples[1][n].patches)
            theirs.append(told)
            for n in rest:
                ours[n] = model.opinion(examples[0][n].descriptors, examples[0][n].patches)
        return ours, theirs

    def _examples(self, artist: Artist) -> list[Example]:
        return [
            Example(
                regions=artist.prepared[key].regions,
                descriptors=artist.prepared[key].descriptors,
                described=read_description(text),
                patches=artist.prepared[key].patches,
            )
            for key, text in self._texts.items()
        ]

    def _evidence(self, opinions: Sequence[Floats], number: int) -> Evidence:
        """Return the evidence of an artist's flags; zeros where there is no opinion."""
        prepared, shapes = self._artists[number].prepared, self._shapes[number]
        found = [
            tag_evidence(opinion, prepared[key].regions, shape) if len(opinion) else None
            for opinion, key, shape in zip(opinions, self._texts, shapes, strict=True)
        ]
        first = next(one for one in found if one is not None)
        nothing = {tag: np.zeros_like(one) for tag, one in first.items()}
        return {tag: np.array([(one or nothing)[tag] for one in found]) for tag in TAGS}
