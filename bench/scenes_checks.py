"""Claims about flags judged by two witnesses, and predicates of photographs by their boxes.

Questions: of what texts claim, how much do two witnesses support or refute, and how often rightly;
how often does geometry rule out what annotators say (wrongly, then) and the same said the other way
round? True claims are those of a flag's own description, false ones those of a random other flag
that its own does not make (20 draws). Rivals: either witness alone, and both averaged. Five folds
by country as in `bench.scenes_flags`: learnt on svg-country-flags, judged on the held-out flags of
flag-icons. Command: ``python -m bench.scenes_checks --vrd ../shared/data/scenes/vrd`` (some four
minutes on one core). Writes ``scenes-checks.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.flags.folds import FlagTexts, TwoArtists
from bench.flags.gold import LABELS, colours_of, labels_of
from bench.flags.pictures import ARTISTS, Artist, prepared_artist
from bench.scenes_checks_page import METHODS, page
from evaluation import Measurement, RunResult
from kg.files import atomic_write
from scenes.relations.annotations import read_annotations, read_vocabulary
from scenes.relations.pairs import longer_side
from scenes.rulings import ruled_out
from scenes.tagging.evidence import COLOURS
from scenes.verification import claim_thresholds, fit_witness
from scenes.witnesses import PENALTIES, colour_witnesses

__all__ = ["main"]

CHECKED = tuple(colour for colour in COLOURS if colour != "orange")  # orange is the last
_DRAWS = 20
_FEWEST = 8
_COMMAND = "python -m bench.scenes_checks --vrd ../shared/data/scenes/vrd"

Floats = NDArray[np.float64]
Said = NDArray[np.int8]
"""``(flags, claims)``: 1 supported, -1 refuted, 0 uncertain."""


def judge(
    flags: FlagTexts, learnt: Artist, seen: Artist, seed: int
) -> dict[str, tuple[Said, dict[str, Said]]]:
    """Return the gold (1, 0, -1 left open) and what each method says, of labels and colours."""
    texts = flags.texts.values()
    gold = {
        "labels": np.array([labels_of(text, careful=True) for text in texts]),
        "colours": np.array([colours_of(text) for text in texts]).astype(np.int8)[
            :, : len(CHECKED)
        ],
    }
    said = {kind: {m: np.zeros_like(one) for m in METHODS} for kind, one in gold.items()}
    both = TwoArtists(flags, learnt, seen, seed=seed)
    shades = {name: list(map(colour_witnesses, of)) for name, of in both.shades(CHECKED).items()}
    for fold in both.folds():
        for column, label in enumerate(LABELS):
            witnesses = {
                "parts": (fold.mine[label], [one[label] for one in fold.heard]),
                "vector": (both.vectors[0], [both.vectors[1]]),
            }
            _tell(said["labels"], column, gold["labels"][:, column], fold.out, witnesses, seed)
        for column, colour in enumerate(CHECKED):
            first, second = shades[colour]
            witnesses = {name: (first[name], [second[name]]) for name in first}
            _tell(said["colours"], column, gold["colours"][:, column], fold.out, witnesses, seed)
    return {kind: (gold[kind], said[kind]) for kind in gold}


def _tell(
    said: Mapping[str, Said],
    column: int,
    gold: Said,
    out: NDArray[np.bool_],
    witnesses: Mapping[str, tuple[Floats, Sequence[Floats]]],
    seed: int,
) -> None:
    """Fit the witnesses of one claim outside a fold and hear them inside."""
    train = ~out & (gold >= 0)
    truth = gold[train] == 1
    if min(truth.sum(), (~truth).sum()) < _FEWEST:
        return  # all of it stays uncertain
    heard, unseen, alone = [], [], []
    for name, (own, others) in witnesses.items():
        witness = fit_witness(name, own[train], truth, penalty=PENALTIES[name], seed=seed)
        odds = [np.clip(witness.model.log_odds(other[out]), -7, 7) for other in others]
        heard.append(np.mean(odds, axis=0))
        unseen.append(witness.unseen)
        alone.append(_outcomes(heard[-1], (witness.refutes, witness.supports)))
    said["first alone"][out, column], said["second alone"][out, column] = alone
    said["both"][out, column] = np.where(alone[0] == alone[1], alone[0], 0)
    mean = claim_thresholds(np.mean(unseen, axis=0), truth)
    said["averaged"][out, column] = _outcomes(np.mean(heard, axis=0), mean)


def _outcomes(log_odds: Floats, thresholds: tuple[float, float]) -> Said:
    refutes, supports = thresholds
    return np.where(log_odds > supports, 1, np.where(log_odds < refutes, -1, 0)).astype(np.int8)


def figures_of(gold: Said, said: Said, others: NDArray[np.intp]) -> dict[str, float]:
    """Return precision and coverage of supported and refuted claims; `n` counts the true ones.

    Args:
        gold: ``(flags, claims)``: 1 claimed by the flag's own text, 0 not, -1 left open.
        said: ``(flags, claims)``: 1 supported, -1 refuted, 0 uncertain.
        others: ``(draws, flags)`` the other flag whose claims are put to each flag.
    """
    true = gold == 1
    false = np.sum([(gold == 0) & true[drawn] for drawn in others], axis=0) / len(others)
    counted = {
        "supported": (float(true[said == 1].sum()), float(false[said == 1].sum())),
        "refuted": (float(false[said == -1].sum()), float(true[said == -1].sum())),
    }
    whole = {"supported": float(true.sum()), "refuted": float(false.sum())}
    every = whole["supported"] + whole["refuted"]
    found = {"n": int(whole["supported"]), "true_share": whole["supported"] / every if every else 0}
    for name, (right, wrong) in counted.items():
        found[f"{name}_precision"] = right / (right + wrong) if right + wrong else 0.0
        found[f"{name}_coverage"] = right / whole[name] if whole[name] else 0.0
    return found


def ruled_share(folder: Path) -> dict[str, dict[str, float]]:
    """Count, of VRD's training triplets, what the boxes rule out as said and with roles swapped."""
    vocabulary = read_vocabulary(folder / "vocabulary.json")
    counts: dict[str, list[int]] = {}
    for image in read_annotations(folder / "train.jsonl.gz", vocabulary):
        boxes = [(x1, y1, x2, y2) for x1, y1, x2, y2 in image.boxes.tolist()]
        side = longer_side(image)
        for s, p, o in image.triplets.tolist():
            name = vocabulary.predicates[p]
            row = counts.setdefault(name, [0, 0, 0])
            row[0] += 1
            row[1] += ruled_out(name, boxes[s], boxes[o], side=side) is not None
            row[2] += ruled_out(name, boxes[o], boxes[s], side=side) is not None
    ruled = {name: row for name, row in counts.items() if row[1] + row[2]}
    return {
        name: {"n": n, "as_said": as_said / n, "swapped": swapped / n}
        for name, (n, as_said, swapped) in sorted(ruled.items(), key=lambda one: -one[1][0])
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("examples/countries"))
    parser.add_argument("--vrd", type=Path, required=True, help="folder of VRD's annotations")
    parser.add_argument("--cache", type=Path, help="folder for encoded pictures")
    parser.add_argument("--most", type=int, help="flags to take, for a first look")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    given = parser.parse_args(argv)
    clock = Measurement.start()
    by: dict[str, dict[str, dict[str, float]]] = {"geometry": ruled_share(given.vrd)}
    flags = FlagTexts.read(given.data, most=given.most, seed=given.seed)
    texts = list(flags.texts)
    learnt, seen = (prepared_artist(given.data, one, texts, given.cache) for one in ARTISTS)
    judged = judge(flags, learnt, seen, given.seed)
    generator = np.random.default_rng(given.seed)
    count = len(texts)
    others = (np.arange(count) + generator.integers(1, count, (_DRAWS, count))) % count
    metrics: dict[str, float] = {}
    for kind, (gold, methods) in judged.items():
        by[kind] = {name: figures_of(gold, one, others) for name, one in methods.items()}
        both = by[kind]["both"].items()
        metrics |= {f"{kind}_{name}": share for name, share in both if name != "n"}
        for column, claim in enumerate(LABELS if kind == "labels" else CHECKED):
            place = np.s_[:, column : column + 1]
            by[f"{kind}_each"] = by.get(f"{kind}_each", {}) | {
                claim: figures_of(gold[place], methods["both"][place], others)
            }
    result = RunResult.measured(
        clock,
        command=f"{_COMMAND} --seed {given.seed}",
        seed=given.seed,
        protocol="scenes-checks",
        n=count,
        metrics=metrics,
        by=by,
    )
    result.save(given.out / "scenes-checks.json")
    with atomic_write(given.out / "scenes-checks.md") as file:
        file.write(page(result).encode())
    print(page(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
