"""How good a scene model is on images that it was not trained on, beside its plain rivals.

Three questions. Which labels are on an image (gold: the description; a label that the text leaves
open is not counted)? What is a region (gold: regions that a description singles out by colour
alone, so no model decides what is gold)? Which predicate joins two described parts?
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation import Difference, ece, paired_bootstrap, standard_error
from kg.errors import InputError
from kg.provenance import KNOWN_PROBABILITY
from scenes.assignment import assign
from scenes.labels import on_image
from scenes.lexicon import LABELS
from scenes.metrics import RecallReport, ScoredImage, recall_at
from scenes.model import Pixels, Region
from scenes.phrasing import DESCRIBED_PREDICATES
from scenes.pipeline import SceneModel
from scenes.predicates import PairSet, PredicateModel, described_pairs
from scenes.prepared import Prepared, prepare_images
from scenes.rules import labels_by_rules
from scenes.splits import Part
from scenes.wording import Described, read_description

__all__ = ["RECALL_AT", "evaluate_scenes", "singled_out"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

RECALL_AT = (3, 5, 10)
"""K of the recall of predicates: flags have few parts, so the usual 20 to 100 say nothing."""

_COUNTED = tuple(label for label in LABELS if label not in ("other", "edge"))


def evaluate_scenes(
    model: SceneModel,
    images: Mapping[str, Pixels],
    descriptions: Mapping[str, str],
    *,
    part: Part = "test",
    seed: int = 0,
) -> dict[str, Any]:
    """Evaluate a model on the images of one part of its split.

    Args:
        model: A trained model, with its encoder.
        images: By key; those of another artist are fine.
        descriptions: By key; all of them, since the majority is taken from the training part.
        part: Part of the split.
        seed: Of the bootstrap.

    Returns:
        Plain numbers, fractions 0 to 1: `labels`, `regions`, `predicates`, each with `n`, with
        the rivals' figures and with the difference to them and its 95 % interval over images.

    Raises:
        InputError: None of the images is in that part.
    """
    keys = sorted(k for k, p in model.split.items() if p == part and k in images)
    if not keys:
        raise InputError(f"no image of the {part} part is given")
    said = [read_description(descriptions[key]) for key in keys]
    prepared = list(
        prepare_images((images[key] for key in keys), model.config.segment, encoder=model.encoder)
    )
    opinions = [model.labels.opinion(p.descriptors, p.patches) for p in prepared]
    trained = [
        read_description(descriptions[key])
        for key, p in sorted(model.split.items())
        if p == "train" and key in descriptions
    ]
    return {
        "part": part,
        "images": len(keys),
        "model": model.version,
        "labels": _labels(model, said, prepared, opinions, trained, seed),
        "regions": _regions(said, prepared, opinions, seed),
        "predicates": _predicates(model, said, prepared, opinions, seed),
    }


def _labels(
    model: SceneModel,
    said: Sequence[Described],
    prepared: Sequence[Prepared],
    opinions: Sequence[Floats],
    trained: Sequence[Described],
    seed: int,
) -> dict[str, Any]:
    """Image and label: is the label on the image?"""
    columns = [LABELS.index(label) for label in _COUNTED]
    truth = np.array([[label in d.labels for label in _COUNTED] for d in said])
    clear = np.array([[label not in d.unclear for label in _COUNTED] for d in said])
    scores = np.array([model.labels.calibrated(on_image(o))[columns] for o in opinions])
    common = np.array([np.mean([label in d.labels for d in trained]) for label in _COUNTED])
    rules = np.array(
        [np.isin(columns, labels_by_rules(p.descriptors)) for p in prepared], dtype=bool
    )
    decisions = {
        "model": scores > 0.5,
        "majority": np.broadcast_to(common > 0.5, truth.shape),
        "rules": rules,
    }
    right = {
        name: (np.where(clear, d == truth, 0).sum(axis=1) / clear.sum(axis=1))
        for name, d in decisions.items()
    }
    by = {
        label: _one_label(truth[:, c], clear[:, c], scores[:, c], decisions, c)
        for c, label in enumerate(_COUNTED)
    }
    occur = [figures for figures in by.values() if figures["positives"]]
    return {
        "n": int(clear.sum()),
        "macro_average_precision": _mean(occur, "average_precision"),
        "macro_prevalence": _mean(occur, "prevalence"),
        "macro_f1": {name: _mean(occur, f"f1_{name}") for name in decisions},
        "accuracy": {name: float(values.mean()) for name, values in right.items()},
        "standard_error": standard_error(right["model"]),
        "over_majority": _difference(right["model"], right["majority"], seed),
        "over_rules": _difference(right["model"], right["rules"], seed),
        "ece": ece(scores[clear], truth[clear]),
        "by_label": by,
    }


def _one_label(
    truth: Booleans,
    clear: Booleans,
    scores: Floats,
    decisions: Mapping[str, Booleans],
    column: int,
) -> dict[str, Any]:
    from sklearn.metrics import average_precision_score

    truth, scores = truth[clear], scores[clear]
    found: dict[str, Any] = {
        "n": int(clear.sum()),
        "positives": int(truth.sum()),
        "prevalence": float(truth.mean()) if truth.size else 0.0,
        "average_precision": float(average_precision_score(truth, scores)) if truth.any() else None,
    }
    for name, decided in decisions.items():
        chosen = decided[clear, column]
        found[f"f1_{name}"] = _f1(chosen, truth)
    for name, least in (("", 0.5), ("_known", KNOWN_PROBABILITY)):
        chosen = scores >= least
        hits = int((chosen & truth).sum())
        found[f"precision{name}"] = hits / int(chosen.sum()) if chosen.any() else None
        found[f"recall{name}"] = hits / int(truth.sum()) if truth.any() else None
    return found


def _f1(chosen: Booleans, truth: Booleans) -> float:
    total = int(chosen.sum() + truth.sum())
    return 2 * int((chosen & truth).sum()) / total if total else 1.0


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(np.mean([row[name] for row in rows])) if rows else 0.0


def _difference(ours: Floats, theirs: Floats, seed: int) -> dict[str, float | int]:
    found: Difference = paired_bootstrap(ours, theirs, seed=seed)
    return {"mean": found.mean, "low": found.low, "high": found.high, "units": found.units}


def singled_out(described: Described, regions: Sequence[Region]) -> dict[int, str]:
    """Return the regions whose label a description gives away by colour alone.

    A region counts if it is the only one of its colour (over 0.2 % of the image) and exactly one
    shape of the description, a single one, has this colour.

    Returns:
        Label by position of the region.
    """
    colours: dict[str, list[int]] = {}
    for position, region in enumerate(regions):
        if region.area >= 0.002 * region.mask.size:
            colours.setdefault(region.colour, []).append(position)
    named = Counter(colour for mention in described.mentions for colour in mention.colours)
    result = {}
    for mention in described.mentions:
        if len(mention.colours) != 1 or (mention.count != 1 and mention.label != "field"):
            continue
        colour = mention.colours[0]
        if named[colour] == 1 and len(colours.get(colour, ())) == 1:
            result[colours[colour][0]] = mention.label
    return result


def _regions(
    said: Sequence[Described],
    prepared: Sequence[Prepared],
    opinions: Sequence[Floats],
    seed: int,
) -> dict[str, Any]:
    """Region: which label? The majority is the most frequent gold label, an upper bound of it."""
    gold = [singled_out(d, p.regions) for d, p in zip(said, prepared, strict=True)]
    counts = Counter(label for found in gold for label in found.values())
    if not counts:
        return {"n": 0}
    majority = min(counts, key=lambda label: (-counts[label], label))
    right: dict[str, list[float]] = {"model": [], "majority": [], "rules": []}
    hits: Counter[str] = Counter()
    pooled: Counter[str] = Counter()
    for found, p, opinion in zip(gold, prepared, opinions, strict=True):
        if not found:
            continue
        ruled = labels_by_rules(p.descriptors)
        guesses = {
            "model": {n: LABELS[int(opinion[n].argmax())] for n in found},
            "majority": dict.fromkeys(found, majority),
            "rules": {n: LABELS[int(ruled[n])] for n in found},
        }
        for name, guess in guesses.items():
            correct = [guess[n] == label for n, label in found.items()]
            right[name].append(float(np.mean(correct)))
            pooled[name] += sum(correct)
        hits.update(label for n, label in found.items() if guesses["model"][n] == label)
    values = {name: np.array(of) for name, of in right.items()}
    total = sum(counts.values())
    return {
        "n": total,
        "images": len(values["model"]),
        "accuracy": {name: pooled[name] / total for name in right},
        "mean_over_images": {name: float(of.mean()) for name, of in values.items()},
        "standard_error": standard_error(values["model"]),
        "majority_label": majority,
        "over_majority": _difference(values["model"], values["majority"], seed),
        "over_rules": _difference(values["model"], values["rules"], seed),
        "recall_by_label": {
            label: {"n": n, "recall": hits[label] / n} for label, n in sorted(counts.items())
        },
    }


def _predicates(
    model: SceneModel,
    said: Sequence[Described],
    prepared: Sequence[Prepared],
    opinions: Sequence[Floats],
    seed: int,
) -> dict[str, Any]:
    """PredCls: boxes and labels of the described parts are given, predicates are ranked."""
    sets = [
        described_pairs(d, p.regions, assign(d, p.regions, np.log(np.clip(o, 1e-4, 1))))
        for d, p, o in zip(said, prepared, opinions, strict=True)
    ]
    sets = [s for s in sets if (s.predicate < len(DESCRIBED_PREDICATES)).any()]
    if not sets:
        return {"n": 0}
    found: dict[str, Any] = {"n": 0, "images": len(sets), "predicates": DESCRIBED_PREDICATES}
    rivals: dict[str, PredicateModel] = {
        "model": model.predicates,
        "frequency_prior": model.predicates.prior,
    }
    scored = {name: [_scored(rival, s) for s in sets] for name, rival in rivals.items()}
    for k in RECALL_AT:
        for suffix, constrained in (("", True), ("_unconstrained", False)):
            reports = {n: recall_at(of, k, constrained=constrained) for n, of in scored.items()}
            found["n"] = reports["model"].n
            found[f"recall_at_{k}{suffix}"] = {n: _recall(r) for n, r in reports.items()}
            found[f"mean_recall_at_{k}{suffix}"] = {n: r.mean_recall for n, r in reports.items()}
        each = {n: _by_image(of, k) for n, of in scored.items()}
        found[f"over_prior_at_{k}"] = _difference(each["model"], each["frequency_prior"], seed)
    return found


def _scored(model: PredicateModel, pairs: PairSet) -> ScoredImage:
    width = len(DESCRIBED_PREDICATES)
    gold = np.eye(width + 1, dtype=bool)[pairs.predicate][:, :width]
    return ScoredImage.of_pairs(model.joint(pairs), gold)


def _recall(report: RecallReport) -> dict[str, Any]:
    by = zip(DESCRIBED_PREDICATES, report.by_predicate.tolist(), strict=True)
    return {
        "recall": report.recall,
        "by_image": report.recall_by_image,
        "standard_error": report.standard_error,
        "by_predicate": {name: value for name, value in by if not np.isnan(value)},
    }


def _by_image(images: Sequence[ScoredImage], k: int) -> Floats:
    return np.array([recall_at([image], k, constrained=True).recall for image in images])
