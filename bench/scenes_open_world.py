"""Open world on VRD: 30 % of the predicates are never seen as labels and scored by their names.

Question: are novel predicates found well above chance and above plain text similarity? Rivals:
chance; the cosine of a predicate's name with the names of both classes; base predicates of a
trained model, weighted by the cosine of their names with the novel one; and Epic as in the paper,
with the encoder's vectors of names and entangled prompts. Command: ``python -m
bench.scenes_open_world VRD --out docs/benchmarks`` (about ten minutes on two free cores). Choices
were made on the held-out tenth of train with splits of seeds from 10 on (``--valid --first 10``).
Writes ``scenes-open-world.json`` and ``scenes-open-world.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.scenes_data import (
    Seeds,
    Vrd,
    command_of,
    gained,
    header,
    keep,
    measured,
    parser_of,
    per_cent,
    seeded,
)
from encoders import TextEncoder, packaged_text_encoder
from evaluation import Measurement, RunResult
from scenes.epic.config import EpicConfig
from scenes.epic.learner import OpenLearner
from scenes.epic.model import OpenModel, class_affinities
from scenes.epic.vocabulary_split import novel_predicates, only_predicates
from scenes.metrics import ScoredImage, recall, triplet_ranks
from scenes.relations.annotations import Vocabulary
from scenes.relations.pairs import PairTable, pair_table

__all__ = ["main", "page"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

METHODS: dict[str, str] = {
    "chance": "chance",
    "text": "cosine of the name with both classes",
    "nearest_base": "base predicates weighted by the cosine of names",
    "paper": "Epic as in the paper: vectors of names, entangled",
    "vectors": "Epic with vectors of names",
    "plain": "Epic with word hints, not entangled",
    "epic": "Epic with word hints, entangled (the default)",
}
_OURS = "epic"
_CONFIGS = {
    "paper": {"names": "vectors", "affinity": 0.0, "evenness": 0.0},
    "vectors": {"names": "vectors"},
    "plain": {"entangled": False},
}
_TEMPERATURE = 0.05  # of the cosines that weigh base predicates


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _World:
    """One split of the predicates, and the judged pairs."""

    data: Vrd
    novel: Flags
    pairs: PairTable
    encoder: TextEncoder
    seed: int

    def names(self, which: Flags) -> list[str]:
        return [n for n, on in zip(self.data.vocabulary.predicates, which, strict=True) if on]

    def trained(self, config: EpicConfig) -> OpenModel:
        base = only_predicates(self.data.train, ~self.novel)
        return OpenLearner(self.encoder, config).fit(base, self.data.vocabulary, seed=self.seed)

    def figures(self, scores: Floats, shown: Flags, judged: Flags) -> dict[str, float]:
        """Recall of the triplets of some predicates, others being candidates too."""
        said = (self.pairs.said & judged)[:, shown]
        images = [
            ScoredImage.of_pairs(*one)
            for one in zip(self.pairs.by_image(scores), _cut(self.pairs, said), strict=True)
        ]
        found = {}
        for suffix, constrained in (("", True), ("_unconstrained", False)):
            report = recall(triplet_ranks(images, constrained=constrained), 50)
            found[f"recall_at_50{suffix}"] = report.recall
            found[f"mean_recall_at_50{suffix}"] = report.mean_recall
            if constrained:
                found["recall_over_images_error"] = report.standard_error
        return found


def _cut(pairs: PairTable, rows: Flags) -> list[Flags]:
    return np.split(rows, pairs.starts[1:-1])


def _novel_scores(world: _World, config: EpicConfig) -> tuple[dict[str, Floats], OpenModel]:
    """Return of each method ``(rows, novel)`` scores among the novel, and our model."""
    pairs, novel = world.pairs, world.names(world.novel)
    rng = np.random.default_rng(world.seed)
    vocabulary = Vocabulary(world.data.vocabulary.objects, tuple(novel))
    near = class_affinities(vocabulary, world.encoder).T[pairs.labels].sum(axis=1)
    ours = world.trained(config)
    base = ours.with_predicates(world.names(~world.novel), world.encoder).log_predicates(pairs)
    cosines = (
        world.encoder.encode(novel).pooled
        @ world.encoder.encode(world.names(~world.novel)).pooled.T
    )
    weights = np.exp(cosines / _TEMPERATURE)
    weights /= weights.sum(axis=1, keepdims=True)
    found: dict[str, Floats] = {
        "chance": np.log(rng.dirichlet(np.ones(len(novel)), len(pairs)) + 1e-12),
        "text": near.astype(np.float64) - np.log(np.exp(near).sum(axis=1, keepdims=True)),
        "nearest_base": np.log(np.exp(base) @ weights.T + 1e-12),
        _OURS: ours.with_predicates(novel, world.encoder).log_predicates(pairs),
    }
    for name, changed in _CONFIGS.items():
        model = world.trained(replace(config, pair_epochs=0, **changed))  # type: ignore[arg-type]
        found[name] = model.with_predicates(novel, world.encoder).log_predicates(pairs)
    return found, ours


def result_of(
    data: Vrd, encoder: TextEncoder, config: EpicConfig, seeds: Seeds, command: str
) -> RunResult:
    """Judge every method on every split.

    Args:
        data: Train and judged images.
        encoder: Encodes names.
        config: Of our model.
        seeds: Of the splits and trainings.
        command: That makes the result again.
    """
    clock = Measurement.start()
    counts = pair_table(data.train, predicates=len(data.vocabulary.predicates)).said.sum(axis=0)
    pairs = pair_table(data.judged, predicates=len(data.vocabulary.predicates))
    runs: dict[str, list[dict[str, float]]] = {}
    by: dict[str, dict[str, dict[str, float]]] = {"run": {}, "novel": {}, "all": {}}
    every, n = np.ones(len(counts), dtype=bool), 0
    for seed in seeds:
        world = _World(
            data=data,
            novel=novel_predicates(counts, seed=seed),
            pairs=pairs,
            encoder=encoder,
            seed=seed,
        )
        held = int(pairs.said[:, world.novel].sum())
        n += held
        scores, ours = _novel_scores(world, config)
        annotated = ours.log_annotated(pairs)[:, None]
        for name in METHODS:
            found = world.figures(annotated + scores[name], world.novel, world.novel)
            alone = world.figures(scores[name], world.novel, world.novel)
            found |= {f"{key}_alone": alone[key] for key in ("recall_at_50", "mean_recall_at_50")}
            runs.setdefault(name, []).append(found)
            by["run"][f"{name} seed {seed}"] = {"n": held, **found}
            print(seed, name, {key: round(value, 3) for key, value in found.items()}, flush=True)
        whole = ours.with_predicates(data.vocabulary.predicates, encoder).log_predicates(pairs)
        for group, judged in (("novel", world.novel), ("base", ~world.novel), ("all", every)):
            runs.setdefault(f"all {group}", []).append(
                world.figures(annotated + whole, every, judged)
            )
    for name in METHODS:
        by["novel"][name] = {"n": n, **seeded(runs[name])}
    for group in ("novel", "base", "all"):
        by["all"][group] = {"n": len(seeds), **seeded(runs[f"all {group}"])}
    return measured(
        clock,
        data,
        command=command,
        protocol="open-world",
        seeds=seeds,
        n=n,
        metrics={key: value for key, value in by["novel"][_OURS].items() if key != "n"},
        by=by,
    )


def page(result: RunResult) -> str:
    """Return the page of a result; every figure comes from it."""
    splits = result.by["all"]["all"]["n"]
    keys = ("recall_at_50", "mean_recall_at_50")
    columns = [f"{key}{suffix}" for suffix in ("", "_unconstrained", "_alone") for key in keys]
    lines = [
        "# Relations in an open world\n",
        header(result),
        (
            f"In each of {splits} splits 21 of the 70 predicates, three of each ten by frequency, "
            "are novel: their triplets are taken out of train, and in test they are scored by "
            "their names alone, among the novel ones. All methods are multiplied by the same "
            'probability that a pair is annotated, learnt from base predicates; "alone" is '
            "without it. ± is the standard error over splits, which differ much by what is "
            "novel; so the gain of the default over each rival is taken split by split, and "
            "bold where it is beyond two standard errors.\n"
        ),
        (
            "| method | R@50 | mR@50 | R@50 unconstrained | mR@50 unconstrained | R@50 alone | "
            "mR@50 alone | gain R@50 | gain mR@50 |"
        ),
        "|---|" + "---|" * (len(columns) + len(keys)),
    ]
    for name, label in METHODS.items():
        cells = [per_cent(result.by["novel"][name], key) for key in columns]
        gain = gained(result, _OURS, name)
        cells += [per_cent(gain, key, signed=True) if name != _OURS else "—" for key in keys]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    lines += [
        "\nThe default with all 70 predicates as candidates, base and novel:\n",
        "| judged | R@50 | mR@50 | R@50 unconstrained | mR@50 unconstrained |",
        "|---|---|---|---|---|",
    ]
    for group, row in result.by["all"].items():
        cells = [per_cent(row, key) for key in columns[:4]]
        lines.append(f"| {group} | " + " | ".join(cells) + " |")
    lines.append(
        "\nWord hints are a table of some sixty English words (above: up; left: not right; sit: a "
        "posture), written by hand with the list of all 70 predicates and their counts in view, "
        "novel ones among them: what it gains over vectors of names is what such knowledge is "
        'worth. The vectors of a sentence encoder put "above" beside "below", and 49 names are too '
        "few to learn the difference."
    )
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = parser_of(__doc__, seeds=3)
    parser.add_argument("--first", type=int, default=0, help="seed of the first split")
    parser.add_argument("--members", type=int, default=EpicConfig().members)
    parser.add_argument("--cache", type=Path, help="keeps the encoder's vectors")
    given = parser.parse_args(argv)
    result = result_of(
        Vrd.read(given.vrd, valid=given.valid),
        packaged_text_encoder(given.cache),
        EpicConfig(members=given.members),
        range(given.first, given.first + given.seeds),
        command_of("bench.scenes_open_world", given, "seeds", "first", "members"),
    )
    keep(result, page(result), "scenes-open-world", given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
