"""`umbra scenes import`: annotated images into the graph."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["FORMATS", "add_parser", "run"]

FORMATS = ("vrd", "coco", "visual-genome", "label-studio")
"""As in `scenes.exchange.formats`, which need not be imported to show the help."""

EXAMPLES = """examples:
  umbra scenes import train.jsonl.gz --vocabulary vocabulary.json
  umbra scenes import instances.json --images pictures
  umbra scenes import new.jsonl.gz --vocabulary vocabulary.json --images pictures \\
      --model relations --calibrate held-out.jsonl.gz

Annotations are VRD's (JSON Lines, with a vocabulary), COCO's, Visual Genome's or Label Studio's; a
record that cannot be taken lands in rejects/ of the working folder with its number and the reason.
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
    one.add_argument("annotations", type=Path, metavar="ANNOTATIONS", help="the file")
    one.add_argument("--format", choices=FORMATS, help="of the file (default: by what is in it)")
    one.add_argument(
        "--vocabulary", type=Path, help="names of classes, predicates; VRD's format needs it"
    )
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
        form=arguments.format,
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
