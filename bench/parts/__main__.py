"""Parts as answers: what an encoder, a rim and the owners' loss add to cones, beside baselines.

Question: on a graph whose images have parts, with labels and scene predicates held out, how well do
ConE, RConE, a plain classifier over the same features and rough truth find the parts that answer?
Rivals: ConE trained alike with a free vector for each part; RConE without each of its pieces.
Sets: ``--vrd FOLDER`` with VRD's scenes, or ``--umbra .umbra`` for the graph that ``make demo``
leaves. A seed draws the held-out edges (12 % of labels, 10 % of predicates, by hash), the questions
and the weights. ``--split valid`` holds out as many edges more of what is left, and looks for
those: all settings were chosen there. A rival that was run before is read from ``--work``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.parts.graph import PartWorld, held_out, umbra_world, vrd_world
from bench.parts.page import Units, page, summary
from bench.parts.questions import question_sets, ranked
from bench.parts.rivals import baselines, cone_rivals, training_config
from evaluation import Measurement, RunResult
from evaluation.significance import standard_error
from kg.files import read_json, write_json

__all__ = ["LABELS", "PREDICATES", "main", "read_units"]

LABELS, PREDICATES = 0.12, 0.10
"""Shares of edges that are held out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one seed is run with.

    Attributes:
        name: Of the graph.
        graph: The option that names the graph.
        seed: Of everything.
        split: ``test`` or ``valid``.
        steps: Training steps of each kind of cones.
        start_scale: See `ConeTrainingConfig`.
        questions: Most questions of a kind.
    """

    name: str
    graph: str
    seed: int
    split: str
    steps: int
    start_scale: float
    questions: int


def units_of(world: PartWorld, run: Run, work: Path) -> Units:
    """Train all rivals and return one value a unit for each of them, question and measure.

    What each rival found is kept in `work`, so that a run that was ended goes on behind it.
    """
    shares = {"labels": LABELS, "predicates": PREDICATES, "seed": run.seed}
    hidden = held_out(world, **shares, role="test")
    full = world.full
    if run.split == "valid":
        full = full.keeping(~hidden)
        hidden = hidden | held_out(world, **shares, role="valid")
    known = world.full.keeping(~hidden)
    sets = question_sets(world, full, known, count=run.questions, seed=run.seed)
    config = training_config(steps=run.steps, start_scale=run.start_scale)
    units: dict[str, NDArray[np.float64]] = {}
    rivals = {
        **baselines(world, known, seed=run.seed),
        **cone_rivals(world, known, config, seed=run.seed),
    }
    for rival, made in rivals.items():
        kept = work / f"{rival}.npz"
        if not kept.exists():
            scores_of = made()
            found = {
                f"{rival}/{questions.name}/{measure}": values
                for questions in sets
                for measure, values in asdict(ranked(questions, full, scores_of)).items()
            }
            np.savez_compressed(kept, **found)
            print(f"seed {run.seed}: {rival}", flush=True)
        units |= read_units(kept)
    return units


def read_units(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read what `units_of` kept."""
    with np.load(path, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def result(units: Units, run: Run, inputs: Mapping[str, str], clock: Measurement) -> RunResult:
    """Return the figures of one seed."""
    by: dict[str, dict[str, dict[str, float]]] = {"within_image": {}, "end_to_end": {}}
    metrics: dict[str, list[float]] = {}
    for key, values in units.items():
        rival, question, measure = key.split("/")
        view = "within_image" if measure.startswith("within") else "end_to_end"
        figure = "hits_at_1" if measure.endswith("first") else "mrr"
        cell = by[view].setdefault(question, {"n": len(values)})
        cell[f"{figure}_{rival}"] = float(values.mean())
        cell[f"{figure}_{rival}_standard_error"] = standard_error(values)
        metrics.setdefault(f"{figure}_{view}_{rival}", []).append(float(values.mean()))
    return RunResult.measured(
        clock,
        command=f"python -m bench.parts {run.graph} --split {run.split} --steps {run.steps} "
        f"--start-scale {run.start_scale} --questions {run.questions}",
        protocol=f"parts-{run.name}-{run.split}",
        n=sum(part["n"] for part in by["within_image"].values()),
        metrics={key: float(np.mean(values)) for key, values in metrics.items()},
        seed=run.seed,
        inputs=inputs,
        by=by,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    graph = parser.add_mutually_exclusive_group(required=True)
    graph.add_argument("--vrd", type=Path, help="folder of VRD's scenes")
    graph.add_argument("--umbra", type=Path, help="folder of a finished demo")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0, help="seeds may run side by side")
    parser.add_argument("--split", choices=("test", "valid"), default="test")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--start-scale", type=float, default=0.3)
    parser.add_argument("--questions", type=int, default=100, help="most questions of a kind")
    parser.add_argument("--images", type=int, help="take only the first images of VRD")
    parser.add_argument("--work", type=Path, default=Path("build/parts"))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)  # several runs share a machine; one thread also repeats to the byte
    if arguments.vrd is not None:
        name = "vrd" if arguments.images is None else f"vrd-{arguments.images}"
        graph_option = f"--vrd {arguments.vrd}"
        if arguments.images is not None:
            graph_option += f" --images {arguments.images}"
        world = vrd_world(arguments.vrd, images=arguments.images)
    else:
        name, graph_option = "umbra", f"--umbra {arguments.umbra}"
        world = umbra_world(arguments.umbra)
    results, units = [], []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        run = Run(
            name=name,
            graph=graph_option,
            seed=seed,
            split=arguments.split,
            steps=arguments.steps,
            start_scale=arguments.start_scale,
            questions=arguments.questions,
        )
        clock, used = Measurement.start(), time.process_time()
        work = arguments.work / f"{name}-{run.split}-{run.steps}-{run.questions}-seed{seed}"
        work.mkdir(parents=True, exist_ok=True)
        found = units_of(world, run, work)
        kept = work / "result.json"
        if not kept.exists():
            result(found, run, world.inputs, clock).save(kept)
        units.append(found)
        results.append(RunResult.from_json(read_json(kept, kind="result")))
        print(f"seed {seed}: {time.process_time() - used:.0f} processor seconds", flush=True)
    text = page(name, results, units)
    print(text)
    if arguments.out is not None:
        for one in results:
            one.save(arguments.out / f"parts-{name}-seed{one.seed}.json")
        write_json(arguments.out / f"parts-{name}-summary.json", summary(units))
        (arguments.out / f"parts-{name}.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
