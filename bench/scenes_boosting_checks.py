"""Does it help to check CaCao's additions before anything is learnt from them?

Two questions, both on the held-out tenth of VRD's train and never on test. *Found*: 30 % of train's
annotations are hidden, the teacher learns from the rest and adds to it; how many additions were
hidden ones, by what the checks say of them, and at the recall of the checked ones, how many of
those cut by the teacher's own confidence? *Learnt*: learners on train with all additions, with the
checked ones, and with as many of the most confident. Also *written*: the likely relations of a
model, by whether boxes rule them out. Command: ``python -m bench.scenes_boosting_checks VRD --work
WORK`` (some fifteen minutes on a free core; WORK keeps the steps). Writes
``scenes-boosting-checks.json`` and ``.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.steps.evaluate_relations import RelationKind, relation_learner
from bench.scenes_boosting_checks_page import page
from bench.scenes_cacao import Learners
from bench.scenes_cacao_teacher import Teacher, boosted_train
from bench.scenes_data import Seeds, Vrd, keep, measured, parser_of, seeded
from encoders import TextEncoder, packaged_text_encoder
from evaluation import Measurement
from scenes.cacao.boosting import Boosted, BoostingConfig
from scenes.cacao.checking import BELIEVE, CheckedAddition, believed, check_additions
from scenes.relations.annotations import AnnotatedImage, held_out_part
from scenes.relations.likely import LikelyRelations
from scenes.relations.pairs import pair_table

__all__ = ["cut_by_confidence", "found_figures", "hidden_part", "main", "written_figures"]

_HIDDEN = 0.3
_DRAWS = 2_000
_KINDS: tuple[RelationKind, ...] = ("prior", "baseline")
_QUESTIONS = ("found", "learnt", "written")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Triplet = tuple[str, int, int, int]


def hidden_part(
    images: Sequence[AnnotatedImage], *, seed: int
) -> tuple[tuple[AnnotatedImage, ...], set[Triplet]]:
    """Hide three in ten triplets; return the images without them, and what was hidden.

    Args:
        images: To hide from.
        seed: Of the choice.
    """
    generator = np.random.default_rng(seed)
    rest, hidden = [], set()
    for image in images:
        away = generator.random(len(image.triplets)) < _HIDDEN
        rest.append(image.with_triplets(image.triplets[~away]))
        hidden |= {(image.name, s, p, o) for s, p, o in image.triplets[away].tolist()}
    return tuple(rest), hidden


def cut_by_confidence(confidence: Floats, right: Flags, hits: float, weight: Floats) -> float:
    """Return the precision of the most confident additions that hold as many hits.

    Args:
        confidence: ``(added,)``.
        right: ``(added,)`` which are hits.
        hits: How many are wanted.
        weight: ``(added,)`` how often each counts.
    """
    if not len(confidence):
        return 0.0
    order = np.argsort(-confidence, kind="stable")
    reached = np.cumsum((right * weight)[order])
    last = min(int(np.searchsorted(reached, hits)), len(order) - 1)
    return float(reached[last] / np.cumsum(weight[order])[last])


def found_figures(
    checked: Sequence[CheckedAddition], right: Flags, *, seed: int
) -> dict[str, dict[str, float]]:
    """Return what the checks do to precision: by outcome, and against a cut at the same recall.

    Args:
        checked: The additions.
        right: ``(added,)`` which were hidden.
        seed: Of the draws of images.
    """
    outcome = np.array([one.outcome for one in checked])
    confidence = np.array([one.confidence for one in checked])
    groups = {
        "all": np.ones(len(checked), dtype=bool),
        "supported": outcome == "supported",
        "uncertain": outcome == "uncertain",
        "refuted": outcome == "refuted",
        "refuted by boxes": np.array([one.ruled_out is not None for one in checked], dtype=bool),
        "unrefuted": outcome != "refuted",
    }
    found = {
        name: {"n": int(rows.sum()), "precision": float(right[rows].mean()) if rows.any() else 0.0}
        for name, rows in groups.items()
    }
    _, image = np.unique([one.image for one in checked], return_inverse=True)
    generator = np.random.default_rng(seed)
    count = max(int(image.max(initial=-1)) + 1, 1)
    drawn = [
        np.bincount(generator.integers(0, count, count), minlength=count)[image].astype(np.float64)
        for _ in range(_DRAWS)
    ]
    every = np.ones(len(checked))
    for name in ("supported", "unrefuted"):
        kept = groups[name]
        lead = [_lead(kept, right, confidence, weight) for weight in drawn]
        found[name] |= {
            "coverage": float(right[kept].sum() / max(right.sum(), 1)),
            "cut": cut_by_confidence(confidence, right, float(right[kept].sum()), every),
            "ahead": float(np.mean(np.array(lead) > 0)),
        }
    return found


def _lead(kept: Flags, right: Flags, confidence: Floats, weight: Floats) -> float:
    hits, taken = float((right * weight)[kept].sum()), float(weight[kept].sum())
    own = hits / taken if taken else 0.0
    return own - cut_by_confidence(confidence, right, hits, weight)


def _found(data: Vrd, encoder: TextEncoder, work: Path, seed: int) -> dict[str, dict[str, float]]:
    rest, hidden = hidden_part(data.train, seed=seed)
    reduced = replace(data, train=rest)
    teacher = Teacher.read_or_train(reduced, encoder, work, seed=seed, name="prompts-hidden")
    boosted = boosted_train(reduced, teacher, BoostingConfig(), work)
    pairs = pair_table(rest, predicates=len(data.vocabulary.predicates))
    checked = check_additions(rest, pairs, boosted, data.vocabulary, seed=seed)
    number = {name: place for place, name in enumerate(data.vocabulary.predicates)}
    right = np.array(
        [(c.image, c.subject, number[c.predicate], c.object) in hidden for c in checked], dtype=bool
    )
    return found_figures(checked, right, seed=seed)


def _learnt(
    data: Vrd, encoder: TextEncoder, work: Path, kinds: Sequence[RelationKind], seeds: Seeds
) -> dict[str, dict[str, dict[str, float]]]:
    teacher = Teacher.read_or_train(data, encoder, work, seed=0)
    boosted = boosted_train(data, teacher, BoostingConfig(), work)
    pairs = pair_table(data.train, predicates=len(data.vocabulary.predicates))
    checked = check_additions(data.train, pairs, boosted, data.vocabulary)
    sets = {"without": data.train}
    added = {"without": 0}
    for believe in BELIEVE:
        one = boosted.only(believed(checked, believe), data.train, pairs)
        sets[believe], added[believe] = one.images, len(one.rows)
    for name in ("unrefuted", "supported"):
        rival = _most_confident(boosted, added[name])
        sets[f"confident as {name}"] = boosted.only(rival, data.train, pairs).images
        added[f"confident as {name}"] = added[name]
    learners = Learners(data, encoder, work)
    by: dict[str, dict[str, dict[str, float]]] = {"run": {}, "learner": {}}
    for kind in kinds:
        for name, images in sets.items():
            runs = [learners.figures(kind, images, seed) for seed in seeds]
            for seed, run in zip(seeds, runs, strict=True):
                by["run"][f"{kind} {name} seed {seed}"] = {"n": len(data.judged), **run}
            by["learner"][f"{kind} {name}"] = {"n": added[name], **seeded(runs)}
            print(kind, name, by["learner"][f"{kind} {name}"], flush=True)
    return by


def _most_confident(boosted: Boosted, count: int) -> Flags:
    kept = np.zeros(len(boosted.rows), dtype=bool)
    kept[np.argsort(-boosted.confidence, kind="stable")[:count]] = True
    return kept


def written_figures(
    model: LikelyRelations, images: Sequence[AnnotatedImage]
) -> dict[str, dict[str, float]]:
    """Return how many likely relations are right, by whether the boxes rule them out.

    Args:
        model: Calibrated on other images.
        images: Annotated; the model is asked of them as if nothing were.
    """
    said = {(i.name, s, p, o) for i in images for s, p, o in i.triplets.tolist()}
    bare = [image.with_triplets(image.triplets[:0]) for image in images]
    rows: dict[str, list[tuple[bool, float]]] = {"allowed": [], "ruled out": []}
    for image, guesses in zip(bare, model.guesses(bare), strict=True):
        for one in guesses:
            why = one.ruled_out(image, model.model.vocabulary)
            right = (image.name, one.subject, one.predicate, one.object) in said
            rows["allowed" if why is None else "ruled out"].append((right, one.probability))
    return {
        name: {
            "n": len(found),
            "right": float(np.mean([right for right, _ in found])) if found else 0.0,
            "promised": float(np.mean([chance for _, chance in found])) if found else 0.0,
        }
        for name, found in rows.items()
    }


def _written(data: Vrd, encoder: TextEncoder, seed: int) -> dict[str, dict[str, float]]:
    judged, calibrating = held_out_part(data.judged, 0.05)  # of the last tenth by hash, half
    found = {}
    for kind in _KINDS:
        model = relation_learner(kind, encoder).fit(data.train, data.vocabulary, seed=seed)
        figures = written_figures(LikelyRelations.fit(model, calibrating), judged)
        found |= {f"{kind}, {name}": row for name, row in figures.items()}
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = parser_of(__doc__, seeds=3)
    parser.add_argument("--work", type=Path, required=True, help="keeps the trained prompts")
    parser.add_argument("--kinds", nargs="+", choices=_KINDS, default=_KINDS)
    parser.add_argument("--questions", nargs="+", choices=_QUESTIONS, default=_QUESTIONS)
    given = parser.parse_args(argv)
    clock = Measurement.start()
    data = Vrd.read(given.vrd, valid=True)
    encoder = packaged_text_encoder(given.work)
    by: dict[str, dict[str, dict[str, float]]] = {}
    if "found" in given.questions:
        by["found"] = _found(data, encoder, given.work, 0)
    if "learnt" in given.questions:
        by |= _learnt(data, encoder, given.work, given.kinds, range(given.seeds))
    if "written" in given.questions:
        by["written"] = _written(data, encoder, 0)
    result = measured(
        clock,
        data,
        command=(
            f"python -m bench.scenes_boosting_checks VRD --seeds {given.seeds} "
            f"--kinds {' '.join(given.kinds)} --questions {' '.join(given.questions)}"
        ),
        protocol="predcls",
        seeds=range(given.seeds),
        n=len(data.judged),
        metrics={
            f"{name}_precision": row["precision"]
            for name, row in by.get("found", {}).items()
            if "cut" in row
        },
        by=by,
    )
    keep(result, page(result), "scenes-boosting-checks", given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
