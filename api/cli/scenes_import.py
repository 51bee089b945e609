"""`umbra scenes import`: annotated images into the graph."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra scenes import train.jsonl.gz --vocabulary vocabulary.json
  umbra scenes import new.jsonl.gz --vocabulary vocabulary.json --images pictures \\
      --model relations --calibrate held-out.jsonl.gz

Images, their objects as parts, and what is said of them become entities and edges; without --images
the boxes are drawn. With a model (`umbra scenes evaluate … --save DIR`) likely relations come with
their probability, calibrated on images that it has not seen; a newer model replaces an older one's.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    one = actions.add_parser(
        "import",
        parents=[common],
        help="write annotated images into the graph",
        description="Write annotated images into the graph.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("annotations", type=Path, metavar="ANNOTATIONS", help="JSONL, an image a line")
    one.add_argument("--vocabulary", type=Path, required=True, help="names of classes, predicates")
    one.add_argument("--images", type=Path, help="folder of the pictures, by the images' names")
    one.add_argument("--model", type=Path, help="folder of a model of relations")
    one.add_argument("--calibrate", type=Path, help="annotated images that the model has not seen")
    one.add_argument(
        "--least", type=float, default=0.1, help="smallest probability of a relation (default 0.1)"
    )
    one.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Import, and print what was written."""
    from api.cli.printing import print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.import_annotations import AnnotationImport, import_annotations

    task = AnnotationImport(
        annotations=arguments.annotations,
        vocabulary=arguments.vocabulary,
        images=arguments.images,
        model=arguments.model,
        calibrate=arguments.calibrate,
        least=arguments.least,
    )
    bar = progress_bar("keeping pictures", "images")
    with Engine.open(arguments.folder) as engine, bar as progress:
        outcome = import_annotations(engine, task, progress=progress)
    print_outcome("scenes import", outcome, as_json=arguments.json)
    return 0
