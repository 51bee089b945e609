"""`umbra scenes`: the images of the graph's entities into parts and relations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from api.cli import (
    scenes_boost,
    scenes_check,
    scenes_evaluate,
    scenes_ground,
    scenes_import,
    scenes_like,
    scenes_sheet,
)

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra scenes run --descriptions examples/countries/flag_descriptions.jsonl.gz
  umbra scenes run --label Image --detector models/detr
  umbra scenes run --label Logo --detector flat
  umbra scenes run --engine ray --workers 8
  umbra scenes run --estimate

With --descriptions a model is trained first; without, the model trained last is used. A newer
model replaces its own output and nobody else's. --detector is a directory or hub id of an object
detector of transformers (DETR, YOLOS …); none comes with Umbra. --detector flat needs neither
texts nor weights: it finds the parts of flat-coloured images, their colours and how they lie, and
labels none.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("scenes", help="take images apart into parts and relations")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    job = actions.add_parser(
        "run",
        parents=[common],
        help="take the images of the graph apart",
        description="Take the images of the graph's entities apart.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    job.add_argument("--label", default="Country", help="whose images (default Country)")
    job.add_argument("--descriptions", type=Path, help="JSONL of entity_id and description")
    job.add_argument(
        "--detector",
        metavar="NAME",
        help="take photographs apart by an object detector instead; flat: plain parts, no labels",
    )
    job.add_argument(
        "--key",
        default="country:{entity_id}",
        help="how entity_id makes a key (default country:{entity_id})",
    )
    job.add_argument("--drawn-alike", type=Path, help="JSON with sets of equal pictures")
    job.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="who does the work (default local; ray: the extra 'ray'; RAY_ADDRESS names a cluster)",
    )
    job.add_argument("--workers", type=int, default=1, help="actors of Ray's (default 1)")
    job.add_argument("--estimate", action="store_true", help="say the cost, do nothing")
    job.set_defaults(run=run)
    scenes_boost.add_parser(actions)
    scenes_check.add_parser(actions, common)
    scenes_evaluate.add_parser(actions)
    scenes_import.add_parser(actions, common)
    scenes_ground.add_parser(actions, common)
    scenes_like.add_parser(actions, common)
    scenes_sheet.add_parser(actions, common)


def run(arguments: argparse.Namespace) -> int:
    """Run the job, or say what it would cost."""
    from api.cli.printing import print_estimate, print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.scenes import SceneJob, estimate_scenes, run_scenes

    job = SceneJob(
        label=arguments.label,
        descriptions=arguments.descriptions,
        key=arguments.key,
        drawn_alike=arguments.drawn_alike,
        detector=arguments.detector,
        engine=arguments.engine,
        workers=arguments.workers,
    )
    with Engine.open(arguments.folder) as engine:
        if arguments.estimate:
            print_estimate(estimate_scenes(engine, job), as_json=arguments.json)
            return 0
        with progress_bar("taking images apart", "images") as progress:
            outcome = run_scenes(engine, job, progress=progress)
    if not arguments.json:
        outcome = {name: value for name, value in outcome.items() if name != "figures"}
    print_outcome("scenes", outcome, as_json=arguments.json)
    return 0
