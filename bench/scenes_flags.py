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

from bench.flags.folds import FlagTexts, TwoArtists
from bench.flags.gold import LABELS, colours_of, labels_of, stars_of, stripes_of
from bench.flags.pictures import ARTISTS, Artist, prepared_artist
from bench.scenes_flags_page import page, result_of
from evaluation import Measurement
from kg.files import atomic_write
from scenes.lexicon import LABELS as REGION_LABELS
from scenes.model import Pixels
from scenes.tagging.decision import fit_decision
from scenes.tagging.evidence import COLOURS

__all__ = ["Told", "judge", "main"]

_PENALTY = 0.5  # of the evidence for labels

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Told = dict[str, Booleans]
"""What each method tells, ``(images, tags)``."""


def judge(
    flags: FlagTexts, learnt: Artist, seen: Artist, *, seed: int
) -> tuple[dict[str, Told], dict[str, NDArray[np.int64]]]:
    """Tell the tags of every flag of `seen` by what was learnt on `learnt` in the other folds.

    Returns:
        What each method tells of labels (careful and plain reading) and of colours; and the
        counted stars and stripes.
    """
    gold = _gold(flags.texts)
    count = len(flags.texts)
    told = {
        "careful": _nothing(gold["careful"], ("ours", "probe", "majority")),
        "plain": _nothing(gold["plain"], ("ours", "probe", "majority")),
        "colours": _nothing(gold["colours"], ("ours", "majority", "hsv")),
    }
    told["colours"]["hsv"] = np.array([_by_hsv(seen.images[key]) for key in flags.texts])
    counts = {"star": np.zeros(count, np.int64), "stripe": np.zeros(count, np.int64)}
    both = TwoArtists(flags, learnt, seen, seed=seed)
    shades = both.shades(tuple(COLOURS))
    for fold in both.folds():
        for reading in ("careful", "plain"):
            for column, label in enumerate(LABELS):
                given = [fold.mine[label], *(one[label] for one in fold.heard)]
                of = gold[reading][:, column]
                _decide(told[reading], column, of, fold.out, given, both.vectors, seed)
        for column, colour in enumerate(COLOURS):
            of = gold["colours"][:, column]
            _decide(told["colours"], column, of, fold.out, shades[colour], None, seed)
        for label, name in (("star", "star"), ("stripe", "band")):
            number = REGION_LABELS.index(name)
            for position in np.flatnonzero(fold.out).tolist():
                mean = np.mean([opinions[position] for opinions in fold.opinions], axis=0)
                counts[label][position] = int((mean.argmax(axis=1) == number).sum())
    return told, counts


def _gold(texts: Mapping[str, str]) -> dict[str, NDArray[np.int8]]:
    """Return ``(flags, tags)`` of both readings of labels, and of colours."""
    return {
        "careful": np.array([labels_of(text, careful=True) for text in texts.values()]),
        "plain": np.array([labels_of(text, careful=False) for text in texts.values()]),
        "colours": np.array([colours_of(text) for text in texts.values()]).astype(np.int8),
    }


def _nothing(gold: NDArray[np.int8], methods: Sequence[str]) -> Told:
    return {method: np.zeros(gold.shape, dtype=bool) for method in methods}


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
    flags = FlagTexts.read(given.data, most=given.most, seed=given.seed)
    texts = flags.texts
    artists = [prepared_artist(given.data, name, list(texts), given.cache) for name in ARTISTS]
    ways = {
        f"{ARTISTS[a]} to {ARTISTS[b]}": judge(flags, artists[a], artists[b], seed=given.seed)
        for a, b in ((0, 1), (1, 0))
    }
    counted = {
        "star": [stars_of(text) for text in texts.values()],
        "stripe": [stripes_of(text) for text in texts.values()],
    }
    result = result_of(ways, _gold(texts), counted, clock=clock, seed=given.seed)
    result.save(given.out / "scenes-flags.json")
    with atomic_write(given.out / "scenes-flags.md") as file:
        file.write(page(result).encode())
    print(page(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
