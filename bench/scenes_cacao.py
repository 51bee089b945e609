"""CaCao's boosting on VRD: does it help any model of relations to find rare predicates?

Question: every learner with and without the annotations that the visually prompted language model
adds to train. The additions are made once (``--teacher-seed``), the learners are trained with each
seed. Command: ``python -m bench.scenes_cacao VRD --work WORK --out docs/benchmarks`` (the prompts
take a few minutes on a free core, every learner with five seeds an hour; WORK keeps both). Choices
were made on the held-out tenth of train (``--valid``). Writes ``scenes-cacao.json`` and
``scenes-cacao.md``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from api.steps.evaluate_relations import RelationKind, relation_learner
from bench.scenes_cacao_teacher import Teacher, boosted_train
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
from kg.files import sha256_of_text, write_json
from scenes.cacao.boosting import Boosted, BoostingConfig
from scenes.relations.annotations import AnnotatedImage
from scenes.relations.counts import TripletCounts
from scenes.relations.recall import figures_of, rank_relations

__all__ = ["Learners", "main", "page"]

_KINDS: tuple[RelationKind, ...] = ("network", "baseline", "context", "logistic", "prior")

_KEYS = {
    "recall_at_50": "R@50",
    "mean_recall_at_50": "mR@50",
    "zero_shot_recall_at_50_unconstrained": "zR@50 unconstrained",
    "tail": "R@50 of the rarest third",
}


class Learners:
    """Trains and judges learners; each run is kept, so that a bench that was stopped goes on.

    Args:
        data: Train and judged images.
        encoder: Encodes names.
        work: Folder of the runs.
    """

    def __init__(self, data: Vrd, encoder: TextEncoder, work: Path) -> None:
        self._data, self._encoder, self._work = data, encoder, work
        # what is rare and what is new is so in train as it is, not in the enlarged one
        self._known = TripletCounts.of(data.train, data.vocabulary)

    def figures(
        self, kind: RelationKind, images: Sequence[AnnotatedImage], seed: int
    ) -> dict[str, float]:
        """Return the figures of a learner that was trained on images; the prior has one seed."""
        seed = 0 if kind == "prior" else seed
        said = json.dumps([[image.name, image.triplets.tolist()] for image in images])
        judged = json.dumps([image.name for image in self._data.judged])
        kept = self._work / f"cacao-{kind}-{seed}-{sha256_of_text(said + judged)[:16]}.json"
        if kept.exists():
            found: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
            return found
        model = relation_learner(kind, self._encoder).fit(images, self._data.vocabulary, seed=seed)
        figures = figures_of(rank_relations(model, self._data.judged, counts=self._known))
        found = {key: figures.metrics[key] for key in _KEYS if key in figures.metrics}
        found["tail"] = figures.by["frequency"]["tail"]["recall_at_50"]
        write_json(kept, found)
        return found


def result_of(
    data: Vrd,
    boosted: Boosted,
    learners: Learners,
    kinds: Sequence[RelationKind],
    seeds: Seeds,
    command: str,
) -> RunResult:
    """Train every learner with and without the additions.

    Args:
        data: Train and judged images.
        boosted: The enlarged train.
        learners: Trains and judges them.
        kinds: Of learners.
        seeds: Of the trainings.
        command: That makes the result again.
    """
    clock = Measurement.start()
    by: dict[str, dict[str, dict[str, float]]] = {"run": {}, "learner": {}, "added": {}}
    for kind in kinds:
        for name, images in (("without", data.train), ("with", boosted.images)):
            runs = []
            for seed in seeds:
                runs.append(learners.figures(kind, images, seed))
                by["run"][f"{kind} {name} seed {seed}"] = {"n": len(data.judged), **runs[-1]}
                print(kind, name, seed, runs[-1], flush=True)
            by["learner"][f"{kind} {name}"] = {"n": len(seeds), **seeded(runs)}
    numbers = np.bincount(boosted.predicates, minlength=len(data.vocabulary.predicates))
    for number in np.argsort(-numbers, kind="stable").tolist():
        if numbers[number]:
            of = boosted.predicates == number
            by["added"][data.vocabulary.predicates[number]] = {
                "n": int(numbers[number]),
                "coarse": float(boosted.coarse[of].mean()),
            }
    return measured(
        clock,
        data,
        command=command,
        protocol="predcls",
        seeds=seeds,
        n=len(data.judged),
        metrics={"coarse": float(boosted.coarse.mean()) if len(boosted.rows) else 0.0},
        by=by,
    )


def page(result: RunResult) -> str:
    """Return the page of a result; every figure comes from it."""
    kinds = [kind for kind in _KINDS if f"{kind} with" in result.by["learner"]]
    most = sorted(result.by["added"].items(), key=lambda item: -item[1]["n"])[:12]
    added = [f"{name} {row['n']}" for name, row in most]
    number = sum(row["n"] for row in result.by["added"].values())
    lines = [
        "# More annotations for rare predicates (CaCao)\n",
        header(result),
        (
            f"The prompted language model adds {number:,} triplets to train, "
            f"{result.metrics['coarse']:.0%} of them to pairs that bore only a frequent predicate "
            f"and the others to pairs without any; most of all {', '.join(added)}. Every learner "
            "is trained on train as it is and on the enlarged train. ± is the standard error over "
            "seeds; a gain in bold is beyond two of them, others are not. The prior counts: "
            "nothing in it is random, so it has no such error. Guesses are ranked as they are: "
            "weighing them by how rare a predicate is (`Weighting`) makes the same trade of recall "
            "for mean recall without any annotation, and the two can be joined.\n"
        ),
        "| learner | " + " | ".join(_KEYS.values()) + " |",
        "|---|" + "---|" * len(_KEYS),
    ]
    for kind in kinds:
        without, boosted = (result.by["learner"][f"{kind} {n}"] for n in ("without", "with"))
        gain = gained(result, f"{kind} with", f"{kind} without")
        lines += [
            _row(f"{kind}, without", without),
            _row(f"{kind}, with", boosted),
            _row(f"{kind}, gain", gain, signed=True),
        ]
    return "\n".join(lines) + "\n"


def _row(name: str, row: Mapping[str, float], *, signed: bool = False) -> str:
    cells = [per_cent(row, key, signed=signed) if key in row else "—" for key in _KEYS]
    return f"| {name} | " + " | ".join(cells) + " |"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = parser_of(__doc__, seeds=5)
    parser.add_argument("--work", type=Path, required=True, help="keeps the trained prompts")
    parser.add_argument("--teacher-seed", type=int, default=0)
    parser.add_argument("--coarse-confidence", type=float, default=0.5)
    parser.add_argument("--bare-confidence", type=float, default=0.9)
    parser.add_argument("--most", type=float, default=1.0)
    parser.add_argument("--kinds", nargs="+", default=_KINDS)
    given = parser.parse_args(argv)
    data = Vrd.read(given.vrd, valid=given.valid)
    encoder = packaged_text_encoder(given.work)
    boosting = BoostingConfig(
        coarse_confidence=given.coarse_confidence,
        bare_confidence=given.bare_confidence,
        most=given.most,
    )
    taught = data if given.valid else Vrd.read(given.vrd, valid=True)
    teacher = Teacher.read_or_train(taught, encoder, given.work, seed=given.teacher_seed)
    given.kinds = " ".join(given.kinds)
    result = result_of(
        data,
        boosted_train(data, teacher, boosting, given.work),
        Learners(data, encoder, given.work),
        given.kinds.split(),
        range(given.seeds),
        command_of(
            "bench.scenes_cacao",
            given,
            *("seeds", "teacher_seed", "coarse_confidence", "bare_confidence", "most", "kinds"),
        ),
    )
    keep(result, page(result), "scenes-cacao", given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
