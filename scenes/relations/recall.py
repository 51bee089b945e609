"""Figures of a model of relations on annotated images, by the protocol of `specs/evaluation.md`.

Recall is pooled over triplets, the mean over images beside it; mean recall is over the predicates
that occur. Head, body and tail are the thirds of the predicates by their training triplets; base
and novel are those with and without any.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.progress import Progress, silent
from scenes.metrics import RecallReport, TripletRanks, recall, triplet_ranks
from scenes.relations.annotations import AnnotatedImage
from scenes.relations.counts import TripletCounts
from scenes.relations.matching import Protocol, scored_image
from scenes.relations.model import Scorer
from scenes.relations.pairs import ordered_pairs
from scenes.relations.weighting import PLAIN, Weighting

__all__ = ["RECALL_AT", "RankedTriplets", "RelationFigures", "figures_of", "rank_relations"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

RECALL_AT = (20, 50, 100)
_BLOCK_CELLS = 4_000_000  # pairs times predicates scored at once
_FREQUENCY = ("head", "body", "tail")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankedTriplets:
    """The gold triplets of a set of images, ranked by a model.

    Attributes:
        constrained: With one predicate a pair.
        unconstrained: With all.
        new: ``(triplets,)`` whether training never saw these classes with this predicate.
        counts: Of the training images.
        predicates: Names.
    """

    constrained: TripletRanks
    unconstrained: TripletRanks
    new: Mask
    counts: TripletCounts
    predicates: tuple[str, ...]

    def only(self, rows: Mask) -> RankedTriplets:
        """Return some of the triplets."""
        return RankedTriplets(
            constrained=self.constrained.only(rows),
            unconstrained=self.unconstrained.only(rows),
            new=self.new[rows],
            counts=self.counts,
            predicates=self.predicates,
        )

    def reports(self) -> Iterator[tuple[str, RecallReport]]:
        """Yield the recall of these triplets by the end of its key: ``_at_50_unconstrained``."""
        for k in RECALL_AT:
            for suffix, ranks in (("", self.constrained), ("_unconstrained", self.unconstrained)):
                yield f"_at_{k}{suffix}", recall(ranks, k)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RelationFigures:
    """Figures of one run.

    Attributes:
        n: Gold triplets.
        metrics: By name, in [0, 1].
        by: By split and part.
        units: Value of each image with a triplet, by row of the table of `umbra compare`.
    """

    n: int
    metrics: Mapping[str, float]
    by: Mapping[str, Mapping[str, Mapping[str, float]]]
    units: Mapping[str, Floats]


def rank_relations(
    model: Scorer,
    gold: Sequence[AnnotatedImage],
    *,
    protocol: Protocol = "predcls",
    found: Sequence[AnnotatedImage] | None = None,
    weighting: Weighting = PLAIN,
    counts: TripletCounts | None = None,
    progress: Progress = silent,
) -> RankedTriplets:
    """Score images, a bounded number of pairs at a time, and rank their triplets.

    Args:
        model: To judge.
        gold: Annotated images.
        protocol: Which.
        found: The objects found in each image; those of `gold` if None.
        weighting: What a right guess is worth.
        counts: Of the images that decide what is new; those of the model if None.
        progress: Is told images done.

    Raises:
        InputError: The images have no triplet, or a protocol gives what `found` has otherwise.
    """
    shown = gold if found is None else found
    parts: list[tuple[TripletRanks, TripletRanks]] = []
    sizes = []
    for start, end in _blocks(shown, len(model.vocabulary.predicates)):
        regions = shown[start:end]
        scored = []
        for image, shown_in, scores in zip(
            gold[start:end], regions, model.score(regions), strict=True
        ):
            labels = shown_in.labels[ordered_pairs(len(shown_in))]
            weighed = weighting.weighted(scores, model.counts, labels)
            scored.append(scored_image(image, weighed, protocol=protocol, found=shown_in))
        sizes.append(end - start)
        parts.append(
            (triplet_ranks(scored, constrained=True), triplet_ranks(scored, constrained=False))
        )
        progress(end, len(gold))
    known = model.counts if counts is None else counts
    if not any(len(image.triplets) for image in gold):
        raise InputError("no image has a triplet: there is nothing to find")
    return RankedTriplets(
        constrained=TripletRanks.joined([one for one, _ in parts], sizes),
        unconstrained=TripletRanks.joined([other for _, other in parts], sizes),
        new=_new(gold, known),
        counts=known,
        predicates=model.vocabulary.predicates,
    )


def _blocks(images: Sequence[AnnotatedImage], predicates: int) -> Iterator[tuple[int, int]]:
    start, cells = 0, 0
    for position, image in enumerate(images):
        own = len(image) ** 2 * predicates
        if position > start and cells + own > _BLOCK_CELLS:
            yield start, position
            start, cells = position, 0
        cells += own
    yield start, len(images)


def _new(gold: Sequence[AnnotatedImage], counts: TripletCounts) -> Mask:
    classes = np.concatenate([image.labels[image.triplets[:, ::2]] for image in gold])
    predicate = np.concatenate([image.triplets[:, 1] for image in gold])
    _, said = counts.of_classes(classes)
    new: Mask = said[np.arange(len(said)), predicate] == 0
    return new


def figures_of(ranked: RankedTriplets) -> RelationFigures:
    """Return the figures of ranked triplets."""
    metrics: dict[str, float] = {}
    units: dict[str, Floats] = {}
    for end, report in ranked.reports():
        metrics |= _with_error(f"recall{end}", report.recall, report.standard_error)
        metrics[f"recall_by_image{end}"] = report.recall_by_image
        metrics |= _with_error(
            f"mean_recall{end}", report.mean_recall, report.mean_recall_standard_error
        )
        units[f"all recall{end}"] = report.recall_units
        units[f"all mean_recall{end}"] = report.mean_recall_units
    if ranked.new.any():
        for end, report in ranked.only(ranked.new).reports():
            key = f"zero_shot_recall{end}"
            metrics |= _with_error(key, report.recall, report.standard_error)
    return RelationFigures(
        n=len(ranked.new),
        metrics=metrics,
        by={
            "predicate": {
                name: {key: value for key, value in part.items() if not key.startswith("mean")}
                for name, part in _parts(ranked, dict(_single(ranked.predicates))).items()
            },
            "frequency": _parts(ranked, dict(_thirds(ranked.counts))),
            **_by_training(ranked),
        },
        units=units,
    )


def _by_training(ranked: RankedTriplets) -> dict[str, dict[str, dict[str, float]]]:
    """Tell predicates that training had (base) from others (novel), where there are others."""
    seen = ranked.counts.by_predicate > 0
    groups = {"base": np.flatnonzero(seen).tolist(), "novel": np.flatnonzero(~seen).tolist()}
    found = _parts(ranked, groups)
    return {"training": found} if "novel" in found else {}


def _with_error(key: str, value: float, error: float) -> dict[str, float]:
    """Return a figure and its standard error over images, where there are several."""
    return {key: value} | ({f"{key}_standard_error": error} if math.isfinite(error) else {})


def _single(names: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    for number, name in enumerate(names):
        yield name, [number]


def _thirds(counts: TripletCounts) -> Iterator[tuple[str, list[int]]]:
    order = np.argsort(-counts.by_predicate, kind="stable")
    for name, part in zip(_FREQUENCY, np.array_split(order, len(_FREQUENCY)), strict=True):
        yield name, part.tolist()


def _parts(
    ranked: RankedTriplets, groups: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, float]]:
    """Return the figures of groups of predicates that occur."""
    found = {}
    for name, predicates in groups.items():
        rows = np.isin(ranked.constrained.predicate, predicates)
        if not rows.any():
            continue
        values: dict[str, float] = {"n": int(rows.sum())}
        for end, report in ranked.only(rows).reports():
            values |= _with_error(f"recall{end}", report.recall, report.standard_error)
            values[f"mean_recall{end}"] = report.mean_recall
        found[name] = values
    return found
