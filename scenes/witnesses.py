"""Texts against pictures: what a description claims, and what two witnesses see of it.

Witnesses of a label: the labelled parts of the picture, and the vector of the whole picture.
Witnesses of a colour: the plain parts, and the pixels. They are fitted on the other pictures of the
same collection, by their own texts, so that no text has a say in its own case; orange, which only
parts can tell, is not checked. Labels of parts may come from a model that was trained on these very
texts: then the first witness of a label is not independent of the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from scenes.claims import LABELS, colours_of, labels_of
from scenes.lexicon import LABELS as REGION_LABELS
from scenes.model import Pixels, Region
from scenes.splits import stratified_folds
from scenes.tagging.evidence import COLOURS, colour_evidence, tag_evidence
from scenes.verification import Vote, fit_witness, verdict

__all__ = ["PENALTIES", "Conflict", "TextClaims", "check_texts", "colour_witnesses"]

Floats = NDArray[np.float64]
Answers = NDArray[np.int8]

PENALTIES = {"parts": 0.5, "vector": 0.02, "plain parts": 0.1, "pixels": 0.1}
"""Inverse strength of each witness's L2 penalty; of vectors, which are long, the strongest."""

_FOLDS = 5
_FEWEST = 10
"""Texts that claim a thing, below which nothing is fitted and nothing is said of it."""
_OF_PARTS = (3, 5, 6)  # of `colour_evidence`
_OF_PIXELS = (0, 1, 2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextClaims:
    """A picture with its text and its parts.

    Attributes:
        key: Of the picture.
        text: Its description.
        image: ``(height, width, 3)``.
        regions: Its labelled parts; at least one.
        vector: ``(dimension,)`` of the whole picture.
    """

    key: str
    text: str
    image: Pixels
    regions: tuple[Region, ...]
    vector: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Text and picture say different things; both sides are kept.

    Attributes:
        key: Of the picture.
        claim: Such as ``star`` or ``red``.
        text: ``names`` it, or is ``silent`` of it.
        picture: What both witnesses agree on: ``refuted`` or ``supported``.
        votes: Of the witnesses, with their thresholds.
    """

    key: str
    claim: str
    text: Literal["names", "silent"]
    picture: Literal["refuted", "supported"]
    votes: tuple[Vote, ...]


def colour_witnesses(evidence: Floats) -> dict[str, Floats]:
    """Split ``(pictures, 7)`` of `colour_evidence` by where it comes from; empty for orange."""
    if evidence.shape[1] <= max(_OF_PARTS):
        return {}
    return {"plain parts": evidence[:, _OF_PARTS], "pixels": evidence[:, _OF_PIXELS]}


def check_texts(
    pictures: Sequence[TextClaims], *, tied: Sequence[Sequence[str]] = (), seed: int = 0
) -> list[Conflict]:
    """Return where text and picture are in conflict, by picture, what the text names first.

    Args:
        pictures: A collection; at least ten texts must name a thing for it to be checked.
        tied: Keys of pictures drawn alike; they judge each other never.
        seed: Of the folds.

    Raises:
        InputError: Fewer than ten texts, or a picture without parts.
    """
    if len(pictures) < _FEWEST:
        raise InputError(
            f"{len(pictures)} pictures have a description and parts, {_FEWEST} are needed",
            hint="witnesses are fitted on the other pictures of the collection",
        )
    fold_of = _fold_of(pictures, tied, seed)
    found = [
        conflict
        for claim, gold, witnesses in _claims(pictures)
        for conflict in _judged(pictures, claim, gold, witnesses, fold_of, seed)
    ]
    place = {picture.key: number for number, picture in enumerate(pictures)}
    return sorted(found, key=lambda one: (place[one.key], one.text, one.claim))


def _fold_of(
    pictures: Sequence[TextClaims], tied: Sequence[Sequence[str]], seed: int
) -> NDArray[np.int64]:
    names = np.array(list(LABELS))
    labels = {
        one.key: frozenset(names[labels_of(one.text, careful=False) == 1].tolist())
        for one in pictures
    }
    folds = stratified_folds(labels, _FOLDS, tied=tied, seed=seed)
    return np.array([folds[one.key] for one in pictures])


def _claims(
    pictures: Sequence[TextClaims],
) -> Iterator[tuple[str, Answers, Mapping[str, Floats]]]:
    """Iterate claims, what the texts say of them (-1 left open), and features of witnesses."""
    gold = np.array([labels_of(one.text, careful=True) for one in pictures])
    vectors = np.array([one.vector for one in pictures])
    parts = [tag_evidence(_opinion(one.regions), one.regions) for one in pictures]
    for column, label in enumerate(LABELS):
        seen = {"parts": np.array([one[label] for one in parts]), "vector": vectors}
        yield label, gold[:, column], seen
    named = np.array([colours_of(one.text) for one in pictures]).astype(np.int8)
    shades = [colour_evidence(one.image, one.regions) for one in pictures]
    for column, colour in enumerate(COLOURS):
        witnesses = colour_witnesses(np.array([one[colour] for one in shades]))
        if witnesses:
            yield colour, named[:, column], witnesses


def _opinion(regions: Sequence[Region]) -> Floats:
    """Return ``(regions, labels)``: the probability of each part's label, and nothing else."""
    found = np.zeros((len(regions), len(REGION_LABELS)))
    for row, region in enumerate(regions):
        if region.label in REGION_LABELS:
            found[row, REGION_LABELS.index(region.label)] = region.label_probability
    return found


def _judged(
    pictures: Sequence[TextClaims],
    claim: str,
    gold: Answers,
    witnesses: Mapping[str, Floats],
    fold_of: NDArray[np.int64],
    seed: int,
) -> Iterator[Conflict]:
    for fold in range(_FOLDS):
        train = (fold_of != fold) & (gold >= 0)
        truth = gold[train] == 1
        if min(truth.sum(), (~truth).sum()) < _FEWEST * (_FOLDS - 1) // _FOLDS:
            continue
        out = np.flatnonzero((fold_of == fold) & (gold >= 0))
        votes = [
            fit_witness(name, features[train], truth, penalty=PENALTIES[name], seed=seed).votes(
                features[out]
            )
            for name, features in witnesses.items()
        ]
        for number, of_witnesses in zip(out.tolist(), zip(*votes, strict=True), strict=True):
            names = gold[number] == 1
            against: Literal["refuted", "supported"] = "refuted" if names else "supported"
            if verdict(claim, of_witnesses).outcome == against:
                yield Conflict(
                    key=pictures[number].key,
                    claim=claim,
                    text="names" if names else "silent",
                    picture=against,
                    votes=of_witnesses,
                )
