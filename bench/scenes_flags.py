"""Labels and colours of flags against their descriptions, trained on one artist, tested on another.

Question: which of eight labels and seven colours are on a flag, as the Factbook describes it?
Rivals: the majority, a linear probe on image vectors (labels), and plain thresholds on hue,
saturation and value (colours). Five folds by country, flags drawn alike in one fold, stratified by
label, predictions pooled; regions, decisions and thresholds are learnt from the other folds of one
artist and judged on the held-out fold of the other. Command: ``python -m bench.scenes_flags
--out docs/benchmarks`` (some six minutes on one core). Writes ``scenes-flags.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.flags.gold import LABELS, POINTS_ELSEWHERE, colours_of, labels_of, stars_of, stripes_of
from bench.flags.pictures import ARTISTS, Artist, descriptions, prepared_artist, tied
from bench.scenes_flags_page import page, result_of
from evaluation import Measurement
from kg.files import atomic_write
from scenes.label_training import Example, LabelConfig, train_labels
from scenes.lexicon import LABELS as REGION_LABELS
from scenes.model import Pixels
from scenes.network import NetworkConfig
from scenes.splits import stratified_folds
from scenes.tagging.decision import fit_decision
from scenes.tagging.evidence import COLOURS, TAGS, colour_evidence, tag_evidence
from scenes.tagging.round_figures import round_evidence
from scenes.wording import read_description

__all__ = ["FOLDS", "Told", "evidence_of", "judge", "main", "opinions_of"]

FOLDS = 5
_TRAINING = LabelConfig(network=NetworkConfig(members=2), folds=2)
_PENALTY = 0.5  # of the evidence for labels

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Told = dict[str, Booleans]
"""What each method tells, ``(images, tags)``."""


def judge(
    texts: Mapping[str, str], learnt: Artist, seen: Artist, folds: Mapping[str, int], *, seed: int
) -> tuple[dict[str, Told], dict[str, NDArray[np.int64]]]:
    """Tell the tags of every flag of `seen` by what was learnt on `learnt` in the other folds.

    Returns:
        What each method tells of labels (careful and plain reading) and of colours; and the
        counted stars and stripes.
    """
    keys = list(texts)
    careful = np.array([labels_of(texts[key], careful=True) for key in keys])
    plain = np.array([labels_of(texts[key], careful=False) for key in keys])
    colours = np.array([colours_of(texts[key]) for key in keys]).astype(np.int8)
    fold_of = np.array([folds[key] for key in keys])
    vectors = [np.array([artist.vectors[key] for key in keys]) for artist in (learnt, seen)]
    told = {
        "careful": _nothing(careful, ("ours", "probe", "majority")),
        "plain": _nothing(plain, ("ours", "probe", "majority")),
        "colours": _nothing(colours, ("ours", "majority", "hsv")),
    }
    told["colours"]["hsv"] = np.array([_by_hsv(seen.images[key]) for key in keys])
    counts = {"star": np.zeros(len(keys), np.int64), "stripe": np.zeros(len(keys), np.int64)}
    shades = [
        [colour_evidence(artist.images[key], artist.prepared[key].regions) for key in keys]
        for artist in (learnt, seen)
    ]
    shapes = [
        [round_evidence(artist.prepared[key].regions) for key in keys] for artist in (learnt, seen)
    ]
    for fold in range(FOLDS):
        out = fold_of == fold
        ours, theirs = opinions_of(texts, learnt, seen, out, seed)
        mine = evidence_of(ours, learnt, keys, shapes[0])
        by_model = [evidence_of(opinions, seen, keys, shapes[1]) for opinions in theirs]
        for reading, gold in (("careful", careful), ("plain", plain)):
            for column, label in enumerate(LABELS):
                given = [mine[label], *(one[label] for one in by_model)]
                _decide(told[reading], column, gold[:, column], out, given, vectors, seed)
        for column, colour in enumerate(COLOURS):
            given = [np.array([one[colour] for one in of]) for of in shades]
            _decide(told["colours"], column, colours[:, column], out, given, None, seed)
        for label, name in (("star", "star"), ("stripe", "band")):
            number = REGION_LABELS.index(name)
            for position in np.flatnonzero(out):
                both = np.mean([opinions[position] for opinions in theirs], axis=0)
                counts[label][position] = int((both.argmax(axis=1) == number).sum())
        print(f"fold {fold + 1} of {FOLDS}", file=sys.stderr)
    return told, counts


def _nothing(gold: NDArray[np.int8], methods: Sequence[str]) -> Told:
    return {method: np.zeros(gold.shape, dtype=bool) for method in methods}


def opinions_of(
    texts: Mapping[str, str], learnt: Artist, seen: Artist, out: Booleans, seed: int
) -> tuple[list[Floats], list[list[Floats]]]:
    """What each region looks like, by models that were not trained on its flag.

    Two models, each of half of the training flags: each tells the other half, and both tell the
    held-out flags of the other artist, each for itself: their mean would be less sure of itself
    than what decisions are learnt from.
    """
    keys = list(texts)
    examples = [
        [
            Example(
                regions=p.regions,
                descriptors=p.descriptors,
                described=read_description(texts[key]),
                patches=p.patches,
            )
            for key in keys
            for p in [artist.prepared[key]]
        ]
        for artist in (learnt, seen)
    ]
    inside = np.flatnonzero(~out)
    halves = (inside[0::2], inside[1::2])
    ours: list[Floats] = [np.empty((0, len(REGION_LABELS)))] * len(keys)
    theirs = []
    for half, rest in (halves, halves[::-1]):
        train = [examples[0][n] for n in half if examples[0][n].described.usable]
        model, _ = train_labels(train, [], _TRAINING, seed=seed)
        told = [np.empty((0, len(REGION_LABELS)))] * len(keys)
        for n in np.flatnonzero(out):
            told[n] = model.opinion(examples[1][n].descriptors, examples[1][n].patches)
        theirs.append(told)
        for n in rest:
            ours[n] = model.opinion(examples[0][n].descriptors, examples[0][n].patches)
    return ours, theirs


def evidence_of(
    opinions: Sequence[Floats], artist: Artist, keys: Sequence[str], shapes: Sequence[Floats]
) -> Mapping[str, Floats]:
    """Return ``(images, numbers)`` of each label; zeros where there is no opinion."""
    found = [
        tag_evidence(opinion, artist.prepared[key].regions, shape) if len(opinion) else None
        for opinion, key, shape in zip(opinions, keys, shapes, strict=True)
    ]
    first = next(one for one in found if one is not None)
    nothing = {tag: np.zeros_like(one) for tag, one in first.items()}
    return {tag: np.array([(one or nothing)[tag] for one in found]) for tag in TAGS}


def _decide(
    told: Told,
    column: int,
    gold: NDArray[np.int8],
    out: Booleans,
    evidence: Sequence[Floats],
    vectors: Sequence[Floats] | None,
    seed: int,
) -> None:
    """Learn one tag outside a fold and tell it inside, by every method.

    The first of `evidence` is learnt from; the others, of the images that are judged, are heard
    alike.
    """
    train = ~out & (gold >= 0)
    truth = gold[train] == 1
    told["majority"][out, column] = truth.mean() > 0.5
    if vectors is None:
        decision = fit_decision(evidence[0][train], truth, seed=seed)
        told["ours"][out, column] = decision.tells(evidence[1][out])
        return
    decision = fit_decision(
        evidence[0][train], truth, vectors[0][train], penalty=_PENALTY, seed=seed
    )
    heard = [decision.log_odds(one[out], vectors[1][out]) for one in evidence[1:]]
    told["ours"][out, column] = np.mean(heard, axis=0) > decision.threshold
    probe = fit_decision(vectors[0][train], truth, seed=seed)
    told["probe"][out, column] = probe.tells(vectors[1][out])


_HUES = {"red": ((0, 12), (232, 256)), "orange": ((12, 26),), "yellow": ((26, 48),)}
_HUES |= {"green": ((48, 120),), "blue": ((120, 200),)}
_LEAST_SHARE = 0.01


def _by_hsv(image: Pixels) -> Booleans:
    """Colours of more than a hundredth of the pixels, by hue, saturation and value."""
    from PIL import Image

    hue, saturation, value = np.asarray(Image.fromarray(image).convert("HSV")).transpose(2, 0, 1)
    vivid = (saturation > 80) & (value > 60)
    masks = {
        name: vivid & np.any([(hue >= low) & (hue < high) for low, high in spans], axis=0)
        for name, spans in _HUES.items()
    }
    masks |= {"white": (saturation < 50) & (value > 190), "black": value < 60}
    return np.array([masks[colour].mean() > _LEAST_SHARE for colour in COLOURS])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("examples/countries"))
    parser.add_argument("--cache", type=Path, help="folder for encoded pictures")
    parser.add_argument("--most", type=int, help="flags to take, for a first look")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    given = parser.parse_args(argv)
    clock = Measurement.start()
    said = descriptions(given.data)
    keys = [key for key in sorted(said) if not POINTS_ELSEWHERE.match(said[key].lower())]
    texts = {key: said[key] for key in keys[: given.most]}
    labels = {
        key: frozenset(np.array(list(LABELS))[labels_of(text, careful=False) == 1].tolist())
        for key, text in texts.items()
    }
    folds = stratified_folds(labels, FOLDS, tied=tied(given.data), seed=given.seed)
    artists = [prepared_artist(given.data, name, list(texts), given.cache) for name in ARTISTS]
    ways = {
        f"{ARTISTS[a]} to {ARTISTS[b]}": judge(
            texts, artists[a], artists[b], folds, seed=given.seed
        )
        for a, b in ((0, 1), (1, 0))
    }
    gold = {
        "careful": np.array([labels_of(text, careful=True) for text in texts.values()]),
        "plain": np.array([labels_of(text, careful=False) for text in texts.values()]),
        "colours": np.array([colours_of(text) for text in texts.values()]).astype(np.int8),
    }
    counted = {
        "star": [stars_of(text) for text in texts.values()],
        "stripe": [stripes_of(text) for text in texts.values()],
    }
    result = result_of(ways, gold, counted, clock=clock, seed=given.seed)
    result.save(given.out / "scenes-flags.json")
    with atomic_write(given.out / "scenes-flags.md") as file:
        file.write(page(result).encode())
    print(page(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
