"""`umbra train`: models that answer, on a snapshot of the graph."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra train
  umbra train --model symbolic --model rough --seed 1
  umbra train --estimate

A fresh snapshot is made of the graph as it is; a checkpoint names the snapshot it belongs to.
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
    from api.cli.printing import print_estimate, print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.snapshot import freeze
    from api.steps.train import estimate_training, train_model

    with Engine.open(arguments.folder) as engine:
        models = arguments.model or ["symbolic"]
        if arguments.estimate:
            print_estimate(estimate_training(engine, models), as_json=arguments.json)
            return 0
        freeze(engine)
        outcome: dict[str, Any] = {"snapshot": engine.snapshot.hash}
        for name in models:
            with progress_bar(f"training {name}", "steps") as progress:
                outcome[name] = train_model(engine, name, seed=arguments.seed, progress=progress)
    print_outcome("model", outcome, as_json=arguments.json)
    return 0
