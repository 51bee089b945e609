"""`umbra train`: models that answer, on a snapshot of the graph."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra train
  umbra train --model symbolic --model rough --seed 1
  umbra train --estimate
  umbra train FOLDER --out models/mine
  umbra train NELL995 --out models/nell --seed 1

With a graph folder (train, valid and test.tsv.gz: head, relation, tail), the name of a data set
below UMBRA_DATA (FB15k-237, NELL995, WN18RR, DB15K, MKG-W) or demo (the graph of `umbra demo`), an
embedding, path rules and their calibrated mix are trained on its train and valid edges. A run that
was stopped goes on where it was.
Without one, the working folder's models are trained. A fresh snapshot is made of the graph as it
is; a checkpoint names the snapshot it belongs to.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        parents=[common],
        help="train the models that answer",
        description="Make a snapshot of the graph and train the models that answer.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("graph", nargs="?", help="graph folder, or the name of a data set")
    parser.add_argument(
        "--out",
        type=Path,
        help="where the model of a graph folder goes (default models/NAME)",
    )
    parser.add_argument(
        "--settings", type=Path, help="JSON file of settings of a graph folder's model, by part"
    )
    parser.add_argument(
        "--model",
        action="append",
        choices=("symbolic", "cone", "rough"),
        help="which model (default symbolic); may be given several times",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed (default 0)")
    parser.add_argument("--estimate", action="store_true", help="say the cost, do nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, or say what it would cost."""
    if arguments.graph is not None or arguments.out is not None:
        return _train_folder(arguments)
    from api.cli.printing import print_estimate, print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.snapshot import freeze
    from api.steps.train import estimate_training, train_model

    with Engine.open(arguments.folder) as engine:
        models = arguments.model or ["symbolic"]
        if arguments.estimate:
            print_estimate(estimate_training(engine, models), as_json=arguments.json)
            return 0
        with progress_bar("freezing the graph", "snapshots") as progress:
            freeze(engine)
            progress(1, 1)
        outcome: dict[str, Any] = {"snapshot": engine.snapshot.hash}
        for name in models:
            with progress_bar(f"training {name}", "steps") as progress:
                outcome[name] = train_model(engine, name, seed=arguments.seed, progress=progress)
    print_outcome("model", outcome, as_json=arguments.json)
    return 0


def _train_folder(arguments: argparse.Namespace) -> int:
    from api.cli.printing import print_outcome, progress_bars
    from api.data_sets import graph_folder
    from api.steps.train_folder import train_folder
    from kg.errors import SettingError

    if arguments.graph is None:
        raise SettingError(
            "--out is for the model of a graph folder", hint="name the folder: umbra train FOLDER"
        )
    if arguments.model or arguments.estimate:
        raise SettingError("--model and --estimate are for the working folder's models")
    graph = graph_folder(arguments.graph, working_folder=arguments.folder)
    name = Path(arguments.graph).name or graph.resolve().name
    out = arguments.out or Path("models") / name
    with progress_bars() as bars:
        outcome = train_folder(
            graph, out, seed=arguments.seed, settings=arguments.settings, bars=bars
        )
    print_outcome("model", outcome, as_json=arguments.json)
    return 0
