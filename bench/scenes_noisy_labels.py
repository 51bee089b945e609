"""Do weights for doubtful labels (CromSS) help, with planted errors and with CaCao's additions?

Two questions, both on the held-out tenth of VRD's train and never on test. *Planted*: a share of
train's predicates is replaced, half by any other, half by one that the same two classes have
elsewhere; what is found of the clean tenth, and do the weights tell which labels were replaced?
*Boosted*: train with CaCao's additions, of which annotated triplets keep weight 1. Each time two
branches learn in four ways: `plain`, `smoothed`, `own` (a branch's confidence alone) and `cromss`
(`scenes.relations.branches`). Command: ``python -m bench.scenes_noisy_labels VRD --work WORK``
(ten minutes of a free core; WORK keeps figures and prompts). Writes ``scenes-noisy-labels.json``
and ``.md``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from bench.scenes_cacao_teacher import Teacher, boosted_train
from bench.scenes_data import Vrd, keep, measured, parser_of, seeded
from bench.scenes_noisy_labels_page import KEYS, page
from encoders import TextEncoder, packaged_text_encoder
from evaluation import Measurement
from kg.files import write_json
from scenes.cacao.boosting import BoostingConfig
from scenes.relations.annotations import AnnotatedImage
from scenes.relations.branches import NOISY, Doubt, Noisy, label_weights
from scenes.relations.counts import TripletCounts
from scenes.relations.network import BRANCHES, NetworkLearner, NetworkModel
from scenes.relations.pairs import pair_table
from scenes.relations.perceptron import outputs
from scenes.relations.recall import figures_of, rank_relations

__all__ = ["main", "planted"]

_SHARE = 0.5
_EPOCHS = 8

Images = Sequence[AnnotatedImage]


def planted(
    images: Images, predicates: int, *, share: float, seed: int
) -> tuple[tuple[AnnotatedImage, ...], tuple[AnnotatedImage, ...]]:
    """Replace predicates; return the images so, and the same with the untouched triplets alone.

    Args:
        images: Annotated.
        predicates: Size of the vocabulary.
        share: Of the triplets that are replaced: half of these by any other predicate, half by one
            that their classes have elsewhere, if there is any.
        seed: Of the choice.
    """
    generator = np.random.default_rng(seed)
    elsewhere: dict[tuple[int, int], list[int]] = {}
    for image in images:
        for subject, predicate, other in image.triplets.tolist():
            classes = int(image.labels[subject]), int(image.labels[other])
            elsewhere.setdefault(classes, []).append(predicate)
    wrong, untouched = [], []
    for image in images:
        triplets = image.triplets.copy()
        touched = generator.random(len(triplets)) < share
        for row in np.flatnonzero(touched).tolist():
            subject, predicate, other = triplets[row].tolist()
            known = elsewhere[int(image.labels[subject]), int(image.labels[other])]
            usual = [one for one in known if one != predicate]
            if not usual or generator.random() < 0.5:
                usual = [one for one in range(predicates) if one != predicate]
            triplets[row, 1] = generator.choice(usual)
        wrong.append(image.with_triplets(np.unique(triplets, axis=0)))
        untouched.append(image.with_triplets(image.triplets[~touched]))
    return tuple(wrong), tuple(untouched)


@dataclass(frozen=True)
class Runs:
    """Trains and judges, and keeps what was measured.

    Attributes:
        data: Train without the held-out tenth, and this.
        encoder: Of names.
        work: Folder of the figures.
    """

    data: Vrd
    encoder: TextEncoder
    work: Path

    @cached_property
    def known(self) -> TripletCounts:
        """What is rare and new is so in train as it is."""
        return TripletCounts.of(self.data.train, self.data.vocabulary)

    @cached_property
    def pairs(self) -> NetworkModel:
        """The pair's network, which errors of predicates do not touch; one for all runs."""
        still = tuple(replace(one, epochs=0) for one in BRANCHES.predicate)
        learner = NetworkLearner(encoder=self.encoder, config=replace(BRANCHES, predicate=still))
        return learner.fit(self.data.train, self.data.vocabulary, seed=0)

    def figures(
        self,
        name: str,
        made: Callable[[], tuple[Images, Images | None]],
        noisy: Noisy,
        seed: int,
        wrong: Callable[[], Images] | None = None,
    ) -> dict[str, float]:
        """Return the figures of two branches.

        Args:
            name: Of the training set.
            made: Gives the images to learn from, and those of the labels that are not in doubt.
            noisy: What is done about doubtful labels.
            seed: Of the training.
            wrong: Gives the images with the labels alone that are right, where that is known.
        """
        kept = self.work / f"noisy-{name.replace(' ', '-')}-{noisy}-{seed}.json"
        if kept.exists():
            found: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
            return found
        images, annotated = made()
        config = replace(
            BRANCHES,
            pair=tuple(replace(one, epochs=0) for one in BRANCHES.pair),
            predicate=tuple(replace(one, epochs=_EPOCHS) for one in BRANCHES.predicate),
        )
        learner = NetworkLearner(
            encoder=self.encoder, config=config, noisy=noisy, annotated=annotated
        )
        learnt = learner.fit(images, self.data.vocabulary, seed=seed)
        model = replace(learnt, pair=self.pairs.pair)
        told = figures_of(rank_relations(model, self.data.judged, counts=self.known)).metrics
        found = {key: told[key] for key in KEYS}
        if wrong is not None:
            found["auroc"] = _auroc(learnt, images, wrong(), entangled=noisy != "own")
        write_json(kept, found)
        print(name, noisy, seed, found, file=sys.stderr, flush=True)
        return found


