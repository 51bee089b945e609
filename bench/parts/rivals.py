"""Who answers: cones with and without encoder, rim and owners' loss, and the baselines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from bench.parts.classifier import PartClassifier, PartPredictor
from bench.parts.graph import HAS_LABEL, PartWorld
from bench.parts.questions import QuestionSet
from kg.snapshot import Snapshot
from reasoning.cones.answerer import ConeAnswerer
from reasoning.cones.batches import BatchSettings
from reasoning.cones.cone import GeometryConfig
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.model import ConeModelConfig, GeometryName
from reasoning.cones.part_encoder import PartEncoderConfig
from reasoning.cones.parts import snapshot_table
from reasoning.cones.rough_answerer import RoughConeAnswerer
from reasoning.cones.training import train_cones
from reasoning.symbolic.answerer import SymbolicAnswerer
from reasoning.symbolic.config import SymbolicConfig

__all__ = ["CONES", "Rival", "baselines", "cone_rivals", "training_config"]

_EPOCH = 50
"""Steps an epoch; the learning rate rises over the first half of one."""

Scores = NDArray[np.floating]
ScoresOf = Callable[[QuestionSet], Scores]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """One way to train cones.

    Attributes:
        geometry: Plain cones have no rim.
        encoder: Whether parts have the encoder's axes, else free ones.
        owners: Whether the owners' loss is trained.
    """

    geometry: GeometryName
    encoder: bool
    owners: bool


CONES = {
    "cone": Rival(geometry="cone", encoder=False, owners=False),
    "rcone_no_encoder": Rival(geometry="rough", encoder=False, owners=True),
    "rcone_no_rim": Rival(geometry="cone", encoder=True, owners=False),
    "rcone_no_owners": Rival(geometry="rough", encoder=True, owners=False),
    "rcone": Rival(geometry="rough", encoder=True, owners=True),
}
"""ConE, RConE and RConE without one of its three pieces; without a rim it is ConE with encoder."""


def training_config(*, steps: int, start_scale: float) -> ConeTrainingConfig:
    """Return the setting that all cones are trained alike with."""
    return ConeTrainingConfig(
        model=ConeModelConfig(
            shape=GeometryConfig(dim=64, dropout=0.1),
            # scores start close together: where random cones tell parts apart by many nats, the
            # first hundred steps only teach all parts to be equally far from everything
            margin=2.0,
            parts=PartEncoderConfig(
                hide_label=0.2,
                hide_owner=0.05,
                hide_asked="one",
                asked_share=0.5,
                start_spread=0.1,
                owner_shift=True,
                label_shift=True,
            ),
        ),
        batches=BatchSettings(
            scenes=True,
            queries=64,
            part_images=36,
            pool=320,
            part_share=1.0,
            # questions that start at a part are left out, and most one-hop queries do: what is
            # left of them, with classes and images as anchors, is about a quarter of the batches
            from_parts=0.0,
            one_hop_share=0.6,
        ),
        structures=("1p",),
        part_structures=("2p", "2p", "2i", "pin", "pin"),
        queries=1500,
        epochs=max(1, steps // _EPOCH),
        steps=min(steps, _EPOCH),
        patience=max(1, steps),
        start_scale=start_scale,
        valid_share=0.0,
    )


def cone_rivals(
    world: PartWorld, known: Snapshot, config: ConeTrainingConfig, *, seed: int
) -> dict[str, Callable[[], ScoresOf]]:
    """Return what trains each of `CONES` and gives its scores."""
    parts = np.flatnonzero(np.asarray(known.parents) >= 0)

    def trained(rival: Rival) -> ScoresOf:
        model = train_cones(
            known,
            replace(config, owner_weight=config.owner_weight if rival.owners else 0.0),
            geometry=rival.geometry,
            seed=seed,
            part_features=world.features if rival.encoder else None,
        )
        kind = ConeAnswerer if rival.geometry == "cone" else RoughConeAnswerer
        answerer = kind(known, model)
        return lambda questions: answerer.scores(questions.trees)[:, parts]

    return {name: partial(trained, rival) for name, rival in CONES.items()}


def baselines(world: PartWorld, known: Snapshot, *, seed: int) -> dict[str, Callable[[], ScoresOf]]:
    """Return chance, the plain classifier, and rough truth over predictors of single edges."""
    table = snapshot_table(
        known, world.features, label_relation=HAS_LABEL, width=12, min_probability=0.5
    )

    @cache
    def classifier() -> PartClassifier:
        return PartClassifier(table, 2 * known.num_relations, seed=seed)

    def by_chance() -> ScoresOf:
        draw = np.random.default_rng(seed)
        return lambda questions: draw.random((len(questions.trees), len(table)))

    def by_class() -> ScoresOf:
        return lambda questions: classified(classifier(), questions)

    def by_rough_truth() -> ScoresOf:
        predictor = PartPredictor(
            known,
            table,
            classifier().labels,
            label_relation=known.relation_id(HAS_LABEL),
            seed=seed,
        )
        answerer = SymbolicAnswerer(known, predictor, SymbolicConfig(max_support=20_000))
        return lambda questions: answerer.scores(questions.trees)[:, table.ids]

    return {"random": by_chance, "classifier": by_class, "rough_truth": by_rough_truth}


def classified(classifier: PartClassifier, questions: QuestionSet) -> Scores:
    """Return a classifier's scores: those of the conditions, combined by product and maximum."""
    table = classifier.table
    found = np.zeros((len(questions.trees), len(table)), dtype=np.float64)
    for row, (anchors, relations) in enumerate(
        zip(questions.queries.anchors, questions.queries.relations, strict=True)
    ):
        labels = [classifier.labels[:, classifier.label_column(int(a))] for a in anchors[1:]]
        first = int(anchors[0])
        match questions.name:
            case "label":
                found[row] = classifier.labels[:, classifier.label_column(first)]
            case "either_label":
                found[row] = np.maximum(
                    classifier.labels[:, classifier.label_column(first)], labels[0]
                )
            case "image_and_label":
                found[row] = (table.parents == first) * labels[0]
            case name:
                entered = classifier.entered_by(int(relations[0]), first)
                factor = {"relation": 1.0, "label_and_relation": labels[0] if labels else 1.0}
                found[row] = entered * factor.get(name, 1.0 - labels[0] if labels else 1.0)
    return found
