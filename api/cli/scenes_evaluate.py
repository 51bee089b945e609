"""`umbra scenes evaluate`: how well relations are found in annotated images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

KINDS = ("network", "baseline", "context", "logistic", "prior", "epic")
PROTOCOLS = ("predcls", "sgcls", "sgdet")

EXAMPLES = """examples:
  umbra scenes evaluate test.jsonl.gz --vocabulary vocabulary.json --train train.jsonl.gz \\
    --save model --json run.json
  umbra scenes evaluate new.jsonl --vocabulary vocabulary.json --model model --json new.json
  umbra scenes evaluate test.jsonl.gz --vocabulary vocabulary.json --model model \\
    --protocol sgdet --objects detected.jsonl.gz --json sgdet.json

A line of annotations: image, boxes_xyxy, labels, triplets (subject, predicate, object by number).
The vocabulary: objects and predicates, names in order. A model of the kind epic scores predicates
by their names, also those that no training image has (novel, in the result beside base). Recall at
20, 50 and 100 is pooled over triplets, with one predicate a pair and (_unconstrained) with all;
zero-shot recall is over triplets of classes that training never saw so. Beside OUT: the value of
each image (.units.npz), by which `umbra compare` pairs runs. UMBRA_TEXT_ENCODER names the encoder
of the names.
"""


def add_parser(actions: Any) -> None:
    """Declare the command; `--json` names a file here, so the common options stay out."""
    parser = actions.add_parser(
        "evaluate",
        help="judge relations on annotated images",
        description="Judge a model of relations on annotated images, or train one first.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "annotations",
        type=Path,
        help="annotated images: VRD's JSONL, COCO, Visual Genome or Label Studio",
    )
    add("--vocabulary", type=Path, required=True, help="names of classes and predicates: JSON")
    add("--json", type=Path, required=True, metavar="OUT", help="result file")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--model", type=Path, metavar="FOLDER", help="of a trained model")
    given.add_argument("--train", type=Path, help="annotated images to train on")
    add(
        "--kind",
        choices=KINDS,
        default=KINDS[0],
        help=f"which model is trained (default {KINDS[0]})",
    )
    add("--seed", type=int, default=0, help="of the training (default 0)")
    add("--save", type=Path, metavar="FOLDER", help="keeps the trained model")
    add(
        "--protocol",
        choices=PROTOCOLS,
        default=PROTOCOLS[0],
        help=f"what is given: boxes and labels, boxes, or nothing (default {PROTOCOLS[0]})",
    )
    add(
        "--mean-recall",
        type=float,
        metavar="WEIGHT",
        help="what mean recall is worth against recall when guesses are ranked: 0 for recall "
        "alone (default 1)",
    )
    add(
        "--novelty",
        type=float,
        metavar="NATS",
        help="what is added to the log-probability of triplets of new classes (default 0.6)",
    )
    add("--objects", type=Path, help="for sgcls and sgdet: boxes and labels found, same format")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print the figures."""
    import shlex
    import sys

    from api.cli.printing import print_result, progress_bars
    from api.settings import load_settings
    from api.steps.encoders import text_encoder_named
    from api.steps.evaluate_relations import RelationEvaluation, evaluate_relations

    with progress_bars() as bars:
        result = evaluate_relations(
            RelationEvaluation(
                annotations=arguments.annotations,
                vocabulary=arguments.vocabulary,
                model=arguments.model,
                train=arguments.train,
                kind=arguments.kind,
                objects=arguments.objects,
                protocol=arguments.protocol,
                save=arguments.save,
                mean_recall=arguments.mean_recall,
                novelty=arguments.novelty,
            ),
            encoder=text_encoder_named(load_settings().text_encoder, None),
            out=arguments.json,
            seed=arguments.seed,
            command=shlex.join(["umbra", *sys.argv[1:]]),
            bars=bars,
        )
    print_result("relations", result, arguments.json)
    return 0