def _auroc(model: NetworkModel, images: Images, right: Images, *, entangled: bool) -> float:
    """Tell how well weights rank labels that are right above those that were replaced."""
    width = len(model.vocabulary.predicates)
    table, inputs = model.ground.seen(images)
    said = table.said[table.annotated]
    labels = pair_table(right, predicates=width).said[table.annotated][said]
    p_a, p_b = (
        outputs(one, inputs).log_softmax(dim=1)[torch.from_numpy(table.annotated)]
        for one in model.predicate
    )
    doubt = Doubt(said=said, doubted=said)
    first, second = label_weights(p_a, p_b, doubt, share=_SHARE, entangled=entangled)
    weights: NDArray[np.float32] = ((first + second) / 2).numpy()[said]
    return float(roc_auc_score(labels, weights))


def measure(
    runs: Runs, shares: Sequence[float], seeds: range, *, boosted: bool
) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """Train every way on every set.

    Args:
        runs: Trains and judges.
        shares: Of predicates that are replaced.
        seeds: Of the trainings, and of what is replaced.
        boosted: Whether CaCao's additions are a set too.
    """
    data, width = runs.data, len(runs.data.vocabulary.predicates)
    by: dict[str, dict[str, dict[str, float]]] = {"run": {}, "way": {}}

    def add(name: str, noisy: Noisy, found: list[dict[str, float]]) -> None:
        for seed, one in zip(seeds, found, strict=True):
            by["run"][f"{name} {noisy} seed {seed}"] = {"n": len(data.judged), **one}
        by["way"][f"{name} {noisy}"] = {"n": len(seeds), **seeded(found)}

    clean = [runs.figures("clean", lambda: (data.train, None), "plain", seed) for seed in seeds]
    add("clean", "plain", clean)
    if boosted:
        teacher = Teacher.read_or_train(data, runs.encoder, runs.work, seed=0)
        more = boosted_train(data, teacher, BoostingConfig(), runs.work)
        for noisy in NOISY:
            found = [
                runs.figures("boosted", lambda: (more.images, data.train), noisy, seed)
                for seed in seeds
            ]
            add("boosted", noisy, found)
    for share in shares:
        for noisy in NOISY:
            found = []
            for seed in seeds:
                images, right = planted(data.train, width, share=share, seed=seed)
                found.append(
                    runs.figures(
                        f"planted {share:.0%}",
                        lambda images=images: (images, None),  # type: ignore[misc]  # bound here
                        noisy,
                        seed,
                        lambda right=right: right,  # type: ignore[misc]  # bound here
                    )
                )
            add(f"planted {share:.0%}", noisy, found)
    return by


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = parser_of(__doc__, seeds=3)
    parser.add_argument("--work", type=Path, required=True, help="keeps what was measured")
    parser.add_argument("--shares", type=float, nargs="*", default=(0.2, 0.4))
    parser.add_argument("--without-boosted", action="store_true", help="plant errors only")
    given = parser.parse_args(argv)
    clock = Measurement.start()
    data = Vrd.read(given.vrd, valid=True)
    given.valid = False  # judged on the held-out tenth always: that is what the page says
    runs = Runs(data, packaged_text_encoder(given.work), given.work)
    by = measure(runs, given.shares, range(given.seeds), boosted=not given.without_boosted)
    result = measured(
        clock,
        data,
        command=(
            f"python -m bench.scenes_noisy_labels VRD --work WORK --seeds {given.seeds} "
            f"--shares {' '.join(map(str, given.shares))}"
            + (" --without-boosted" if given.without_boosted else "")
        ),
        protocol="predcls",
        seeds=range(given.seeds),
        n=len(data.judged),
        metrics={},
        by=by,
    )
    keep(result, page(result), "scenes-noisy-labels", given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
