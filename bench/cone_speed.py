"""How many training samples a second: our ConE against the public training loop, on one CPU.

Question: at the same batch, negatives, dimension and layers, how fast is a step, and why?
Rival: the `train_step` of a checkout that the reader makes of ConE's public code
(MIRALab-USTC/QE-ConE, a fork of KGReasoning) or of snap-stanford/KGReasoning itself, which has no
cones: its BetaE is timed then. None of its code is kept here.
Command: ``python -m bench.cone_speed --graph ../shared/data/kgqa/fb15k-237 --kgreasoning DIR --out
docs/benchmarks/cone-speed.json`` (about five minutes; without ``--kgreasoning`` ours alone). Steps
alternate after one of each that is not counted, on one thread, in processor seconds, so that other
work on the machine does not count. A sample is a query with one answer and its
negatives. ``own`` draws negatives for each query, as the public code does; ``shared`` lets the
queries of a batch share them, which gives as many comparisons for a hundredth of the axes to read.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from evaluation import Measurement, current_commit, this_machine
from kg.files import write_json
from kg.graph_folder import load_graph_folder
from kg.snapshot import Snapshot
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.model import ConeModel
from reasoning.cones.steps import TrainingStep
from reasoning.cones.uniform_batches import UniformPlan
from reasoning.id_sets import directed_edges
from reasoning.sampling import QuerySet, sample_queries
from reasoning.structures import STRUCTURES

__all__ = ["main"]

_STRUCTURES = ("1p", "2p", "3p", "2i", "3i")
_SHOWN = 12

Step = Callable[[], float]
"""Draws a batch, makes one step of Adam and returns the loss."""


def our_step(
    training: Snapshot,
    queries: Sequence[QuerySet],
    config: ConeTrainingConfig,
    seed: int,
    *,
    shared: bool,
) -> Step:
    """Return a step of ours, as `reasoning.cones.fitting` makes it."""
    torch.manual_seed(seed)
    model = ConeModel(training.num_entities, 2 * training.num_relations, config.model)
    plan = UniformPlan(training, queries, replace(config.batches, shared=shared))
    step = TrainingStep(model, training, config)
    adam = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    draw, hiding = np.random.default_rng(seed), torch.Generator().manual_seed(seed)

    def made() -> float:
        adam.zero_grad()
        loss = step.loss(plan.draw(draw), hiding)
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        return loss.item()

    return made


_NESTED = {
    "1p": ("e", ("r",)),
    "2p": ("e", ("r", "r")),
    "3p": ("e", ("r", "r", "r")),
    "2i": (("e", ("r",)), ("e", ("r",))),
    "3i": (("e", ("r",)), ("e", ("r",)), ("e", ("r",))),
}
"""How the public code writes the structures."""


def public_step(
    checkout: Path,
    training: Snapshot,
    queries: Sequence[QuerySet],
    config: ConeTrainingConfig,
) -> Step:
    """Return a step of the public code over the same queries, with its own loader."""
    if not hasattr(np, "in1d"):  # it asks numpy for a name of old
        setattr(np, "in1d", np.isin)  # noqa: B010
    sys.path.insert(0, str(checkout))
    models, loader = importlib.import_module("models"), importlib.import_module("dataloader")
    shape, batches = config.model.shape, config.batches
    settings: dict[str, Any] = {
        "nentity": training.num_entities,
        "nrelation": 2 * training.num_relations,
        "hidden_dim": shape.dim,
        "gamma": config.model.margin,
        "query_name_dict": {nested: name for name, nested in _NESTED.items()},
    }
    if "geo" in inspect.signature(models.KGReasoning.__init__).parameters:
        settings |= {"geo": "beta", "beta_mode": (shape.hidden, shape.layers)}
    else:
        settings |= {"center_reg": shape.inside_weight, "drop": shape.dropout}
    model = models.KGReasoning(**settings)
    asked, answers = [], {}
    for one in queries:
        nested = _NESTED[one.structure.name]
        for row in range(len(one)):
            query = _nested(one, row)
            asked.append((query, nested))
            answers[query] = set(one.easy[row].tolist())
    data = loader.TrainDataset(
        asked, training.num_entities, 2 * training.num_relations, batches.own, answers
    )
    batches_of = torch.utils.data.DataLoader(
        data, batch_size=batches.queries, shuffle=True, collate_fn=loader.TrainDataset.collate_fn
    )
    iterator = loader.SingledirectionalOneShotIterator(batches_of)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    adam = torch.optim.Adam(trained, lr=config.learning_rate)
    arguments = argparse.Namespace(cuda=False)
    return lambda: float(model.train_step(model, adam, iterator, arguments, 0)["loss"])


def _nested(queries: QuerySet, row: int) -> Any:
    """Return a query as the public code writes it: hops of a path in the order they are made."""
    anchors, relations = queries.anchors[row].tolist(), queries.relations[row].tolist()
    if len(anchors) == 1:
        return (anchors[0], tuple(reversed(relations)))
    return tuple((anchor, (relation,)) for anchor, relation in zip(anchors, relations, strict=True))


def timed(steps: dict[str, Step], count: int) -> dict[str, list[float]]:
    """Return processor seconds of `count` steps of each, in turn, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(count + 1):
        for name, step in steps.items():
            start = time.process_time()
            loss = step()
            if not np.isfinite(loss):
                raise RuntimeError(f"{name} lost its way: a loss of {loss}")
            if number:
                seconds[name].append(time.process_time() - start)
    return seconds


