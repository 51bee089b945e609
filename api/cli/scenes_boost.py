"""`umbra scenes boost`: more annotations for rare predicates, each checked."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

BELIEVE = ("unrefuted", "supported", "all")
"""As in `scenes.cacao.checking`, which need not be imported to show the help; default first."""

EXAMPLES = """examples:
  umbra scenes boost train.jsonl.gz --vocabulary vocabulary.json --out more.jsonl
  umbra scenes evaluate test.jsonl.gz --vocabulary vocabulary.json --train more.jsonl \\
    --json run.json
  umbra scenes boost train.jsonl.gz --vocabulary vocabulary.json --open scene_graphs.json \\
    --out more.jsonl

A frozen language model, prompted by what is seen of a pair, looks again at pairs that bear a
frequent predicate alone or none (CaCao). Two witnesses, the classes and the boxes, check what it
adds; what both refute, or boxes rule out, is not taken unless --believe all, and lies with both
votes beside OUT (OUT.not-taken.jsonl). With --open it learns the predicates of other images, and
these are mapped to those of the vocabulary.
"""


def add_parser(actions: Any) -> None:
    """Declare the command."""
    parser = actions.add_parser(
        "boost",
        help="annotate rare predicates by a language model",
        description="Add annotations of rare predicates to annotated images.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("annotations", type=Path, help="VRD's JSONL, COCO, Visual Genome or Label Studio")
    add("--vocabulary", type=Path, required=True, help="names of classes and predicates: JSON")
    add("--out", type=Path, required=True, help="the images with what is added, as VRD's JSONL")
    add(
        "--believe",
        choices=BELIEVE,
        default=BELIEVE[0],
        help=f"which additions are taken (default {BELIEVE[0]})",
    )
    add("--open", type=Path, metavar="FILE", help="images whose predicates are learnt and mapped")
    add("--open-vocabulary", type=Path, metavar="FILE", help="of those; VRD's format needs it")
    add(
        "--language",
        metavar="NAME",
        help="directory or hub id of a masked language model (default: the packaged one)",
    )
    add("--prompts", type=Path, metavar="FOLDER", help="keeps the trained prompts, or has them")
    add("--seed", type=int, default=0, help="of the training and the checks (default 0)")
    add("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Boost, and print what was added."""
    from api.cli.printing import print_outcome, progress_bar
    from api.settings import load_settings
    from api.steps.boost_annotations import LAYERS, AnnotationBoost, boost_annotations
    from api.steps.encoders import text_encoder_named
    from encoders.masked_language_model import MaskedLanguageModel

    task = AnnotationBoost(
        annotations=arguments.annotations,
        vocabulary=arguments.vocabulary,
        out=arguments.out,
        open_annotations=arguments.open,
        open_vocabulary=arguments.open_vocabulary,
        prompts=arguments.prompts,
        believe=arguments.believe,
        seed=arguments.seed,
    )
    layers = LAYERS if arguments.language is None else None
    with progress_bar("training prompts", "epochs") as progress:
        outcome = boost_annotations(
            task,
            language=MaskedLanguageModel(arguments.language, layers=layers),
            encoder=text_encoder_named(load_settings().text_encoder, None),
            progress=progress,
        )
    print_outcome("scenes boost", outcome, as_json=arguments.json)
    return 0