def profiled(step: Step) -> list[dict[str, Any]]:
    """Return the operators that take most of a step's processor time."""
    with profile(activities=[ProfilerActivity.CPU]) as found:
        step()
    events = sorted(found.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    return [
        {
            "operator": event.key,
            "calls": event.count,
            "share": round(event.self_cpu_time_total / total, 3),
            "milliseconds": round(event.self_cpu_time_total / 1e3, 1),
        }
        for event in events[:_SHOWN]
    ]


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the bench and return what it found."""
    torch.set_num_threads(1)
    training = load_graph_folder(arguments.graph).train
    edges = directed_edges(training)
    draw = np.random.default_rng(arguments.seed)
    queries = [
        sample_queries(STRUCTURES[name], arguments.queries, edges, generator=draw)
        for name in _STRUCTURES
    ]
    config = ConeTrainingConfig.published(dim=arguments.dim, layers=2)
    batches = replace(config.batches, queries=arguments.batch, own=arguments.negatives)
    config = replace(config, batches=batches)
    steps = {
        f"ours_{name}": our_step(training, queries, config, arguments.seed, shared=shared)
        for name, shared in (("own", False), ("shared", True))
    }
    if arguments.kgreasoning is not None:
        steps["public"] = public_step(arguments.kgreasoning, training, queries, config)
    seconds = timed(steps, arguments.steps)
    rates = {name: arguments.batch / float(np.median(times)) for name, times in seconds.items()}
    return {
        "samples_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "times_the_public_rate": {
            name: round(rate / rates["public"], 2)
            for name, rate in rates.items()
            if "public" in rates and name != "public"
        },
        "seconds": {name: [round(one, 3) for one in times] for name, times in seconds.items()},
        "profile": {name: profiled(step) for name, step in steps.items()},
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graph", type=Path, required=True, help="folder with train.tsv.gz")
    parser.add_argument("--kgreasoning", type=Path, help="a checkout of the public code")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--negatives", type=int, default=128)
    parser.add_argument("--dim", type=int, default=400)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--queries", type=int, default=5000, help="queries of each structure")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args(argv)
    found = {
        "command": f"python -m bench.cone_speed --graph FOLDER --kgreasoning DIR --batch "
        f"{arguments.batch} --negatives {arguments.negatives} --dim {arguments.dim} --queries "
        f"{arguments.queries} --steps {arguments.steps} --seed {arguments.seed}",
        "commit": current_commit(),
        "machine": asdict(this_machine()),
        "date": Measurement.start().date,
    } | measured(arguments)
    for name, rate in found["samples_per_second"].items():
        print(f"{name:12} {rate:10.1f} samples/s")
        for line in found["profile"][name][:5]:
            print(f"    {line['share']:6.1%} {line['milliseconds']:9.1f} ms  {line['operator']}")
    if arguments.out is not None:
        write_json(arguments.out, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
